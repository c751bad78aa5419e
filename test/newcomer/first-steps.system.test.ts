import { execFile } from "node:child_process";
import { dirname, delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { programFile, programVersion } from "../support/programs.ts";

const program = fileURLToPath(new URL("first-steps.mjs", import.meta.url));

// On this Node, test/packaging and the tests of create-pollux install the packages and projects.
test.each(["node-20", "node-22"])("README, guide and scaffold lead to running programs on %s", async (name) => {
  const [version, node] = [programVersion(name), programFile(name, "bin/node")];
  const [first] = inject("packed");
  const env = { ...process.env, PATH: [dirname(node), process.env["PATH"]].join(delimiter) };
  const { stdout } = await promisify(execFile)(node, [program, dirname(first?.tarball ?? "")], { env });
  expect(stdout).toContain(`first steps taken on Node ${version}, ${process.platform}\n`);
});
