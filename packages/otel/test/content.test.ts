import { Agent, defineTool, type Part, ToolError } from "@pollux/core";
import { call, calls, fails, parts, say, ScriptedModel, type ScriptLine, think, join } from "@pollux/core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openTelemetry, type OpenTelemetryOptions } from "../src/index.ts";
import { parseContent } from "./helpers/message-schemas.ts";
import { type EndedSpan, keepContexts, Sdk } from "./helpers/sdk.ts";

keepContexts();
afterEach(() => void vi.unstubAllEnvs());

const look = defineTool({ name: "look", description: "Looks.", run: () => "x".repeat(3_000) });

/** Runs an agent of a script with content captured. */
async function capture(script: readonly ScriptLine[], options: OpenTelemetryOptions = {}) {
  const sdk = new Sdk();
  const { tracerProvider, loggerProvider } = sdk;
  const observers = [openTelemetry({ tracerProvider, loggerProvider, captureContent: true, ...options })];
  const agent = new Agent({ model: new ScriptedModel(...script), tools: [look], instructions: "Be kind.", observers });
  await agent.run("What is there?").catch(() => {});
  return { sdk, requests: sdk.spans.filter(({ name }) => name.startsWith("generate_content")) };
}

/** A content attribute of a span, parsed. */
function contentOf(span: EndedSpan | undefined, name: string): unknown {
  return parseContent(span?.attributes ?? {})[name];
}

