import {
  Agent,
  defineTool,
  GuardrailError,
  type Guardrails,
  type InputGuardrail,
  MemoryStore,
  type OutputGuardrail,
  type RunEvent,
  runSoFar,
} from "@pollux/core";
import {
  applyUpdate,
  type Conversation,
  conversationUpdates,
  readConversation,
  watchConversation,
} from "@pollux/core/conversation";
import { checkSession, repairSession } from "@pollux/core/doctor";
import { assertGrammar, call, collect, dies, parts, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { eventsOf, faces, typed } from "../helpers/faces.ts";
import { answersTo } from "../helpers/answers.ts";
import { Processes, storeLike } from "../helpers/processes.ts";

const look = defineTool({ name: "look", description: "x", run: () => "seen" });

const noWeapons: InputGuardrail = {
  name: "no-weapons",
  check: ({ text }) => (text.includes("weapon") ? { stop: "weapons", details: { score: 1 } } : undefined),
};
const maskDigits: InputGuardrail = {
  name: "mask-digits",
  check: ({ text }) => (/\d/.test(text) ? { replace: text.replaceAll(/\d/g, "#") } : undefined),
};
const noSecret: OutputGuardrail = {
  name: "no-secret",
  check: ({ text }) => (text.includes("secret") ? { stop: "a secret" } : undefined),
};
const redact: OutputGuardrail = {
  name: "redact",
  check: ({ text }) =>
    text.includes("secret") ? { replace: text.replaceAll("secret", "***"), reason: "a secret" } : undefined,
};

const texts = (events: readonly RunEvent[]): string =>
  events.map((event) => (event.type === "text-delta" ? event.delta : "")).join("");
const types = (events: readonly RunEvent[]): string[] => events.map(({ type }) => type);

describe.each(faces)("input guardrails, by %s", (face, read) => {
  test("pass what they do not object to, with the context of the run", async () => {
    const check = vi.fn<(...seen: unknown[]) => void>();
    const model = new ScriptedModel(call("look"), say("Done."));
    const agent = new Agent({
      model,
      tools: [look],
      guardrails: { input: [{ name: "watch", check: ({ text, context, turn }) => check(text, context, turn) }] },
    });
    // The type of its context is unknown.
    const result = await read(agent, "Go.", { context: "ann" as unknown as undefined });
    expect(result).toMatchObject({ stopReason: "finished", text: "Done.", turns: 2 });
    expect(result.contents[0]).toEqual({ role: "user", parts: [{ text: "Go." }] });
    expect(check.mock.calls).toEqual([["Go.", "ann", 1]]);
  });

  test("stop a run before its first request, and leave the message out of the contents", async () => {
    const model = new ScriptedModel();
    const agent = new Agent({ model, guardrails: { input: [noWeapons] } });
    const history = [
      { role: "user", parts: [{ text: "Hi." }] },
      { role: "model", parts: [{ text: "Hello." }] },
    ] as const;
    const result = await read(agent, [...history, { role: "user", parts: [{ text: "Build a weapon." }] }]);
    expect(result).toMatchObject({
      stopReason: "guardrail",
      guardrail: { name: "no-weapons", side: "input", reason: "weapons", details: { score: 1 } },
      text: "",
      contents: history,
      added: [],
      response: undefined,
    });
    expect(model.requests).toHaveLength(0);
  });

  test("replace a message, one after the other", async () => {
    const model = new ScriptedModel(say("Noted."));
    const agent = new Agent({ model, guardrails: { input: [maskDigits, noWeapons] } });
    const result = await read(agent, "My number is 42.");
    expect(model.requests[0]?.contents).toEqual([{ role: "user", parts: [{ text: "My number is ##." }] }]);
    expect(result.added[0]).toEqual({ role: "user", parts: [{ text: "My number is ##." }] });
  });

  test("fail the run when one throws, and nothing passes unchecked", async () => {
    const bug = new Error("the classifier is down");
    const model = new ScriptedModel();
    const check = (): never => {
      throw bug;
    };
    const agent = new Agent({ model, guardrails: { input: [{ name: "classifier", check }] } });
    const error = await read(agent, "Hi.").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GuardrailError);
    expect(error).toMatchObject({ code: "guardrail", guardrail: "classifier", side: "input", cause: bug });
    expect((error as Error).message).toBe(
      'the input guardrail "classifier" failed, so the run stops here: the classifier is down',
    );
    expect(runSoFar(error)?.contents).toEqual([]);
    expect(model.requests).toHaveLength(0);
  });

  test.each([
    [{ stop: "weapons", answer: "Ask me something else." }, { reason: "weapons" }],
    [{ answer: "Ask me something else.", replace: "Hi." }, { message: "Ask me something else." }],
  ])("stop a run that has to be typed when they return %j", async (verdict, stop) => {
    const check = (): never => verdict as never;
    const model = new ScriptedModel();
    const agent = new Agent({ model, guardrails: { input: [{ name: "both", check }] } });
    const result = await typed(face, agent, "Hi.", { output: z.object({ n: z.number() }) });
    expect(result).toMatchObject({ stopReason: "guardrail", guardrail: { name: "both", side: "input", ...stop } });
    expect(model.requests).toHaveLength(0);
  });

  test("end with the run when it is aborted while one waits", async () => {
    const abort = new AbortController();
    const check = (): Promise<undefined> => {
      abort.abort(new Error("enough"));
      return new Promise(() => {});
    };
    const agent = new Agent({ model: new ScriptedModel(), guardrails: { input: [{ name: "slow", check }] } });
    await expect(read(agent, "Hi.", { signal: abort.signal })).rejects.toThrow("enough");
  });
});

