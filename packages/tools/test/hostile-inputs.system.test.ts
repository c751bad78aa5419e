import { expect, test } from "vitest";
import { checkExpressions, checkGlobs } from "./hostile/check-patterns.ts";
import { readMany } from "./hostile/read-many.ts";

const INPUTS = 10_000;

test("ten thousand hostile globs end within their bounds", () => {
  checkGlobs(INPUTS);
});

test("ten thousand hostile expressions end within their bounds", { timeout: 900_000 }, () => {
  checkExpressions(INPUTS);
});

test.each(["html", "pdf"] as const)(
  "ten thousand hostile %s documents are read or refused",
  { timeout: 1_800_000 },
  async (kind) => {
    const { string, damaged, late, other } = await readMany(kind, 2, INPUTS);
    expect({ other, all: string + damaged + late }).toEqual({ other: 0, all: INPUTS });
    // The others were ended by the limit on time.
    expect(string + damaged).toBeGreaterThan(0.99 * INPUTS);
  },
);
