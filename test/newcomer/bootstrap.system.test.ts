import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, onTestFinished, test } from "vitest";

const bootstrap = fileURLToPath(new URL("../../scripts/bootstrap.mjs", import.meta.url));

let clone: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "pollux-bootstrap-"));
  onTestFinished(() => rmSync(clone, { recursive: true }));
  const files = {
    "package.json": JSON.stringify({ packageManager: "pnpm@1.0.0", scripts: { greet: "node greet.mjs" } }),
    "greet.mjs": 'console.log("Hello.");',
    "pnpm-lock.yaml": "",
    "pnpm-workspace.yaml": "",
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(clone, name), content);
  for (const folder of ["bin", "node_modules", "scripts"]) mkdirSync(join(clone, folder));
  copyFileSync(bootstrap, join(clone, "scripts/bootstrap.mjs"));
});

/** Runs the script of a fresh clone with this `npx`. */
function greet(npx: string): { readonly code: number | null; readonly out: string; readonly err: string } {
  const file = join(clone, "bin/npx");
  writeFileSync(file, `#!/bin/sh\n${npx}\n`);
  chmodSync(file, 0o755);
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(clone, "scripts/bootstrap.mjs"), "greet"], {
    encoding: "utf8",
    env: { PATH: [join(clone, "bin"), process.env["PATH"]].join(delimiter) },
  });
  return { code: status, out: stdout, err: stderr.replace(/in \d+ s/, "in 0 s") };
}

const INSTALLING = "pollux: installing dependencies and Node 24 into this folder, about a minute the first time ...";

test("an install is one line of our own, and none where nothing is installed", () => {
  const noisy = 'echo "Progress: resolved 1, reused 0"; echo "npm warn deprecated inflight" >&2';
  expect(greet(noisy)).toEqual({ code: 0, out: "Hello.\n", err: `${INSTALLING} done in 0 s\n` });
  expect(greet("exit 1")).toEqual({ code: 0, out: "Hello.\n", err: "" });
});

test("an install that fails shows the end of its output", () => {
  expect(greet('echo "ERR_PNPM_OUTDATED_LOCKFILE the lockfile is old"; exit 3')).toEqual({
    code: 3,
    out: "",
    err: `${INSTALLING}\npollux: the install failed. The end of its output:\nERR_PNPM_OUTDATED_LOCKFILE the lockfile is old\n`,
  });
});