describe.each(["hold", "show"] as const)("output guardrails that %s the answer", (streaming) => {
  describe.each(faces)("by %s", (face, read) => {
    const guarded = (model: ScriptedModel, ...output: readonly OutputGuardrail[]): Agent =>
      new Agent({ model, tools: [look], guardrails: { output, streaming } });

    test("stop a run: what was stopped is in neither the text, the contents nor the response", async () => {
      const result = await read(guarded(new ScriptedModel(say("The ", "secret.")), noSecret), "Tell me.");
      expect(result).toMatchObject({
        stopReason: "guardrail",
        guardrail: { name: "no-secret", side: "output", reason: "a secret" },
        text: "",
        contents: [{ role: "user", parts: [{ text: "Tell me." }] }],
      });
      expect(JSON.stringify(result)).not.toContain("secret.");
      expect(result.usage.totalTokens).toBeGreaterThan(0);
    });

    test("replace an answer, in the history as well", async () => {
      const result = await read(guarded(new ScriptedModel(say("The secret.")), redact), "Tell me.");
      expect(result).toMatchObject({ stopReason: "finished", text: "The ***." });
      expect(result.contents.at(-1)).toEqual({ role: "model", parts: [{ text: "The ***." }] });
      expect(JSON.stringify(result)).not.toContain("secret.");
    });

    test("check text that comes with calls before the calls are run, which keep their signatures", async () => {
      const seen: boolean[] = [];
      const watch: OutputGuardrail = { name: "watch", check: ({ isFinal }) => void seen.push(isFinal) };
      const calls = call("look", {}, { thoughtSignature: "c2ln" });
      const speak = { ...calls, batches: [[{ text: "A secret plan. " }], ...calls.batches] };
      const model = new ScriptedModel(speak, say("Done."));
      const result = await read(guarded(model, watch, redact), "Go.");
      expect(result).toMatchObject({ stopReason: "finished", text: "Done." });
      expect(seen).toEqual([false, true]);
      expect(model.requests[1]?.contents[1]?.parts).toMatchObject([
        { text: "A *** plan. " },
        { functionCall: { name: "look" }, thoughtSignature: "c2ln" },
      ]);
    });

    test("fail the run when one throws; the answer is not in what the run had done", async () => {
      const check = (): never => {
        throw new Error("down");
      };
      const agent = guarded(new ScriptedModel(say("The secret.")), { name: "classifier", check });
      const error = await read(agent, "Tell me.").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "guardrail", side: "output", guardrail: "classifier" });
      expect(JSON.stringify(runSoFar(error))).not.toContain("secret");
    });

    test("see a typed answer as a value, and what they put in its place must match the schema", async () => {
      const output = z.object({ word: z.string() });
      const values: unknown[] = [];
      const replaceBy = (text: string): OutputGuardrail => ({
        name: "replace",
        check: (answer) => (values.push(answer.output), { replace: text }),
      });
      const model = (): ScriptedModel => new ScriptedModel(say('{"word":"secret"}'));
      const options = (text: string) => ({ model: model(), guardrails: { output: [replaceBy(text)], streaming } });
      const fits = await typed(face, new Agent(options('{"word":"***"}')), "Go.", { output });
      expect(fits).toMatchObject({ stopReason: "finished", output: { word: "***" } });
      expect(values).toEqual([{ word: "secret" }]);
      await expect(typed(face, new Agent(options("no")), "Go.", { output })).rejects.toThrow(
        "does not match the output schema",
      );
    });
  });
});

