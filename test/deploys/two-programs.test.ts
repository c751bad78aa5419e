import {
  Agent,
  defineTool,
  type Json,
  MemoryStore,
  type Session,
  type SessionEntry,
  type SessionStore,
} from "@pollux/core";
import { buildConversation } from "@pollux/core/conversation";
import { checkSession, repairSession, sessionHistory } from "@pollux/core/doctor";
import { calls, hangs, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { deferred } from "../../packages/core/test/helpers/deferred.ts";
import { Processes, storeLike } from "../../packages/core/test/helpers/processes.ts";
import { knownLater, newerProgram } from "./support/newer-program.ts";

// A rolling deploy and a rollback: programs of two releases take turns on one session.

/** Looks twice, then answers; or stays silent, for a process that must die. */
function agentFor(silent: (() => void) | undefined): Agent {
  const input = { type: "object", properties: { n: { type: "integer" } } } as const;
  const look = defineTool({ name: "look", description: "x", input, run: () => "seen" });
  const pay = defineTool({ name: "pay", description: "x", input, needsApproval: true, run: () => "paid" });
  const line: ScriptLine = ({ contents }) => {
    const begin = contents.findLastIndex(({ role, parts }) => role === "user" && parts[0]?.text !== undefined);
    const turn = contents.length - begin;
    const text = contents[begin]?.parts[0]?.text ?? "";
    if (turn === 1) return calls({ name: "look", args: { n: 1 } });
    if (turn === 3) return calls({ name: text.startsWith("Pay") ? "pay" : "look", args: { n: 2 } });
    if (silent === undefined) return say(`Re: ${text}`);
    silent();
    return hangs();
  };
  return new Agent({ model: new ScriptedModel(...Array.from({ length: 20 }, () => line)), tools: [look, pay] });
}

type Program = (store: SessionStore) => SessionStore;

const ours: Program = (store) => store;

/** Programs act on the session one after the other, each in its own process. */
async function play(programs: readonly [Program, Program]): Promise<{ store: MemoryStore; session: Session }> {
  const store = new MemoryStore();
  const processes = new Processes(store);
  let count = 0;
  const next = (silent?: () => void): { session: Session; die: () => void } => {
    const { store: own, die } = processes.start();
    const program = programs[count++ % 2] ?? ours;
    return { session: agentFor(silent).session({ id: "s", store: program(own) }), die };
  };
  const dies = async (message: string): Promise<void> => {
    const asked = deferred();
    const { session, die } = next(asked.resolve);
    session.send(message, { runId: message }).catch(() => {});
    await asked.promise;
    die();
  };
  await next().session.send("Look once.", { runId: "a" });
  await next().session.send("Pay.", { runId: "b" });
  const third = next().session;
  const [question] = (await third.state()).pending;
  await third.answer({ approvals: { [question?.token ?? ""]: true } });
  await next().session.resume();
  await dies("Look, and die.");
  await next().session.resume();
  await dies("Look, and be closed.");
  await next().session.send("Look again.", { runId: "c" });
  await next().session.steer("By train.", { id: "steer" });
  await next().session.send("Look for long.", { runId: "d" });
  await next().session.rewind({ before: "d:user" });
  await next().session.send("Look at last.", { runId: "e" });
  return { store, session: agentFor(undefined).session({ id: "s", store }) };
}

/** A session's own summary, without the times and places of its entries. */
async function told(session: Session, entries: readonly Json[]): Promise<object> {
  const { position: _, ...conversation } = buildConversation("s", entries as unknown as readonly SessionEntry[]);
  return JSON.parse(
    JSON.stringify({ history: await session.history(), state: await session.state(), conversation }, (key, value) =>
      key === "at" ? undefined : (value as unknown),
    ),
  ) as object;
}

describe.each([
  ["a newer program begins", [newerProgram, ours]],
  ["an older program begins", [ours, newerProgram]],
] as const)("where %s and both take turns", (_name, programs) => {
  let entries: readonly Json[];
  let session: Session;
  let store: MemoryStore;
  beforeEach(async () => {
    ({ store, session } = await play(programs));
    entries = await store.load("s");
    expect(knownLater(entries).surveys.length).toBeGreaterThan(5);
    expect(knownLater(entries).later).toBeGreaterThan(10);
  });

  test("the session is the one that a single program would have made", async () => {
    const alone = await play([ours, ours]);
    expect(await told(session, entries)).toEqual(await told(alone.session, await alone.store.load("s")));
  });

  test("readers without an agent find nothing wrong, and the same history", async () => {
    const lines = entries.map((value) => ({ value }));
    expect(checkSession(lines).problems).toEqual([]);
    expect(sessionHistory(entries as unknown as readonly SessionEntry[])).toEqual(await session.history());
  });

  test("a repair keeps what only the newer program knows", () => {
    const lost = entries.findIndex((entry) => (entry as { readonly type?: string }).type === "end");
    const { entries: kept, done } = repairSession(
      entries.map((value, index) => (index === lost ? { problem: "it is not JSON" } : { value })),
    );
    expect(done.length).toBeGreaterThan(0);
    const { surveys, later } = knownLater(kept as unknown as readonly Json[]);
    expect(surveys).toEqual(knownLater(entries).surveys);
    expect(later).toBeGreaterThanOrEqual(knownLater(entries).later - 1);
  });

  test("a copy of the log is the session, and a fork has its history", async () => {
    const copy = new MemoryStore();
    await copy.append("s", 0, entries);
    const copied = agentFor(undefined).session({ id: "s", store: copy });
    expect(await copied.history()).toEqual(await session.history());
    const fork = await session.fork({ id: "fork" });
    await fork.send("Look elsewhere.");
    expect((await fork.history()).slice(0, -6)).toEqual(await session.history());
    expect(await store.load("s")).toEqual(entries);
  });
});

test("what only a newer program knows may come while an older one makes a run", async () => {
  const store = new MemoryStore();
  let surveys = 0;
  const busy = storeLike(store, {
    append: async (id, length, given, options) => {
      await store.append(id, length, given, options);
      const [first] = given as unknown as readonly { readonly v: number; readonly at: number }[];
      if (first === undefined) return;
      await store.append(id, length + given.length, [{ v: first.v, at: first.at, type: "survey", done: ++surveys }]);
    },
  });
  const { stopReason } = await agentFor(undefined).session({ id: "s", store: busy }).send("Look.");
  expect(stopReason).toBe("finished");
  expect(surveys).toBeGreaterThan(4);
});

test("an entry of a later version is refused by a program that does not know it", async () => {
  const { store, session } = await play([ours, ours]);
  const entries = await store.load("s");
  const { v } = entries[0] as { readonly v: number };
  await store.append("s", entries.length, [{ v: v + 1, at: 0, type: "job" }]);
  await expect(session.history()).rejects.toThrow(/newer release/);
  const { refused } = repairSession((await store.load("s")).map((value) => ({ value })));
  expect(refused).toMatchObject({ position: entries.length });
});
