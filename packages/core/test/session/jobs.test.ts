import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Agent,
  answerCalls,
  type Approval,
  approve,
  defineJob,
  defineTool,
  type JobOptions,
  type JobReport,
  MemoryStore,
  readJobCallback,
  type RunResult,
  type RunStream,
  type Session,
  type SessionStore,
} from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { checkSession } from "@pollux/core/doctor";
import { ApiNetworkError, JobReportError } from "@pollux/core/errors";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { call, calls, collect, say, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { answersTo } from "../helpers/answers.ts";
import { fakeTime } from "../helpers/fake-time.ts";
import { SESSION_FACES, waits } from "./session-faces.ts";

const folder = await mkdtemp(join(tmpdir(), "jobs-"));
let files = 0;
const STORES: readonly [string, () => SessionStore][] = [
  ["memory", () => new MemoryStore()],
  ["SQLite", () => new SqliteStore(join(folder, `${files++}.sqlite`))],
  ["JSONL", () => new JsonlStore(join(folder, `${files++}`))],
];

const HOUR = 3_600_000;
const input = z.object({ question: z.string() });
const output = z.object({ report: z.string() });
type Options = Partial<JobOptions<typeof input, typeof output>>;
type Answer = JobReport<{ report: string }> | undefined;

/** A service that makes reports, and a session with a tool for it. */
function lab(store: SessionStore = new MemoryStore(), options: Options = {}) {
  const started: string[] = [];
  const cancelled: string[] = [];
  const checked: string[] = [];
  const callbacks: string[] = [];
  const answers = new Map<string, Answer | Error>();
  const research = defineJob({
    name: "research",
    description: "Researches a question.",
    input,
    output,
    start: ({ question }, { idempotencyKey, callback }) => {
      started.push(`${question} ${idempotencyKey}`);
      callbacks.push(callback);
      return `job-${started.length}`;
    },
    check: (jobId) => {
      checked.push(jobId);
      const answer = answers.get(jobId);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    cancel: (jobId) => void cancelled.push(jobId),
    ...options,
  });
  const look = defineTool({ name: "look", description: "Looks.", run: () => "seen" });
  const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
  let model = new ScriptedModel();
  const open = (...script: readonly ScriptLine[]): Session => {
    model = new ScriptedModel(...script);
    return new Agent({ model, tools: [research, look, pay] }).session({ id: "s", store });
  };
  /** What the model was told last of its calls. */
  const told = (): unknown =>
    model.requests
      .at(-1)
      ?.contents.flatMap(({ parts }) => parts.flatMap(({ functionResponse: one }) => one?.response ?? []));
  return { started, cancelled, checked, callbacks, answers, open, told, store, research };
}

const ASK = { name: "research", args: { question: "Why?" } };

async function entriesOf(store: SessionStore, type: string): Promise<readonly Record<string, unknown>[]> {
  return ((await store.load("s")) as unknown as readonly Record<string, unknown>[]).filter(
    (one) => one["type"] === type,
  );
}

function tokenOf(result: RunResult<unknown>): string {
  return "pending" in result ? (result.pending[0]?.token ?? "") : "";
}

async function refused(work: Promise<unknown>): Promise<unknown> {
  const error = await work.catch((thrown: unknown) => thrown);
  return error instanceof JobReportError ? error.reason : error;
}

async function isHealthy(store: SessionStore): Promise<unknown> {
  return checkSession((await store.load("s")).map((value) => ({ value }))).problems;
}

describe.each(SESSION_FACES)("by %s", (_face, face) => {
  describe.each(STORES)("with the %s store", (_store, makeStore) => {
    test("a run waits for a job without a process, and continues with the report", async () => {
      const { open, started, told, store } = lab(makeStore());
      const before = Date.now();
      const asked = await face.send(open(calls("look", ASK)), "Why?", { runId: "r" });
      expect([asked.stopReason, waits(asked), started]).toEqual([
        "needs-outcome",
        ["call:1.1 job"],
        ["Why? r/call:1.1"],
      ]);
      const [pending] = "pending" in asked ? asked.pending : [];
      expect(pending?.job).toEqual({
        jobId: "job-1",
        since: expect.toSatisfy((since: number) => since >= before),
        until: (pending?.job?.since ?? 0) + 6 * HOUR,
        everyMs: 5_000,
      });
      await open().reportJob("job-1", { progress: { percent: 50 } });
      await open().reportJob("job-1", { output: { report: "Because.", extra: 1 } });
      const result = await face.continue(open(say("So.")));
      expect([result.text, told()]).toEqual(["So.", [{ output: "seen" }, { output: { report: "Because." } }]]);
      expect(started).toHaveLength(1);
      expect((await entriesOf(store, "job")).map(({ v: _v, at: _at, ...entry }) => entry)).toEqual(
        [{ progress: { percent: 50 } }, { outcome: { output: { report: "Because." } } }].map((about) => ({
          type: "job",
          runId: "r",
          callId: "call:1.1",
          jobId: "job-1",
          step: "call:1.1/job",
          place: { kind: "wait", turn: 1, callId: "call:1.1", question: "job", time: 1 },
          ...about,
        })),
      );
      expect(await isHealthy(store)).toEqual([]);
      const replayed = await open().replay().result();
      expect([replayed.text, replayed.toolCalls]).toEqual([result.text, result.toolCalls]);
    });
  });

  test("continue asks once how the job stands, and says nothing new while it runs", async () => {
    const { open, answers, checked, told, store } = lab();
    await face.send(open(call(ASK.name, ASK.args)), "Why?");
    answers.set("job-1", { progress: "halfway" });
    expect(waits(await face.continue(open()))).toEqual(["call:1.0 job"]);
    answers.set("job-1", new ApiNetworkError("down"));
    expect(waits(await face.continue(open()))).toEqual(["call:1.0 job"]);
    const { length } = await store.load("s");
    answers.set("job-1", { progress: "halfway" });
    await face.continue(open());
    expect(await store.load("s")).toHaveLength(length);
    answers.set("job-1", { output: { report: "Because." } });
    expect((await face.continue(open(say("So.")))).text).toBe("So.");
    expect([checked.length, told()]).toEqual([4, [{ output: { report: "Because." } }]]);
  });

  test("a job that failed is a failure that the model reads, and so is an output that does not fit when it is checked", async () => {
    for (const [answer, text] of [
      [{ error: "no sources" }, "no sources"],
      [{ output: { report: 7 } as never }, expect.stringContaining("the output of research: report")],
    ] as const) {
      const { open, answers, told } = lab();
      await face.send(open(call(ASK.name, ASK.args)), "Why?");
      answers.set("job-1", answer);
      await face.continue(open(say("Hm.")));
      expect(told()).toEqual([{ error: text }]);
    }
  });

  test("two jobs of a turn are waited for together", async () => {
    const { open, told, started } = lab();
    await face.send(open(calls(ASK, ASK)), "Why?");
    await open().reportJob("job-2", { output: { report: "Two." } });
    expect((await open().state()).pending.map(({ callId }) => callId)).toEqual(["call:1.0"]);
    await open().reportJob("job-1", { output: { report: "One." } });
    await face.continue(open(say("So.")));
    expect(told()).toEqual([{ output: { report: "One." } }, { output: { report: "Two." } }]);
    expect(started).toHaveLength(2);
  });

  test("an approval is asked first, and its edit starts the job", async () => {
    const { open, started } = lab(undefined, { needsApproval: true, approvedBy: "clerk" });
    const asked = await face.send(open(call(ASK.name, ASK.args)), "Why?", { runId: "r" });
    expect([waits(asked), started]).toEqual([["call:1.0 approval"], []]);
    const token = tokenOf(asked);
    const going = await face.resume(open(), { approvals: { [token]: { args: { question: "How?" } } } });
    expect([waits(going), started]).toEqual([["call:1.0 job"], ["How? r/call:1.0"]]);
    // Its outcome is not for those to say who approve it.
    expect("pending" in going && going.pending.map(({ approvedBy }) => approvedBy)).toEqual([undefined]);
  });

  test("a job and an approval of the same turn are shown together, and either may come first", async () => {
    for (const first of ["approval", "job"] as const) {
      const { open, store, told, started } = lab();
      const asked = await face.send(open(calls(ASK, "pay")), "Why?");
      expect(waits(asked)).toEqual(["call:1.0 job", "call:1.1 approval"]);
      const approval = async (): Promise<void> => {
        const { pending } = await open().state();
        const token = pending.find(({ question }) => question === "approval")?.token ?? "";
        await answerCalls(store, "s", { approvals: { [token]: true } });
      };
      if (first === "approval") await approval();
      await open().reportJob("job-1", { output: { report: "Because." } });
      if (first === "job") await approval();
      expect((await face.continue(open(say("So.")))).text).toBe("So.");
      expect([told(), started.length]).toEqual([[{ output: { report: "Because." } }, { output: "paid" }], 1]);
    }
  });

  test("a known outcome is not checked again while an approval of the same turn waits", async () => {
    const { open, answers } = lab();
    const asked = await face.send(open(calls(ASK, "pay")), "Why?");
    expect(waits(asked)).toEqual(["call:1.0 job", "call:1.1 approval"]);
    answers.set("job-1", { output: { report: "Because." } });
    for (let time = 1; time <= 2; time++) expect(waits(await face.continue(open()))).toEqual(["call:1.1 approval"]);
  });

  test("a message closes the wait and cancels the job, or is read with its outcome", async () => {
    const closed = lab();
    await face.send(closed.open(call(ASK.name, ASK.args)), "Why?", { runId: "r" });
    await face.send(closed.open(say("Fine.")), "Never mind.");
    expect([closed.cancelled, closed.told()]).toEqual([
      ["job-1"],
      [{ error: "the job was started, and the conversation went on without its result; it may still be running" }],
    ]);
    expect((await entriesOf(closed.store, "job")).map(({ outcome }) => outcome)).toEqual([
      { withdrawn: "another message came", cancelled: true },
    ]);
    expect(await refused(closed.open().reportJob("job-1", { output: { report: "Late." } }))).toBe("unknown");
    expect(await refused(closed.open().reportJob(closed.callbacks[0] ?? "", { error: "late" }))).toBe("over");
    expect(await isHealthy(closed.store)).toEqual([]);

    const steered = lab();
    await face.send(steered.open(call(ASK.name, ASK.args)), "Why?");
    const still = await face.send(steered.open(), "Be brief.", { unfinished: "steer" });
    expect([waits(still), steered.cancelled]).toEqual([["call:1.0 job"], []]);
    await steered.open().reportJob("job-1", { output: { report: "Because." } });
    const last = new ScriptedModel(say("So."));
    await face.continue(
      new Agent({ model: last, tools: [steered.research] }).session({ id: "s", store: steered.store }),
    );
    expect(JSON.stringify(last.requests[0]?.contents.slice(-2))).toMatch(/Because.*Be brief/);
  });

  test("an outcome that was reported is used: a message does not close its run", async () => {
    const { open, cancelled, told } = lab();
    await face.send(open(call(ASK.name, ASK.args)), "Why?");
    await open().reportJob("job-1", { output: { report: "Because." } });
    const result = await face.send(open(say("So.")), "And?");
    expect([result.text, told(), cancelled]).toEqual(["So.", [{ output: { report: "Because." } }], []]);
  });

  test("stopping a run that waits cancels the job, and the model reads that", async () => {
    const { open, cancelled, told, store } = lab();
    await face.send(open(call(ASK.name, ASK.args)), "Why?");
    expect([await open().stop(), cancelled, await open().stop()]).toEqual([true, ["job-1"], false]);
    expect((await face.continue(open(say("Stopped.")))).text).toBe("Stopped.");
    expect(told()).toEqual([{ error: "the request was withdrawn before the job ended: the run was stopped" }]);
    expect([cancelled, await isHealthy(store)]).toEqual([["job-1"], []]);
  });

  test("a run that was stopped while it waited for a job has ended, unless it asks something else", async () => {
    for (const unfinished of ["close", "steer"] as const) {
      const { open, told, store } = lab();
      await face.send(open(call(ASK.name, ASK.args)), "Why?");
      await open().stop();
      expect(await store.list()).toMatchObject([{ state: "stopped", ending: "aborted", turns: 1 }]);
      expect(await open().state()).toMatchObject({ lastRun: "aborted", pending: [] });
      await face.send(open(say("Fine.")), "Never mind.", { unfinished });
      expect(told()).toEqual([{ error: "the request was withdrawn before the job ended: the run was stopped" }]);
      expect(await isHealthy(store)).toEqual([]);
    }
    const { open, store } = lab();
    const asked = await face.send(open(calls(ASK, "pay")), "Why?");
    await open().stop();
    expect(await store.list({ state: "waiting" })).toHaveLength(1);
    const approvals = approve("pending" in asked ? asked.pending : []);
    expect((await face.resume(open(say("Paid.")), { approvals })).text).toBe("Paid.");
  });

  test("an aborted run cancels the jobs that it has started", async () => {
    const abort = new AbortController();
    const { cancelled, store, research } = lab();
    const wait = defineTool({
      name: "wait",
      description: "Waits.",
      run: async (_input, { signal }) => {
        setImmediate(() => abort.abort(new Error("enough")));
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      },
    });
    const tools = [research, wait];
    const first = new Agent({ model: new ScriptedModel(calls(ASK, "wait")), tools }).session({ id: "s", store });
    await expect(face.send(first, "Why?", { signal: abort.signal })).rejects.toThrow("enough");
    expect(cancelled).toEqual(["job-1"]);
    expect((await entriesOf(store, "job")).map(({ outcome }) => outcome)).toEqual([
      { withdrawn: "the run was stopped", cancelled: true },
    ]);
    const model = new ScriptedModel(say("Fine."));
    await face.send(new Agent({ model, tools }).session({ id: "s", store }), "And now?");
    expect(JSON.stringify(model.requests[0]?.contents)).toContain("it may still be running");
    expect(await isHealthy(store)).toEqual([]);
  });

  test("an answer to the question for a job fits its schema, as a report does", async () => {
    for (const way of ["answer", "resume"] as const) {
      const { open, told, store } = lab();
      const token = tokenOf(await face.send(open(call(ASK.name, ASK.args)), "Why?"));
      const give = (found: unknown): Promise<unknown> => {
        const outcomes = { [token]: { output: found } };
        return way === "answer" ? open().answer({ outcomes }) : face.resume(open(say("So.")), { outcomes });
      };
      for (const wrong of [{ report: 7 }, undefined]) expect(await refused(give(wrong))).toBe("invalid-output");
      expect(await entriesOf(store, "answer")).toEqual([]);
      await give({ report: "Because.", extra: 1 });
      if (way === "answer") await face.continue(open(say("So.")));
      expect(told()).toEqual([{ output: { report: "Because." } }]);
    }
  });

  test("a withdrawn request cancels the job once the run goes on", async () => {
    const { open, cancelled, told, store } = lab();
    const asked = await face.send(open(call(ASK.name, ASK.args)), "Why?");
    const token = tokenOf(asked);
    await answerCalls(store, "s", { outcomes: { [token]: { withdrawn: "I found it" } } });
    await face.continue(open(say("Good.")));
    expect([cancelled, told()]).toEqual([
      ["job-1"],
      [{ error: "the request was withdrawn before the job ended: I found it" }],
    ]);
    expect((await entriesOf(store, "step")).some(({ step }) => step === "call:1.0/cancel")).toBe(true);
    expect(await isHealthy(store)).toEqual([]);
    expect((await open().replay().result()).text).toBe("Good.");
  });

  test("a rewind leaves the job behind, cancelled; a fork before the call knows nothing of it", async () => {
    const { open, cancelled, store } = lab();
    const session = open(call(ASK.name, ASK.args));
    await face.send(session, "Why?", { runId: "r" });
    const fork = await session.fork({ contents: 1 });
    expect((await fork.state()).pending).toEqual([]);
    expect(cancelled).toEqual([]);
    await session.rewind({ before: "r:user" });
    expect([cancelled, (await session.state()).pending]).toEqual([["job-1"], []]);
    expect(await refused(session.reportJob("job-1", { output: { report: "Late." } }))).toBe("unknown");
    expect(await isHealthy(store)).toEqual([]);
  });

  test("a job that could not be started is a failed call", async () => {
    for (const start of [() => "", () => Promise.reject(new Error("secret"))]) {
      const { open, told, store } = lab(undefined, { start });
      expect((await face.send(open(call(ASK.name, ASK.args), say("No.")), "Why?")).text).toBe("No.");
      expect(told()).toEqual([{ error: "research failed with an internal error" }]);
      expect(await isHealthy(store)).toEqual([]);
    }
    const { open, started, told } = lab();
    await face.send(open(call("research", { question: 7 }), say("No.")), "Why?");
    expect([started, told()]).toEqual([[], [{ error: expect.stringContaining("invalid arguments") }]]);
  });
});

describe("the time of a job", () => {
  fakeTime("leaps");

  test.each([
    ["gets no answer in time", () => new Promise<never>(() => {})],
    ["says that nobody knows", () => Promise.reject(Object.assign(new Error("cut"), { name: "OutcomeUnknownError" }))],
  ])("a start that %s is asked about, and not repeated unasked", async (_how, hang) => {
    for (const [, face] of SESSION_FACES) {
      let starts = 0;
      const start = () => (++starts === 1 ? hang() : "job-2");
      const { open, store } = lab(undefined, { start });
      const asked = await face.send(open(call(ASK.name, ASK.args)), "Why?");
      expect([waits(asked), starts]).toEqual([["call:1.0 unknown-outcome"], 1]);
      expect(waits(await face.continue(open()))).toEqual(["call:1.0 unknown-outcome"]);
      const again = await face.resume(open(), { outcomes: { [tokenOf(asked)]: { notExecuted: true } } });
      expect([waits(again), starts]).toEqual([["call:1.0 job"], 2]);
      await open().reportJob("job-2", { output: { report: "Because." } });
      expect((await face.continue(open(say("So.")))).text).toBe("So.");
      expect(await isHealthy(store)).toEqual([]);
    }
  });

  test.each(SESSION_FACES)("is limited: the model reads that, and the job is cancelled, by %s", async (_face, face) => {
    const { open, cancelled, checked, told, store } = lab(undefined, { timeoutMs: HOUR });
    await face.send(open(call(ASK.name, ASK.args)), "Why?");
    expect(waits(await face.continue(open()))).toEqual(["call:1.0 job"]);
    await new Promise((resolve) => setTimeout(resolve, HOUR));
    // Its answer may have come in the last moment.
    expect((await face.continue(open(say("Pity.")))).text).toBe("Pity.");
    expect([checked.length, cancelled, told()]).toEqual([
      2,
      ["job-1"],
      [{ error: "the job did not finish within 1 hour; it may still be running" }],
    ]);
    expect(await refused(open().reportJob("job-1", { output: { report: "Late." } }))).toBe("over");
    expect(await isHealthy(store)).toEqual([]);
    expect((await open().replay().result()).text).toBe("Pity.");
  });

  test("goes on when a check or a cancellation takes too long or fails", async () => {
    const hangs = (): Promise<never> => new Promise(() => {});
    const { open, store } = lab(undefined, { check: hangs, cancel: hangs, timeoutMs: HOUR, requestTimeoutMs: 1000 });
    await open(call(ASK.name, ASK.args)).send("Why?");
    const before = Date.now();
    await open().continue();
    expect(Date.now() - before).toBe(1000);
    await open().stop();
    expect((await entriesOf(store, "job")).map(({ outcome }) => outcome)).toEqual([
      { withdrawn: "the run was stopped", cancelled: "no answer within 1000 ms" },
    ]);
  });
});

describe.each(SESSION_FACES)("a job that asks, by %s", (_face, face) => {
  const PLAN = { question: "Why?", plan: "1. Search.", changes: "" };

  /** As {@link lab}: the first jobs make plans, of which a person may want another one. */
  function planner(options: Options = {}) {
    const starts: unknown[] = [];
    const made = lab(undefined, {
      start: (_input, { before, call: { args }, callback }) => {
        made.callbacks.push(callback);
        starts.push([args, before]);
        return `job-${starts.length}`;
      },
      ...options,
    });
    return { ...made, starts, ask: () => made.open(call(ASK.name, ASK.args)) };
  }

  test("is followed by another one with the arguments that a person has approved, and each is started once", async () => {
    const { ask, open, starts, callbacks, told, store } = planner({ approvedBy: "user", editable: ["changes"] });
    const planning = await face.send(ask(), "Why?", { runId: "r" });
    expect(waits(planning)).toEqual(["call:1.0 job"]);
    await open().reportJob("job-1", { ask: { plan: PLAN.plan, changes: "" } });
    const asked = await face.continue(open());
    expect("pending" in asked && asked.pending).toEqual([
      {
        turn: 1,
        callId: "call:1.0",
        question: "approval",
        call: { name: "research", args: PLAN },
        token: expect.any(String),
        edited: true,
        approvedBy: "user",
        editable: ["changes"],
      },
    ]);
    expect(starts).toHaveLength(1);
    expect((await readConversation(open())).messages.at(-1)?.parts.at(-1)).toMatchObject({
      state: "pending-approval",
      args: PLAN,
      asks: { approvedBy: "user" },
    });
    // A person wants another plan, and gets it.
    const changed = { ...PLAN, changes: "Only in Europe." };
    const again = await face.resume(open(), { approvals: { [tokenOf(asked)]: { args: changed } } });
    expect(waits(again)).toEqual(["call:1.0 job"]);
    expect("pending" in again && again.pending[0]?.job).toMatchObject({ jobId: "job-2", number: 2 });
    const second = { ...changed, plan: "1. Search in Europe.", changes: "" };
    await open().reportJob(callbacks[1] ?? "", { ask: second });
    const accepted = await face.continue(open());
    expect("pending" in accepted && accepted.pending[0]?.call.args).toEqual(second);
    await open().answer({ approvals: { [tokenOf(accepted)]: true } });
    expect(waits(await face.continue(open()))).toEqual(["call:1.0 job"]);
    expect(starts).toEqual([
      [ASK.args, undefined],
      [changed, { jobId: "job-1", args: PLAN }],
      [second, { jobId: "job-2", args: second }],
    ]);
    expect(callbacks.map(readJobCallback).map((one) => one?.number)).toEqual([undefined, 2, 3]);
    // Delivered again, late: nothing changes.
    await open().reportJob(callbacks[0] ?? "", { ask: { plan: PLAN.plan, changes: "" } });
    expect(await refused(open().reportJob(callbacks[1] ?? "", { error: "no" }))).toBe("over");
    await open().reportJob("job-3", { progress: { percent: 50 } });
    await open().reportJob("job-3", { output: { report: "Because." } });
    const result = await face.continue(open(say("So.")));
    expect([result.text, told()]).toEqual(["So.", [{ output: { report: "Because." } }]]);
    expect(result.toolCalls).toMatchObject([{ callId: "call:1.0", input: second, edited: true }]);
    expect([starts.length, await isHealthy(store)]).toEqual([3, []]);
    expect((await open().replay().result()).toolCalls).toEqual(result.toolCalls);
    const shown = await readConversation(open());
    expect(shown.messages.at(-1)?.parts).toContainEqual(
      expect.objectContaining({ type: "tool-call", state: "done", args: second, edited: true }),
    );
  });

  test("is followed by none when a person denies it, takes it back, or continues without it", async () => {
    const answers = [{ approvals: false }, { approvals: { deny: "Too dear." } }, { approvals: { withdrawn: true } }];
    for (const { approvals } of answers as readonly { readonly approvals: Approval }[]) {
      const { ask, open, starts, told, cancelled } = planner();
      await face.send(ask(), "Why?");
      await open().reportJob("job-1", { ask: PLAN });
      const token = tokenOf(await face.continue(open()));
      await face.resume(open(say("Fine.")), { approvals: { [token]: approvals } });
      expect([starts.length, told(), cancelled]).toEqual([1, [{ error: expect.any(String) }], []]);
    }
    const { ask, open, starts, told, store } = planner();
    await face.send(ask(), "Why?");
    await open().reportJob("job-1", { ask: PLAN });
    await face.continue(open());
    await face.send(open(say("Fine.")), "Never mind.");
    expect([starts.length, told(), await isHealthy(store)]).toEqual([1, [{ error: expect.any(String) }], []]);
  });

  test("has been approved before, with other arguments, and asks by its check; another call goes its own way", async () => {
    const asking = { needsApproval: true, check: () => ({ ask: PLAN }) };
    const { open, starts, store } = planner(asking);
    const first = await face.send(open(calls(ASK, "look")), "Why?");
    const edit = { [tokenOf(first)]: { args: { question: "How?" } } };
    expect(waits(await face.resume(open(), { approvals: edit }))).toEqual(["call:1.0 job"]);
    const asked = await face.continue(open());
    expect(waits(asked)).toEqual(["call:1.0 approval"]);
    expect(waits(await face.continue(open()))).toEqual(["call:1.0 approval"]);
    await face.resume(open(), { approvals: { [tokenOf(asked)]: true } });
    expect(starts).toEqual([
      [{ question: "How?" }, undefined],
      [PLAN, { jobId: "job-1", args: PLAN }],
    ]);
    expect(await isHealthy(store)).toEqual([]);
  });

  test("asks about arguments, which its tool checks when it is started", async () => {
    const { ask, open, starts, told } = planner();
    await face.send(ask(), "Why?");
    await expect(open().reportJob("job-1", { ask: "plan" as never })).rejects.toThrow("an object");
    await open().reportJob("job-1", { ask: { question: 7 } });
    await face.continue(open(say("Hm.")));
    expect([starts.length, told()]).toEqual([1, [{ error: expect.stringContaining("invalid arguments") }]]);
  });
});

describe("a report", () => {
  test("is taken once: the same outcome again is no error, another one is", async () => {
    const { open, store } = lab();
    await open(call(ASK.name, ASK.args)).send("Why?");
    const report = { output: { report: "Because." } };
    await Promise.all([open().reportJob("job-1", report), open().reportJob("job-1", report)]);
    await open().reportJob("job-1", report);
    await open().reportJob("job-1", { progress: "late" });
    expect(await refused(open().reportJob("job-1", { error: "no" }))).toBe("over");
    expect(await entriesOf(store, "job")).toHaveLength(1);
    await open(say("So.")).continue();
    await open().reportJob("job-1", report);
    expect(await refused(open().reportJob("job-1", { error: "no" }))).toBe("over");
  });

  test.each([
    ["an unknown job", "job-7", { error: "no" }, "unknown"],
    ["an output that does not fit", "job-1", { output: { report: 7 } }, "invalid-output"],
  ])("of %s is refused, and nothing is stored", async (_what, job, report, reason) => {
    const { open, store } = lab();
    await open(call(ASK.name, ASK.args)).send("Why?");
    expect(await refused(open().reportJob(job, report))).toBe(reason);
    expect(await entriesOf(store, "job")).toEqual([]);
  });

  test("of a session that does not exist is refused, and begins none", async () => {
    const { open, store } = lab();
    expect(await refused(open().reportJob("job-1", { error: "no" }))).toBe("unknown");
    expect(await store.load("s")).toEqual([]);
  });

  test.each([
    [{}, "a job reports { output }"],
    [{ output: 1, error: "no" }, "a job reports { output }"],
    [{ error: 7 }, "must be a text"],
    [{ progress: "x".repeat(16_385) }, "16384 characters"],
  ])("of another shape, %o, is a mistake", async (report, message) => {
    const { open } = lab();
    await open(call(ASK.name, ASK.args)).send("Why?");
    await expect(open().reportJob("job-1", report as never)).rejects.toThrow(message);
  });

  test("may name the job by its callback, which tells the session", async () => {
    const { open, callbacks, told } = lab();
    await open(call(ASK.name, ASK.args)).send("Why?", { runId: "ra/1 – é" });
    const [callback = ""] = callbacks;
    expect(callback).toMatch(/^[\w-]+$/);
    expect(readJobCallback(callback)).toEqual({ sessionId: "s", runId: "ra/1 – é", callId: "call:1.0" });
    await open().reportJob(callback, { output: { report: "Because." } });
    await open(say("So.")).continue();
    expect(told()).toEqual([{ output: { report: "Because." } }]);
    expect([readJobCallback("nonsense"), readJobCallback("")]).toEqual([undefined, undefined]);
  });

  test("that comes before the start has returned is kept", async () => {
    const early: Promise<void>[] = [];
    const { open, told, store } = lab(undefined, {
      start: (_input, { callback }) => {
        early.push(session.reportJob(callback, { output: { report: "Fast." } }));
        return "fast";
      },
    });
    const session: Session = open(call(ASK.name, ASK.args), say("So."));
    expect((await session.send("Why?")).text).toBe("So.");
    await Promise.all(early);
    expect([told(), await isHealthy(store)]).toEqual([[{ output: { report: "Fast." } }], []]);
  });
});

test("a run that is read again asks for its job as it did, when it has ended and when it goes on after later turns", async () => {
  const { open, store } = lab();
  const pending = async (stream: RunStream): Promise<unknown> => {
    const { events } = await collect(stream);
    return events.find((one) => one.type === "tool-pending" && one.question === "job");
  };
  const live = await pending(open(call("research", ASK.args)).stream("Why?", { runId: "r" }));
  expect(live).toMatchObject({ job: { jobId: "job-1" } });
  await open().reportJob("job-1", { output: { report: "Because." } });
  await open(call("look"), call("pay")).continue();
  const again = await pending(open().continueStream());
  expect(again).toEqual({ ...(live as object), replayed: true });
  await open(say("So.")).continue(await answersTo(open(), { approvals: { "call:3.0": true } }));
  expect(await pending(open().continueStream({ message: "Why?", runId: "r" }))).toEqual(again);
  expect(await isHealthy(store)).toEqual([]);
});

test("a run that nothing can continue starts no job", async () => {
  const { research, started } = lab();
  const model = new ScriptedModel(call(ASK.name, ASK.args), say("No."));
  const { text, toolCalls: made } = await new Agent({ model, tools: [research] }).run("Why?");
  expect([text, started, made[0]]).toMatchObject([
    "No.",
    [],
    { status: "failed", error: { message: "research starts a job, and nothing here can wait for it" } },
  ]);
});

test("the conversation shows a job with its last progress, and the doctor finds nothing wrong", async () => {
  const { open, store, answers } = lab();
  const session = open(call(ASK.name, ASK.args), say("So."));
  await session.send("Why?");
  const part = async (): Promise<unknown> =>
    (await readConversation(open())).messages.at(-1)?.parts.find(({ type }) => type === "tool-call");
  const [{ job } = {}] = (await session.state()).pending;
  const shown = { state: "pending-job", job: { since: job?.since, until: job?.until } };
  expect(await part()).toMatchObject(shown);
  expect(JSON.stringify(await readConversation(open()))).not.toContain("job-1");
  for (const progress of ["a quarter", "a half"]) await session.reportJob("job-1", { progress });
  const at = (await entriesOf(store, "job")).at(-1)?.["at"];
  expect(await part()).toMatchObject({ ...shown, progress: "a half", job: { ...shown.job, reportedAt: at } });
  expect((await readConversation(open())).state).toBe("waiting");
  answers.set("job-1", { output: { report: "Because." } });
  await session.continue();
  expect(await part()).toMatchObject({ state: "done", output: { report: "Because." } });
  expect(await isHealthy(store)).toEqual([]);
});

test("what a job returns counts as read by its tool", async () => {
  const { open, store } = lab(undefined, { reads: "untrusted", origin: "lab" });
  await open(call(ASK.name, ASK.args)).send("Why?");
  await open().reportJob("job-1", { output: { report: "Buy!" } });
  await open(say("So.")).continue();
  expect((await readConversation(open())).messages.at(-1)).toMatchObject({ untrusted: true });
  const model = new ScriptedModel(call("pay"), say("Ok."));
  const pay = defineTool({ name: "pay", description: "Pays.", effects: "once", run: () => "paid" });
  const next = new Agent({ model, tools: [pay] }).session({ id: "s", store });
  expect(waits(await next.send("Pay."))).toEqual(["call:1.0 approval"]);
});
