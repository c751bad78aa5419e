import { afterAll, beforeAll, expect, test } from "vitest";
import { problemsInFiles, problemsOf, problemsOfReaders } from "./support/acts.ts";
import { COMERS } from "./support/comers.ts";
import { type DeadStore, letDie } from "./support/dead-store.ts";
import { DEATHS } from "./support/deaths.ts";

// A part of the table of `deploys.system.test.ts`.

const CELLS = [
  ["between two calls, in one that may run again", "the same code"],
  ["between two calls, in one that may run again", "another version of the loop"],
  ["when the third answer was asked for", "a limit of one turn"],
  ["when the third answer was asked for", "a stop rule that throws"],
  ["in a call that may happen once", "approval of payments and looks"],
  ["after all calls", "no tools"],
  ["in an output phase", "a guardrail of answers"],
  ["while an approval waits", "a price table that throws"],
  ["after an answer from outside was used", "no tool that asks"],
  ["in the start of a job", "no job"],
  ["while a job is waited for", "another output of the job"],
  ["while a job is waited for", "another version of the loop"],
  ["with an unused outcome of a job", "a job of another name"],
  ["after it had finished", "approval of payments and looks"],
  ["after it had finished", "a limit of one turn"],
] as const;

const deaths = DEATHS.filter(({ name }) => CELLS.some(([row]) => row === name));
let left: DeadStore;
beforeAll(async () => void (left = await letDie("jsonl", deaths)));
afterAll(() => left[Symbol.asyncDispose]());

test.each(CELLS)("of a run whose process died %s, %s says what was done, and goes on", async (row, column) => {
  const [death, comer] = [deaths.find(({ name }) => name === row), COMERS.find(({ name }) => name === column)];
  if (death === undefined || comer === undefined) throw new Error("there is no such cell");
  expect(await problemsOf(left, { death, comer })).toEqual([]);
  if (column === "the same code") expect(await problemsInFiles(left, { death, comer })).toEqual([]);
});

test.each(deaths)("of a run whose process died $name, those who have no agent say what was done", async (death) => {
  expect(await problemsOfReaders(left, death)).toEqual([]);
});
