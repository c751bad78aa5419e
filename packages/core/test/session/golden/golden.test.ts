import { readFileSync, readdirSync } from "node:fs";
import {
  type Agent,
  type Content,
  type Json,
  MemoryStore,
  type Session,
  type SessionEntry,
  type SessionStore,
} from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { checkSession, repairSession, sessionHistory } from "@pollux/core/doctor";
import { say, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { storeLike } from "../../helpers/processes.ts";
import { agentOf, type Kind, KINDS, OUTPUT, sessionOf } from "./kinds.ts";
import { type Golden, goldenFile, makeGolden, readGolden } from "./write-golden.ts";

// Logs that this release or an earlier one wrote, and how that release read them: `write-golden.ts`.

const TYPED = '{"degrees":9}';

/** Says the same to everything, as JSON where that is asked for. */
const answer: ScriptLine = ({ output }) => say(output === undefined ? "It stopped." : TYPED);

function agentFor(kind: Kind): Agent {
  const { guardrails } = kind.agent ?? {};
  return agentOf(
    { script: [], output: kind.output, agent: { guardrails } },
    Array.from({ length: 9 }, () => answer),
    async () => "done" as never,
  );
}

/** The log in a store, beside the draft and the lease of a process that has died. */
async function open({ entries, draft }: Golden): Promise<SessionStore> {
  const store = new MemoryStore();
  await store.append("golden", 0, entries);
  if (draft !== undefined) {
    const { runId } = draft as { readonly runId: string };
    await store.setLease("golden", undefined, { token: 1, beat: 1, held: true, runId, durationMs: 15_000, process: 0 });
    await store.setDraft("golden", 1, draft as never);
  }
  return storeLike(store, { processes: { self: 1, isGone: () => true } });
}

const kept = Object.entries(KINDS).map(([name, kind]) => {
  // As `write-golden.ts` wrote it.
  const golden = JSON.parse(readFileSync(goldenFile(name), "utf8")) as Golden;
  return { name, kind, golden };
});

test("each log that is kept belongs to a kind", () => {
  expect(readdirSync(new URL("fixtures/", import.meta.url))).toHaveLength(kept.length);
});

describe.each(kept)("the log of $name", ({ name, kind, golden }) => {
  const { entries, history, state, messages } = golden;

  /** Its session, and what a store lists once something was written. */
  async function session(): Promise<{ own: Session; list: () => ReturnType<SessionStore["list"]> }> {
    const store = await open(golden);
    return { own: sessionOf(agentFor(kind), store), list: () => store.list() };
  }

  test("reads as it did when it was written", async () => {
    expect(await readGolden(golden)).toEqual({ history, state, messages });
    const { own } = await session();
    expect((await readConversation(own)).messages).toMatchObject(messages as object);
  });

  test("is whole, and a repair changes nothing", () => {
    const lines = entries.map((value) => ({ value }));
    expect(checkSession(lines).problems).toEqual([]);
    expect(repairSession(lines)).toMatchObject({ entries, done: [] });
    expect(sessionHistory(entries as unknown as readonly SessionEntry[])).toEqual(history);
  });

  test("takes a message, which loses nothing of it", async () => {
    const { own, list } = await session();
    const before = await own.state();
    const { stopReason } = await own.send("And now?");
    expect(stopReason).toBe("finished");
    const { turns, toolCalls, usage, cost } = await own.state();
    const added = spentOf(entries, before.runs);
    expect({ turns, toolCalls, tokens: usage.totalTokens }).toEqual({
      turns: before.turns + added.turns + 1,
      toolCalls: before.toolCalls + added.toolCalls,
      tokens: before.usage.totalTokens + 15 * added.turns + 15,
    });
    expect((await list())[0]).toMatchObject({ turns, totalTokens: usage.totalTokens, cost, state: "idle" });
    expect(withoutMessage(await own.history()).slice(0, history.length)).toEqual(history);
  });

  test("goes on where it can", async () => {
    const { own } = await session();
    const { resumable, pending, turns } = await own.state();
    if (!resumable) {
      await expect(own.resume()).rejects.toThrow(/has ended|no run/);
      return;
    }
    const approvals = pending.flatMap(({ token, question }) => (question === "approval" ? [[token, true]] : []));
    const outcomes = pending.flatMap(({ token, question }) =>
      question === "outcome" ? [[token, { output: "from outside" }]] : [],
    );
    const result = await own.resume({
      approvals: Object.fromEntries(approvals) as Record<string, true>,
      outcomes: Object.fromEntries(outcomes) as Record<string, { output: string }>,
      ...(kind.output !== undefined && { output: OUTPUT }),
    });
    expect(result.stopReason).toBe(name.endsWith("may happen once") ? "needs-outcome" : "finished");
    // A turn that failed or was aborted is counted, and made again.
    expect((await own.state()).turns).toBeGreaterThanOrEqual(turns);
    expect((await own.history()).length).toBeGreaterThanOrEqual(history.length);
  });
});

/** Turns and calls of a run that was cut off: its answers, and the calls that these made. */
function spentOf(entries: readonly Json[], runs: number): { readonly turns: number; readonly toolCalls: number } {
  const log = entries as unknown as readonly SessionEntry[];
  if (log.filter(({ type }) => type === "run").length === runs) return { turns: 0, toolCalls: 0 };
  const answers = log.flatMap((entry) => {
    const value = entry.type === "step" && entry.outcome.ok ? entry.outcome.value : undefined;
    // Only a step of the model has a response.
    const { response } = (value ?? {}) as { readonly response?: { readonly content: Content } };
    return response === undefined ? [] : [response.content.parts];
  });
  const toolCalls = answers.flat().filter(({ functionCall }) => functionCall !== undefined).length;
  return { turns: answers.length, toolCalls };
}

/** What was there before the last message and its answer. */
function withoutMessage(contents: readonly Content[]): readonly Content[] {
  return contents.slice(0, -2);
}

test("a log that this release writes reads the same", async () => {
  const made = await Promise.all(kept.map(({ kind }) => makeGolden(kind)));
  const withoutTimes = (messages: Json | undefined): string =>
    JSON.stringify(messages).replaceAll(/"at":\d+/g, '"at":0');
  expect(made.map(({ messages }) => withoutTimes(messages))).toEqual(
    kept.map(({ golden }) => withoutTimes(golden.messages)),
  );
});
