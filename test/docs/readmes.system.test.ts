import { expect, test } from "vitest";
import { compileReadmes } from "../support/readme-programs.ts";

// All others: `snippets.test.ts`.
test("the programs of the READMEs that need services compile under the strictest settings", async () => {
  expect(await compileReadmes()).toBe("");
});
