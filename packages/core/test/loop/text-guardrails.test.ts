import { Agent, maskText, MemoryStore, runSoFar, stopText } from "@pollux/core";
import { applyUpdate, type Conversation, conversationUpdates, readConversation } from "@pollux/core/conversation";
import { assertGrammar, call, dies, hangs, join, parts, say, ScriptedModel, think } from "@pollux/core/testing";
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { eventsOf, faces } from "../helpers/faces.ts";
import { fakeTime } from "../helpers/fake-time.ts";
import { Processes } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { SESSION_FACES } from "../session/session-faces.ts";
import { answerIn, chunks, expectLate, judge, playLate, SETS, shownBy } from "./late-answers.ts";

fakeTime("stands");

const agentOf = (output: Parameters<typeof judge>[1], ...said: readonly string[]): Agent =>
  new Agent({ model: new ScriptedModel(say(...said)), guardrails: { output } });

describe.each(SETS)("an answer that is shown late, with %s", (_what, guardrails) => {
  test("shows a reader of events nothing that is forbidden or taken back", async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (said) => {
        const judged = await judge(said.join(""), guardrails);
        const { events, result } = await eventsOf(agentOf(guardrails, ...said), "Go.");
        assertGrammar(events);
        expectLate(shownBy(events), judged);
        expect(result).toMatchObject({ text: judged.final });
      }),
      { numRuns: 80 },
    );
  });

  test("is the same in a conversation that is made of events", async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (said) => {
        let conversation: Conversation | undefined;
        const shown: string[] = [];
        const run = agentOf(guardrails, ...said).stream("Go.");
        for await (const update of conversationUpdates(run, { input: "Go." })) {
          conversation = applyUpdate(conversation, update);
          shown.push(answerIn(conversation));
        }
        expectLate(shown, await judge(said.join(""), guardrails));
      }),
      { numRuns: 25 },
    );
  });

  test.each(SESSION_FACES)("is the same for pages and drafts, by %s", async (_face, face) => {
    await fc.assert(
      fc.asyncProperty(chunks, async (said) => {
        const judged = await judge(said.join(""), guardrails);
        for (const line of [say(...said), dies(...said)]) {
          const { here, there, passing } = await playLate(face, guardrails, line);
          expectLate(here.map(answerIn), judged);
          expectLate(there.map(answerIn), judged);
          for (const one of passing) expect(judged.mayShow.startsWith(answerIn(one))).toBe(true);
        }
      }),
      { numRuns: 8 },
    );
  });

  test("keeps of an answer that breaks off what was shown", async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (said) => {
        const model = new ScriptedModel(dies(...said));
        const agent = new Agent({ model, limits: { restarts: 0 }, guardrails: { output: guardrails } });
        const { events, error } = await eventsOf(agent, "Go.");
        assertGrammar(events, { complete: false });
        const judged = await judge(said.join(""), guardrails);
        expectLate(shownBy(events), judged);
        expect(runSoFar(error)?.interrupted?.parts[0]?.text ?? "").toBe(judged.final);
      }),
      { numRuns: 25 },
    );
  });
});

