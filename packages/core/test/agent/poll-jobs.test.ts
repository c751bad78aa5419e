import { Agent, defineJob, defineTool, type JobReport, MemoryStore, pollJobs, type SessionStore } from "@pollux/core";
import { call, hangs, say, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime } from "../helpers/fake-time.ts";
import { storeLike } from "../helpers/processes.ts";

fakeTime("leaps");

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An agent with a job, and a store with sessions that wait for it. */
async function lab(ids: readonly string[], store: SessionStore = new MemoryStore()) {
  const asked: (readonly [id: string, at: number])[] = [];
  const answers = new Map<string, JobReport<string>>();
  const cancelled: string[] = [];
  const research = defineJob({
    name: "research",
    description: "Researches.",
    timeoutMs: 7_200_000,
    start: (_input, { sessionId = "" }) => `job of ${sessionId}`,
    check: (jobId, { since }) => {
      asked.push([jobId, Math.round((Date.now() - since) / 1000)]);
      return answers.get(jobId);
    },
    cancel: (jobId) => void cancelled.push(jobId),
  });
  const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
  const make = (...lines: readonly ScriptLine[]): Agent =>
    new Agent({ model: new ScriptedModel(...lines), tools: [research, pay] });
  for (const id of ids) await make(call("research")).session({ id, store }).send("Go.");
  const errors: unknown[] = [];
  const stop = new AbortController();
  const poll = (agent: Agent, at: SessionStore = store) =>
    pollJobs({ agent, store: at, signal: stop.signal, onError: (error) => errors.push(error) });
  return { store, asked, answers, cancelled, make, poll, errors, stop };
}

const ended = async (store: SessionStore): Promise<readonly string[]> =>
  (await store.list({ order: "id" })).map(({ id, state }) => `${id} ${state}`);

test("sessions that wait for jobs go on once these have ended, the others stay", async () => {
  const { store, answers, make, poll, errors, stop } = await lab(["a", "b", "c"]);
  await make(call("pay")).session({ id: "p", store }).send("Pay.");
  const going = poll(make(say("One."), say("Two.")));
  await sleep(20_000);
  answers.set("job of a", { output: "found" });
  answers.set("job of b", { error: "nothing there" });
  answers.set("job of c", { progress: 1 });
  await sleep(60_000);
  expect(await ended(store)).toEqual(["a idle", "b idle", "c waiting", "p waiting"]);
  stop.abort();
  await going;
  expect(errors).toEqual([]);
});

test("a job that takes long is asked about less often, and no longer than its time", async () => {
  const { store, asked, cancelled, make, poll, stop } = await lab(["a"]);
  const going = poll(make(say("Pity.")));
  await sleep(7_300_000);
  stop.abort();
  await going;
  const times = asked.map(([, at]) => at);
  expect(times[0]).toBe(5);
  const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  expect([waits[0], Math.max(...waits), times.length]).toEqual([
    5,
    300,
    expect.toSatisfy((count: number) => count < 80),
  ]);
  expect([await ended(store), cancelled]).toEqual([["a idle"], ["job of a"]]);
});

test("several processes use an outcome once", async () => {
  const { store, answers, make, poll, errors, stop } = await lab(["a", "b"]);
  answers.set("job of a", { output: "found" });
  answers.set("job of b", { output: "found" });
  const all = [1, 2, 3].map(() => poll(make(say("One."), say("Two."))));
  await sleep(60_000);
  stop.abort();
  await Promise.all(all);
  expect([await ended(store), errors]).toEqual([["a idle", "b idle"], []]);
  const log = (await store.load("a")) as unknown as readonly { readonly type: string }[];
  expect(log.map(({ type }) => type)).toEqual([
    "run",
    "step",
    "begin",
    "step",
    "end",
    "job",
    "resume",
    "turn",
    "step",
    "end",
  ]);
});

test("an outcome that was reported while nobody went on with it is found", async () => {
  const { store, asked, make, poll, stop } = await lab(["a"]);
  await make().session({ id: "a", store }).reportJob("job of a", { output: "found" });
  const going = poll(make(say("One.")));
  await sleep(10_000);
  stop.abort();
  await going;
  expect([await ended(store), asked]).toEqual([["a idle"], []]);
});

test("it goes on after errors, and says what they were", async () => {
  const { store, answers, make, poll, errors, stop } = await lab(["a", "b"]);
  answers.set("job of a", { output: "found" });
  answers.set("job of b", { output: "found" });
  let lists = 0;
  const flaky = storeLike(store, {
    list: async (...given) => {
      if (++lists === 1) throw new Error("the disk is away");
      return await store.list(...given);
    },
  });
  // The model has an answer for one of them only.
  const going = poll(make(say("One.")), flaky);
  await sleep(60_000);
  stop.abort();
  await going;
  expect(errors.map(String)).toEqual([
    expect.stringContaining("the disk is away"),
    expect.stringContaining("the script has 1 turns"),
  ]);
  expect((await ended(store)).toSorted((x, y) => x.slice(2).localeCompare(y.slice(2)))).toEqual([
    expect.stringContaining("idle"),
    expect.stringContaining("stopped"),
  ]);
});

test("when it ends, the runs that it makes are left to other processes", async () => {
  const { store, answers, cancelled, make, poll, stop } = await lab(["a"]);
  answers.set("job of a", { output: "found" });
  const reached = deferred();
  const going = poll(make(() => (reached.resolve(), say("Never."))));
  const slow = storeLike(store, {});
  await reached.promise;
  stop.abort();
  await going;
  expect(cancelled).toEqual([]);
  expect((await make(say("One.")).session({ id: "a", store: slow }).continue()).stopReason).toBe("finished");
});

test("its options are checked", async () => {
  const { make, store } = await lab([]);
  const { signal } = new AbortController();
  const wrong = { agent: make(), store, signal, onError: () => {}, interval: 5 };
  await expect(pollJobs(wrong)).rejects.toThrow("interval");
});

test("with more sessions than may go at once, each job is asked about less often, too", async () => {
  const ids = Array.from({ length: 12 }, (_, at) => `s${String(at).padStart(2, "0")}`);
  const { asked, make, poll, stop } = await lab(ids);
  const going = poll(make());
  await sleep(3_600_000);
  stop.abort();
  await going;
  const each = ids.map((id) => asked.filter(([job]) => job === `job of ${id}`).length);
  // A tenth of the time that has passed is between two of them: some sixty in an hour, where every five seconds would be 720.
  expect(Math.max(...each)).toBeLessThan(100);
});

test("an abort ends it while as many sessions go on as may, and none of them ends", async () => {
  const ids = Array.from({ length: 9 }, (_, at) => `s${at}`);
  const { answers, make, poll, stop, errors } = await lab(ids);
  for (const id of ids) answers.set(`job of ${id}`, { output: "found" });
  const going = poll(make(...ids.map(() => hangs())));
  await sleep(30_000);
  stop.abort();
  await going;
  expect(errors).toEqual([]);
});
