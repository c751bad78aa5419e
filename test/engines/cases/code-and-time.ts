import { type CaseWorld, type EngineCase, type Found, soon, until } from "../support/engine-case.ts";
import type { Ended } from "../support/engine-place.ts";
import { problemsOfRun } from "../support/laws.ts";

/** New code replaces the old code, or runs beside it: a run of the old code ends with a typed error, or the old code ends it. */
export const CHANGED_CODE: EngineCase = {
  name: "changed code",
  try: async (world) => {
    const replaced = await change(world, false);
    const beside = await change(world, true);
    return {
      problems: [...replaced.problems, ...beside.problems],
      note: `in its place: ${replaced.note}; beside it: ${beside.note}`,
    };
  },
};

async function change({ place, outside, run }: CaseWorld, beside: boolean): Promise<Found> {
  const name = run(beside ? "beside" : "replaced");
  await place.startWorker("w1");
  await outside.hold(name, "item:2/asked");
  await place.start(name, "two");
  await soon(`${name} at item 2`, outside.held(name, "item:2/asked"));
  await place.killWorker("w1");
  await outside.mark("kill");
  await outside.release();
  await place.startWorker("w2", { code: "new", beside });
  let ended: Ended | undefined;
  const report = place.report(name).then((one) => (ended = one));
  // By then, the new code would have touched it.
  await soon(`a look at ${name}`, Promise.race([report, place.leaves?.(name) ?? report]));
  const byNew = ended;
  await place.killWorker("w2");
  const touched = (await outside.seen(name)).filter((one) => one.what === "item" && one.code === "new");
  const mixed = touched.length === 0 ? [] : [`mixed: the new code carried out ${JSON.stringify(touched)}`];
  if (byNew !== undefined) {
    const isTyped = byNew.status === "failed" && byNew.error?.name === "LoopVersionError";
    return {
      problems: [...mixed, ...(isTyped ? [] : [`untyped: it ended with ${JSON.stringify(byNew)}`])],
      note: "LoopVersionError",
    };
  }
  await place.startWorker("w1");
  const problems = await problemsOfRun(outside, name, "two", await soon(`the end of ${name}`, report));
  await place.stopWorkers();
  return { problems: [...mixed, ...problems], note: "the old code ends it" };
}

const NAP_MS = 2_500;

/** A program on steps alone sleeps while its worker dies. */
export const SLEEPS: EngineCase = {
  name: "sleep across a crash",
  try: async ({ place, outside, run }) => {
    const name = run("a");
    const done = async (item: number): Promise<true | undefined> =>
      (await outside.seen(name)).some((one) => one.what === "item" && one.item === item && one.phase === "done") ||
      undefined;
    await place.startWorker("w1");
    await place.nap(name, NAP_MS);
    await until("the step before", () => done(1));
    // It runs in parallel to the sleep.
    await until("the step beside", () => done(3));
    await place.killWorker("w1");
    await outside.mark("kill");
    await place.startWorker("w1");
    await until("the step after", () => done(2));
    const seen = await outside.seen(name);
    const items = seen.filter((one) => one.what === "item");
    // On a busy machine, the sleep may be over by then, and the next step is cut off as well.
    const kill = seen.findIndex((one) => one.what === "mark");
    const isLate = seen.slice(0, kill).some((one) => one.what === "item" && one.item === 2);
    const timeOf = (item: number, phase: "asked" | "done"): number =>
      items.find((one) => one.item === item && one.phase === phase)?.at ?? 0;
    const slept = timeOf(2, "asked") - timeOf(1, "done");
    // The step in parallel to the sleep may have been cut off.
    const asked = items.flatMap((one) => (one.phase === "asked" && one.item !== 3 ? [one.item] : []));
    return {
      problems: [
        // Timers may be a little early.
        ...(slept < NAP_MS - 100 ? [`lost: it slept ${Math.round(slept)} ms of ${NAP_MS}`] : []),
        ...(asked.join() === "1,2" || (isLate && asked.join() === "1,2,2")
          ? []
          : [`doubled: it carried out ${asked.join()}`]),
      ],
      note: isLate ? "too slow to be killed in time" : `${(slept / 1000).toFixed(1)} s of ${NAP_MS / 1000}`,
    };
  },
};
