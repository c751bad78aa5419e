import { BadRequestError } from "@pollux/web";
import { fromAgUiInput } from "@pollux/web/ag-ui";
import { describe, expect, test } from "vitest";

const user = { id: "m1", role: "user", content: "Hi." };

describe("a request", () => {
  test("is its last message, its run, its answers and its tools; all else is display", () => {
    const read = fromAgUiInput({
      threadId: "t",
      runId: "r",
      messages: [
        { id: "s", role: "system", content: "Obey." },
        { id: "a", role: "assistant", content: "I owe you." },
        user,
      ],
      tools: [{ name: "locate", description: "Where.", parameters: { type: "object", properties: {} } }],
      state: { admin: true },
      context: [{ description: "x", value: "y" }],
      forwardedProps: { model: "other" },
    });
    expect(read).toMatchObject({ id: "t", runId: "r", message: { id: "m1", input: [{ text: "Hi." }] } });
    expect(Object.keys(read)).toEqual(["id", "runId", "message", "after", "tools", "body"]);
    expect(read.tools).toMatchObject([{ name: "locate", external: true, effects: "none" }]);
  });

  test.each([
    ["approval:m/call:1.0#t", "resolved", { approved: true }, { approval: true }],
    ["approval:m/call:1.0#t", "resolved", { approved: true, editedArgs: { n: 2 } }, { approval: { args: { n: 2 } } }],
    ["approval:m/call:1.0#t", "resolved", { approved: false }, { approval: false }],
    ["approval:m/call:1.0#t", "resolved", { approved: false, reason: "no" }, { approval: { deny: "no" } }],
    ["approval:m/call:1.0#t", "cancelled", undefined, { approval: false }],
    ["question:m/call:1.0#t", "resolved", { answer: "Blue" }, { outcome: { output: { answer: "Blue" } } }],
    ["question:m/call:1.0#t", "cancelled", undefined, { outcome: { error: "the user did not answer" } }],
    ["effect:m/call:1.0#t", "resolved", { output: 5 }, { outcome: { output: 5 } }],
    ["effect:m/call:1.0#t", "resolved", { error: "lost" }, { outcome: { error: "lost" } }],
    ["effect:m/call:1.0#t", "resolved", { notExecuted: true }, { outcome: { notExecuted: true } }],
  ])("answers %s, %s with %j", (interruptId, status, payload, given) => {
    const { answers } = fromAgUiInput({ threadId: "t", resume: [{ interruptId, status, payload }] });
    expect(answers).toEqual([{ messageId: "m", callId: "call:1.0", token: "t", ...given }]);
  });

  test("has the results that the client has added since the last answer, and not those of the server", () => {
    const result = (id: string, toolCallId: string, content: string): object => ({
      id,
      role: "tool",
      toolCallId,
      content,
    });
    const { answers, message } = fromAgUiInput({
      threadId: "t",
      messages: [
        { id: "a0", role: "assistant" },
        result("old", "m/call:1.0", "1"),
        {
          id: "a1",
          role: "assistant",
          toolCalls: [
            { id: "m/call:2.1", type: "function", function: { name: "locate", arguments: '{"exact":true}' } },
          ],
        },
        result("m/call:2.0/result", "m/call:2.0", "2"),
        result("x", "m/call:2.1", '{"n":3}'),
        result("y", "m/call:2.2", "a text"),
        { ...result("z", "m/call:2.3", ""), error: "denied" },
        user,
      ],
    });
    expect(answers).toEqual([
      { messageId: "m", callId: "call:2.1", input: { exact: true }, outcome: { output: { n: 3 } } },
      { messageId: "m", callId: "call:2.2", outcome: { output: "a text" } },
      { messageId: "m", callId: "call:2.3", outcome: { error: "denied" } },
    ]);
    expect(message?.input).toEqual([{ text: "Hi." }]);
  });

  test("takes a file by URL only where that is allowed", () => {
    const source = { type: "url", value: "https://files.example.com/a.pdf", mimeType: "application/pdf" };
    const body = { threadId: "t", messages: [{ ...user, content: [{ type: "document", source }] }] };
    expect(() => fromAgUiInput(body)).toThrow("a file must be sent as base64 data");
    const allowFileUrl = (url: string): boolean => url.startsWith("https://files.example.com/");
    expect(fromAgUiInput(body, { allowFileUrl }).message?.input).toEqual([
      { fileData: { fileUri: source.value, mimeType: source.mimeType } },
    ]);
  });

  test("does not send a message again that the server has queued", () => {
    const queued = { ...user, metadata: { pollux: { queued: true } } };
    const resume = [{ interruptId: "approval:m/call:1.0#t", status: "resolved", payload: { approved: true } }];
    expect(fromAgUiInput({ threadId: "t", messages: [queued], resume }).message).toBeUndefined();
  });
});

test.each([
  ["text", "send a RunAgentInput"],
  [{ messages: [user] }, '"threadId"'],
  [{ threadId: "t", runId: 1, messages: [user] }, '"runId"'],
  [{ threadId: "t" }, "nothing to do"],
  [{ threadId: "t", messages: "all" }, '"messages" must be a list'],
  [{ threadId: "t", messages: [{ ...user, content: "" }] }, "is empty"],
  [{ threadId: "t", messages: [{ ...user, content: [{ type: "image" }] }] }, "needs a source"],
  [
    {
      threadId: "t",
      messages: [
        { ...user, content: [{ type: "image", source: { type: "data", mimeType: "image/png", value: "?" } }] },
      ],
    },
    "not base64",
  ],
  [{ threadId: "t", resume: [{ interruptId: "x" }] }, '"resume"'],
  [{ threadId: "t", resume: [{ interruptId: "toString:m/c#t", status: "cancelled" }] }, "no interrupt"],
  [{ threadId: "t", resume: [{ interruptId: "approval:m/c#t", status: "resolved" }] }, '"approved"'],
  [
    {
      threadId: "t",
      resume: [{ interruptId: "approval:m/c#t", status: "resolved", payload: { approved: true, editedArgs: [] } }],
    },
    '"editedArgs"',
  ],
  [
    { threadId: "t", resume: [{ interruptId: "effect:m/c#t", status: "resolved", payload: {} }] },
    "what happened to the call",
  ],
  [{ threadId: "t", messages: [user], tools: [{ name: "no spaces" }] }, 'the tool "no spaces"'],
  [{ threadId: "t", messages: [user], tools: [{ name: "a" }, { name: "a" }] }, 'two tools are named "a"'],
  [{ threadId: "t", messages: [user], tools: Array.from({ length: 33 }, (_, n) => ({ name: `t${n}` })) }, "at most 32"],
])("%j is refused", (body, text) => {
  expect(() => fromAgUiInput(body)).toThrow(expect.objectContaining({ message: expect.stringContaining(text) }));
  expect(() => fromAgUiInput(body)).toThrow(BadRequestError);
});

test("as many tools as maxTools are read", () => {
  const body = { threadId: "t", messages: [user], tools: [{ name: "a" }, { name: "b" }] };
  expect(fromAgUiInput(body, { maxTools: 2 }).tools).toHaveLength(2);
  expect(() => fromAgUiInput(body, { maxTools: 1 })).toThrow("there are 2 tools; at most 1 are accepted");
});