describe("maskText", () => {
  const card = maskText(/\b\d{12}(\d{4})\b/, { maxLength: 16, by: "**** $1", reason: "a card number" });

  test.each(faces)("replaces each match, by %s", async (_face, read) => {
    const result = await read(agentOf([card], "From 1234567890121111 ", "to 1234567890122222."), "Go.");
    expect(result.text).toBe("From **** 1111 to **** 2222.");
  });

  test("shows text as many characters late as a match can have, and the rest with the verdict", async () => {
    const { events } = await eventsOf(
      agentOf([card], "The whole day was ", "quiet, and the card is 12345678", "90121111."),
      "Go.",
    );
    assertGrammar(events);
    expect(events.slice(2, -3)).toEqual([
      { type: "text-delta", turn: 1, delta: "Th" },
      { type: "text-delta", turn: 1, delta: "e whole day was quiet, and the " },
      { type: "text-delta", turn: 1, delta: "card is " },
      {
        type: "guardrail",
        turn: 1,
        side: "output",
        name: "mask-text",
        action: "replace",
        reason: "a card number",
        keeps: "The whole day was quiet, and the card is ".length,
      },
      { type: "text-delta", turn: 1, delta: "**** 1111." },
    ]);
  });

  test("shows the draft to a page in another process, and never half a character", async () => {
    const face = SESSION_FACES[0]?.[1];
    if (face === undefined) throw new Error("there are no faces");
    const { there } = await playLate(face, [maskText("secret")], say("😀😀", "😀😀😀", "😀😀😀", "😀"));
    const seen = new Set(there.map(answerIn));
    expect([...seen]).toEqual(["", "😀😀", "😀😀😀😀😀", "😀😀😀😀😀😀", "😀😀😀😀😀😀😀😀😀"]);
  });

  test("takes a text as it is, and a pattern with its flags", async () => {
    const guardrails = [
      maskText("a.b", { by: "-" }),
      maskText(/X+/iy, { maxLength: 3, by: (found) => found.length.toString() }),
    ];
    const result = await agentOf(guardrails, "a.b axb ", "xX").run("Go.");
    expect(result.text).toBe("- a1b 2");
  });

  test.each<[what: string, make: () => unknown, says: string]>([
    ["a pattern without a length", () => maskText(/\d+/), "maskText(/\\d+/, { maxLength: 32 })"],
    ["a length that is none", () => stopText(/\d+/, { maxLength: 0 }), "stopText(/\\d+/, { maxLength: 32 })"],
    ["what matches nothing at all", () => maskText(/\d*/, { maxLength: 3 }), "/\\d*/ matches the empty text"],
    ["an empty text", () => stopText(""), '"" matches the empty text'],
    ["anything else", () => maskText(7 as unknown as string), "a text or a regular expression, got a number"],
    [
      "a lookback that is no number of characters",
      () => agentOf([{ name: "x", check: () => {}, lookback: 1.5 }], "Hi."),
      'lookback of the output guardrail "x" must be a whole number of characters',
    ],
  ])("refuses %s", (_what, make, says) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(says);
  });
});

describe("stopText", () => {
  test.each(faces)("stops the run, by %s", async (_face, read) => {
    const guardrail = stopText("Falcon", { reason: "a project", message: "Not here." });
    const result = await read(agentOf([guardrail], "It is a long way to the Fal", "con, and back."), "Go.");
    expect(result).toMatchObject({
      stopReason: "guardrail",
      guardrail: { name: "stop-text", side: "output", reason: "a project", message: "Not here." },
      text: "",
    });
  });

  test("withdraws what was shown before the match", async () => {
    const { events } = await eventsOf(
      agentOf([stopText("Falcon")], "It is a long way to the Fal", "con, and back."),
      "Go.",
    );
    expect(shownBy(events)).toContain("It is a long way to t");
    expect(shownBy(events).at(-1)).toBe("");
    expect(events.find(({ type }) => type === "guardrail")).not.toHaveProperty("keeps");
  });
});