describe("parts", () => {
  test.each<[string, Part, unknown]>([
    ["text", { text: "Hi." }, { type: "text", content: "Hi." }],
    ["a thought", { text: "Hm.", thought: true }, { type: "reasoning", content: "Hm." }],
    [
      "an image, without its bytes",
      { inlineData: { mimeType: "image/png", data: "aGVsbG8=" } },
      { type: "blob", mime_type: "image/png", modality: "image", content: "[5 bytes]" },
    ],
    [
      "a file",
      { fileData: { fileUri: "https://a.example/b.pdf", mimeType: "application/pdf" } },
      { type: "uri", uri: "https://a.example/b.pdf", modality: "document", mime_type: "application/pdf" },
    ],
    [
      "code that the service runs",
      { executableCode: { language: "PYTHON", code: "print(1)", id: "c1" } },
      {
        type: "server_tool_call",
        id: "c1",
        name: "code_execution",
        server_tool_call: { type: "code_interpreter", code: "print(1)", language: "PYTHON" },
      },
    ],
    [
      "what that code printed",
      { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1", id: "c1" } },
      {
        type: "server_tool_call_response",
        id: "c1",
        server_tool_call_response: { type: "code_interpreter", outcome: "OUTCOME_OK", output: "1" },
      },
    ],
    [
      "a search of the service",
      { toolCall: { toolType: "GOOGLE_SEARCH_WEB", args: { queries: ["a"] }, id: "s1" } },
      {
        type: "server_tool_call",
        id: "s1",
        name: "google_search_web",
        server_tool_call: { type: "google_search_web", arguments: { queries: ["a"] } },
      },
    ],
  ])("%s has the shape of the conventions", async (_what, part, expected) => {
    const signed = { ...part, thoughtSignature: "c2VjcmV0" };
    const { requests } = await capture([join(parts(signed), say("Done."))]);
    expect(contentOf(requests[0], "gen_ai.output.messages")).toEqual([
      { role: "assistant", parts: [expected, { type: "text", content: "Done." }] },
    ]);
    expect(JSON.stringify(requests[0]?.attributes)).not.toContain("c2VjcmV0");
  });

  test("of a kind that is not known keep its name", async () => {
    // A part of a newer service.
    const { requests } = await capture([join(parts({ hologram: { size: 3 } } as Part), say("Done."))]);
    expect(requests[0]?.attributes["gen_ai.output.messages"]).toBe(
      '[{"role":"assistant","parts":[{"type":"hologram"},{"type":"text","content":"Done."}]}]',
    );
  });
});

describe("messages", () => {
  const script = [call("look"), call("look"), say("Done.")];
  const roles = (span: EndedSpan): unknown =>
    (contentOf(span, "gen_ai.input.messages") as { role: string }[] | undefined)?.map(({ role }) => role);

  test("are exported once by default", async () => {
    const { requests } = await capture(script);
    expect(requests.map(roles)).toEqual([["user"], ["tool"], ["tool"]]);
    expect(requests.map((span) => span.attributes["gen_ai.system_instructions"] !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("are all exported with each request, or none, when that is asked for", async () => {
    const all = await capture(script, { content: { messages: "all" } });
    expect(all.requests.map(roles)).toEqual([
      ["user"],
      ["user", "assistant", "tool"],
      ["user", "assistant", "tool", "assistant", "tool"],
    ]);
    const none = await capture(script, { content: { messages: "none" } });
    expect(none.requests.map(roles)).toEqual([undefined, undefined, undefined]);
    expect(none.requests.map((span) => contentOf(span, "gen_ai.output.messages") !== undefined)).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("that are too long are cut, and say so", async () => {
    const { requests } = await capture([call("look"), say("é".repeat(400))], { content: { maxStringBytes: 501 } });
    expect(contentOf(requests[1], "gen_ai.input.messages")).toMatchObject([
      { parts: [{ response: { output: `${"x".repeat(501)}… [cut: 2499 of 3000 bytes]` } }] },
    ]);
    expect(contentOf(requests[1], "gen_ai.output.messages")).toMatchObject([
      { parts: [{ content: `${"é".repeat(250)}… [cut: 299 of 800 bytes]` }] },
    ]);
    expect(requests.map((span) => span.attributes["pollux.content.cut"])).toEqual([undefined, true]);
  });

  test("that exceed the limit of an attribute leave out the oldest, or shorten the last one", async () => {
    const content = { messages: "all", maxBytes: 4_000 } as const;
    const { requests } = await capture([call("look"), call("look"), say("Done.")], { content });
    expect(requests.map((span) => span.attributes["pollux.messages.from"])).toEqual([0, 0, 3]);
    const many = await capture([calls("look", "look", "look"), say("Done.")], { content });
    const [, last] = many.requests;
    expect(String(last?.attributes["gen_ai.input.messages"]).length).toBeLessThanOrEqual(4_000);
    expect(contentOf(last, "gen_ai.input.messages")).toHaveLength(3);
    expect(last?.attributes["pollux.content.cut"]).toBe(true);
  });

  test("are redacted before anything is cut; without their text if that fails", async () => {
    const redact = (text: string): string => {
      if (text === "Be kind.") throw new Error("mine");
      return text.replaceAll("x", "-").replace("What", "…");
    };
    const { requests, sdk } = await capture([call("look", { at: "xy" }), say("x")], { content: { redact } });
    expect(contentOf(requests[0], "gen_ai.input.messages")).toMatchObject([{ parts: [{ content: "… is there?" }] }]);
    expect(requests[0]?.attributes["gen_ai.system_instructions"]).toBe(
      '[{"type":"text","content":"[left out: redact() failed]"}]',
    );
    expect(sdk.find("execute_tool look").attributes).toMatchObject({
      "gen_ai.tool.call.arguments": '{"at":"-y"}',
      "gen_ai.tool.call.result": JSON.stringify("-".repeat(3_000)),
    });
  });

  test("are left out when redact() returns nothing", async () => {
    // A function of a program without types.
    const redact = (() => undefined) as never;
    const { requests, sdk } = await capture([call("look"), say("Done.")], { content: { redact } });
    expect(requests[1]?.attributes["gen_ai.output.messages"]).toBe(
      '[{"role":"assistant","parts":[{"type":"text","content":"[left out: redact() failed]"}]}]',
    );
    expect(sdk.spans).toHaveLength(4);
  });
});

describe("what a tool throws", () => {
  const secret = defineTool({
    name: "look",
    description: "Looks.",
    retry: { minDelayMs: 1, maxDelayMs: 1, when: () => true },
    run: () => {
      throw new ToolError("no account of Ada");
    },
  });

  async function failing(options: OpenTelemetryOptions) {
    const sdk = new Sdk();
    const { tracerProvider, loggerProvider } = sdk;
    const observers = [openTelemetry({ tracerProvider, loggerProvider, ...options })];
    await new Agent({ model: new ScriptedModel(call("look"), say("Sorry.")), tools: [secret], observers }).run("Go.");
    const exported = JSON.stringify(
      sdk.spans.map(({ attributes, status, events }) => ({ attributes, status, events })),
    );
    return { exported, tool: sdk.find("execute_tool look"), records: sdk.records };
  }

  test("is content, because the model reads it", async () => {
    const { exported, tool, records } = await failing({});
    expect(exported).not.toContain("Ada");
    expect(records).toEqual([]);
    expect(tool).toMatchObject({ status: { code: 2 }, attributes: { "error.type": "failed" } });
  });

  test("is redacted wherever it is exported", async () => {
    const redact = (text: string): string => text.replaceAll("Ada", "…");
    const { exported, tool } = await failing({ captureContent: true, content: { redact } });
    expect(exported).not.toContain("Ada");
    expect(tool.status.message).toContain("no account of …");
    expect(tool.events[0]?.attributes?.["pollux.retry.reason"]).toContain("no account of …");
  });
});

describe("where content goes", () => {
  const script = [think("Hm."), say("Done.")];

  test.each<[OpenTelemetryOptions["captureContent"], string | undefined, spans: boolean, events: boolean]>([
    [undefined, undefined, false, false],
    [undefined, "NO_CONTENT", false, false],
    [undefined, "SPAN_ONLY", true, false],
    [undefined, "span_only", true, false],
    [undefined, "EVENT_ONLY", false, true],
    [undefined, "SPAN_AND_EVENT", true, true],
    [undefined, "true", true, false],
    [undefined, "everything", false, false],
    [false, "SPAN_AND_EVENT", false, false],
    [true, "NO_CONTENT", true, false],
    ["EVENT_ONLY", "SPAN_ONLY", false, true],
  ])("is what the option %j says, then the variable %j", async (captureContent, variable, spans, events) => {
    vi.stubEnv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", variable);
    const { sdk, requests } = await capture(script.slice(1), { captureContent });
    expect(requests[0]?.attributes["gen_ai.output.messages"] !== undefined).toBe(spans);
    expect(sdk.records[0]?.attributes["gen_ai.output.messages"] !== undefined).toBe(events);
    expect(sdk.records).toHaveLength(events ? 1 : 0);
  });

  test("in events it is structured, in the context of the span", async () => {
    const { sdk, requests } = await capture(script.slice(1), { captureContent: "EVENT_ONLY" });
    expect(sdk.records).toMatchObject([
      {
        eventName: "gen_ai.client.inference.operation.details",
        severityNumber: 5,
        spanContext: { spanId: requests[0]?.spanContext().spanId },
        attributes: {
          "gen_ai.operation.name": "generate_content",
          "gen_ai.request.model": "gemini-scripted",
          "gen_ai.usage.input_tokens": 10,
          "gen_ai.input.messages": [{ role: "user", parts: [{ type: "text", content: "What is there?" }] }],
          "gen_ai.output.messages": [{ role: "assistant", parts: [{ type: "text", content: "Done." }] }],
        },
      },
    ]);
  });

  test("a failed request is an event, too; the details only if they are asked for", async () => {
    const failed = await capture([fails(new TypeError("no"))], { captureContent: false });
    expect(failed.sdk.records).toMatchObject([
      {
        eventName: "gen_ai.client.operation.exception",
        severityNumber: 13,
        attributes: { "exception.type": "TypeError", "error.type": "TypeError" },
      },
    ]);
    const captured = await capture([fails(new TypeError("no"))], { captureContent: "EVENT_ONLY" });
    expect(captured.sdk.records[1]?.attributes).toMatchObject({
      "exception.message": "no",
      "exception.stacktrace": expect.stringContaining("TypeError: no") as string,
    });
    expect(JSON.stringify(captured.sdk.spans.map(({ status, events }) => [status, events]))).not.toContain(
      "TypeError: no",
    );
    vi.stubEnv("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "true");
    const asked = await capture([say("Done.")], { captureContent: false });
    expect(asked.sdk.records.map(({ eventName }) => eventName)).toEqual(["gen_ai.client.inference.operation.details"]);
    expect(asked.sdk.records[0]?.attributes["gen_ai.output.messages"]).toBeUndefined();
  });
});

test.each<[string, OpenTelemetryOptions]>([
  // What a program without types can pass.
  ["captureContent", { captureContent: "SPANS" as never }],
  ["content.messages", { content: { messages: "some" as never } }],
  ["content.maxBytes", { content: { maxBytes: 10 } }],
  ["content.maxStringBytes", { content: { maxStringBytes: Number.NaN } }],
  ["content.redact", { content: { redact: "x" as never } }],
  ["metrics", { metrics: "2024" as never }],
])("an option that is not valid is named: %s", (name, options) => {
  expect(() => openTelemetry(options)).toThrow(name);
});
