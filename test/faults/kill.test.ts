import { afterAll, beforeAll, expect, test } from "vitest";
import { JOBS, LONG } from "./support/errand.ts";
import { killAndFinish, killTally } from "./support/kill-and-finish.ts";
import { KINDS, openPlaces, type Places } from "./support/places.ts";

// `kill.system.test.ts` kills at every place in the log, and between them.

const tally = killTally("kill -9 at two places");
let places: Places;
beforeAll(async () => void (places = await openPlaces(LONG)));
afterAll(() => places[Symbol.asyncDispose]());

test.each(KINDS)("a process with a %s store is killed between two calls, and another one goes on", async (kind) => {
  const moments = [{ append: 6, when: "after" } as const];
  const problems = await killAndFinish({ places, tally, errand: LONG }, places.place(kind, "sessions"), moments, kind);
  expect(problems).toEqual([]);
  expect(tally.total("killed")).toBe(KINDS.indexOf(kind) + 1);
});

test("a process is killed while it waits for its jobs, and another one goes on", async () => {
  await using jobs = await openPlaces(JOBS);
  const moments = [{ append: 7, when: "after" } as const];
  const scene = { places: jobs, tally: killTally("kill -9 with jobs"), errand: JOBS };
  expect(await killAndFinish(scene, jobs.place("jsonl", "sessions"), moments, "jobs")).toEqual([]);
});
