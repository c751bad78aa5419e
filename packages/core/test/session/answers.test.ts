import { showSession } from "../../../cli/src/show/show-session.ts";
import {
  Agent,
  answerCalls,
  defineTool,
  listPendingCalls,
  MemoryStore,
  type Session,
  type SessionEntry,
  type SessionStore,
  UnexpectedAnswerError,
} from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { InvalidApprovalError, NothingToResumeError } from "@pollux/core/errors";
import { questionToken } from "@pollux/core/tool";
import { checkSession } from "@pollux/core/doctor";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { calls, say, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { deferred } from "../helpers/deferred.ts";
import { answersTo } from "../helpers/answers.ts";
import { storeLike } from "../helpers/processes.ts";
import { SESSION_FACES } from "./session-faces.ts";

const folder = await mkdtemp(join(tmpdir(), "answers-"));
let files = 0;
const STORES: readonly [string, () => SessionStore][] = [
  ["memory", () => new MemoryStore()],
  ["SQLite", () => new SqliteStore(join(folder, `${files++}.sqlite`))],
  ["JSONL", () => new JsonlStore(join(folder, `${files++}`))],
];

function shop(store: SessionStore) {
  const paid: number[] = [];
  const [busy, gate] = [deferred(), deferred()];
  const pay = defineTool({
    name: "pay",
    description: "Pays.",
    input: z.object({ euros: z.number() }),
    needsApproval: true,
    effects: "once",
    run: ({ euros }) => (paid.push(euros), `paid ${euros}`),
  });
  const work = defineTool({
    name: "work",
    description: "Works.",
    run: async () => (busy.resolve(), await gate.promise),
  });
  const open = (script: readonly ScriptLine[], at: SessionStore = store): Session =>
    new Agent({ model: new ScriptedModel(...script), tools: [pay, work] }).session({ id: "s", store: at });
  return { paid, open, busy: busy.promise, letGo: gate.resolve };
}

const PAY = { name: "pay", args: { euros: 40 } };
const asked = { callId: "call:1.0", call: PAY, question: "approval" } as const;
const TOKEN = questionToken("r", asked);

interface Stored {
  readonly type: string;
  readonly id?: string;
  readonly value?: unknown;
}

async function entriesOf(store: SessionStore, type: string): Promise<readonly Stored[]> {
  return ((await store.load("s")) as unknown as readonly Stored[]).filter((one) => one.type === type);
}

const kindsOf = (settled: readonly PromiseSettledResult<unknown>[]): readonly string[] =>
  settled.map((one) => (one.status === "fulfilled" ? "stored" : (one.reason as Error).name));

describe.each(STORES)("two at once through one session object, with the %s store", (_store, makeStore) => {
  test("answer one question: the second is refused", async () => {
    const store = makeStore();
    const { paid, open, busy, letGo } = shop(store);
    const session = open([calls(PAY, "work"), say("Done.")]);
    const run = session.send("Pay.", { runId: "r" });
    await busy;
    const settled = await Promise.allSettled([
      session.answer({ approvals: { [TOKEN]: { deny: "no" } }, by: "ann" }),
      session.answer({ approvals: { [TOKEN]: true }, by: "bob" }),
    ]);
    expect(kindsOf(settled)).toEqual(["stored", "UnexpectedAnswerError"]);
    letGo();
    expect((await run).stopReason).toBe("finished");
    expect(paid).toEqual([]);
    expect(await entriesOf(store, "answer")).toMatchObject([{ value: { deny: "no" }, by: "ann", token: TOKEN }]);
  });

  test("say the same message: it is stored once", async () => {
    const store = makeStore();
    const session = shop(store).open([say("Hi.")]);
    await Promise.all([session.steer("Hello.", { id: "m" }), session.steer("Hello.", { id: "m" })]);
    expect(await entriesOf(store, "steer")).toHaveLength(1);
  });

  test.each([true, false])(
    "answer and go on without it: the answer is used or refused (answer first: %s)",
    async (first) => {
      const store = makeStore();
      const { paid, open } = shop(store);
      const session = open([calls(PAY), say("Done."), say("Done.")]);
      await session.send("Pay.", { runId: "r" });
      const answer = (): Promise<void> => session.answer({ approvals: { [TOKEN]: true } });
      const acts = first ? [answer(), session.send("Next.")] : [session.send("Next."), answer()];
      const settled = await Promise.allSettled(acts);
      const isStored = settled[first ? 0 : 1]?.status === "fulfilled";
      expect(settled[first ? 1 : 0]).toMatchObject({ status: "fulfilled" });
      expect(paid).toEqual(isStored ? [40] : []);
      expect(JSON.stringify(await session.history())).toContain("Next.");
      await session.replay().result();
    },
  );

  describe.each(SESSION_FACES)("read by %s", (_face, face) => {
    test.each([true, false])(
      "an answer while the run writes that it waits: the run goes on (same object: %s)",
      async (same) => {
        const inner = makeStore();
        const { paid, open } = shop(inner);
        let answered: Promise<void> | undefined;
        const late = storeLike(inner, {
          append: async (id, length, entries, options) => {
            const isEnd = entries.some((entry) => (entry as unknown as Stored).type === "end");
            if (isEnd && answered === undefined) {
              answered = open([], inner).answer({ approvals: { [TOKEN]: true } });
              await answered;
            }
            await inner.append(id, length, entries, options);
          },
        });
        const script = [calls(PAY, PAY), say("Done.")] as const;
        const session = open([...script], same ? inner : late);
        const run = face.send(session, "Pay.", { runId: "r" });
        if (same) {
          // Each look at the session is a moment at which an answer can come.
          for (; answered === undefined; await new Promise(setImmediate)) {
            const { pending } = await session.state();
            if (pending.length > 0) answered = session.answer({ approvals: { [TOKEN]: true } });
          }
          await answered;
        }
        const result = await run;
        const rest = result.stopReason === "needs-approval" ? result.pending : [];
        if (!same) expect(rest.map(({ callId }) => callId)).toEqual(["call:1.1"]);
        await expect(session.answer({ approvals: { [TOKEN]: { deny: "no" } } })).rejects.toThrow(
          /has already been answered/,
        );
        expect(await session.replay().result()).toMatchObject({ stopReason: "needs-approval" });
        const more = await answersTo(session, { approvals: { "call:1.1": { deny: "one is enough" } } });
        const done = await face.resume(session, more);
        expect(done).toMatchObject({ stopReason: "finished", text: "Done." });
        expect(paid).toEqual([40]);
        expect(await face.continue(session, { message: "Pay.", runId: "r" })).toMatchObject({
          text: "Done.",
          turns: 2,
        });
      },
    );
  });
});

test("an answer that is for another run is refused, and says why", async () => {
  const store = new MemoryStore();
  const { paid, open } = shop(store);
  const session = open([calls(PAY), calls({ name: "pay", args: { euros: 9000 } })]);
  await session.send("Refund 40.", { runId: "r" });
  await session.send("No, 9000.");
  const late = session.answer({ approvals: { [TOKEN]: true } });
  await expect(late).rejects.toThrow(UnexpectedAnswerError);
  await expect(late).rejects.toThrow(/was withdrawn: another message came; waiting: "[0-9a-f]{16}" \(call:1\.0, pay/);
  expect(paid).toEqual([]);
  expect((await entriesOf(store, "run"))[1]).toMatchObject({ withdrawn: [TOKEN] });
  expect((await readConversation(session)).messages[1]?.parts[1]).toMatchObject({ failure: { kind: "withdrawn" } });
});

describe.each(SESSION_FACES)("who may answer, read by %s", (_face, face) => {
  const refund = (approvedBy: (input: { readonly euros: number }) => string) => {
    const paid: number[] = [];
    const tool = defineTool({
      name: "refund",
      description: "Pays back.",
      input: z.object({ euros: z.number(), order: z.string() }),
      needsApproval: ({ euros }) => {
        if (euros === 13) throw new Error("unlucky");
        return euros > 10;
      },
      approvedBy,
      editable: ["euros"],
      run: ({ euros }) => (paid.push(euros), `paid ${euros}`),
    });
    const model = new ScriptedModel(
      calls({ name: "refund", args: { euros: 40, order: "a" } }),
      say("Done."),
      say("Done."),
    );
    const store = new MemoryStore();
    return { paid, model, store, session: new Agent({ model, tools: [tool] }).session({ id: "s", store }) };
  };
  const edit = (euros: number, order = "a") => ({ approvals: { "call:1.0": { args: { euros, order } } } });

  test("is said with the question, by the tool, as long as the run waits and while it is going", async () => {
    const { session } = refund(() => "clerk");
    await face.send(session, "Refund.");
    const question = { approvedBy: "clerk", editable: ["euros"], token: expect.any(String) };
    const { pending } = await session.state();
    expect(pending).toMatchObject([question]);
    expect((await readConversation(session)).pending).toMatchObject([{ ...question, token: pending[0]?.token }]);
  });

  test("arguments that may not be edited are refused, and nothing is stored", async () => {
    const { session, store } = refund(() => "clerk");
    await face.send(session, "Refund.");
    const wrong = await answersTo(session, edit(40, "b"));
    await expect(session.answer(wrong)).rejects.toThrow(/refund\) change more than they may \(only euros\): order/);
    await expect(answerCalls(store, "s", wrong)).rejects.toThrow(InvalidApprovalError);
    expect(await entriesOf(store, "answer")).toEqual([]);
  });

  test("edited arguments that the same one approves run", async () => {
    const { session, paid } = refund(() => "clerk");
    await face.send(session, "Refund.");
    expect(await face.resume(session, await answersTo(session, edit(9000)))).toMatchObject({ text: "Done." });
    expect(paid).toEqual([9000]);
    expect(await session.replay().result()).toMatchObject({ text: "Done." });
  });

  test.each([
    [9000, "boss"],
    [13, "clerk"],
  ])("edited arguments (%s euros) that need another approver are asked about once more", async (euros, by) => {
    const { session, paid, store } = refund((input) => (input.euros > 100 ? "boss" : "clerk"));
    await face.send(session, "Refund.");
    const first = (await session.state()).pending[0]?.token;
    const again = await face.resume(session, { ...(await answersTo(session, edit(euros))), by: "ann" });
    const question = { callId: "call:1.0", edited: true, approvedBy: by, call: { args: { euros, order: "a" } } };
    expect(again).toMatchObject({ stopReason: "needs-approval", pending: [question] });
    expect(paid).toEqual([]);
    const { pending } = await session.state();
    expect(pending[0]?.token).not.toBe(first);
    expect((await readConversation(session)).pending).toMatchObject([{ token: pending[0]?.token, approvedBy: by }]);
    const approvals = { [pending[0]?.token ?? ""]: true as const };
    expect(await face.resume(session, { approvals, by: "bob" })).toMatchObject({ text: "Done." });
    expect(paid).toEqual([euros]);
    expect(await entriesOf(store, "answer")).toMatchObject([
      { by: "ann", value: { args: { euros } } },
      { by: "bob", value: true },
    ]);
    expect(await session.replay().result()).toMatchObject({ text: "Done." });
    expect(checkSession((await store.load("s")).map((value) => ({ value })))).toMatchObject({ problems: [] });
  });

  test("a request that is withdrawn is not run, and the model reads why", async () => {
    const { session, model, paid } = refund(() => "clerk");
    await face.send(session, "Refund.");
    const withdrawal = { approvals: { "call:1.0": { withdrawn: "I found it" } } };
    await face.resume(session, await answersTo(session, withdrawal));
    expect(JSON.stringify(model.requests[1]?.contents.at(-1))).toContain("the user withdrew this request: I found it");
    expect((await readConversation(session)).messages[1]?.parts[1]).toMatchObject({
      state: "not-run",
      failure: { kind: "withdrawn" },
    });
    expect(paid).toEqual([]);
  });

  test("a message to a run that waits is stored once, and read with the outcome", async () => {
    const { session, model, store } = refund(() => "clerk");
    await face.send(session, "Refund.");
    for (const _ of [1, 2]) {
      const steered = await face.send(session, "Hurry.", { unfinished: "steer", runId: "m" });
      expect(steered).toMatchObject({ stopReason: "needs-approval", pending: [{ callId: "call:1.0" }] });
    }
    const again = { message: "Hurry.", unfinished: "steer", runId: "m" } as const;
    expect(await face.continue(session, again)).toMatchObject({ stopReason: "needs-approval" });
    expect(model.requests).toHaveLength(1);
    expect(await readConversation(session)).toMatchObject({ state: "waiting", queued: [{ id: "m" }] });
    expect(await entriesOf(store, "steer")).toHaveLength(1);
    await face.resume(session, await answersTo(session, { approvals: { "call:1.0": true } }));
    const [outcome, hurry] = model.requests[1]?.contents.slice(-2) ?? [];
    expect([outcome?.parts[0]?.functionResponse?.response, hurry?.parts]).toEqual([
      { output: "paid 40" },
      [{ text: "Hurry." }],
    ]);
  });
});

/** Sessions of one store, each with a model that calls one of two tools. */
function waitingShop() {
  const store = new MemoryStore();
  const ask = defineTool({ name: "ask", description: "Asks.", approvedBy: "user" });
  const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, approvedBy: "clerk", run: () => 1 });
  const open = (id: string, name: string, owner: string) =>
    new Agent({ model: new ScriptedModel(calls({ name }), say("Done.")), tools: [ask, pay] }).session({
      id,
      owner,
      store,
    });
  return { store, open };
}

