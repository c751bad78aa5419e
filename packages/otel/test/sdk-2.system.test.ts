import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("the sources compile with the types of the oldest API as well", () => {
  const project = fileURLToPath(new URL("sdk-2/tsconfig.json", import.meta.url));
  const { status, stdout } = spawnSync("tsc", ["-p", project], { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});
