import { setTimeout as sleep } from "node:timers/promises";
import { type CaseWorld, type EngineCase, soon, until } from "../support/engine-case.ts";
import { SOON_MS } from "../support/agents.ts";
import type { Asked, Ended } from "../support/engine-place.ts";
import { problemsOfEnd, problemsOfRun } from "../support/laws.ts";

/** A person approves while the worker is dead, and the engine dies as well before the worker is back. */
export const APPROVED_WHILE_DOWN: EngineCase = {
  name: "approval while all is down",
  try: async ({ place, outside, run }) => {
    const name = run("a");
    await place.startWorker("w1");
    await place.start(name, "sign");
    const asked = await questionsOf(place, name, 2);
    // It must have run before the approval, which it doesn't need.
    await until("item 1", async () =>
      (await outside.seen(name)).some((one) => one.what === "item" && one.phase === "done") ? true : undefined,
    );
    await place.killWorker("w1");
    await outside.mark("kill");
    for (const { callId } of asked)
      await soon(`the answer to ${callId} of ${name}`, place.answer(name, callId, { approve: true }));
    await place.killEngine?.();
    await place.startEngine?.();
    await place.startWorker("w1");
    const ended = await soon(`the end of ${name}`, place.report(name));
    const problems = await problemsOfRun(outside, name, "sign", ended);
    const questions = asked.map(({ callId, question }) => `${callId} ${question}`).toSorted();
    const outcomes = (await outside.seen(name)).flatMap((one) => (one.what === "model" ? one.responses : []));
    return {
      problems: [
        ...problems,
        ...(questions.join() === "call:1.1 approval,call:1.2 approval" ? [] : [`lost: it asked ${questions.join()}`]),
        ...(outcomes.filter((one) => one.includes('"skill":"expense-policy"')).length === 1
          ? []
          : [`lost: the model read ${outcomes.join()}`]),
      ],
    };
  },
};

async function questionsOf(place: CaseWorld["place"], name: string, count: number): Promise<readonly Asked[]> {
  return await until(`a question of ${name}`, async () => {
    const asked = await place.pending(name);
    return asked.length === count ? asked.map(({ callId, question }) => ({ callId, question })) : undefined;
  });
}

/** Nobody approves in time: once with a live worker, once with a dead one. */
export const WAITS_END: EngineCase = {
  name: "waits that time out",
  try: async ({ place, outside, run }) => {
    const [quiet, killed] = [run("quiet"), run("killed")];
    await place.startWorker("w1");
    await place.start(quiet, "sign_soon");
    const first = await endOf(place, quiet);
    await place.start(killed, "sign_soon");
    const isAsked = await Promise.race([
      questionsOf(place, killed, 1).then(() => true),
      place.report(killed).then(() => false),
    ]);
    await place.killWorker("w1");
    await sleep(SOON_MS);
    await place.startWorker("w1");
    const second = await endOf(place, killed);
    const seen = await outside.seen(run(""));
    const outcomes = seen.flatMap((one) => (one.what === "model" ? one.responses : []));
    return {
      problems: [
        ...problemsOfEnd(first),
        ...problemsOfEnd(second),
        ...(seen.some((one) => one.what === "item") ? ["doubled: it was carried out all the same"] : []),
        ...(outcomes.length === 2 && outcomes.every((one) => one.includes("was not approved"))
          ? []
          : [`lost: the model read ${outcomes.join()}`]),
      ],
      ...(!isAsked && { note: "too slow to be killed in time" }),
    };
  },
};

/** Waits for the end of a run with expiring waits, and checks them repeatedly if nothing else does. */
async function endOf(place: CaseWorld["place"], run: string): Promise<Ended> {
  let ended: Ended | undefined;
  const report = place.report(run).then((one) => (ended = one));
  await until(`the end of ${run}`, async () => {
    place.wake?.(run);
    return ended;
  });
  return await report;
}

/** Calls that must not happen twice: killed before one took effect and after another did. Somebody then checks their outcome. */
export const ONCE_CALLS: EngineCase = {
  name: "once calls across a kill",
  try: async ({ place, outside, run }) => {
    const name = run("a");
    await place.startWorker("w1");
    await outside.hold(name, "item:1/asked");
    await outside.hold(name, "item:2/done");
    await place.start(name, "pay");
    await soon(`${name} at item 1`, outside.held(name, "item:1/asked"));
    await soon(`${name} at item 2`, outside.held(name, "item:2/done"));
    await place.killWorker("w1");
    await outside.mark("kill");
    await outside.release();
    const before = await outside.seen(name);
    await place.startWorker("w1");
    const asked = await questionsOf(place, name, 2);
    const since = (await outside.seen(name)).slice(before.length);
    await place.answer(name, "call:1.0", { outcome: { notExecuted: true } });
    await place.answer(name, "call:1.1", { outcome: { output: "item 2 done" } });
    const ended = await soon(`the end of ${name}`, place.report(name));
    const isRight = asked.every(({ question }) => question === "unknown-outcome");
    return {
      problems: [
        ...(isRight ? [] : [`lost: it asked ${JSON.stringify(asked)}`]),
        ...(since.length === 0 ? [] : [`doubled: before anybody answered, ${JSON.stringify(since)}`]),
        ...(await problemsOfRun(outside, name, "pay", ended)),
      ],
    };
  },
};
