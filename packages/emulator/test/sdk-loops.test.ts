import type { Content, GenerateContentResponse } from "@pollux/core/wire";
import { expect, test } from "vitest";
import { calls, createEmulator, say, script } from "../src/index.ts";
import { MODEL, post, streamed, unary } from "./support.ts";

const WEATHER = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const contentOf = (chunk: GenerateContentResponse): Content | undefined =>
  chunk.candidates?.[0]?.content as Content | undefined;

/** Parts as google-genai 2.25 sends them back: keys in its types' order, signatures in the URL-safe alphabet. */
function pythonContent(content: Content): object {
  const parts = content.parts.map(({ thoughtSignature, functionCall: call, ...rest }) => ({
    ...rest,
    ...(call && { functionCall: { ...(call.id && { id: call.id }), args: call.args, name: call.name } }),
    ...(thoughtSignature && { thoughtSignature: thoughtSignature.replaceAll("+", "-").replaceAll("/", "_") }),
  }));
  return { parts, role: "model" };
}

/** What both SDKs send for a call: its name, but not its id. */
const answersTo = (contents: readonly Content[]): object[] =>
  contents
    .flatMap(({ parts }) => parts)
    .flatMap(({ functionCall: call }) =>
      call
        ? [{ functionResponse: { name: call.name, response: { result: `sunny in ${String(call.args?.["city"])}` } } }]
        : [],
    );

/** google-genai 2.25 for Python: `generate_content` and `Chat.send_message` with a function. */
function pythonBody(...contents: readonly object[]): object {
  const declaration = {
    description: "Weather of a city.",
    name: "get_weather",
    parameters_json_schema: WEATHER,
    response_json_schema: { type: "string" },
  };
  return { contents, tools: [{ functionDeclarations: [declaration] }], generationConfig: {} };
}

/** @langchain/google-genai 2.3, `bindTools`. */
function langchainBody(...contents: readonly object[]): object {
  const declaration = { name: "get_weather", description: "Weather of a city.", parameters: WEATHER };
  return {
    generationConfig: { stopSequences: [] },
    safetySettings: [],
    tools: [{ functionDeclarations: [declaration] }],
    contents,
  };
}

const oslo = { name: "get_weather", args: { city: "Oslo" } };
const rome = { name: "get_weather", args: { city: "Rome" } };
const ASKED = { parts: [{ text: "How is the weather?" }], role: "user" };
const AGAIN = { parts: [{ text: "And now?" }], role: "user" };

test.each([MODEL, "gemini-3.5-flash", "gemini-2.5-flash"])(
  "the Python SDK's functions are called and answered: %s",
  async (model) => {
    const emulator = createEmulator({ brain: script([calls(oslo, rome), say("Sunny."), calls(oslo), say("Still.")]) });
    const history: object[] = [ASKED];
    for (const next of [AGAIN, undefined]) {
      const called = contentOf(await unary(emulator, pythonBody(...history), model));
      if (!called) throw new Error("no call");
      history.push(pythonContent(called), { parts: answersTo([called]), role: "user" });
      const said = contentOf(await unary(emulator, pythonBody(...history), model));
      if (!said) throw new Error("no answer");
      history.push(pythonContent(said), ...(next ? [next] : []));
    }
    expect(emulator.requests.map(({ answered }) => answered.status)).toEqual([200, 200, 200, 200]);
  },
);

test("the Python SDK's streamed chat sends each chunk back as a content of its own", async () => {
  const emulator = createEmulator({ brain: script([calls(oslo, rome), say("Sunny."), say("Still.")]) });
  const chunks = (await streamed(emulator, pythonBody(ASKED))).flatMap((chunk) => contentOf(chunk) ?? []);
  const history = [ASKED, ...chunks.map(pythonContent), { parts: answersTo(chunks), role: "user" }];
  const said = (await streamed(emulator, pythonBody(...history))).flatMap((chunk) => contentOf(chunk) ?? []);
  await streamed(emulator, pythonBody(...history, ...said.map(pythonContent), AGAIN));
  expect(chunks.length).toBeGreaterThan(1);
});

test("LangChain's loop sends no ids at all", async () => {
  const emulator = createEmulator({ brain: script([calls(oslo), say("Sunny.")]) });
  const called = contentOf(await unary(emulator, langchainBody(ASKED)));
  const parts = called?.parts.map(({ functionCall, ...part }) => ({
    ...part,
    functionCall: { ...functionCall, id: undefined },
  }));
  const body = langchainBody(
    ASKED,
    { role: "model", parts },
    { role: "user", parts: answersTo(called ? [called] : []) },
  );
  expect(contentOf(await unary(emulator, body))?.parts[0]?.text).toBe("Sunny.");
});

test.each(["refuse", "empty"] as const)("responseMatching %s: responses need their ids", async (responseMatching) => {
  const emulator = createEmulator({ strict: { responseMatching }, brain: script([calls(oslo), say("never")]) });
  const called = contentOf(await unary(emulator, pythonBody(ASKED)));
  if (!called) throw new Error("no call");
  const body = pythonBody(ASKED, pythonContent(called), { parts: answersTo([called]), role: "user" });
  const response = await post(emulator, "generateContent", body);
  const json = await response.json();
  expect([response.status, json]).toMatchObject(
    responseMatching === "refuse"
      ? [400, { error: { status: "INVALID_ARGUMENT" } }]
      : [200, { candidates: [{ finishReason: "STOP" }] }],
  );
  expect(JSON.stringify(json)).not.toContain("never");
});