test("what waits in all sessions of a store is listed and answered without an agent", async () => {
  const { store, open } = waitingShop();
  await open("a", "pay", "ann").send("Pay.", { runId: "ra" });
  await open("b", "ask", "bob").send("Ask.");
  await open("c", "pay", "cid").send("Pay.");
  const { calls: all } = await listPendingCalls(store, { limit: 2 });
  expect(all.map(({ sessionId, approvedBy, owner }) => [sessionId, approvedBy, owner])).toEqual([
    ["a", "clerk", "ann"],
    ["b", "user", "bob"],
  ]);
  expect(all[0]).toMatchObject({ runId: "ra", title: "Pay.", question: "approval", askedAt: expect.any(Number) });
  const rest = await listPendingCalls(store, { limit: 2, after: "b" });
  expect([rest.calls.map(({ sessionId }) => sessionId), rest.next]).toEqual([["c"], undefined]);
  const own = await listPendingCalls(store, { approvedBy: "clerk", owner: "ann" });
  expect(own.calls.map(({ sessionId }) => sessionId)).toEqual(["a"]);

  const answers = { approvals: { [all[0]?.token ?? ""]: true as const }, by: "clerk-7" };
  await answerCalls(store, "a", answers);
  await expect(answerCalls(store, "a", answers)).rejects.toThrow(/has already been answered by clerk-7/);
  await expect(answerCalls(store, "nobody", answers)).rejects.toThrow(UnexpectedAnswerError);
  expect((await store.list()).map(({ id }) => id).toSorted()).toEqual(["a", "b", "c"]);
  expect((await listPendingCalls(store, { owner: "ann" })).calls).toEqual([]);
});

