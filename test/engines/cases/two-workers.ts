import { type EngineCase, soon } from "../support/engine-case.ts";
import { repeats } from "../support/laws.ts";
import { endsOf } from "./kills.ts";

const RUNS = 20;

/** Two workers have twenty runs; one of them is killed while all are in the middle of two parallel calls, and does not come back. */
export const ONE_OF_TWO_KILLED: EngineCase = {
  name: "one of two workers killed",
  try: async ({ place, outside, run }) => {
    const names = Array.from({ length: RUNS }, (_, index) => run(String(index)));
    await Promise.all([place.startWorker("w1"), place.startWorker("w2")]);
    for (const name of names) await outside.hold(name, "item:2/asked");
    await Promise.all(names.map((name) => place.start(name, "two")));
    await Promise.all(names.map((name) => soon(`${name} at item 2`, outside.held(name, "item:2/asked"))));
    await place.killWorker("w1");
    const killed = performance.now();
    await outside.mark("kill");
    await outside.release();
    const { problems } = await endsOf({ place, outside }, names);
    const seconds = ((performance.now() - killed) / 1000).toFixed(1);
    return { problems, note: `all over ${seconds} s later, ${repeats(await outside.seen(run("")))} steps begun again` };
  },
};
