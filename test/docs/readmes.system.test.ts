import { expect, test } from "vitest";
import { compileReadmes } from "../support/readme-programs.ts";

// `snippets.test.ts` has all others.
test("the programs of the READMEs that need services compile under the strictest settings", async () => {
  expect(await compileReadmes()).toBe("");
});