describe.each(["hold", "show"] as const)(
  "a part that is a call and has a text, with guardrails that %s",
  (streaming) => {
    const mixed = parts(
      { text: "the secret", functionCall: { name: "look", args: {} }, thoughtSignature: "c2ln" },
      { functionCall: { name: "look", args: { at: 2 } } },
    );

    test.each(faces)("is checked, and what replaces its text leaves the calls, by %s", async (_face, read) => {
      const model = new ScriptedModel(mixed, say("Done."));
      const agent = new Agent({ model, tools: [look], guardrails: { output: [redact], streaming } });
      const result = await read(agent, "Go.");
      expect(result).toMatchObject({ stopReason: "finished", text: "Done." });
      expect(model.requests[1]?.contents[1]).toEqual({
        role: "model",
        parts: [
          { text: "the ***" },
          { functionCall: { name: "look", args: {} }, thoughtSignature: "c2ln" },
          { functionCall: { name: "look", args: { at: 2 } } },
        ],
      });
      expect(JSON.stringify(result)).not.toContain("the secret");
    });

    test.each(faces)("ends the run when it is stopped, by %s", async (_face, read) => {
      const agent = new Agent({
        model: new ScriptedModel(mixed),
        tools: [look],
        guardrails: { output: [noSecret], streaming },
      });
      expect(await read(agent, "Go.")).toMatchObject({ stopReason: "guardrail", toolCalls: [] });
    });

    test.each(faces)("goes back as it came when it passes, by %s", async (_face, read) => {
      const model = new ScriptedModel(mixed, say("Done."));
      const seen: string[] = [];
      const watch: OutputGuardrail = { name: "watch", check: ({ text }) => void seen.push(text) };
      await read(new Agent({ model, tools: [look], guardrails: { output: [watch], streaming } }), "Go.");
      expect(seen).toEqual(["the secret", "Done."]);
      expect(model.requests[1]?.contents[1]?.parts).toEqual(mixed.batches[0]);
    });

    test("is in no event and no conversation before it was checked", async () => {
      const agent = new Agent({
        model: new ScriptedModel(mixed, say("Done.")),
        tools: [look],
        guardrails: { output: [redact], streaming },
      });
      const session = agent.session();
      const { events } = await collect(session.stream("Go."));
      if (streaming === "hold") expect(JSON.stringify(events)).not.toContain("the secret");
      expect(JSON.stringify(await readConversation(session))).not.toContain("the secret");
    });
  },
);

