import { setTimeout as sleep } from "node:timers/promises";
import { type CaseWorld, type EngineCase, type Found, soon, until } from "../support/engine-case.ts";
import { problemsOfRun, repeats } from "../support/laws.ts";
import type { Point } from "../support/outside-messages.ts";

/** Before, inside and after each step of a run with three requests to the model and three items, two of them in parallel. */
const POINTS: readonly Point[] = [1, 2, 3].flatMap((number): Point[] => [
  `model:${number}/asked`,
  `model:${number}/half`,
  `model:${number}/told`,
  `item:${number}/asked`,
  `item:${number}/done`,
  `item:${number}/told`,
]);

/** Time between the end of a step and the kill. */
const AFTER = [0, 1];

/** A worker is killed with a run at each of the points, and another one continues. */
export const KILLED_AT_EVERY_STEP: EngineCase = {
  name: "killed at every step",
  try: async (world) => {
    const found: Found[] = [];
    for (const more of AFTER) found.push(await killAtAll(world, more));
    return { problems: found.flatMap(({ problems }) => problems), note: `${POINTS.length * AFTER.length} points` };
  },
};

async function killAtAll({ place, outside, run }: CaseWorld, more: number): Promise<Found> {
  const at = POINTS.map((point) => ({ point, name: run(`${more}-${point.replace(/[:/]/g, "-")}`) }));
  await place.startWorker("w1");
  await Promise.all(at.map(({ name, point }) => outside.hold(name, point)));
  await Promise.all(at.map(({ name }) => place.start(name, "two")));
  await Promise.all(at.map(({ name, point }) => soon(`${name} at ${point}`, outside.held(name, point))));
  const before = (await outside.seen(run(""))).length;
  const told = at.filter(({ point }) => point.endsWith("/told"));
  await Promise.all(told.map(({ name, point }) => outside.release(name, point)));
  await until(`${more} more`, async () => (await outside.seen(run(""))).length >= before + more || undefined);
  await place.killWorker("w1");
  await outside.mark("kill");
  await outside.release();
  await place.startWorker("w1");
  return await endsOf(
    { place, outside },
    at.map(({ name }) => name),
  );
}

/** Waits for the ends of some runs of the plan `two`. */
export async function endsOf(
  { place, outside }: Pick<CaseWorld, "place" | "outside">,
  names: readonly string[],
): Promise<Found> {
  const problems = await Promise.all(
    names.map(async (name) => {
      try {
        return await problemsOfRun(outside, name, "two", await soon(`the end of ${name}`, place.report(name)));
      } catch (error) {
        return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
      }
    }),
  );
  await place.stopWorkers();
  return { problems: problems.flat() };
}

const RUNS = 12;
const KILLS = 6;

/** A worker with a dozen runs is killed repeatedly, at any point. */
export const KILLED_AT_RANDOM: EngineCase = {
  name: "killed at random",
  try: async ({ place, outside, run, random }) => {
    const names = Array.from({ length: RUNS }, (_, index) => run(String(index)));
    await outside.pace(60);
    await place.startWorker("w1");
    await Promise.all(names.map((name) => place.start(name, "two")));
    let areOver = false;
    void Promise.allSettled(names.map((name) => place.report(name))).then(() => (areOver = true));
    for (let kill = 0; kill < KILLS; kill++) {
      const before = (await outside.seen(run(""))).length;
      const more = 1 + Math.floor(random() * RUNS * 4);
      await until(`${more} more`, async () =>
        areOver || (await outside.seen(run(""))).length >= before + more ? true : undefined,
      );
      // The point within a step is random.
      await sleep(random() * 30);
      await place.killWorker("w1");
      await outside.mark("kill");
      await place.startWorker("w1");
    }
    const { problems } = await endsOf({ place, outside }, names);
    await outside.pace(0);
    return {
      problems,
      note: `${KILLS} kills of ${RUNS} runs, ${repeats(await outside.seen(run("")))} steps begun again`,
    };
  },
};
