import { expect, test } from "vitest";
import { checkExpressions, checkGlobs } from "./hostile/check-patterns.ts";
import { readMany } from "./hostile/read-many.ts";

// The same with thousands of inputs each is a system test.
test("hostile globs and expressions end within their bounds", () => {
  checkGlobs(300);
  checkExpressions(100);
});

test.each(["html", "pdf"] as const)("hostile %s documents are read or refused", async (kind) => {
  const { string, damaged, other } = await readMany(kind, 1, 20);
  expect({ other, read: string + damaged > 0 }).toEqual({ other: 0, read: true });
});