describe("an input guardrail that answers", () => {
  const hours: InputGuardrail = {
    name: "hours",
    check: ({ text }) =>
      text.includes("open") ? { answer: "We open at nine.", reason: "asks for the opening hours" } : undefined,
  };
  const answer = { role: "model", parts: [{ text: "We open at nine." }] };
  const user = (text: string) => ({ role: "user", parts: [{ text }] });
  const never: OutputGuardrail = { name: "never", check: () => ({ stop: "no" }) };

  describe.each(faces)("by %s", (face, read) => {
    test("gives the run's answer without a request", async () => {
      const model = new ScriptedModel();
      const agent = new Agent({ model, guardrails: { input: [hours], output: [never] } });
      const result = await read(agent, "When do you open?");
      expect(result).toMatchObject({
        stopReason: "finished",
        text: "We open at nine.",
        answeredBy: "hours",
        output: undefined,
        contents: [user("When do you open?"), answer],
        turns: 1,
        usage: { requests: 0, totalTokens: 0 },
      });
      expect(model.requests).toHaveLength(0);
    });

    test("does not keep the next ones from replacing or stopping the message", async () => {
      const model = new ScriptedModel();
      const masked = await read(new Agent({ model, guardrails: { input: [hours, maskDigits] } }), "open 42?");
      expect(masked).toMatchObject({ answeredBy: "hours", contents: [user("open ##?"), answer] });
      const second: InputGuardrail = { name: "second", check: () => ({ answer: "Never." }) };
      const stopped = await read(
        new Agent({ model, guardrails: { input: [hours, second, noWeapons] } }),
        "open weapon",
      );
      expect(stopped).toMatchObject({ stopReason: "guardrail", guardrail: { name: "no-weapons" }, contents: [] });
      expect(await read(new Agent({ model, guardrails: { input: [hours, second] } }), "open")).toMatchObject({
        answeredBy: "hours",
        text: "We open at nine.",
      });
    });

    test("stops a run whose answer has to be typed, with its text as the message", async () => {
      const model = new ScriptedModel();
      const agent = new Agent({ model, guardrails: { input: [hours] } });
      const result = await typed(face, agent, "open?", { output: z.object({ word: z.string() }) });
      expect(result).toMatchObject({
        stopReason: "guardrail",
        guardrail: {
          name: "hours",
          side: "input",
          reason: "asks for the opening hours",
          message: "We open at nine.",
        },
        contents: [],
      });
      expect(model.requests).toHaveLength(0);
    });

    test("answers an agent that called this one", async () => {
      const clerk = new Agent({ name: "clerk", model: new ScriptedModel(), guardrails: { input: [hours] } });
      const model = new ScriptedModel(call("clerk", { task: "When do they open?" }), say("At nine."));
      await read(new Agent({ model, tools: [clerk.asTool({ description: "x" })] }), "Ask.");
      expect(JSON.stringify(model.requests[1]?.contents.at(-1))).toContain("We open at nine.");
    });
  });

  test("reaches a reader of the stream like any answer", async () => {
    const agent = new Agent({ model: new ScriptedModel(), guardrails: { input: [hours], output: [never] } });
    const { events } = await eventsOf(agent, "open?");
    assertGrammar(events);
    expect(types(events)).toEqual([
      "run-start",
      "turn-start",
      "guardrail",
      "text-delta",
      "response",
      "turn-end",
      "run-end",
    ]);
    expect(events[2]).toEqual({
      type: "guardrail",
      turn: 1,
      side: "input",
      name: "hours",
      action: "answer",
      reason: "asks for the opening hours",
    });
    let conversation: Conversation | undefined;
    for await (const update of conversationUpdates(agent.stream("open?"), { input: "open?" }))
      conversation = applyUpdate(conversation, update);
    expect(conversation?.messages.at(-1)).toMatchObject({
      state: "complete",
      parts: [{ type: "turn" }, { type: "text", text: "We open at nine." }],
    });
  });

  test("is kept by a session, read by later turns, replayed, and sent by a chat", async () => {
    const store = new MemoryStore();
    let asked = 0;
    const counting: InputGuardrail = { name: "hours", check: (said) => (asked++, hours.check(said)) };
    const model = new ScriptedModel(say("Yes."), say("Yes."));
    const agent = new Agent({ model, guardrails: { input: [counting] } });
    const session = agent.session({ id: "s", store });
    const { runId } = await session.send("When do you open?");
    const kept = [user("When do you open?"), answer];
    expect(await session.history()).toEqual(kept);
    expect((await store.load("s")).at(-1)).toMatchObject({
      stopReason: "finished",
      open: [{ turn: 1, contents: [{ model: "guard:1/input" }] }],
    });
    expect((await readConversation(session)).messages.at(-1)).toMatchObject({
      state: "complete",
      parts: [{ type: "turn" }, { type: "text", text: "We open at nine." }],
    });
    expect(await session.replay({ runId }).result()).toMatchObject({ answeredBy: "hours", text: "We open at nine." });
    expect(asked).toBe(1);
    await session.send("On Sundays?");
    expect(model.requests[0]?.contents).toEqual([...kept, user("On Sundays?")]);
    const lines = (await store.load("s")).map((value) => ({ value }));
    expect(checkSession(lines)).toEqual({ problems: [], notes: [] });
    // Without its end, a run is rebuilt from its steps.
    const repaired = repairSession(lines.filter((_, position) => position !== 2));
    expect(repaired.entries[2]).toMatchObject({
      type: "end",
      open: [{ turn: 1, contents: [{ model: "guard:1/input" }] }],
      turns: 1,
    });

    const chat = agent.session();
    await chat.send("When do you open?");
    await chat.send("On Sundays?");
    expect(model.requests[1]?.contents).toEqual([...kept, user("On Sundays?")]);
  });

  test("is given by the log when the process died before it said so", async () => {
    const store = new MemoryStore();
    const processes = new Processes(store);
    const process = processes.start();
    const guardrails: Guardrails = { input: [hours] };
    const dying = storeLike(process.store, {
      append: (...args) => {
        if (JSON.stringify(args).includes('"type":"end"')) process.die();
        return process.store.append(...args);
      },
    });
    void new Agent({ model: new ScriptedModel(), guardrails }).session({ id: "s", store: dying }).send("open?");
    await vi.waitFor(async () => expect(await store.load("s")).toHaveLength(2), 60_000);
    for (const next of [
      new Agent({ model: new ScriptedModel() }),
      new Agent({ model: new ScriptedModel(), guardrails }),
    ]) {
      const copy = new MemoryStore();
      await copy.append("s", 0, await store.load("s"));
      const result = await next.session({ id: "s", store: copy }).resume();
      expect(result).toMatchObject({ answeredBy: "hours", contents: [user("open?"), answer] });
    }
  });

  test("answers a message that arrives during the run, which ends with that", async () => {
    const model = new ScriptedModel(call("look"), say("Yes."));
    const session = new Agent({
      model,
      tools: [defineTool({ name: "look", description: "x", run: async () => void (await session.steer("open 4?")) })],
      guardrails: { input: [hours, maskDigits] },
    }).session();
    const { events, result } = await collect(session.stream("Go."));
    assertGrammar(events);
    expect(result).toMatchObject({ stopReason: "finished", answeredBy: "hours", text: "We open at nine.", turns: 2 });
    expect(result.contents.slice(-2)).toEqual([user("open #?"), answer]);
    expect(model.requests).toHaveLength(1);
    expect(await session.history()).toEqual(result.contents);
    const replay = await collect(session.replay());
    expect(replay.result).toMatchObject({ answeredBy: "hours" });
    expect(types(replay.events)).toEqual(types(events));
    expect((await readConversation(session)).messages.at(-1)?.parts.at(-1)).toMatchObject({ text: "We open at nine." });
    await session.send("And on Sundays?");
    expect(model.requests[1]?.contents).toEqual([...result.contents, user("And on Sundays?")]);
  });
});

