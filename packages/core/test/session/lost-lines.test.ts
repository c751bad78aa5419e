import {
  Agent,
  type AgentError,
  MemoryStore,
  readConversation,
  type Session,
  SessionDamagedError,
  type SessionEntry,
} from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { recordedLogs } from "../doctor/recorded-logs.ts";
import { SESSION_FACES } from "./session-faces.ts";

const LOGS = Object.entries(await recordedLogs());

/** A session whose log has these lines. */
async function sessionOf(log: readonly unknown[]): Promise<{ store: MemoryStore; session: Session }> {
  const store = new MemoryStore();
  // Lines of a damaged log need not be entries.
  await store.append("s", 0, log as never);
  const model = new ScriptedModel(...Array.from({ length: 9 }, () => say("Here.")));
  return { store, session: new Agent({ model }).session({ id: "s", store }) };
}

async function lengthOf(store: MemoryStore): Promise<number> {
  return (await store.load("s")).length;
}

describe.each(SESSION_FACES)("%s", (_face, face) => {
  test.each(LOGS)("on a log with a line lost goes on, or says so and writes nothing: %s", async (_name, log) => {
    for (const at of log.keys()) {
      const left = log.toSpliced(at, 1);
      const { store, session } = await sessionOf(left);
      const result = await face.send(session, "Still there?").catch((error: unknown) => error);
      if (result instanceof SessionDamagedError) {
        expect(await lengthOf(store)).toBe(left.length);
      } else expect([at, result]).toEqual([at, expect.objectContaining({ stopReason: "finished", text: "Here." })]);
    }
  });

  test.each(LOGS)("on a log with a member lost goes on, or says so and writes nothing: %s", async (_name, log) => {
    for (const [at, entry] of log.entries())
      for (const name of Object.keys(entry)) {
        const { [name]: _lost, ...rest } = entry as unknown as Record<string, unknown>;
        const left = log.with(at, rest as unknown as SessionEntry);
        const { store, session } = await sessionOf(left);
        const result = await face.send(session, "Still there?").catch((error: unknown) => error);
        if (result instanceof Error) {
          expect([at, name, result]).toEqual([at, name, expect.any(SessionDamagedError)]);
          expect(await lengthOf(store)).toBe(left.length);
        }
      }
  });
});

/** The log of a run that asked for one tool, by the names of its lines. */
const ONE =
  LOGS.map(([, log]) => log).find((log) => log.some((entry) => entry.type === "end" && entry.turns > 1)) ?? [];

test.each([
  [
    "a step that its end refers to",
    (entry: SessionEntry) => entry.type === "step" && entry.step === "model:2",
    /the end of a run refers to step model:2, which is not in the log/,
  ],
  ["its beginning", (entry: SessionEntry) => entry.type === "run", /run \S+ has no beginning in the log/],
])("a log that lost of a run %s is damaged, also for readers", async (_what, isLost, problem) => {
  const { session } = await sessionOf(ONE.toSpliced(ONE.findIndex(isLost), 1));
  for (const read of [
    () => session.history(),
    () => session.state(),
    () => session.resume(),
    () => session.continue({ message: "x" }),
    () => session.fork(),
    () => session.replay().result(),
    () => session.steer("x"),
    () => readConversation(session),
  ]) {
    const error: unknown = await read().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SessionDamagedError);
    expect((error as AgentError).message).toMatch(problem);
  }
});

test("a run that was cut off and lost an answer of the model is neither resumed nor closed", async () => {
  const cut = ONE.slice(
    0,
    ONE.findIndex(({ type }) => type === "end"),
  ).filter((entry) => entry.type !== "step" || entry.step !== "model:1");
  const { store, session } = await sessionOf(cut);
  for (const read of [() => session.resume(), () => session.send("Still there?"), () => session.continue()])
    await expect(read()).rejects.toThrow(/cannot be read: call:1\.0 of run \S+ is in the log, and model:1 is not/);
  expect(await lengthOf(store)).toBe(cut.length);
});
