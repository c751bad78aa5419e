import { type EngineCase, soon } from "../support/engine-case.ts";
import { repeats } from "../support/laws.ts";
import type { Point } from "../support/outside-messages.ts";
import { endsOf } from "./kills.ts";

const POINTS: readonly Point[] = [
  "model:1/asked",
  "model:2/half",
  "item:1/asked",
  "item:2/done",
  "item:3/asked",
  "model:3/asked",
];

/** The engine or its database is killed during runs whose steps end while it is down. */
export const ENGINE_KILLED: EngineCase = {
  name: "engine killed",
  try: async ({ place, outside, run }) => {
    const at = POINTS.map((point, index) => ({ point, name: run(String(index)) }));
    await place.startWorker("w1");
    for (const { name, point } of at) await outside.hold(name, point);
    await Promise.all(at.map(({ name }) => place.start(name, "two")));
    await Promise.all(at.map(({ name, point }) => soon(`${name} at ${point}`, outside.held(name, point))));
    await place.killEngine?.();
    await outside.mark("kill");
    await outside.release();
    await outside.quiet();
    await place.startEngine?.();
    const found = await endsOf(
      { place, outside },
      at.map(({ name }) => name),
    );
    return { ...found, note: `${repeats(await outside.seen(run("")))} steps begun again` };
  },
};