describe("the message of a stop", () => {
  const polite: InputGuardrail = {
    name: "polite",
    check: ({ text }) =>
      text.includes("weapon") ? { stop: "weapons: 0.9", message: "I can't help with that." } : undefined,
  };
  const shown = { name: "polite", side: "input", message: "I can't help with that." };

  test.each(faces)("is in the result, by %s", async (_face, read) => {
    const result = await read(new Agent({ model: new ScriptedModel(), guardrails: { input: [polite] } }), "A weapon!");
    expect(result).toMatchObject({ stopReason: "guardrail", guardrail: { ...shown, reason: "weapons: 0.9" } });
  });

  test("is what a conversation shows; the reason is not in it", async () => {
    const agent = new Agent({ model: new ScriptedModel(), guardrails: { input: [polite] } });
    const store = new MemoryStore();
    const session = agent.session({ id: "s", store });
    await session.send("A weapon!");
    const last = (await readConversation(session)).messages.at(-1);
    expect(last).toMatchObject({ stopReason: "guardrail", guardrail: shown });
    expect(JSON.stringify(last)).not.toContain("0.9");
    expect((await store.load("s")).at(-1)).toMatchObject({ guardrail: { ...shown, reason: "weapons: 0.9" } });

    let conversation: Conversation | undefined;
    for await (const update of conversationUpdates(agent.stream("A weapon!"), { input: "A weapon!" }))
      conversation = applyUpdate(conversation, update);
    expect(conversation?.messages.at(-1)?.guardrail).toEqual(shown);
  });

  test("is left out where there is none, also for an answer that was stopped", async () => {
    const session = new Agent({
      model: new ScriptedModel(say("The secret.")),
      guardrails: { output: [noSecret] },
    }).session();
    await session.send("Go.");
    expect((await readConversation(session)).messages.at(-1)?.guardrail).toEqual({ name: "no-secret", side: "output" });
  });
});

