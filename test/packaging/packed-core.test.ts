import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { packPackages } from "../../scripts/pack-packages.ts";

const run = promisify(execFile);
const core = fileURLToPath(new URL("../../packages/core/", import.meta.url));

const PROGRAM = `
import { Agent } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
console.log((await new Agent({ model: new ScriptedModel(say("Hi.")) }).run("Hello")).text);
`;

// The system tests install it like a user, with npm and all packages.
test("core as it is packed runs an agent", { timeout: 300_000 }, async () => {
  // Its dependencies resolve here.
  const folder = mkdtempSync(join(core, "node_modules/.packed-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [packed] = await packPackages(folder, ["core"]);
  expect(
    packed?.files.filter(
      (path) => !/^(dist\/.+\.(js|d\.ts)|docs\/[\w-]+\.md|package\.json|README\.md|LICENSE)$/.test(path),
    ),
  ).toEqual([]);
  await run("tar", ["-xzf", packed?.tarball ?? "", "-C", folder]);
  // Inside the package, imports of its own name resolve to it.
  writeFileSync(join(folder, "package/program.mjs"), PROGRAM);
  const { stdout, stderr } = await run(process.execPath, ["program.mjs"], { cwd: join(folder, "package") });
  expect({ stdout, stderr }).toEqual({ stdout: "Hi.\n", stderr: "" });
});
