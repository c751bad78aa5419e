import {
  Agent,
  type AgentError,
  defineTool,
  listPendingCalls,
  MemoryStore,
  type Session,
  type SessionEntry,
} from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { SessionDamagedError } from "@pollux/core/errors";
import { call, say, ScriptedModel } from "@pollux/core/testing";
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
    /a turn refers to step model:2, which is not in the log/,
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

test.each([
  ["nothing else", undefined, /cannot be read: entry 3: a turn refers to step model:1, which is not in the log/],
  ["its turn", "turn", /cannot be read: call:1\.0 of run \S+ is in the log, and model:1 is not/],
] as const)(
  "a run that was cut off and lost an answer of the model is neither resumed nor closed; %s lost",
  async (_what, lost, problem) => {
    const cut = ONE.slice(
      0,
      ONE.findIndex(({ type }) => type === "end"),
    ).filter((entry) => entry.type !== lost && (entry.type !== "step" || entry.step !== "model:1"));
    const { store, session } = await sessionOf(cut);
    for (const read of [() => session.resume(), () => session.send("Still there?"), () => session.continue()])
      await expect(read()).rejects.toThrow(problem);
    expect(await lengthOf(store)).toBe(cut.length);
  },
);

test.each([
  [
    "the question of a run that waits",
    "end",
    '"untrusted":["look"]',
    '"untrustee":["look"]',
    /its pending does not say/,
  ],
  ["what was decided about calls", "route", '"untrusted":["look"]', '"untrustee":["look"]', /its route:1 does not say/],
  ["the decisions themselves", "route", '"value":', '"valuf":', /its route:1 does not say/],
])(
  "a log that lost why a call is asked about is damaged, also for readers: %s",
  async (_what, kind, from, to, problem) => {
    const log = LOGS.find(([name]) => name === "an approval that is waited for")?.[1] ?? [];
    const at = log.findLastIndex((entry) => (entry.type === "step" ? entry.place.kind : entry.type) === kind);
    const damaged = JSON.stringify(log[at]).replace(from, to);
    expect(damaged).toContain(to);
    const { store, session } = await sessionOf(log.with(at, JSON.parse(damaged)));
    for (const read of [() => session.state(), () => session.send("Still there?"), () => readConversation(session)])
      await expect(read()).rejects.toThrow(problem);
    await expect(listPendingCalls(store)).resolves.toMatchObject({ calls: [] });
  },
);

type Changes = { readonly step?: string; readonly place?: Record<string, unknown> };

/** A run that was answered, in a store that gives up on who reads it again and again. */
async function answered({ step, place }: Changes, isEnded: boolean): Promise<{ store: MemoryStore; session: Session }> {
  const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
  const open = (store: MemoryStore, ...lines: readonly ReturnType<typeof say>[]) =>
    new Agent({ model: new ScriptedModel(...lines), tools: [pay] }).session({ id: "s", store });
  const asked = new MemoryStore();
  const first = open(asked, call("pay"));
  await first.send("Pay.");
  const { pending } = await first.state();
  await first.answer({ approvals: { [pending[0]?.token ?? ""]: true } });
  const log = (await asked.load("s")) as unknown as SessionEntry[];
  let loads = 0;
  const store = new (class extends MemoryStore {
    override async load(...given: Parameters<MemoryStore["load"]>): ReturnType<MemoryStore["load"]> {
      if (++loads > 60) throw new Error("read again and again");
      return await super.load(...given);
    }
  })();
  const changed = log.map((entry) =>
    entry.type === "answer" ? { ...entry, ...(step && { step }), place: { ...entry.place, ...place } } : entry,
  );
  await store.append("s", 0, changed.filter(({ type }) => isEnded || type !== "end") as never);
  return { store, session: open(store, say("Done."), say("More.")) };
}

describe.each([true, false])("an answer to a run, ended: %s", (isEnded) => {
  test.each<[string, Changes]>([
    ["of a question that nobody asks", { place: { question: "approvel" } }],
    ["of another call than its name says", { place: { callId: "call:1.7" } }],
    ["of no call", { place: { callId: undefined } }],
    ["of a step that is no question", { place: { kind: "route" } }],
    ["under a name that is not its place's", { step: "call:1.0/approvel" }],
  ])("%s, is damage", async (_what, changes) => {
    const { store, session } = await answered(changes, isEnded);
    const { length } = await store.load("s");
    for (const read of [() => session.send("Well?"), () => session.resume(), () => session.continue()])
      await expect(read()).rejects.toThrow(/entry \d: the answer call:1\.0\/\S+ is in the wrong place/);
    expect(await store.load("s")).toHaveLength(length);
  });

  test.each<[string, Changes]>([
    ["call", { step: "call:1.7/approval", place: { callId: "call:1.7" } }],
    ["question", { step: "call:1.0/approval.2", place: { time: 2 } }],
  ])("of another %s, does not keep a run waiting for it in circles", async (_what, changes) => {
    const { session } = await answered(changes, isEnded);
    expect(await session.resume()).toMatchObject({ stopReason: "needs-approval", pending: [{ callId: "call:1.0" }] });
  });
});
