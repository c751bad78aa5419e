import { expect, test } from "vitest";
import { HOSTILE_INPUTS } from "../../../test/support/hostile-inputs.ts";
import { checkExpressions, checkGlobs } from "./hostile/check-patterns.ts";
import { readMany } from "./hostile/read-many.ts";

test("thousands of hostile globs end within their bounds", () => {
  checkGlobs(HOSTILE_INPUTS);
});

test("thousands of hostile expressions end within their bounds", { timeout: 900_000 }, () => {
  checkExpressions(HOSTILE_INPUTS);
});

test.each(["html", "pdf"] as const)(
  "thousands of hostile %s documents are read or refused",
  { timeout: 1_800_000 },
  async (kind) => {
    const { string, damaged, late, other } = await readMany(kind, 2, HOSTILE_INPUTS);
    expect({ other, all: string + damaged + late }).toEqual({ other: 0, all: HOSTILE_INPUTS });
    // The others were ended by the limit on time.
    expect(string + damaged).toBeGreaterThan(0.99 * HOSTILE_INPUTS);
  },
);
