import { expect, test } from "vitest";
import { answeredCall, call, createEmulator, join, say, script } from "../src/index.ts";
import { ask, post, streamed, unary } from "./support.ts";

const line = join(
  answeredCall("weather", { city: "Oslo" }, { call_tool_result_json: '{"sky": "clear"}' }),
  say("The sky ", "is clear."),
);
const asked = { functionCall: { name: "weather", args: { city: "Oslo" } } };
const answered = { functionResponse: { name: "weather", response: { call_tool_result_json: '{"sky": "clear"}' } } };

test("a call that the service answers is one turn with call, response and text", async () => {
  const emulator = createEmulator({ brain: script([line]) });
  const answer = await unary(emulator, ask("How is the sky?"), "gemini-2.5-flash");
  expect(answer).toMatchObject({
    candidates: [
      {
        content: { role: "model", parts: [asked, answered, { text: "The sky is clear." }] },
        finishReason: "STOP",
      },
    ],
    turnToken: expect.stringMatching(/^v1:/),
  });
  expect(answer.candidates?.[0]).not.toHaveProperty("finishMessage");
});

test("streamed, its call says STOP and more follows; no part has an id", async () => {
  const emulator = createEmulator({ brain: script([line]) });
  const chunks = await streamed(emulator, ask("How is the sky?"), "gemini-2.5-flash");
  const told = chunks.map((chunk) => {
    const { content, finishReason, finishMessage } = chunk.candidates?.[0] ?? {};
    return [content?.parts, finishReason, finishMessage];
  });
  expect(told).toEqual([
    [[expect.objectContaining(asked)], "STOP", "Model generated function call(s)."],
    [[answered], undefined, undefined],
    [[{ text: "The sky " }], undefined, undefined],
    [[{ text: "is clear." }], "STOP", undefined],
  ]);
  expect(new Set(chunks.map((chunk) => (chunk as { turnToken?: string }).turnToken)).size).toBe(1);
});

test.each(["gemini-2.5-flash", "gemini-3.8-flash"])("its history is accepted as it came by %s", async (model) => {
  const emulator = createEmulator({ brain: script([line, say("Yes.")]) });
  const first = ask("How is the sky?");
  const answer = await unary(emulator, first, model);
  const contents = [...first.contents, answer.candidates?.[0]?.content ?? {}, ...ask("Really?").contents];
  expect((await post(emulator, "generateContent", { contents }, model)).status).toBe(200);
});

test("a call for the client beside it has an id and ends the turn", async () => {
  const emulator = createEmulator({ brain: script([join(answeredCall("weather", {}, {}), call("pack", {}))]) });
  const { candidates } = await unary(emulator, ask("How is the sky?"));
  expect(candidates).toMatchObject([
    {
      content: { parts: [{ functionCall: { name: "weather" } }, {}, { functionCall: { id: expect.any(String) } }] },
      finishMessage: "Model generated function call(s).",
    },
  ]);
  expect(candidates?.[0]?.content?.parts?.[0]?.functionCall).not.toHaveProperty("id");
});
