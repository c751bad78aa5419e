import {
  Agent,
  type Approval,
  defineTool,
  GuardrailError,
  type InputGuardrail,
  MemoryStore,
  type PendingCall,
  type Session,
} from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { repairSession, sessionHistory } from "@pollux/core/doctor";
import { assertGrammar, call, calls, collect, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { MemoryEngine } from "../../../../engine/test/memory-engine.ts";
import { eventsOf, faces } from "../../helpers/faces.ts";
import { SESSION_FACES } from "../../session/session-faces.ts";

/** Masks a word, stops at another, and notes what it sees. */
function watcher(): { readonly guardrail: InputGuardrail; readonly seen: (readonly [string, string])[] } {
  const seen: (readonly [string, string])[] = [];
  const check: InputGuardrail["check"] = ({ source, text }) => {
    seen.push([source, text]);
    if (text.includes("weapon")) return { stop: "weapons", message: "Not here." };
    return text.includes("secret") ? { replace: text.replaceAll("secret", "***") } : undefined;
  };
  return { guardrail: { name: "watch", check }, seen };
}

const paid: unknown[] = [];
const pay = defineTool({
  name: "pay",
  description: "x",
  input: z.object({ to: z.string() }),
  needsApproval: true,
  run: (input) => (paid.push(input), `paid ${input.to}`),
});
const ask = defineTool({ name: "ask", description: "x" });
const look = defineTool({ name: "look", description: "x", run: () => "seen" });
const tools = [pay, ask, look];

type Given = { readonly approvals?: Approval; readonly outcomes?: object };

/** What was said about the only call that waits, each with what the model reads of it. */
const SAID: readonly (readonly [
  what: string,
  turn: ReturnType<typeof call>,
  given: Given,
  seen: readonly string[],
  read: string,
])[] = [
  ["a denial", call("pay", { to: "ann" }), { approvals: { deny: "the secret" } }, ["denial", "the secret"], "the ***"],
  [
    "edited arguments",
    call("pay", { to: "ann" }),
    { approvals: { args: { to: "secret" } } },
    ["arguments", '{"to":"secret"}'],
    "paid ***",
  ],
  ["a text as an outcome", call("ask"), { outcomes: { output: "a secret" } }, ["outcome", "a secret"], "a ***"],
  [
    "an outcome with members",
    call("ask"),
    { outcomes: { output: { answer: ["secret"] } } },
    ["outcome", '{"answer":["secret"]}'],
    '{"answer":["***"]}',
  ],
  ["a failure", call("ask"), { outcomes: { error: "no secret" } }, ["outcome", "no secret"], "no ***"],
];

/** The answers of a session, under the key of the question. */
function answersTo(pending: readonly PendingCall[], { approvals, outcomes }: Given): object {
  const key = keyOf(pending[0]);
  return {
    ...(approvals !== undefined && { approvals: { [key]: approvals } }),
    ...(outcomes !== undefined && { outcomes: { [key]: outcomes } }),
  };
}

function keyOf(pending: PendingCall | undefined): string {
  return pending?.token ?? "";
}

async function pendingOf(session: Session): Promise<readonly PendingCall[]> {
  return (await session.state()).pending;
}

describe.each(SESSION_FACES)("answers about a call of a session, read by %s", (_face, face) => {
  test.each(SAID)("is checked and replaced: %s", async (_what, turn, given, said, read) => {
    const { guardrail, seen } = watcher();
    const store = new MemoryStore();
    const model = new ScriptedModel(turn, say("Done."));
    const agent = new Agent({ model, tools, guardrails: { input: [guardrail] } });
    const session = agent.session({ id: "s", store });
    await face.send(session, "Go.");
    const answers = answersTo(await pendingOf(session), given);
    const result = await face.resume(session, answers);
    expect(result).toMatchObject({ stopReason: "finished", text: "Done." });
    expect(seen).toEqual([["message", "Go."], said]);
    const told = JSON.stringify(model.requests[1]?.contents.slice(2));
    expect(told).toContain(read.startsWith("{") ? read.slice(1, -1) : read);
    expect(JSON.stringify([model.requests, result, await session.history()])).not.toContain("secret");
    // A replay and a run that is resumed without guardrails ask nobody, and read the same.
    expect(await session.replay().result()).toMatchObject({ stopReason: "finished", contents: result.contents });
    const plain = new Agent({ model: new ScriptedModel(), tools }).session({ id: "s", store });
    expect(await plain.replay().result()).toMatchObject({ contents: result.contents });
    expect(seen).toHaveLength(2);
  });

  test.each(SAID)("ends the run when it is stopped, with each call answered: %s", async (_what, turn, given) => {
    const text = JSON.stringify(given).replaceAll("secret", "weapon");
    const { guardrail } = watcher();
    paid.length = 0;
    const more = calls("pay", "look");
    const model = new ScriptedModel({ ...turn, batches: [...turn.batches, ...more.batches] }, say("Fine."));
    const agent = new Agent({ model, tools, guardrails: { input: [guardrail] } });
    const session = agent.session();
    await face.send(session, "Go.");
    const result = await face.resume(session, answersTo(await pendingOf(session), JSON.parse(text) as Given));
    expect(result).toMatchObject({
      stopReason: "guardrail",
      guardrail: { name: "watch", side: "input", reason: "weapons", message: "Not here." },
    });
    expect(paid).toEqual([]);
    const answered = result.contents.at(-1)?.parts.map((part) => part.functionResponse);
    expect(answered).toHaveLength(3);
    expect(answered?.[0]?.response).toEqual({
      error: "not run: the answer this call was waiting for never arrived",
    });
    expect(answered?.[2]?.response).toEqual({ output: "seen" });
    expect(JSON.stringify([result, await session.history()])).not.toContain('weapon"');
    expect(await session.replay().result()).toMatchObject({ stopReason: "guardrail", contents: result.contents });
    await face.send(session, "Go on.");
    expect(JSON.stringify(model.requests.at(-1)?.contents)).not.toMatch(/the weapon|a weapon|"weapon"|no weapon/);
  });

  test.each([
    ["a withdrawal with a denial", call("pay", { to: "ann" }), { approvals: { deny: "no", withdrawn: "a weapon" } }],
    ["arguments with an error", call("pay", { to: "ann" }), { approvals: { error: "no", args: { to: "weapon" } } }],
    ["an output with an error", call("ask"), { outcomes: { error: "no", output: "a weapon" } }],
    ["an output with a denial", call("ask"), { outcomes: { deny: "no", output: "a weapon" } }],
    ["an error that is no text", call("ask"), { outcomes: { error: ["a weapon"] } }],
  ])("is checked as it is used: %s", async (_what, turn, given) => {
    const { guardrail } = watcher();
    paid.length = 0;
    const model = new ScriptedModel(turn, say("Done."));
    const session = new Agent({ model, tools, guardrails: { input: [guardrail] } }).session();
    await face.send(session, "Go.");
    const answers = answersTo(await pendingOf(session), given);
    expect(await face.resume(session, answers)).toMatchObject({ stopReason: "guardrail" });
    expect(paid).toEqual([]);
    expect(model.requests).toHaveLength(1);
  });

  test.each([
    ["arguments", call("pay", { to: "ann" }), { approvals: { args: { to: "secret" } } }, { args: { to: "***" } }],
    ["an outcome", call("ask"), { outcomes: { output: "a secret" } }, { output: "a ***" }],
  ])("is shown, listed and repaired as it was checked: %s", async (_what, turn, given, shown) => {
    const { guardrail } = watcher();
    const store = new MemoryStore();
    const model = new ScriptedModel(turn, () => Promise.reject(new Error("The service is down.")));
    const session = new Agent({ model, tools, guardrails: { input: [guardrail] } }).session({ id: "s", store });
    const part = async () => {
      const conversation = await readConversation(session);
      expect(JSON.stringify(conversation)).not.toContain("secret");
      return conversation.messages.at(-1)?.parts.find(({ type }) => type === "tool-call");
    };
    await face.send(session, "Go.");
    await session.answer(answersTo(await pendingOf(session), given));
    // Nothing has checked it yet.
    expect(await part()).not.toHaveProperty("asks");
    await expect(face.resume(session)).rejects.toThrow("The service is down.");
    expect(await part()).toMatchObject(shown);
    const lost = (await store.load("s")).filter((entry) => (entry as { readonly type?: string }).type !== "end");
    for (const log of [lost, lost.filter((entry) => !JSON.stringify(entry).includes("/guard"))]) {
      const { entries } = repairSession([...log, "a lost line"].map((value) => ({ value })));
      expect(JSON.stringify(sessionHistory(entries))).not.toContain("secret");
    }
  });

  test("is an error when a value is replaced by what is no such value", async () => {
    const mangle: InputGuardrail = {
      name: "mangle",
      check: ({ source }) => (source === "message" ? undefined : { replace: "###" }),
    };
    for (const [turn, given] of [
      [call("pay", { to: "ann" }), { approvals: { args: { to: "bob" } } }],
      [call("ask"), { outcomes: { output: { answer: 1 } } }],
    ] as const) {
      const model = new ScriptedModel(turn);
      const session = new Agent({ model, tools, guardrails: { input: [mangle] } }).session();
      await face.send(session, "Go.");
      const resumed = face.resume(session, answersTo(await pendingOf(session), given));
      await expect(resumed).rejects.toThrow(GuardrailError);
      await expect(resumed).rejects.toThrow('the input guardrail "mangle" replaced');
      expect(model.requests).toHaveLength(1);
    }
  });

  test("stops the run, with its text as the message, when a guardrail would answer it", async () => {
    const answering: InputGuardrail = {
      name: "answering",
      check: ({ source }) => (source === "message" ? undefined : { answer: "Ask somebody else." }),
    };
    const model = new ScriptedModel(call("ask"));
    const session = new Agent({ model, tools, guardrails: { input: [answering] } }).session();
    await face.send(session, "Go.");
    const result = await face.resume(session, answersTo(await pendingOf(session), { outcomes: { output: "What?" } }));
    expect(result).toMatchObject({ stopReason: "guardrail", guardrail: { message: "Ask somebody else." } });
  });
});

describe.each(faces)("what approve says, by %s", (_face, read) => {
  const approving = (approval: Approval, ...script: ReturnType<typeof call>[]) => {
    const { guardrail, seen } = watcher();
    const model = new ScriptedModel(...script);
    const agent = new Agent({ model, tools, guardrails: { input: [guardrail] }, approve: () => approval });
    return { agent, model, seen };
  };

  test("is checked as well: the reason of a denial", async () => {
    const { agent, model, seen } = approving({ deny: "the secret" }, call("pay", { to: "ann" }), say("Done."));
    expect(await read(agent, "Go.")).toMatchObject({ stopReason: "finished" });
    expect(seen).toEqual([
      ["message", "Go."],
      ["denial", "the secret"],
    ]);
    expect(JSON.stringify(model.requests[1]?.contents.at(-1))).toContain("denied this call: the ***");
  });

  test("is checked as well: edited arguments", async () => {
    paid.length = 0;
    const { agent } = approving({ args: { to: "secret" } }, call("pay", { to: "ann" }), say("Done."));
    await read(agent, "Go.");
    expect(paid).toEqual([{ to: "***" }]);
  });

  test("ends the run when it is stopped, and nothing of the turn is run", async () => {
    paid.length = 0;
    const { agent } = approving({ args: { to: "weapon" } }, calls({ name: "pay", args: { to: "ann" } }, "look"));
    const result = await read(agent, "Go.");
    expect(result).toMatchObject({
      stopReason: "guardrail",
      guardrail: { name: "watch", side: "input" },
      toolCalls: [{ status: "failed" }, { status: "failed" }],
    });
    expect(result.contents.at(-1)?.parts).toHaveLength(2);
    expect(paid).toEqual([]);
    const { events } = await eventsOf(
      approving({ args: { to: "weapon" } }, calls({ name: "pay", args: { to: "ann" } }, "look")).agent,
      "Go.",
    );
    assertGrammar(events);
    expect(events.filter(({ type }) => type === "guardrail")).toMatchObject([{ side: "input", action: "stop" }]);
  });
});

describe.each([
  ["an engine", false],
  ["an engine that begins the run anew after every round", true],
] as const)("answers about a call of a run on %s", (_, restarting) => {
  test("is checked once", async () => {
    const { guardrail, seen } = watcher();
    const model = new ScriptedModel(call("ask"), say("Done."));
    const agent = new Agent({ model, tools, guardrails: { input: [guardrail] } });
    const engine = new MemoryEngine({ restarting });
    await engine.answer("r", "call:1.0/outcome", { output: "a secret" });
    expect(await engine.start(agent, "r", { input: "Go." })).toMatchObject({
      status: "ended",
      result: { stopReason: "finished" },
    });
    expect(seen).toEqual([
      ["message", "Go."],
      ["outcome", "a secret"],
    ]);
    expect(JSON.stringify(model.requests[1]?.contents)).toContain("a ***");
  });
});

test("an answer that says nothing is not checked, and neither is anything without input guardrails", async () => {
  const { guardrail, seen } = watcher();
  const store = new MemoryStore();
  const model = new ScriptedModel(call("pay", { to: "ann" }), say("Done."));
  const session = new Agent({ model, tools, guardrails: { input: [guardrail] } }).session({ id: "s", store });
  await session.send("Go.");
  const { events } = await collect(session.resumeStream(answersTo(await pendingOf(session), { approvals: true })));
  assertGrammar(events);
  expect(seen).toHaveLength(1);
  expect(JSON.stringify(await store.load("s"))).not.toContain("/guard");
});
