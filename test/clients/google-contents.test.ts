import {
  type Content,
  createModelContent,
  createPartFromFunctionCall,
  createPartFromFunctionResponse,
  createPartFromUri,
  createUserContent,
  GoogleGenAI,
  Language,
  Outcome,
  type Part,
  PartMediaResolutionLevel,
} from "@google/genai";
import { Agent, importHistory, type RunInput } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";

/** A history with the types, enums and classes of Google's SDK. */
const history: Content[] = [
  createUserContent("What is in this picture, and what is 2 + 2?"),
  {
    parts: [
      createPartFromUri("https://example.com/cat.png", "image/png", PartMediaResolutionLevel.MEDIA_RESOLUTION_LOW),
    ],
  },
  createModelContent([
    { executableCode: { code: "print(2 + 2)", language: Language.PYTHON } },
    { codeExecutionResult: { outcome: Outcome.OUTCOME_OK, output: "4" } },
    { ...createPartFromFunctionCall("look", { at: "cat" }), thoughtSignature: "c2ln" },
  ]),
  createUserContent([createPartFromFunctionResponse("", "look", { output: "a cat" })]),
  { role: "model" },
  createModelContent("A cat, and 4."),
];

/** The same as JSON, as sent. */
const sent = JSON.parse(
  JSON.stringify([
    history[0],
    { role: "user", ...history[1] },
    history[2],
    history[3],
    // Without the one that has no parts.
    history[5],
    { role: "user", parts: [{ text: "And now?" }] },
  ]),
) as unknown;

const faces = ["run", "stream"] as const;

describe.each(faces)("contents of Google's SDK, given to %s,", (face) => {
  async function requested(input: RunInput): Promise<unknown> {
    const model = new ScriptedModel(say("ok"));
    const agent = new Agent({ model });
    await (face === "run" ? agent.run(input) : agent.stream(input).result());
    return JSON.parse(JSON.stringify(model.requests[0]?.contents));
  }

  test("are sent as they are", async () => {
    expect(await requested([...history, createUserContent("And now?")])).toEqual(sent);
  });

  test("can be parts as well", async () => {
    const parts: Part[] = [{ text: "Hi." }, createPartFromUri("https://example.com/cat.png", "image/png")];
    expect(await requested(parts)).toEqual([{ role: "user", parts: JSON.parse(JSON.stringify(parts)) }]);
  });
});

test("contents of Google's SDK are a session's history, and can be imported", async () => {
  const model = new ScriptedModel(say("ok"));
  await new Agent({ model }).session({ history }).send("And now?");
  expect(JSON.parse(JSON.stringify(model.requests[0]?.contents))).toEqual(sent);
  const [, , , , , last] = history;
  expect(importHistory([createUserContent("Hi."), ...(last === undefined ? [] : [last])])).toHaveLength(2);
});

test("what its chat keeps is an input", async () => {
  const chat = new GoogleGenAI({ apiKey: "key" }).chats.create({
    model: "gemini-flash-latest",
    history: history.filter(({ role, parts }) => role && parts),
  });
  const model = new ScriptedModel(say("ok"));
  await new Agent({ model }).run([...chat.getHistory(), createUserContent("And now?")]);
  expect(model.requests[0]?.contents).toHaveLength(5);
});
