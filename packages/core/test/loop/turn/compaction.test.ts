import { Agent, type Content, defineTool, type RunEvent } from "@pollux/core";
import { assertGrammar, collect, costs, fails, hangs, say, ScriptedModel, join } from "@pollux/core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ApiStatusError } from "../../../src/errors/api-errors.ts";
import { findBoundaries, thresholdPolicy } from "../../../src/loop/turn/compaction.ts";
import { faces } from "../../helpers/faces.ts";

const user = (text: string): Content => ({ role: "user", parts: [{ text }] });
const model = (text: string): Content => ({ role: "model", parts: [{ text }] });
const LONG = "word ".repeat(400); // about 500 tokens

const HISTORY: readonly Content[] = [
  user(`My name is Ada. ${LONG}`),
  model("Noted."),
  user("Look it up."),
  { role: "model", parts: [{ functionCall: { name: "look", args: {} }, thoughtSignature: "c2ln" }] },
  { role: "user", parts: [{ functionResponse: { name: "look", response: { output: LONG } } }] },
  model("Found."),
];

const look = defineTool({ name: "look", description: "x", run: () => "ok" });
const compaction = { windowTokens: 1_200, threshold: 0.8, keep: 0.3 };
const SUMMARY = user("Summary of the earlier conversation, which it replaces:\n\nThe user is Ada; it was looked up.");

describe.each(faces)("a history that fills the window, by %s", (_face, face) => {
  test("is sent with a summary in place of its oldest messages, and kept whole", async () => {
    const scripted = new ScriptedModel(say("The user is Ada; it was looked up."), say("Ada."));
    const agent = new Agent({ model: scripted, tools: [look], compaction, instructions: "Be kind." });
    const result = await face(agent, [...HISTORY, user("Who am I?")]);
    expect(result.text).toBe("Ada.");
    expect(scripted.requests[0]).toMatchObject({ functions: [], builtIns: [] });
    expect(scripted.requests[0]?.contents.slice(0, 6)).toEqual(HISTORY);
    expect(scripted.requests[1]?.contents).toEqual([SUMMARY, user("Who am I?")]);
    expect(result.contents).toEqual([...HISTORY, user("Who am I?"), model("Ada.")]);
    expect(result.usage.requests).toBe(2);
  });

  test("keeps the current turn whole, calls, responses and signatures", async () => {
    const signed = { batches: [[{ functionCall: { name: "look", args: {} }, thoughtSignature: "bm93" }]] };
    const scripted = new ScriptedModel(
      join(signed, costs({ promptTokenCount: 900, candidatesTokenCount: 10, totalTokenCount: 910 })),
      say("Short."),
      say("Done."),
    );
    const agent = new Agent({ model: scripted, tools: [look], compaction: { ...compaction, windowTokens: 1_130 } });
    await face(agent, [user("Old."), model("Yes."), user("New.")]);
    expect(scripted.requests[2]?.contents).toEqual([
      user(`${SUMMARY.parts[0]?.text?.split("\n")[0]}\n\nShort.`),
      user("New."),
      { role: "model", parts: signed.batches[0] },
      { role: "user", parts: [{ functionResponse: { name: "look", response: { output: "ok" } } }] },
    ]);
  });

  test("that the service refuses as too long is cut and sent again", async () => {
    const tooLong = new ApiStatusError(
      "The input token count (2000) exceeds the maximum number of tokens allowed (1000).",
      {
        status: 400,
        retryable: false,
      },
    );
    const scripted = new ScriptedModel(fails(tooLong), say("Ada."), say("Ada, looked up."), say("Ada."));
    const agent = new Agent({ model: scripted, tools: [look], compaction: { windowTokens: 100_000 } });
    const result = await face(agent, [...HISTORY, user("Who am I?")]);
    expect(result.text).toBe("Ada.");
    // Nobody knows how far the estimate is off, so the summary is asked for in two pieces.
    expect(scripted.requests.map(({ contents }) => contents.length)).toEqual([7, 3, 6, 2]);
  });

  test("with one message only cannot be cut, and the error says so", async () => {
    const tooLong = new ApiStatusError(
      "The input token count (2000) exceeds the maximum number of tokens allowed (1000).",
      {
        status: 400,
        retryable: false,
      },
    );
    const agent = new Agent({ model: new ScriptedModel(fails(tooLong)), compaction: {} });
    await expect(face(agent, LONG)).rejects.toThrow(
      "model:1: the prompt exceeds the model's limit, and there is no earlier message left to summarize",
    );
  });

  test("whose summary does not come before the wall time is up ends by that limit", async () => {
    const tooLong = new ApiStatusError(
      "The input token count (2000) exceeds the maximum number of tokens allowed (1000).",
      { status: 400, retryable: false },
    );
    const agent = new Agent({
      model: new ScriptedModel(fails(tooLong), hangs()),
      compaction: { windowTokens: 100_000 },
      limits: { wallTimeMs: 30 },
    });
    const result = await face(agent, [...HISTORY, user("Who am I?")]);
    expect(result).toMatchObject({ stopReason: "limit", limit: { name: "wallTimeMs", limit: 30 } });
  });

  test("whose summary does not come is not cut silently", async () => {
    const agent = new Agent({ model: new ScriptedModel(...Array.from({ length: 4 }, () => say(""))), compaction });
    await expect(face(agent, [...HISTORY, user("Who am I?")])).rejects.toThrow(
      "the conversation could not be summarized (empty)",
    );
  });

  test("is cut by a policy of one's own, at the places it is given", async () => {
    const seen: (readonly number[])[] = [];
    const scripted = new ScriptedModel(say("Short."), say("Ada."));
    const policy = ({ boundaries }: { boundaries: readonly number[] }): number | undefined =>
      seen.push(boundaries) === 1 ? 2 : undefined;
    await face(new Agent({ model: scripted, tools: [look], compaction: { policy } }), [...HISTORY, user("Who am I?")]);
    expect(seen).toEqual([[0, 2, 6]]);
    expect(scripted.requests[1]?.contents.slice(1)).toEqual([...HISTORY.slice(2), user("Who am I?")]);
    const bad = new Agent({ model: new ScriptedModel(), compaction: { policy: () => 4 } });
    await expect(face(bad, [...HISTORY, user("Who am I?")])).rejects.toThrow(
      "the compaction policy cut at 4, but history may only be cut at 0, 2, 6",
    );
  });
});

