import { setTimeout as sleep } from "node:timers/promises";
import { type CaseWorld, type EngineCase, type Found, soon } from "../support/engine-case.ts";
import { FULL } from "../support/full.ts";
import { problemsOfRun, repeats } from "../support/laws.ts";
import type { Point } from "../support/outside-messages.ts";

/** Before, inside and after each step of a run that asks the model three times and carries out three items, two side by side. */
const POINTS: readonly Point[] = [1, 2, 3].flatMap((number): Point[] => [
  `model:${number}/asked`,
  `model:${number}/half`,
  `model:${number}/told`,
  `item:${number}/asked`,
  `item:${number}/done`,
  `item:${number}/told`,
]);

/** Milliseconds between the end of a step and the kill. */
const AFTER_MS = FULL ? [0, 8] : [2];

/** A worker is killed with a run at each of the points, and another one goes on. */
export const KILLED_AT_EVERY_STEP: EngineCase = {
  name: "killed at every step",
  try: async (world) => {
    const found: Found[] = [];
    for (const afterMs of AFTER_MS) found.push(await killAtAll(world, afterMs));
    return { problems: found.flatMap(({ problems }) => problems), note: `${POINTS.length * AFTER_MS.length} points` };
  },
};

async function killAtAll({ place, outside, run }: CaseWorld, afterMs: number): Promise<Found> {
  const at = POINTS.map((point) => ({ point, name: run(`${afterMs}-${point.replace(/[:/]/g, "-")}`) }));
  await place.startWorker("w1");
  await Promise.all(at.map(({ name, point }) => outside.hold(name, point)));
  await Promise.all(at.map(({ name }) => place.start(name, "two")));
  await Promise.all(at.map(({ name, point }) => soon(`${name} at ${point}`, outside.held(name, point))));
  const told = at.filter(({ point }) => point.endsWith("/told"));
  await Promise.all(told.map(({ name, point }) => outside.release(name, point)));
  await sleep(afterMs);
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

/** Waits until the outside world has seen so much more of the runs, or nothing more comes. */
async function moved({ outside, run }: Pick<CaseWorld, "outside" | "run">, more: number): Promise<void> {
  const before = (await outside.seen(run(""))).length;
  for (let looks = 0; looks < 200; looks++) {
    if ((await outside.seen(run(""))).length >= before + more) return;
    await sleep(10);
  }
}

const RUNS = 12;
const KILLS = FULL ? 6 : 2;

/** A worker with a dozen runs is killed again and again, whatever it is at. */
export const KILLED_AT_RANDOM: EngineCase = {
  name: "killed at random",
  try: async ({ place, outside, run, random }) => {
    const names = Array.from({ length: RUNS }, (_, index) => run(String(index)));
    await outside.pace(60);
    await place.startWorker("w1");
    await Promise.all(names.map((name) => place.start(name, "two")));
    for (let kill = 0; kill < KILLS; kill++) {
      await moved({ outside, run }, 1 + Math.floor(random() * RUNS * 4));
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