test("a damaged session hides no other one that waits, and one that goes on meanwhile is listed once", async () => {
  const { open, store } = waitingShop();
  for (const id of ["a", "b", "c"]) await open(id, "pay", "ann").send("Pay.");
  await store.append("b", (await store.load("b")).length, [{ v: 3, at: 1, type: "step", runId: "r" }]);
  const moving = storeLike(store, {
    list: async (options) =>
      await store.list(options?.state === "running" ? { ...options, state: "waiting" } : options),
  });
  const { calls: found, damaged } = await listPendingCalls(moving);
  expect([found.map(({ sessionId }) => sessionId), damaged]).toEqual([["a", "c"], ["b"]]);
});

describe.each(SESSION_FACES)("read by %s", (_face, face) => {
  test("an answer is refused, and not dropped, when its run was taken back and something else waits to be read", async () => {
    const { open, paid } = shop(new MemoryStore());
    const session = open([calls(PAY), say("Read.")]);
    await face.send(session, "Pay.", { runId: "r" });
    await session.rewind();
    await session.steer("Also.");
    await expect(face.continue(session, { approvals: { [TOKEN]: true } })).rejects.toThrow(UnexpectedAnswerError);
    expect(await face.continue(session)).toMatchObject({ text: "Read." });
    expect(paid).toEqual([]);
  });

  test("an answer is used, and not dropped, when it comes with a message that began an earlier run", async () => {
    const { open, paid } = shop(new MemoryStore());
    const session = open([say("Hi."), calls(PAY), say("Done.")]);
    await face.send(session, "Hello.", { runId: "old" });
    await face.send(session, "Pay.", { runId: "r" });
    const again = { message: "Hello.", runId: "old", approvals: { [TOKEN]: true } };
    expect(await face.continue(session, again)).toMatchObject({ text: "Done." });
    expect(paid).toEqual([40]);
    const said = (await session.history()).filter(({ parts }) => parts[0]?.text === "Hello.");
    expect(said).toHaveLength(1);
  });
});

