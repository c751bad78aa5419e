import { type EngineCase, soon, until } from "../support/engine-case.ts";
import { problemsOfRun } from "../support/laws.ts";

/** A run with two inner runs of another agent is canceled from outside. */
export const CANCELLED: EngineCase = {
  name: "cancel with children",
  try: async ({ place, outside, run }) => {
    const name = run("a");
    const children = [`${name}.h1`, `${name}.h2`];
    await place.startWorker("w1");
    for (const child of children) await outside.hold(child, "item:1/asked");
    await place.start(name, "helpers");
    await Promise.all(children.map((child) => soon(`${child} at item 1`, outside.held(child, "item:1/asked"))));
    const report = await soon(`the end of ${name}`, place.cancel(name));
    // The caller may learn of the cancellation before the children: they are cut off when nobody waits for the items anymore.
    await soon(`the end of the runs in ${name}`, outside.quiet());
    await outside.release();
    const before = await outside.seen(name);
    // They would have continued within the time of a whole run.
    const other = run("b");
    await place.start(other, "two");
    await soon(`the end of ${other}`, place.report(other));
    const after = await outside.seen(name);
    const done = after.filter((one) => one.what === "item" && one.phase === "done");
    return {
      problems: [
        ...(report.status === "cancelled" ? [] : [`lost: it ended with ${JSON.stringify(report)}`]),
        ...(after.length === before.length && done.length === 0
          ? []
          : [`ran on: ${JSON.stringify(after.slice(before.length))}`]),
      ],
    };
  },
};

/** Calls of one turn run in parallel, and are answered in call order. */
export const PARALLEL: EngineCase = {
  name: "parallel calls",
  try: async ({ place, outside, run }) => {
    const name = run("a");
    const items = [1, 2, 3, 4, 5, 6, 7, 8];
    await place.startWorker("w1");
    for (const item of items) await outside.hold(name, `item:${item}/asked`);
    await place.start(name, "eight");
    await Promise.all(items.map((item) => soon(`${name} at item ${item}`, outside.held(name, `item:${item}/asked`))));
    // They end in another order than they started.
    for (const item of items.toReversed()) {
      await outside.release(name, `item:${item}/asked`);
      await until(`item ${item}`, async () => {
        const seen = await outside.seen(name);
        return seen.some((one) => one.what === "item" && one.item === item && one.phase === "done") ? true : undefined;
      });
    }
    const ended = await soon(`the end of ${name}`, place.report(name));
    const last = (await outside.seen(name)).findLast((one) => one.what === "model");
    const told = last?.what === "model" ? last.told : [];
    return {
      problems: [
        ...(await problemsOfRun(outside, name, "eight", ended)),
        ...(told.join() === items.join() ? [] : [`lost: the model read the outcomes of items ${told.join()}`]),
      ],
    };
  },
};

/** A value that is too large to store is refused with advice, without a retry. */
export const OVER_SIZE: EngineCase = {
  name: "over-size values",
  try: async ({ place, outside, run }) => {
    const [call, answer] = [run("call"), run("answer")];
    await place.startWorker("w1");
    await Promise.all([place.start(call, "dump"), place.start(answer, "long_answer")]);
    const [called, answered] = await Promise.all([
      soon(`the end of ${call}`, place.report(call)),
      soon(`the end of ${answer}`, place.report(answer)),
    ]);
    const asked = (await outside.seen(answer)).filter((one) => one.what === "model").length;
    const told = (await outside.seen(call)).flatMap((one) =>
      one.what === "model" && one.turn === 2 ? one.responses : [],
    );
    const once = asked === 1 ? [] : [`doubled: the model was asked ${asked} times`];
    if (place.notes["over-size values"] !== undefined) {
      const items = (await outside.seen(call)).filter((one) => one.what === "item" && one.phase === "asked").length;
      const isRefused = called.status === "failed" && called.error?.code === "api_status";
      return {
        problems: [
          ...once,
          ...(items === 1 && isRefused ? [] : [`lost: ${items} items, ${JSON.stringify(called).slice(0, 300)}`]),
          ...(answered.status === "ended" ? [] : [`lost: a long answer ended with ${JSON.stringify(answered)}`]),
        ],
      };
    }
    const problems = [...once, ...(await problemsOfRun(outside, call, "dump", called))];
    const isTyped = answered.status === "failed" && answered.error?.code === "value-too-large";
    return {
      problems: [
        ...problems,
        ...(isTyped ? [] : [`lost: a long answer ended with ${JSON.stringify(answered).slice(0, 300)}`]),
        ...(told.some((one) => one.includes("have the tool store large data"))
          ? []
          : [`lost: the model read ${told.join()}`]),
      ],
    };
  },
};