describe("an answer is held", () => {
  const mask = maskText("secret");
  const types = async (agent: Agent, options = {}): Promise<readonly string[]> => {
    const { events } = await eventsOf(agent, "Go.", options);
    assertGrammar(events);
    expect(shownBy(events).at(-1)).toBe("A long text without it.");
    return events.map(({ type }) => type).slice(2, -3);
  };
  const said = ["A long text ", "without it."];

  test("when one guardrail of the run does not say how far it looks back", async () => {
    expect(await types(agentOf([mask, { name: "other", check: () => {} }], ...said))).toEqual([
      "checking",
      "text-delta",
    ]);
    const output = [{ name: "run", check: () => {} }];
    expect(await types(agentOf([mask], ...said), { guardrails: { output } })).toEqual(["checking", "text-delta"]);
    expect(await types(agentOf([mask], ...said))).toEqual(["text-delta", "text-delta", "text-delta"]);
  });

  test("from the first thought or medium on, so that everything stays in its order", async () => {
    const image = parts({ inlineData: { mimeType: "image/png", data: "aGk=" } });
    const agent = (...script: readonly ReturnType<typeof say>[]): Agent =>
      new Agent({ model: new ScriptedModel(join(...script)), guardrails: { output: [mask] } });
    expect(await types(agent(think("Hm."), say(...said)))).toEqual(["checking", "thought-delta", "text-delta"]);
    expect(await types(agent(say("A long text "), image, say("without it.")))).toEqual([
      "text-delta",
      "checking",
      "text-delta",
      "part",
      "text-delta",
    ]);
  });

  test("when it is typed", async () => {
    const model = new ScriptedModel(say('{"word":', '"a long word"}'));
    const agent = new Agent({ model, guardrails: { output: [mask] } });
    const { events } = await (async () => {
      const seen = [];
      for await (const event of agent.stream("Go.", { output: z.object({ word: z.string() }) })) seen.push(event.type);
      return { events: seen };
    })();
    expect(events.slice(2, 5)).toEqual(["checking", "text-delta", "output-delta"]);
  });

  test("when there is a call, until its text was checked", async () => {
    const speak = { ...call("look"), batches: [[{ text: "I look for the secret thing." }], ...call("look").batches] };
    const model = new ScriptedModel(speak, say("Done."));
    const { events } = await eventsOf(new Agent({ model, guardrails: { output: [mask] } }), "Go.");
    assertGrammar(events);
    expect(shownBy(events).slice(2, 5)).toEqual([
      "I look for the *** ",
      "I look for the *** ",
      "I look for the *** thing.",
    ]);
  });
});

test("checks on the way see the text only, and nothing of them is recorded", async () => {
  const seen: unknown[] = [];
  const watch = maskText("secret", { name: "watch" });
  const check: typeof watch.check = (said) => {
    seen.push([said.text, said.isPartial, said.isFinal]);
    return watch.check(said);
  };
  const agent = new Agent({
    model: new ScriptedModel(say("No ", "secret here, ", "really.")),
    guardrails: { output: [{ ...watch, check }] },
  });
  const session = agent.session();
  for await (const _ of session.stream("Go."));
  expect(seen).toEqual([
    ["No secret here, ", true, false],
    ["No secret ", true, false],
    ["No secret here, really.", true, false],
    ["No secret here, r", true, false],
    ["No secret here, really.", false, true],
  ]);
  seen.length = 0;
  expect(await session.replay().result()).toMatchObject({ text: "No *** here, really." });
  expect(seen).toEqual([]);
});

test("a run that nobody watches is checked once", async () => {
  let asked = 0;
  const check = (): void => void asked++;
  await agentOf([{ name: "count", check, lookback: 3 }], "One, ", "two, ", "three.").run("Go.");
  expect(asked).toBe(1);
});

test.each([
  ["the same guardrails, as far as it was shown", [maskText("secret")], ["It is a *** that nobody"]],
  ["others, as they let it pass", [maskText("nobody")], ["It is a *** that ***"]],
  ["none at all, not", [], []],
])("what a process that died has shown is left to %s", async (_who, output, left) => {
  const store = new MemoryStore();
  const processes = new Processes(store);
  const process = processes.start();
  const dying = new ScriptedModel(hangs("It is a secret that ", "nobody knows"));
  const guardrails = { output: [maskText("secret")] };
  void new Agent({ model: dying, guardrails }).session({ id: "s", store: process.store }).send("Go.");
  await until(() => dying.requests.length === 1);
  await vi.advanceTimersByTimeAsync(600);
  expect((await store.records("s")).draft).toMatchObject({
    parts: [{ text: "It is a *** that nobody" }],
    guarded: true,
  });
  process.die();
  const model = new ScriptedModel(say("Yes."));
  const next = new Agent({ model, guardrails: { output } }).session({ id: "s", store: processes.start().store });
  expect(answerIn(await readConversation(next))).toBe("");
  await next.send("On.");
  const user = (text: string) => ({ role: "user", parts: [{ text }] });
  const said = left.map((text) => ({ role: "model", parts: [{ text }] }));
  expect(model.requests[0]?.contents).toEqual([user("Go."), ...said, user("On.")]);
});

