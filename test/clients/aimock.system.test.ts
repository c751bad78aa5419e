import { pathToFileURL } from "node:url";
import { afterTurns, Agent, ApiStatusError, endpoint, gemini, type GeminiModel } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Face, faces, typed } from "../../packages/core/test/helpers/faces.ts";
import { programFile } from "../support/programs.ts";
import { getWeather, TOOLS, user } from "../support/trip.ts";
import { MODEL } from "../support/world.ts";

/** The used parts of the mock server: it takes answers in OpenAI's terms, and sends them in the Gemini API's. */
interface AiMock {
  readonly url: string;
  on(match: MockMatch, response: MockResponse, options?: { readonly truncateAfterChunks: number }): this;
  nextRequestError(status: number, body: { readonly message: string }): this;
  getRequests(): readonly { readonly path: string; readonly response: { readonly status: number } }[];
  start(): Promise<string>;
  stop(): Promise<void>;
}

interface MockMatch {
  readonly userMessage: string;
  readonly toolResultContains?: string;
  readonly hasToolResult?: boolean;
}

interface MockResponse {
  readonly content?: string;
  readonly reasoning?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: string; readonly id?: string }[];
  readonly finishReason?: string;
  readonly usage?: { readonly promptTokenCount: number; readonly candidatesTokenCount: number };
}

// By its path: it is installed outside of the workspace, so the compiler can't see it.
const { LLMock } = (await import(pathToFileURL(programFile("@copilotkit/aimock", "dist/index.js")).href)) as {
  readonly LLMock: new (options: {
    readonly port: number;
    readonly host: string;
    readonly chunkSize: number;
  }) => AiMock;
};

const ANSWER = "Oslo has 4 degrees and Lima has 4 as well; together that makes 8.";
const TRANSPORTS = ["stream", "unary"] as const;

/** A mock server on a free port of this machine, and models that use it. */
async function open() {
  const mock = new LLMock({ port: 0, host: "127.0.0.1", chunkSize: 9 });
  mock.on(
    { userMessage: "Weather?", hasToolResult: false },
    {
      reasoning: "The weather first, of both cities.",
      content: "Let me look.",
      toolCalls: [
        { name: "get_weather", arguments: '{"city":"Oslo"}', id: "call_1" },
        { name: "get_weather", arguments: '{"city":"Lima"}' },
      ],
      usage: { promptTokenCount: 50, candidatesTokenCount: 20 },
    },
  );
  mock.on(
    { userMessage: "Weather?", toolResultContains: '"city":"Lima","celsius":4' },
    {
      toolCalls: [{ name: "add", arguments: '{"a":4,"b":4}', id: "call_2" }],
      usage: { promptTokenCount: 90, candidatesTokenCount: 10 },
    },
  );
  mock.on(
    { userMessage: "Weather?", toolResultContains: '"output":8' },
    { content: ANSWER, usage: { promptTokenCount: 120, candidatesTokenCount: 30 } },
  );
  await mock.start();
  return {
    mock,
    model: (transport: (typeof TRANSPORTS)[number]): GeminiModel =>
      gemini(MODEL, {
        transport,
        endpoint: endpoint({ baseUrl: mock.url, apiKey: "mock" }),
        retry: { minDelayMs: 1, maxDelayMs: 2 },
      }),
    [Symbol.asyncDispose]: () => mock.stop(),
  };
}

