import { setTimeout as sleep } from "node:timers/promises";
import { type CaseWorld, type EngineCase, type Found, soon, until } from "../support/engine-case.ts";
import type { Ended } from "../support/engine-place.ts";
import { problemsOfRun } from "../support/laws.ts";

/** New code comes in place of the old one, or beside it: a run of the old one ends with a typed error, or the old code ends it. */
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
  // If the new code were to touch it, it would do so by now.
  await Promise.race([report, sleep(2_500)]);
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
    const from = performance.now();
    await sleep(400);
    await place.killWorker("w1");
    await outside.mark("kill");
    await place.startWorker("w1");
    await until("the step after", () => done(2));
    const slept = performance.now() - from;
    const items = (await outside.seen(name)).flatMap((one) =>
      one.what === "item" && one.phase === "asked" ? [one.item] : [],
    );
    return {
      problems: [
        // The outside world's clock and the worker's are the same; looking takes some time.
        ...(slept < NAP_MS - 100 ? [`lost: it slept ${Math.round(slept)} ms of ${NAP_MS}`] : []),
        ...(items.join() === "1,2" ? [] : [`doubled: it carried out ${items.join()}`]),
      ],
      note: `${(slept / 1000).toFixed(1)} s of ${NAP_MS / 1000}`,
    };
  },
};
