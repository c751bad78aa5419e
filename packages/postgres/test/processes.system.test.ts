import { Agent, defineTool, type Json } from "@pollux/core";
import { SessionStoreError } from "@pollux/core/errors";
import { say, ScriptedModel } from "@pollux/core/testing";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type PostgresPool, PostgresStore, type QueryRows } from "../src/index.ts";
import { type DebianPostgres, HAS_POSTGRES, startDebian } from "./support/debian-postgres.ts";
import { type ProgramOrder, type Program, startProgram } from "./support/start-program.ts";

/** Longer than any test: what arrives all the same was notified. */
const NEVER_MS = 1_000_000;

let server: DebianPostgres;
let schema = "";
beforeAll(async () => {
  if (HAS_POSTGRES) server = await startDebian();
});
afterAll(() => server?.close());
beforeEach(() => void (schema = `s${crypto.randomUUID()}`));

function start(order: Partial<ProgramOrder> & Pick<ProgramOrder, "do">): Program {
  return startProgram({ url: server.url, schema, id: "a", pollMs: NEVER_MS, ...order });
}

function open(): PostgresStore {
  return new PostgresStore(server.url, { schema, pollMs: NEVER_MS });
}

/** Holds when each writer's entries are there once, in order. */
function expectAll(entries: readonly Json[], counts: Readonly<Record<string, number>>): void {
  const all = entries as readonly { readonly by: string; readonly n: number }[];
  for (const [writer, count] of Object.entries(counts))
    expect(all.filter(({ by }) => by === writer).map(({ n }) => n)).toEqual([...Array(count).keys()]);
  expect(all.length).toBe(Object.values(counts).reduce((sum, count) => sum + count, 0));
}

describe.runIf(HAS_POSTGRES)("processes at one database", () => {
  test("make the tables once, however many begin at the same time", async () => {
    const programs = Array.from({ length: 10 }, () => start({ do: "migrate" }));
    for (const program of programs) expect(await program.next()).toEqual({ is: "ended" });
    expect(await server.ask(`select version from "${schema}".session_migrations`)).toEqual([{ version: 1 }]);
  });

  test("wait for the one that makes the tables, and none of them fails", async () => {
    const pool = new pg.Pool({ connectionString: server.url });
    onTestFinished(() => pool.end());
    const sent: string[] = [];
    const spied = (): PostgresPool => ({
      query: (text, values) => pool.query(text, values),
      connect: async () => {
        const client = await pool.connect();
        const query = client.query.bind(client);
        const told = (text: string, values?: unknown[]): Promise<QueryRows> => {
          sent.push(text);
          return query(text, values);
        };
        return { query: told, release: (destroy) => client.release(destroy), on: client.on.bind(client) };
      },
    });
    await Promise.all(Array.from({ length: 10 }, () => new PostgresStore(spied(), { schema }).migrate()));
    expect(sent.filter((sql) => sql.startsWith("create unlogged table"))).toHaveLength(1);
    expect(sent).not.toContain("rollback");
  });

  test("write to one session, and lose nothing and write nothing twice", async () => {
    const writers = ["x", "y", "z"];
    const programs = writers.map((name) => start({ do: "append", name, count: 100 }));
    const reports = await Promise.all(programs.map((program) => program.next()));
    expect(reports).toEqual(
      writers.map(() => ({ is: "done", appends: 100, conflicts: expect.any(Number), failures: 0 })),
    );
    await using store = open();
    expectAll(await store.load("a"), { x: 100, y: 100, z: 100 });
  });

  test("lose nothing and write nothing twice while their connections are cut", async () => {
    const programs = ["x", "y"].map((name) => start({ do: "append", name, count: 150, goesOn: true }));
    const over = new AbortController();
    const reports = Promise.all(programs.map((program) => program.next())).finally(() => over.abort());
    reports.catch(() => {});
    for (let cut = 0; cut < 20 && !over.signal.aborted; cut += await server.cut("session_entries"))
      await new Promise((resolve) => setTimeout(resolve, 10));
    for (const program of programs) program.finish();
    const done = await reports;
    expect(done).toMatchObject([{ is: "done" }, { is: "done" }]);
    const [x = 0, y = 0] = done.map((report) => (report.is === "done" ? report.appends : 0));
    await using store = open();
    expectAll(await store.load("a"), { x, y });
    expect(Math.min(x, y)).toBeGreaterThanOrEqual(150);
  });

  test("hear of each other's writes at once, also after the connection that listens was cut", async () => {
    await using store = open();
    await store.append("a", 0, [1]);
    const program = start({ do: "watch" });
    expect(await program.next()).toEqual({ is: "ready" });
    // The first look, when it listens.
    expect(await program.next()).toEqual({ is: "changed" });
    await store.append("b", 0, [1]);
    await store.append("a", 1, [2]);
    expect(await program.next()).toEqual({ is: "changed" });
    for (let length = 2; length < 5; length++) {
      // The last statement of a connection that listens and waits: its first look.
      await expect.poll(() => server.cut("xmin")).toBe(1);
      await store.append("a", length, [length]);
      expect(await program.next()).toEqual({ is: "changed" });
    }
  });

  test("end by themselves, although a store is open and watches", async () => {
    expect(await start({ do: "glance" }).gone).toBe(0);
    await using store = open();
    expect(await store.load("a")).toEqual([1]);
  });
});