describe("a reader of the stream", () => {
  const agentOf = (guardrails: Guardrails, ...script: readonly ScriptLine[]): Agent =>
    new Agent({ model: new ScriptedModel(...script), tools: [look], guardrails });

  test("sees nothing of an answer that is held back until it was checked", async () => {
    const seen: RunEvent[] = [];
    let before = -1;
    const watch: OutputGuardrail = { name: "watch", check: () => void (before = seen.length) };
    const run = agentOf({ output: [watch] }, say("It ", "is ", "fine.")).stream("Go.");
    for await (const event of run) seen.push(event);
    assertGrammar(seen);
    expect(types(seen.slice(0, before))).toEqual(["run-start", "turn-start", "checking"]);
    expect(types(seen)).toEqual([
      "run-start",
      "turn-start",
      "checking",
      "text-delta",
      "response",
      "turn-end",
      "run-end",
    ]);
    expect(texts(seen)).toBe("It is fine.");
  });

  test("never sees what is stopped or replaced while it is held back", async () => {
    const stopped = await eventsOf(agentOf({ output: [noSecret] }, say("The ", "secret.")), "Go.");
    assertGrammar(stopped.events);
    expect(types(stopped.events)).toEqual(["run-start", "turn-start", "checking", "guardrail", "turn-end", "run-end"]);
    expect(JSON.stringify(stopped.events)).not.toContain("secret.");

    const replaced = await eventsOf(agentOf({ output: [redact] }, say("The ", "secret.")), "Go.");
    assertGrammar(replaced.events);
    expect(replaced.events[3]).toEqual({
      type: "guardrail",
      turn: 1,
      side: "output",
      name: "redact",
      action: "replace",
      reason: "a secret",
    });
    expect(texts(replaced.events)).toBe("The ***.");
    expect(JSON.stringify(replaced.events)).not.toContain("secret.");
  });

  test("learns that the shown text is withdrawn", async () => {
    const guardrails: Guardrails = { output: [redact], streaming: "show" };
    const { events } = await eventsOf(agentOf(guardrails, say("The ", "secret.")), "Go.");
    assertGrammar(events);
    expect(types(events)).toEqual([
      "run-start",
      "turn-start",
      "text-delta",
      "text-delta",
      "response",
      "guardrail",
      "text-delta",
      "response",
      "turn-end",
      "run-end",
    ]);
    expect(texts(events)).toBe("The secret.The ***.");
  });

  test("sees no attempt that was unusable, when answers are held back", async () => {
    const guardrails: Guardrails = { output: [redact] };
    const model = new ScriptedModel(say("no secret JSON"), say("{}"));
    const agent = new Agent({ model, guardrails });
    const run = agent.stream("Go.", { output: z.object({}) });
    const { events } = await collect(run);
    assertGrammar(events);
    expect(JSON.stringify(events)).not.toContain("secret JSON");
    expect(model.requests[1]?.contents[1]).toEqual({ role: "model", parts: [{ text: "no *** JSON" }] });
  });

  test("finds the same in a conversation that is made of events", async () => {
    for (const streaming of ["hold", "show"] as const) {
      let conversation: Conversation | undefined;
      const run = agentOf({ output: [redact], streaming }, say("The ", "secret.")).stream("Go.");
      for await (const update of conversationUpdates(run, { input: "Go." }))
        conversation = applyUpdate(conversation, update);
      const last = conversation?.messages.at(-1);
      expect(last?.parts.flatMap((part) => (part.type === "text" ? [part.text] : []))).toEqual(["The ***."]);
    }
  });
});