describe.each(faces)("against aimock, by %s", (face, read) => {
  describe.each(TRANSPORTS)("over %s", (transport) => {
    test("a loop with parallel calls comes to its end", async () => {
      await using opened = await open();
      const { mock, model } = opened;
      const result = await read(new Agent({ model: model(transport), tools: TOOLS }), "Weather?");

      expect(result).toMatchObject({ stopReason: "finished", text: ANSWER, turns: 3 });
      expect(result.contents).toEqual([
        user("Weather?"),
        {
          role: "model",
          parts: [
            { text: "The weather first, of both cities.", thought: true },
            { text: "Let me look." },
            { functionCall: { name: "get_weather", args: { city: "Oslo" }, id: "call_1" } },
            { functionCall: { name: "get_weather", args: { city: "Lima" } } },
          ],
        },
        {
          role: "user",
          parts: [
            {
              functionResponse: {
                id: "call_1",
                name: "get_weather",
                response: { output: { city: "Oslo", celsius: 4 } },
              },
            },
            { functionResponse: { name: "get_weather", response: { output: { city: "Lima", celsius: 4 } } } },
          ],
        },
        { role: "model", parts: [{ functionCall: { name: "add", args: { a: 4, b: 4 }, id: "call_2" } }] },
        { role: "user", parts: [{ functionResponse: { id: "call_2", name: "add", response: { output: 8 } } }] },
        { role: "model", parts: [{ text: ANSWER }] },
      ]);
      expect(result.usage).toMatchObject({ requests: 3, inputTokens: 260, outputTokens: 60, totalTokens: 320 });
      expect(mock.getRequests().map(({ response }) => response.status)).toEqual([200, 200, 200]);
      const operation = transport === "stream" ? ":streamGenerateContent" : ":generateContent";
      expect(mock.getRequests().every(({ path }) => path.includes(operation))).toBe(true);
    });

    test.each([
      ["FUNCTION_CALL", "tool_calls"],
      ["STOP", "stop"],
      ["function_call", "function_call"],
      ["TOOL_CALLS", "TOOL_CALLS"],
      ["tool_use", "tool_use"],
    ])("calls that end with %s are made, and the result has the service's word", async (word, finishReason) => {
      await using opened = await open();
      const { mock, model } = opened;
      const toolCalls = [{ name: "get_weather", arguments: '{"city":"Oslo"}' }];
      mock.on({ userMessage: "Oslo?", hasToolResult: false }, { toolCalls, finishReason });
      mock.on({ userMessage: "Oslo?", hasToolResult: true }, { content: "4 degrees." });
      const agent = new Agent({ model: model(transport), tools: [getWeather] });
      expect(await read(agent, "Oslo?")).toMatchObject({ stopReason: "finished", text: "4 degrees.", turns: 2 });
      const once = new Agent({ model: model(transport), tools: [getWeather], stopWhen: [afterTurns(1)] });
      expect(await read(once, "Oslo?")).toMatchObject({ stopReason: "stopped", response: { finishReason: word } });
    });

    test.each([
      ["a claim of calls without a call", "tool_calls", { stopReason: "bad-call", finishReason: "FUNCTION_CALL" }],
      ["a word nobody knows", "WATCHED_POT", { stopReason: "unknown-finish", finishReason: "WATCHED_POT" }],
      ["the token limit", "length", { stopReason: "truncated", text: "4 degrees." }],
      ["a filter", "content_filter", { stopReason: "blocked", finishReason: "SAFETY" }],
    ])("%s is not a success", async (_what, finishReason, end) => {
      await using opened = await open();
      const { mock, model } = opened;
      // The second is the model's response when its call was lost.
      for (const userMessage of ["Oslo?", "could not be parsed"])
        mock.on({ userMessage }, { content: "4 degrees.", finishReason });
      const result = await read(new Agent({ model: model(transport), tools: [getWeather] }), "Oslo?");
      expect(result).toMatchObject(end);
      expect(result).not.toHaveProperty("output");
    });

    test("output by a schema is parsed", async () => {
      await using opened = await open();
      const { mock, model } = opened;
      mock.on({ userMessage: "Oslo as JSON?" }, { content: '{"celsius":4}' });
      const agent = new Agent({ model: model(transport) });
      const result = await typed(face, agent, "Oslo as JSON?", { output: z.object({ celsius: z.number() }) });
      expect(result).toMatchObject({ stopReason: "finished", output: { celsius: 4 } });
    });

    test("a temporary error is retried, and a permanent one is thrown", async () => {
      await using opened = await open();
      const { mock, model } = opened;
      const agent = new Agent({ model: model(transport), tools: TOOLS });
      mock.nextRequestError(503, { message: "Busy." });
      expect(await read(agent, "Weather?")).toMatchObject({ stopReason: "finished", text: ANSWER });
      expect(mock.getRequests().map(({ response }) => response.status)).toEqual([503, 200, 200, 200]);
      await expect(errorOf(read, agent, "Nobody has an answer to this.")).resolves.toMatchObject({
        status: 404,
        message: expect.stringContaining("No fixture matched"),
      });
    });
  });

  test("a stream that breaks off is begun again, and a failure when it breaks off each time", async () => {
    await using opened = await open();
    const { mock, model } = opened;
    mock.on({ userMessage: "A story?" }, { content: "Once in a while. ".repeat(20) }, { truncateAfterChunks: 9 });
    const agent = new Agent({ model: model("stream"), limits: { restarts: 1 } });
    const story = read(agent, "A story?").then(({ stopReason }) => stopReason);
    await expect(story).rejects.toMatchObject({ retryable: true });
    expect(mock.getRequests().length).toBeGreaterThan(1);
  });
});

function errorOf(read: Face, agent: Agent, question: string): Promise<unknown> {
  return read(agent, question).then(
    ({ stopReason }) => stopReason,
    (error: unknown) => (error instanceof ApiStatusError ? error : undefined),
  );
}