test("a long answer is checked less often, the longer it is", async () => {
  let asked = 0;
  const check = (): void => void asked++;
  const said = Array.from({ length: 5000 }, () => "Twenty characters.  ");
  const { events } = await eventsOf(agentOf([{ name: "count", check, lookback: 10 }], ...said), "Go.");
  expect(asked).toBeGreaterThan(100);
  expect(asked).toBeLessThan(600);
  expect(shownBy(events).at(-1)).toBe(said.join(""));
});

test("a guardrail that says too little about how far it looks back takes back what it has to, with a warning", async () => {
  const warnings: unknown[] = [];
  const logger = {
    trace() {},
    debug() {},
    info() {},
    error() {},
    warn: (...given: unknown[]) => void warnings.push(given.at(-1)),
  };
  const short = maskText(/secret plan/, { maxLength: 2, by: "***" });
  const agent = new Agent({
    model: new ScriptedModel(say("The secret", " plan is out.")),
    guardrails: { output: [short] },
    logger,
  });
  const { events } = await eventsOf(agent, "Go.");
  expect(shownBy(events).slice(2)).toContain("The ");
  expect(shownBy(events).at(-1)).toBe("The *** is out.");
  expect(warnings).toEqual(["a guardrail changed its mind about text that was shown: its lookback is too short"]);

  let isStrict = true;
  const moody = { name: "moody", lookback: 1, check: () => (isStrict ? { replace: "Well, well." } : undefined) };
  const model = new ScriptedModel(say("It is", " fine."));
  const check = (said: { readonly isPartial: boolean }) => ((isStrict = said.isPartial), moody.check());
  const taken = await eventsOf(new Agent({ model, guardrails: { output: [{ ...moody, check }] }, logger }), "Go.");
  assertGrammar(taken.events);
  expect(taken.events.map(({ type }) => type)).toContain("discard");
  expect(shownBy(taken.events).at(-1)).toBe("It is fine.");
});

test("a restarted stream starts over", async () => {
  const model = new ScriptedModel(dies("It is a secret that ", "nobody knows"), say("Nobody knows ", "the secret."));
  const agent = new Agent({ model, guardrails: { output: [maskText("secret")] } });
  const reading = eventsOf(agent, "Go.");
  await vi.advanceTimersByTimeAsync(1000);
  const { events } = await reading;
  assertGrammar(events);
  expect(shownBy(events)).toContain("It is a *** that nobody");
  expect(shownBy(events).at(-1)).toBe("Nobody knows the ***.");
});

test("a page shows that an answer is being checked, until it is shown or the run is left", async () => {
  const model = new ScriptedModel(say("It is ", "fine."), hangs("It is "));
  const session = new Agent({ model, guardrails: { output: [{ name: "watch", check: () => {} }] } }).session();
  const seen: unknown[] = [];
  for (const message of ["Go.", "On."]) {
    const abort = new AbortController();
    let conversation: Conversation | undefined;
    const run = session.stream(message, { signal: abort.signal });
    const updates = conversationUpdates(run, { input: message, signal: abort.signal });
    try {
      for await (const update of updates) {
        conversation = applyUpdate(conversation, update);
        const last = conversation.messages.at(-1);
        seen.push([last?.checking ?? false, answerIn(conversation)]);
        if (message === "On." && last?.checking) abort.abort();
      }
    } catch {
      // It was aborted.
    }
  }
  expect(seen.filter((one, index) => JSON.stringify(one) !== JSON.stringify(seen[index - 1]))).toEqual([
    [false, ""],
    [true, ""],
    [false, "It is fine."],
    [false, ""],
    [true, ""],
    [false, "It is "],
  ]);
});