test("cutting is an event, and a chat and a session go on from the summary", async () => {
  const script = () => [say("The user is Ada; it was looked up."), say("Ada."), say("Still Ada.")];
  const options = { tools: [look], compaction };
  const inChat = new ScriptedModel(...script());
  const chat = new Agent({ model: inChat, ...options }).session({ history: HISTORY });
  const { events } = await collect(chat.stream("Who am I?"));
  assertGrammar(events);
  expect(
    events.find((event): event is Extract<RunEvent, { type: "compact" }> => event.type === "compact"),
  ).toMatchObject({
    turn: 1,
    replaced: 6,
    summary: "The user is Ada; it was looked up.",
  });
  await chat.send("Sure?");
  const sent = [SUMMARY, user("Who am I?"), model("Ada."), user("Sure?")];
  expect(inChat.requests[2]?.contents).toEqual(sent);
  expect(await chat.history()).toHaveLength(10);

  const inSession = new ScriptedModel(say("Noted."), ...script());
  const agent = new Agent({ model: inSession, ...options });
  const session = agent.session();
  await session.send(`My name is Ada. ${LONG}${LONG}`, { compaction: false });
  await session.send("Who am I?");
  await session.send("Sure?");
  expect(inSession.requests[3]?.contents).toEqual(sent);
  expect((await session.history()).map(({ role }) => role)).toEqual([
    "user",
    "model",
    "user",
    "model",
    "user",
    "model",
  ]);
  expect((await session.replay().result()).text).toBe("Still Ada.");
});

test("a place to cut never parts a call from its response", () => {
  const piece = fc.oneof(
    fc.constant([user("text"), model("text")]),
    fc.constant([
      user("text"),
      { role: "model", parts: [{ functionCall: { name: "f", args: {} } }] } as Content,
      { role: "user", parts: [{ functionResponse: { name: "f", response: {} } }] } as Content,
      { role: "user", parts: [{ inlineData: { mimeType: "image/png", data: "" } }] } as Content,
      model("text"),
    ]),
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 8 }), (pieces) => {
      const contents = pieces.flat();
      const starts: number[] = [];
      for (let at = 0, i = 0; i < pieces.length; at += pieces[i]?.length ?? 0, i++) starts.push(at);
      expect(findBoundaries(contents)).toEqual(starts);
    }),
  );
});

test("the threshold policy leaves what fits, or as little as it can", () => {
  const policy = thresholdPolicy({ threshold: 0.5, keep: 0.2 });
  const state = {
    contents: [],
    windowTokens: 100,
    boundaries: [0, 4, 8],
    tokensFrom: (index: number) => 60 - index * 6,
  };
  expect(policy({ ...state, promptTokens: 49 })).toBeUndefined();
  expect(policy({ ...state, promptTokens: 60 })).toBe(8);
  expect(policy({ ...state, promptTokens: 60, tokensFrom: () => 10 })).toBe(4);
  expect(policy({ ...state, promptTokens: 60, boundaries: [0] })).toBeUndefined();
});

test.each([
  [{ threshold: 0 }, "compaction.threshold must be greater than 0 and at most 1, got 0"],
  [{ keep: 0.9 }, "compaction.keep must be at least 0 and below the threshold of 0.8, got 0.9"],
  [{ windowTokens: -1 }, "compaction.windowTokens must be a positive number, got -1"],
])("options that cannot work, %j, are refused with their names", (options, message) => {
  expect(() => new Agent({ model: new ScriptedModel(), compaction: options })).toThrow(message);
});

test("a prompt for typed output that is refused as too long is cut as well", async () => {
  const tooLong = new ApiStatusError("The input token count (2) exceeds the maximum number of tokens allowed (1).", {
    status: 400,
    retryable: false,
  });
  const scripted = ScriptedModel.with(
    { id: "gemini-2.5-flash" },
    say("Ada."),
    fails(tooLong),
    say("Half."), // nobody knows how long a piece may be, so there are two
    say("SUM"),
    say('{"name":"Ada"}'),
  );
  const agent = new Agent({ model: scripted, tools: [look], compaction: { windowTokens: 100_000 } });
  const output = z.object({ name: z.string() });
  const result = await agent.run([...HISTORY, user("Who am I?")], { output });
  expect(result).toMatchObject({ stopReason: "finished", output: { name: "Ada" } });
  const sent = scripted.requests.at(-1)?.contents.map(({ parts }) => parts[0]?.text?.slice(0, 10));
  expect(sent).toEqual(["Summary of", "Who am I?", "Ada.", "Convert yo"]);
});
