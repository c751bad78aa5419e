import { DBOS, DBOSClient } from "@dbos-inc/dbos-sdk";
import type { AgentRun, EngineError, PendingAnswer } from "@pollux/engine";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type AgentsClient,
  agentsClient,
  type AgentsWorker,
  serveAgents,
  type ServeAgentsOptions,
} from "../src/index.ts";
import { testAgents } from "./support/agents.ts";
import { likeliestPostgres, type StartedPostgres, startPostgres } from "./support/postgres.ts";
import { until } from "./support/until.ts";
import { holdingPool } from "./support/watched-pool.ts";

const SILENT = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const kind = likeliestPostgres();

describe(`agents as DBOS workflows on ${kind}`, () => {
  let postgres: StartedPostgres;
  let worker: AgentsWorker;
  let client: AgentsClient;
  const lines: string[] = [];

  beforeAll(async () => {
    postgres = await startPostgres(kind);
    worker = await serve();
    client = agentsClient({ databaseUrl: postgres.url(), pollMs: 20 });
  });

  afterAll(async () => {
    await client?.close();
    await worker?.close();
    await postgres?.close();
  });

  it("runs a turn's calls side by side while one of them waits for a person", async () => {
    const run = await client.start("parallel", "go", { runId: "parallel-1" });
    const [asked] = await pending(run);
    expect(asked).toEqual({
      agent: "parallel",
      runId: "parallel-1",
      name: "call:1.2/approval",
      turn: 1,
      callId: "call:1.2",
      question: "approval",
      token: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown,
      call: { name: "pay", args: { amount: 3 } },
    });
    // Neither ends before the other has begun.
    await until(() => lines.filter((line) => line.startsWith("end pair")).length === 2 || undefined);
    expect(lines).not.toContain("pay 3");
    await run.approve("call:1.2", true);
    const report = await run.result();
    expect(report).toMatchObject({
      status: "ended",
      runId: "parallel-1",
      result: { stopReason: "finished", text: "all done", turns: 2 },
    });
    expect(lines.filter((line) => line === "pay 3")).toHaveLength(1);
    expect(await run.state()).toEqual({
      runId: "parallel-1",
      agent: "parallel",
      status: "ended",
      questions: [],
      children: [],
    });
  });

  it("starts a run once for one id, here and on the queue", async () => {
    const first = await worker.client.start("counter", "one", { runId: "same" });
    const report = await first.result();
    const again = await client.start("counter", "another", { runId: "same" });
    const third = await worker.client.start("counter", "a third", { runId: "same" });
    expect(await Promise.all([again.result(), third.result()])).toEqual([report, report]);
    expect(JSON.stringify(report)).toContain('"one"');
  });

  it("tells the model why a person said no, and refuses a second answer", async () => {
    const run = await client.start("clerk", "pay");
    await pending(run);
    await run.approve("call:1.0", { deny: "too much" });
    await expect(run.approve("call:1.0", true)).rejects.toMatchObject({
      name: "EngineError",
      code: expect.stringMatching(/^(already-answered|run-over)$/),
    });
    const report = await run.result();
    expect(JSON.stringify(report)).toContain("too much");
    expect(lines).not.toContain("pay 7");
  });

  it("tells one of two people who answer at the same moment that the other was faster", async () => {
    const { pool, sending, release } = holdingPool(postgres.url());
    const slow = agentsClient({ databaseUrl: postgres.url(), pool });
    const run = await client.start("parallel", "go", { runId: "two-answers" });
    await pending(run);
    const second = slow.run("parallel", "two-answers").approve("call:1.2", { deny: "no" });
    second.catch(() => {});
    await sending;
    expect(await run.approve("call:1.2", true)).toBe("delivered");
    release();
    await expect(second).rejects.toMatchObject({ code: "already-answered" });
    await slow.close();
    await pool.end();
  });

  it("keeps an answer that comes before its question", async () => {
    const run = await worker.client.start("clerk", "pay", { runId: "early" });
    await run.approve("call:1.0", true);
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "paid 7" } });
  });

  it("takes the outcome of a call that is carried out elsewhere", async () => {
    const run = await client.start("scanner", "scan");
    expect(await pending(run)).toMatchObject([{ question: "outcome", callId: "call:1.0", name: "call:1.0/outcome" }]);
    expect(await run.state()).toMatchObject({ status: "waiting" });
    await run.answer("call:1.0", { output: { code: "4711" } });
    const report = await run.result();
    expect(report.status === "ended" && report.result.text).toContain("4711");
  });

  it("continues without an answer that does not come in time", async () => {
    const run = await client.start("late", "ask");
    const report = await run.result();
    expect(report).toMatchObject({ status: "ended", result: { stopReason: "finished" } });
    expect(report.status === "ended" && report.result.text).toContain("200 ms");
  });

  it("hands over what is said to a run with its next request", async () => {
    const run = await client.start("listener", "go");
    await pending(run);
    await run.steer("make it blue");
    await run.approve("call:1.0", true);
    expect(await run.result()).toMatchObject({ result: { text: "heard blue" } });
    await expect(run.steer("too late")).rejects.toMatchObject({ code: "run-over" });
  });

  it("refuses a message that is stored after the run's last look", async () => {
    const { pool, sending, release } = holdingPool(postgres.url());
    const slow = agentsClient({ databaseUrl: postgres.url(), pool });
    const run = await client.start("listener", "go", { runId: "late-message" });
    await pending(run);
    const steered = slow.run("listener", "late-message").steer("make it blue");
    steered.catch(() => {});
    await sending;
    await run.approve("call:1.0", true);
    expect(await run.result()).toMatchObject({ result: { text: "heard nothing" } });
    release();
    await expect(steered).rejects.toMatchObject({ code: "run-over" });
    await slow.close();
    await pool.end();
  });

  it.each([
    ["before it says that it takes no more", "before", "heard blue"],
    ["after it said that it takes no more", "after", "heard nothing"],
  ] as const)("never loses a message that meets its last look: %s", async (_, when, text) => {
    const run = await client.start("listener", "go", { runId: `race-${when}` });
    await pending(run);
    const setEvent = DBOS.setEvent.bind(DBOS);
    const outcomes: unknown[] = [];
    const steer = async (): Promise<void> => {
      if (outcomes.length === 0)
        outcomes.push(await run.steer("make it blue").catch((error: EngineError) => error.code));
    };
    const spy = vi.spyOn(DBOS, "setEvent").mockImplementation(async (key, value, options) => {
      const isLast = key === "pollux:steering-over" && value === true;
      if (isLast && when === "before") await steer();
      await setEvent(key, value, options);
      if (isLast && when === "after") await steer();
    });
    await run.approve("call:1.0", true);
    expect(await run.result()).toMatchObject({ result: { text } });
    expect(outcomes).toEqual([when === "before" ? "delivered" : "run-over"]);
    spy.mockRestore();
    await expect(run.steer("too late")).rejects.toMatchObject({ code: "run-over" });
  });

  it("reports a message that a limit left unread", async () => {
    const run = await client.start("hasty", "go");
    await pending(run);
    expect(await run.steer("wait")).toBe("delivered");
    await run.approve("call:1.0", false);
    expect(await run.result()).toMatchObject({
      status: "ended",
      result: { stopReason: "limit" },
      unread: [{ role: "user", parts: [{ text: "wait" }] }],
    });
  });

  it("has a run inside ask the approve of the agent that called it", async () => {
    const run = await client.start("chair", "go", { runId: "chair-1" });
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "chair: true" } });
    expect(lines).toContain("approve pay cashier");
    expect(await client.run("clerk", "chair-1:call:1.0").result()).toMatchObject({ result: { text: "paid 7" } });
  });

  it("reports what was shown of a text in whose middle the run was cancelled", async () => {
    const run = await client.start("mumbler", "go");
    let shown = "";
    for await (const { event } of run.events()) {
      if (event.type === "text-delta") shown += event.delta;
      if (shown === "So far, so good") break;
    }
    const partial = { role: "model", parts: [{ text: shown }] };
    expect(await run.cancel()).toMatchObject({
      status: "cancelled",
      soFar: { contents: [{ role: "user" }, partial], interrupted: partial },
    });
  });

  it("runs an agent that is a tool as a run of its own, whose questions the caller's run shows", async () => {
    const run = await client.start("boss", "go", { runId: "boss-1" });
    const [asked] = await pending(run);
    expect(asked).toMatchObject({ agent: "clerk", runId: "boss-1:call:1.0", path: ["clerk"], callId: "call:1.0" });
    expect(await run.state()).toMatchObject({
      status: "running",
      children: [{ agent: "clerk", runId: "boss-1:call:1.0" }],
    });
    await client.run("clerk", asked.runId).approve(asked, true);
    expect(await run.result()).toMatchObject({ result: { text: "boss: true", usage: { requests: 4 } } });
    expect(await client.run("clerk", asked.runId).result()).toMatchObject({
      status: "ended",
      result: { text: "paid 7" },
    });
  });

  it("ends a cancelled run with the runs inside it, and says what it had done", async () => {
    const run = await client.start("waker", "go", { runId: "waker-1" });
    await until(() => lines.includes("start hang") || undefined);
    const report = await run.cancel();
    expect(report).toMatchObject({
      status: "cancelled",
      runId: "waker-1",
      soFar: { runId: "waker-1", usage: { requests: 1 } },
    });
    await until(() => lines.includes("hang aborted") || undefined);
    expect(await client.run("sleeper", "waker-1:call:1.0").result()).toMatchObject({ status: "cancelled" });
    await expect(run.approve("call:9.9", true)).rejects.toMatchObject({ code: "run-over" });
  });

  it("continues when only a nested run was cancelled, and counts what that run had used", async () => {
    const begun = lines.filter((line) => line === "start hang").length;
    const run = await client.start("waker", "go", { runId: "waker-2" });
    await until(() => lines.filter((line) => line === "start hang").length > begun || undefined);
    await client.run("sleeper", "waker-2:call:1.0").cancel();
    const report = await run.result();
    expect(report).toMatchObject({ status: "ended", result: { text: "unreachable", usage: { requests: 3 } } });
    expect(JSON.stringify(report)).toContain("sleeper failed: its run was cancelled");
  });

  it("cancels a run that waits", async () => {
    // Postgres has a kind of JSON that cannot hold this.
    const run = await client.start("clerk", "pay \u0000 \ud800");
    const [asked] = await pending(run);
    if (asked === undefined) throw new Error("nothing is asked");
    expect(await run.cancel()).toMatchObject({
      status: "cancelled",
      soFar: { contents: [{ parts: [{ text: "pay \u0000 \ud800" }] }, {}, {}] },
    });
    await expect(run.approve(asked, true)).rejects.toMatchObject({ code: "run-over" });
  });

  it("makes a model's answer that is too large a failure, not a retry", async () => {
    const run = await client.start("shouter", "go");
    expect(await run.result()).toMatchObject({ status: "failed", error: { code: "value-too-large" } });
  });

  it("makes a typed output", async () => {
    const output = { type: "object", properties: { count: { type: "integer" } }, required: ["count"] };
    const run = await client.start("counter", "count", { output });
    expect(await run.result()).toMatchObject({
      status: "ended",
      result: { stopReason: "finished", output: { count: 3 } },
    });
  });

  it("reports a model that fails, with what was done by then", async () => {
    const run = await client.start("broken", "go");
    const report = await run.result();
    expect(report).toMatchObject({
      status: "failed",
      error: { name: "TypeError", message: "the model is gone" },
      soFar: { turns: 1 },
    });
    expect(await run.state()).toMatchObject({ status: "failed" });
  });

  it("gives live events to a reader over the database, all of them, in order", async () => {
    const run = await client.start("teller", "tell");
    const delays: number[] = [];
    const seqs: number[] = [];
    let text = "";
    for await (const { step, attempt, seq, event } of run.events()) {
      expect({ step, attempt }).toEqual({ step: "model:1", attempt: 1 });
      seqs.push(seq);
      if (event.type !== "text-delta") continue;
      text += event.delta;
      delays.push(
        ...event.delta
          .trim()
          .split(" ")
          .map((said) => Date.now() - Number(said)),
      );
    }
    const report = await run.result();
    expect(report.status === "ended" && report.result.text).toBe(text);
    expect(seqs).toEqual(seqs.map((_, index) => index));
    expect(delays).toHaveLength(10);
    if (process.env["POLLUX_MEASURE"] !== undefined) console.log(kind, "event delays in ms", delays);
  });

  it("lets a reader come late and leave early", async () => {
    const run = await client.start("teller", "tell");
    const leave = new AbortController();
    const reading = (async () => {
      for await (const { event } of run.events({ signal: leave.signal }))
        if (event.type === "text-delta") leave.abort();
    })();
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
    await run.result();
    let text = "";
    for await (const { event } of run.events()) if (event.type === "text-delta") text += event.delta;
    expect(text.trim().split(" ")).toHaveLength(10);
  });

  it("stops looking for events when a reader has left a run that says nothing", async () => {
    const looks = vi.spyOn(DBOSClient.prototype, "readStream");
    const run = client.run("clerk", (await client.start("clerk", "pay")).runId);
    await pending(run);
    const leave = new AbortController();
    const reading = (async () => {
      for await (const _ of run.events({ signal: leave.signal }));
    })();
    await until(() => looks.mock.calls.length > 0 || undefined);
    leave.abort();
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
    // The look that was under way comes to its end, and no other one follows.
    const made = looks.mock.calls.length;
    const last = looks.mock.results.at(-1)?.value as AsyncGenerator;
    // It may have been left before it gave what was there already, and ends with DBOS's limit if it was left after that.
    const isOver = async (): Promise<boolean> => (await last.next().catch(() => ({ done: true }))).done === true;
    while (!(await isOver()));
    expect(looks).toHaveBeenCalledTimes(made);
    // One that stays looks again, and hears what comes later.
    const texts: string[] = [];
    const staying = (async () => {
      for await (const { event } of run.events()) if (event.type === "text-delta") texts.push(event.delta);
    })();
    await until(() => looks.mock.calls.length >= made + 2 || undefined);
    await run.approve("call:1.0", true);
    await staying;
    expect(texts.join("")).toBe("paid 7");
    looks.mockRestore();
  });

  it("says what is wrong with a question about a run", async () => {
    for (const runId of ["", "a\u0000b", "\ud800"])
      await expect(client.start("counter", "x", { runId })).rejects.toThrow("cannot be the id of a run");
    await (await client.start("counter", "x", { runId: "counter's ü💥/" })).result();
    for (const one of [client, worker.client])
      await expect(one.start("clerk", "x", { runId: "counter's ü💥/" })).rejects.toMatchObject({ code: "id-taken" });
    await expect(client.start("nobody", "go")).rejects.toMatchObject({
      code: "agent-unknown",
      message: expect.stringContaining("available: boss, "),
    });
    await expect(worker.client.start("nobody", "go")).rejects.toMatchObject({ code: "agent-unknown" });
    const none = client.run("clerk", "no such run");
    expect(await none.state()).toBeUndefined();
    expect(await none.pending()).toEqual([]);
    const questions = [
      () => none.result(),
      () => none.steer("hi"),
      () => none.approve("call:1.0", true),
      () => none.cancel(),
      () => none.events().next(),
    ];
    for (const ask of questions)
      await expect(ask()).rejects.toMatchObject({ name: "EngineError", code: "run-unknown" });
  });

  it("serves once per process", async () => {
    await expect(serveAgents({ agents: testAgents({ log: () => {} }), databaseUrl: postgres.url() })).rejects.toThrow(
      "DBOS has already been launched",
    );
  });

  it("lets go when it is closed, and can be made anew", async () => {
    const run = await worker.client.start("clerk", "pay", { runId: "over-close" });
    await pending(run);
    await worker.close();
    await expect(worker.client.start("clerk", "pay")).rejects.toMatchObject({ code: "not-launched" });
    expect(await client.run("clerk", "over-close").state()).toMatchObject({ status: "waiting" });
    const warned: object[] = [];
    const logger = { ...SILENT, warn: (facts: object) => void warned.push(facts) };
    worker = await serve({ executorId: "another", watch: { heartbeatMs: 100 }, logger });
    await client.run("clerk", "over-close").approve("call:1.0", true);
    expect(await client.run("clerk", "over-close").result()).toMatchObject({
      status: "ended",
      result: { text: "paid 7" },
    });
    expect(warned).toContainEqual({ runId: "over-close", agent: "clerk", executorId: expect.any(String) });
  });

  it("deletes its own rows of runs that no longer need them, also those of earlier workers", async () => {
    const active = await client.start("clerk", "pay", { runId: "active" });
    const cancelled = await client.start("clerk", "pay", { runId: "cancelled" });
    await pending(active);
    await pending(cancelled);
    await cancelled.cancel();
    const database = new pg.Client(postgres.url());
    await database.connect();
    onTestFinished(() => database.end());
    const rows = async (): Promise<readonly string[]> => {
      const sql = `SELECT 'restarts ' || run_id AS row FROM pollux.restarts
          UNION SELECT 'cancelled ' || run_id FROM pollux.cancelled`;
      return (await database.query<{ row: string }>(sql)).rows.map(({ row }) => row);
    };
    const leave = async (runId: string): Promise<void> => {
      await database.query("INSERT INTO pollux.restarts (run_id, restarts) VALUES ($1, 1)", [runId]);
      await database.query("INSERT INTO pollux.cancelled (run_id, report) VALUES ($1, '{}')", [runId]);
    };
    await leave("gone");
    await database.query("INSERT INTO pollux.restarts VALUES ('active', 1, NULL), ('theirs', 1, 'their_schema')");
    await database.query("INSERT INTO pollux.cancelled VALUES ('theirs', '{}', 'their_schema')");
    const needed = ["restarts active", "restarts theirs", "cancelled cancelled", "cancelled theirs"];
    expect(await rows()).toEqual(expect.arrayContaining([...needed, "restarts gone", "cancelled gone"]));

    await worker.close();
    worker = await serve({ executorId: "cleaner", watch: { heartbeatMs: 5 } });
    expect(await rows()).toEqual(expect.arrayContaining(needed));
    expect(await rows()).not.toContain("restarts gone");
    expect(await rows()).not.toContain("cancelled gone");
    expect(await cancelled.result()).toMatchObject({ status: "cancelled", soFar: { turns: 1 } });

    // While it serves as well: of a run that is over, and of one that DBOS no longer stores.
    await active.approve("call:1.0", true);
    await active.result();
    await database.query("DELETE FROM dbos.workflow_status WHERE workflow_uuid = 'cancelled'");
    await until(async () => {
      const left = await rows();
      return left.includes("restarts active") || left.includes("cancelled cancelled") ? undefined : true;
    });
    expect(await rows()).toEqual(expect.arrayContaining(["restarts theirs", "cancelled theirs"]));
  });

  async function serve(options: Partial<ServeAgentsOptions> = {}): Promise<AgentsWorker> {
    return await serveAgents({
      agents: testAgents({ log: (line) => void lines.push(line) }),
      databaseUrl: postgres.url(),
      queuePollMs: 100,
      pollMs: 100,
      dbos: { useListenNotify: kind !== "pglite", logLevel: "error" },
      ...options,
    });
  }

  async function pending(run: AgentRun): Promise<readonly [PendingAnswer, ...PendingAnswer[]]> {
    return await until(async () => {
      const [first, ...rest] = await run.pending();
      return first === undefined ? undefined : ([first, ...rest] as const);
    });
  }
});
