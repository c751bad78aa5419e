import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemsInFiles, problemsOf, problemsOfReaders } from "./support/acts.ts";
import { COMERS } from "./support/comers.ts";
import { type DeadStore, letDie } from "./support/dead-store.ts";
import { DEATHS } from "./support/deaths.ts";

// A run dies after two whole turns, at each point of the third. The next process reports the same finished work, with any code
// deployed since. Rows: `deaths.ts`; columns: `comers.ts`; what each does: `acts.ts`. A part of it is in `deploys.test.ts`.

describe.each(["jsonl", "sqlite"] as const)("of a run in a %s store whose process died", (kind) => {
  let left: DeadStore;
  beforeAll(async () => void (left = await letDie(kind, DEATHS)));
  afterAll(() => left[Symbol.asyncDispose]());

  describe.each(DEATHS)("$name", (death) => {
    test("those who have no agent say what was done", async () => {
      expect(await problemsOfReaders(left, death)).toEqual([]);
    });

    test.each(COMERS)("$name says what was done, and goes on", async (comer) => {
      expect(await problemsOf(left, { death, comer })).toEqual([]);
      if (comer.name === "the same code") expect(await problemsInFiles(left, { death, comer })).toEqual([]);
    });
  });
});