describe.runIf(HAS_POSTGRES)("a server that is killed", () => {
  test("has every entry that was acknowledged, also where commits are not synced by default, and no draft", async () => {
    await server.ask("alter system set synchronous_commit = off");
    await server.ask("select pg_reload_conf()");
    await using store = open();
    const lease = { token: 1, beat: 0, held: true, runId: "r", durationMs: 1000 };
    await store.append("a", 0, [0], { lease: { expected: undefined, next: lease } });
    await store.setDraft("a", 1, {
      runId: "r",
      step: "model:1",
      place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
      attempt: 1,
      parts: [{ text: "So" }],
    });
    for (let length = 1; length < 4; length++) {
      await store.append("a", length, [length], { token: 1 });
      await server.kill();
      await expect(store.load("a")).rejects.toThrow(SessionStoreError);
      await server.restart();
      expect(await store.load("a")).toEqual([...Array(length + 1).keys()]);
    }
    expect(await store.records("a")).toEqual({ lease });
  });

  test("is found again by those who write and those who watch", async () => {
    await using store = open();
    await store.append("a", 0, [0]);
    const program = start({ do: "watch" });
    expect(await program.next()).toEqual({ is: "ready" });
    expect(await program.next()).toEqual({ is: "changed" });
    await server.kill();
    await expect(store.append("a", 1, [1])).rejects.toMatchObject({ code: "session_store", retryable: true });
    await server.restart();
    await store.append("a", 1, [1]);
    expect(await program.next()).toEqual({ is: "changed" });
    expect(await store.load("a")).toEqual([0, 1]);
  });
});

describe.runIf(HAS_POSTGRES)("a session whose run is in another process", () => {
  const work = defineTool({ name: "work", description: "Works.", run: async () => "worked" });

  test("is running there, is stopped from here at once, and is resumed here", async () => {
    const program = start({ do: "work" });
    expect(await program.next()).toEqual({ is: "working", callId: "call:1.0" });
    await using store = open();
    const agent = new Agent({ model: new ScriptedModel(say("Done.")), tools: [work] });
    const session = agent.session({ id: "a", store, leaseMs: 1000 });
    expect(await session.state()).toMatchObject({ lastRun: "running", resumable: false });
    expect(await session.stop()).toBe(true);
    expect(await program.next()).toMatchObject({ is: "failed", name: "RunStoppedError", typed: true });
    expect(await session.state()).toMatchObject({ lastRun: "aborted", resumable: true });
  });

  test("is resumed here after it was killed, with nothing done twice", async () => {
    const program = start({ do: "work" });
    expect(await program.next()).toEqual({ is: "working", callId: "call:1.0" });
    await program.kill();
    await using store = open();
    const model = new ScriptedModel(say("Done."));
    const session = new Agent({ model, tools: [work] }).session({ id: "a", store, leaseMs: 1000 });
    expect(await session.resume()).toMatchObject({ stopReason: "finished", text: "Done.", turns: 2 });
    expect(model.requests).toHaveLength(1);
    expect(await store.list()).toMatchObject([{ id: "a", state: "idle", title: "Go.", messages: 1, turns: 2 }]);
  });

  test("keeps what was shown of an answer when it is killed in the middle of it", async () => {
    const program = start({ do: "talk" });
    await using store = open();
    await expect.poll(async () => (await store.records("a")).draft?.parts).toEqual([{ text: "What was shown." }]);
    await program.kill();
    const session = new Agent({ model: new ScriptedModel(say("Yes.")) }).session({ id: "a", store, leaseMs: 1000 });
    expect((await session.send("Are you there?")).text).toBe("Yes.");
    expect((await session.history()).map(({ parts }) => parts[0]?.text)).toEqual([
      "Go.",
      "What was shown.",
      "Are you there?",
      "Yes.",
    ]);
    expect(await store.records("a")).toMatchObject({ lease: { held: false } });
  });
});