describe("a conversation", () => {
  test("goes on in a chat without the message that was stopped", async () => {
    const model = new ScriptedModel(say("Hello."), say("Fine."));
    const chat = new Agent({ model, guardrails: { input: [noWeapons] } }).session();
    await chat.send("Hi.");
    expect((await chat.send("A weapon!")).stopReason).toBe("guardrail");
    await chat.send("How are you?");
    expect(JSON.stringify(model.requests[1]?.contents)).not.toContain("weapon");
    expect(await chat.history()).toHaveLength(4);
  });

  test("in a session keeps verdicts: nothing is asked again, and later runs get what passed", async () => {
    const store = new MemoryStore();
    const asked: string[] = [];
    const guardrails: Guardrails = {
      input: [{ name: "in", check: (said) => (asked.push("in"), maskDigits.check(said)) }],
      output: [{ name: "out", check: (said) => (asked.push("out"), redact.check(said)) }],
    };
    const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
    const model = new ScriptedModel(call("pay"), say("The secret."), say("Bye."));
    const agent = new Agent({ model, tools: [pay], guardrails });
    const first = await agent.session({ id: "s", store }).send("Pay 42.");
    expect(first.stopReason).toBe("needs-approval");
    const session = agent.session({ id: "s", store });
    const resumed = await session.resume(await answersTo(session, { approvals: { "call:1.0": true } }));
    expect(resumed).toMatchObject({ stopReason: "finished", text: "The ***." });
    expect(asked).toEqual(["in", "out"]);
    expect(await session.history()).toEqual(resumed.contents);

    await agent.session({ id: "s", store }).send("Bye.");
    expect(JSON.stringify(model.requests.at(-1)?.contents)).not.toMatch(/secret|42/);
    const replay = await collect(session.replay({ runId: resumed.runId }));
    assertGrammar(replay.events);
    expect(replay.result).toMatchObject({ text: "The ***." });
    expect(asked).toEqual(["in", "out", "in", "out"]);
  });

  test("in a session says that a run was stopped, shows the message and leaves it out of later requests", async () => {
    const store = new MemoryStore();
    const model = new ScriptedModel(say("Fine."));
    const session = new Agent({ model, guardrails: { input: [noWeapons] } }).session({ id: "s", store });
    const { events, result } = await collect(session.stream("A weapon!"));
    assertGrammar(events);
    expect(result.stopReason).toBe("guardrail");
    expect(await session.state()).toMatchObject({ lastRun: "guardrail", resumable: false });
    const shown = await readConversation(session);
    expect(shown.state).toBe("idle");
    expect(shown.messages).toMatchObject([
      { role: "user", parts: [{ type: "text", text: "A weapon!" }] },
      { role: "model", state: "stopped", stopReason: "guardrail", parts: [] },
    ]);
    expect(await session.history()).toEqual([]);
    await session.send("Hi.");
    expect(model.requests[0]?.contents).toEqual([{ role: "user", parts: [{ text: "Hi." }] }]);
  });

  test("never gets a message whose guardrail failed", async () => {
    let isDown = true;
    const check = (): undefined => {
      if (isDown) throw new Error("down");
    };
    const model = new ScriptedModel(say("Fine."));
    const agent = new Agent({ model, guardrails: { input: [{ name: "classifier", check }] } });
    const session = agent.session();
    await expect(session.send("Unchecked.")).rejects.toThrow(GuardrailError);
    isDown = false;
    await session.send("Hi.");
    expect(model.requests[0]?.contents).toEqual([{ role: "user", parts: [{ text: "Hi." }] }]);
  });

  test("shows nothing that is held back, in no draft and to nobody who watches", async () => {
    const store = new MemoryStore();
    const seen: string[] = [];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let reached = (): void => {};
    const checking = new Promise<void>((resolve) => (reached = resolve));
    const slow: OutputGuardrail = {
      name: "slow",
      check: async (said) => {
        reached();
        await held;
        return redact.check(said);
      },
    };
    const model = new ScriptedModel(say("The ", "secret."));
    const session = new Agent({ model, guardrails: { output: [slow] } }).session({ id: "s", store });
    const running = session.send("Go.");
    await checking;
    expect(JSON.stringify(await store.records("s"))).not.toContain("secret");
    expect(JSON.stringify(await readConversation(session))).not.toContain("secret");
    const watcher = new AbortController();
    const watching = (async () => {
      for await (const update of watchConversation(session, { signal: watcher.signal })) {
        seen.push(JSON.stringify(update));
        if (seen.at(-1)?.includes("***") === true) return;
      }
    })();
    release();
    await running;
    await watching;
    watcher.abort();
    expect(seen.join()).not.toContain("secret");
  });

  test("replaces what was shown when answers are shown before they are checked", async () => {
    const session = new Agent({
      model: new ScriptedModel(say("The ", "secret.")),
      guardrails: { output: [redact], streaming: "show" },
    }).session();
    await session.send("Go.");
    expect((await readConversation(session)).messages.at(-1)?.parts).toMatchObject([
      { type: "turn" },
      { type: "text", text: "The ***." },
    ]);
  });

  test("checks messages during a run, and ends the run where one is stopped", async () => {
    const model = new ScriptedModel(call("look"), say("Seen."));
    const session = new Agent({
      model,
      tools: [defineTool({ name: "look", description: "x", run: async () => void (await session.steer(said)) })],
      guardrails: { input: [noWeapons, maskDigits] },
    }).session();
    let said = "Also 42.";
    const { events, result } = await collect(session.stream("Go."));
    assertGrammar(events);
    expect(result.stopReason).toBe("finished");
    expect(model.requests[1]?.contents.at(-1)).toEqual({ role: "user", parts: [{ text: "Also ##." }] });
    expect(JSON.stringify(events)).not.toContain("Also 42");

    said = "A weapon!";
    const stopping = new ScriptedModel(call("look"), say("Fine."));
    const other = new Agent({
      model: stopping,
      tools: [defineTool({ name: "look", description: "x", run: async () => void (await second.steer(said)) })],
      guardrails: { input: [noWeapons] },
    });
    const second = other.session();
    const stopped = await second.send("Go.");
    expect(stopped).toMatchObject({ stopReason: "guardrail", guardrail: { side: "input" } });
    expect((await readConversation(second)).queued).toEqual([]);
    await second.send("Hi.");
    expect(JSON.stringify(stopping.requests.at(-1)?.contents)).not.toContain("weapon");
    expect(await collect(second.replay({ runId: stopped.runId }))).toMatchObject({
      result: { stopReason: "guardrail" },
    });
  });

  test("keeps nothing of an answer that broke off unchecked", async () => {
    const model = new ScriptedModel(dies("The secret "), dies("The secret "), dies("The secret "), say("Hi."));
    const session = new Agent({ model, limits: { restarts: 0 }, guardrails: { output: [redact] } }).session();
    await expect(session.send("Go.")).rejects.toThrow();
    expect(JSON.stringify([await readConversation(session), await session.history()])).not.toContain("secret");
  });
});

test("an agent that is a tool tells its caller that a guardrail ended it, and not what was stopped", async () => {
  const inner = new Agent({
    name: "clerk",
    model: new ScriptedModel(say("A secret.")),
    guardrails: { output: [noSecret] },
  });
  const model = new ScriptedModel(call("clerk", { task: "Tell." }), say("Sorry."));
  const outer = new Agent({ model, tools: [inner.asTool({ description: "x" })] });
  await outer.run("Go.");
  const read = JSON.stringify(model.requests[1]?.contents.at(-1));
  expect(read).toContain('ended with \\"guardrail\\"');
  expect(read).not.toContain("secret.");
});

test("observers see guardrails as steps, and what they did", async () => {
  const seen: string[] = [];
  const agent = new Agent({
    model: new ScriptedModel(say("The secret.")),
    guardrails: { input: [maskDigits], output: [redact] },
    observers: [
      {
        observe: (one) => {
          if (one.type === "step-start") seen.push(one.step.name);
          if (one.type === "guardrail") seen.push(`${one.name} ${one.action}`);
        },
      },
    ],
  });
  await agent.run("4");
  expect(seen).toEqual(["guard:1/input", "mask-digits replace", "model:1", "guard:1/output", "redact replace"]);
});