describe.each(SESSION_FACES)(
  "a run that was cut off with an answer that it has not used, read by %s",
  (_face, face) => {
    test.each([
      ["an approval", { approvals: { [TOKEN]: true } }, [40]],
      ["a denial", { approvals: { [TOKEN]: { deny: "too much" } } }, []],
    ])("goes on when a message comes: %s", async (_what, given, effects) => {
      const store = new MemoryStore();
      const { open, paid, busy } = shop(store);
      const cut = open([calls(PAY, "work")]);
      const run = cut.send("Pay.", { runId: "r" }).catch(() => undefined);
      await busy;
      await cut.answer({ ...given, by: "olga" });
      await cut.release({ signal: AbortSignal.abort() });
      await run;
      const next = shop(store);
      next.letGo();
      const heard: unknown[] = [];
      const session = next.open([({ contents }) => (heard.push(...contents), say("Both."))]);
      expect(await face.send(session, "And?")).toMatchObject({ runId: "r", stopReason: "finished", text: "Both." });
      expect([...paid, ...next.paid]).toEqual(effects);
      expect(JSON.stringify(heard)).toContain("And?");
    });

    test("is closed by a message when the answer was used", async () => {
      const store = new MemoryStore();
      const { open, paid } = shop(store);
      const session = open([calls(PAY), () => new Promise(() => {})]);
      await session.send("Pay.", { runId: "r" });
      const run = session.resume({ approvals: { [TOKEN]: true } }).catch(() => undefined);
      while (paid.length === 0) await new Promise((resolve) => setImmediate(resolve));
      await session.release();
      await run;
      const result = await face.send(shop(store).open([say("Well.")]), "And?", { runId: "next" });
      expect(result).toMatchObject({ runId: "next", text: "Well." });
      expect(JSON.stringify(result.contents)).toContain("paid 40");
    });
  },
);

test("the log of a session is shown with what was answered, and by whom", async () => {
  const store = new MemoryStore();
  const session = shop(store).open([calls(PAY, PAY, PAY), say("Done.")]);
  await session.send("Pay.", { runId: "r" });
  const given = {
    "call:1.0": { args: { euros: 39 } },
    "call:1.1": { withdrawn: "not any more" },
    "call:1.2": { deny: "no" },
  };
  await session.resume({ ...(await answersTo(session, { approvals: given })), by: "olga" });
  const shown = showSession((await store.load("s")) as unknown as readonly SessionEntry[]);
  for (const answer of ['yes, with {"euros":39}', "withdrawn: not any more", "no: no"])
    expect(shown).toContain(`pay: ${answer} (olga)`);
});

test("an answer to a session that was deleted finds nothing to resume", async () => {
  const store = new MemoryStore();
  const session = shop(store).open([calls(PAY)]);
  await session.send("Pay.", { runId: "r" });
  await store.delete("s");
  await expect(session.answer({ approvals: { [TOKEN]: true } })).rejects.toThrow(NothingToResumeError);
});
