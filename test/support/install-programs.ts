/** Setup of the system project: installs the runtimes and third-party programs of test/programs, once. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../programs/", import.meta.url));
const stampFile = `${folder}node_modules/.pollux-install`;

/** @internal Called by vitest, by this name. */
export function setup(): void {
  const wanted = fingerprint();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) return;

  const started = performance.now();
  say("installing runtimes and other people's programs into test/programs (2.5 GB; about a minute on a good line)");
  const root = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    packageManager: string;
  };
  const { status, stdout, stderr } = spawnSync(
    "npx",
    ["--yes", root.packageManager, "install", "--frozen-lockfile", "--reporter=append-only"],
    { cwd: folder, encoding: "utf8", env: { ...process.env, CI: "true", NO_COLOR: "1", npm_config_loglevel: "error" } },
  );
  if (status !== 0) {
    throw new Error(`test/programs could not be installed. The end of its output:\n${tail(`${stdout}${stderr}`)}`);
  }
  writeFileSync(stampFile, wanted);
  say(`installed in ${Math.round((performance.now() - started) / 1000)} s`);
}

/** An install is only valid for its lockfile and platform. */
function fingerprint(): string {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(folder + file));
  return hash.digest("hex");
}

function tail(output: string): string {
  return output.trimEnd().split("\n").slice(-15).join("\n");
}

function say(message: string): void {
  process.stderr.write(`pollux: ${message}\n`);
}
