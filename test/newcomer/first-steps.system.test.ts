import { execFile } from "node:child_process";
import { dirname, delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { programFile, programVersion } from "../support/programs.ts";

const program = fileURLToPath(new URL("first-steps.mjs", import.meta.url));

test.each([
  [programVersion("node-20"), programFile("node-20", "bin/node")],
  [programVersion("node-22"), programFile("node-22", "bin/node")],
  [process.versions.node, process.execPath],
])("README, guide and scaffold lead to running programs on Node %s", async (version, node) => {
  const [first] = inject("packed");
  const env = { ...process.env, PATH: [dirname(node), process.env["PATH"]].join(delimiter) };
  const { stdout } = await promisify(execFile)(node, [program, dirname(first?.tarball ?? "")], { env });
  expect(stdout).toContain(`first steps taken on Node ${version}, ${process.platform}\n`);
});
