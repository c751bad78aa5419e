import { type CaseWorld, type EngineCase, soon, until } from "../support/engine-case.ts";
import type { Asked, Ended } from "../support/engine-place.ts";
import { problemsOfRun } from "../support/laws.ts";
import type { Point, Seen } from "../support/outside-messages.ts";

/** The outcome of item 1's job. */
const OUTCOME = { output: "item 1 done" } as const;

/** Where the outside world holds a run: before the job's start, during it, and when the model gets the job's outcome. */
const POINTS: readonly Point[] = ["model:1/told", "item:1/asked", "item:1/done", "item:1/told", "model:2/asked"];

/** No worker runs it: the run waits for its job. The outcome of the second one comes while there is no worker. */
const IDLE = ["waiting", "reported"] as const;

/** A worker is killed with a run at each point in the life of a job, and another one continues. */
export const JOBS_KILLED: EngineCase = {
  name: "jobs across a kill",
  try: async ({ place, outside, run }) => {
    const held = POINTS.map((point) => ({ point, name: run(point.replace(/[:/]/g, "-")) }));
    const idle = IDLE.map((name) => run(name));
    const names = [...held.map(({ name }) => name), ...idle];
    await place.startWorker("w1");
    await Promise.all(held.map(({ name, point }) => outside.hold(name, point)));
    await Promise.all(names.map((name) => place.start(name, "job")));
    await Promise.all(
      [...idle, ...held.flatMap(({ name, point }) => (point === "model:2/asked" ? [name] : []))].map(async (name) => {
        await until(`the job of ${name}`, async () => isWaiting(await place.pending(name)));
        if (!idle.includes(name)) await place.answer(name, "call:1.0", { outcome: OUTCOME });
      }),
    );
    await Promise.all(held.map(({ name, point }) => soon(`${name} at ${point}`, outside.held(name, point))));
    for (const { name, point } of held) if (point.endsWith("/told")) await outside.release(name, point);
    await place.killWorker("w1");
    await outside.mark("kill");
    await outside.release();
    await soon("a report", place.answer(run("reported"), "call:1.0", { outcome: OUTCOME }));
    const atKill = await outside.seen(run(""));
    await place.startWorker("w1");
    const problems = await Promise.all(
      names.map(async (name) => {
        const isReported = name === run("reported") || name === run("model-2-asked");
        const { ended, asked, startsAgain } = await bringToEnd({ place, outside }, name, isReported);
        const seen = (await outside.seen(name)).filter((one) => one.what !== "mark" && one.run === name);
        return [
          ...(await problemsOfRun(outside, name, "job", ended)),
          ...problemsOfJob(name, seen, startsAgain ? 2 : 1),
          ...(wasCutOff(name, atKill) && !asked.includes("unknown-outcome") ? [`lost: ${name} did not ask`] : []),
        ];
      }),
    );
    return { problems: problems.flat(), note: `${names.length} points` };
  },
};

function isWaiting(asked: readonly Asked[]): true | undefined {
  return asked.some(({ question }) => question === "job") || undefined;
}

/**
 * Answers the run's questions about the job until it ends.
 *
 * @param isReported - The outcome was accepted before. The run may still seem to ask until a worker has picked it up.
 */
async function bringToEnd(
  { place, outside }: Pick<CaseWorld, "place" | "outside">,
  name: string,
  isReported: boolean,
): Promise<{ readonly ended: Ended; readonly asked: readonly string[]; readonly startsAgain: boolean }> {
  const asked = new Set<string>(isReported ? ["job"] : []);
  let startsAgain = false;
  let ended: Ended | undefined;
  void place.report(name).then((one) => (ended = one));
  await until(`the end of ${name}`, async () => {
    for (const { callId, question } of ended === undefined ? await place.pending(name) : []) {
      if (asked.has(question)) continue;
      asked.add(question);
      const isStarted = (await outside.seen(name)).some((one) => isStart(name, one, "done"));
      const isKnown = question === "job" || isStarted;
      startsAgain ||= !isKnown;
      await place.answer(name, callId, { outcome: isKnown ? OUTCOME : { notExecuted: true } });
    }
    return ended;
  });
  return { ended: await place.report(name), asked: [...asked], startsAgain };
}

function isStart(name: string, one: Seen, phase: "asked" | "done"): boolean {
  return one.what === "item" && one.run === name && one.item === 1 && one.phase === phase;
}

/** The start was in progress, with an unknown outcome. */
function wasCutOff(name: string, seen: readonly Seen[]): boolean {
  return seen.some((one) => isStart(name, one, "asked")) && /item-1-(?:asked|done)$/.test(name);
}

/** The job starts once, or again after somebody said that it did not; the model gets its outcome once. */
function problemsOfJob(name: string, seen: readonly Seen[], expected: number): readonly string[] {
  const starts = seen.filter((one) => isStart(name, one, "asked")).length;
  const last = seen.findLast((one) => one.what === "model");
  const told = last?.what === "model" ? last.told.join() : "nothing";
  return [
    ...(starts === expected ? [] : [`doubled: the job of ${name} was started ${starts} times, not ${expected}`]),
    ...(told === "1,2,3" ? [] : [`lost: the model of ${name} read the outcomes of ${told}`]),
  ];
}
