import { describe, expect, test } from "vitest";
import { ApiStatusError } from "../../src/errors/api-errors.ts";
import { ConfigurationError } from "../../src/errors/agent-error.ts";
import { gemini, type GeminiModel, type GeminiOptions } from "../../src/model/gemini-model.ts";
import type { ModelNotice, ModelRequest, ModelResponse } from "../../src/model/model.ts";
import type { Content, Part } from "../../src/wire/types/content.ts";
import { endpoint } from "../../src/wire/endpoints/endpoint.ts";
import type { GenerateContentResponse } from "../../src/wire/types/generate-content.ts";

type Transport = "stream" | "unary";
type Answer = GenerateContentResponse | string;

/** Plays one answer per request, the last one again and again; a string is a refusal with that message. */
function service(
  transport: Transport,
  answers: readonly Answer[],
): { sent: { path: string; body: unknown; text: string }[]; options: GeminiOptions } {
  const sent: { path: string; body: unknown; text: string }[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const text = await new Response(init.body as BodyInit).text();
    const { pathname, search } = new URL(url);
    sent.push({ path: pathname + search, body: JSON.parse(text), text });
    const answer = answers[Math.min(sent.length, answers.length) - 1]!;
    if (typeof answer === "string")
      return Response.json({ error: { code: 400, message: answer, status: "INVALID_ARGUMENT" } }, { status: 400 });
    if (transport === "unary") return Response.json(answer);
    return new Response(`data: ${JSON.stringify(answer)}\r\n\r\n`, {
      headers: { "content-type": "text/event-stream" },
    });
  };
  return {
    sent,
    options: {
      transport,
      fetch,
      retry: { maxAttempts: 1 },
      endpoint: endpoint({ baseUrl: "https://generativelanguage.googleapis.com", apiKey: "k" }),
    },
  };
}

const say = (role: Content["role"], ...parts: Part[]): Content => ({ role, parts });
const HI = say("user", { text: "hi" });
const OK: GenerateContentResponse = {
  candidates: [{ content: { role: "model", parts: [{ text: "ok", thoughtSignature: "s" }] }, finishReason: "STOP" }],
};
const ASK: ModelRequest = { contents: [HI], functions: [], builtIns: [], settings: {} };
const WEATHER = {
  name: "weather",
  description: "Weather",
  parametersJsonSchema: {
    type: "object",
    properties: { city: { type: ["string", "null"], const: "Oslo" } },
    additionalProperties: false,
  },
};

async function ask(
  model: GeminiModel,
  request: Partial<ModelRequest> = {},
  conversation?: object,
): Promise<{ response: ModelResponse; parts: Part[]; notices: ModelNotice[] }> {
  const notices: ModelNotice[] = [];
  const parts: Part[] = [];
  const response = await model.respond(
    { ...ASK, ...request },
    {
      signal: new AbortController().signal,
      conversation,
      onParts: (batch) => void parts.push(...batch),
      onNotice: (notice) => notices.push(notice),
    },
  );
  return { response, parts, notices };
}

describe.each<Transport>(["stream", "unary"])("over %s", (transport) => {
  test("the whole body is the request, and the answer arrives unchanged", async () => {
    const { sent, options } = service(transport, [OK]);
    const { response, parts } = await ask(gemini("gemini-3.8-flash", options), {
      instructions: "be brief",
      functions: [WEATHER],
      builtIns: [{ googleSearch: {} }],
      settings: { thinking: "low", temperature: 0 },
    });
    const method = transport === "stream" ? "streamGenerateContent?alt=sse" : "generateContent";
    expect(sent.map(({ path, body }) => ({ path, body }))).toEqual([
      {
        path: `/v1beta/models/gemini-3.8-flash:${method}`,
        body: {
          systemInstruction: { parts: [{ text: "be brief" }] },
          tools: [{ functionDeclarations: [WEATHER] }, { googleSearch: {} }],
          contents: [HI],
          toolConfig: { functionCallingConfig: { mode: "VALIDATED" }, includeServerSideToolInvocations: true },
          generationConfig: { temperature: 0, thinkingConfig: { thinkingLevel: "LOW" } },
        },
      },
    ]);
    expect(parts).toEqual([{ text: "ok", thoughtSignature: "s" }]);
    expect(response).toMatchObject({ content: { role: "model", parts }, finishReason: "STOP" });
  });

  test("an answer in hops is one answer", async () => {
    const hop = {
      candidates: [{ content: { parts: [{ text: "a " }] }, finishReason: "CONTINUATION", continuationToken: "t" }],
    };
    const { sent, options } = service(transport, [hop, OK]);
    const { response, parts } = await ask(gemini("gemini-4-argon", options));
    expect(sent.map(({ body }) => body)).toEqual([{ contents: [HI] }, { contents: [HI], continuationToken: "t" }]);
    expect(response.content.parts).toEqual(parts);
  });

  test("the bytes of a conversation only grow", async () => {
    const { sent, options } = service(transport, [OK]);
    const model = gemini("gemini-3.8-flash", options);
    const conversation = {};
    const request = { instructions: "a", functions: [WEATHER], builtIns: [] };
    const contents = [HI];
    for (const mode of ["ANY", "AUTO", "AUTO"] as const) {
      await ask(model, { ...request, contents: [...contents], calling: { mode } }, conversation);
      contents.push(say("model", { text: "ok" }), say("user", { text: "go on" }));
    }
    const [first, second, third] = sent.map(({ text }) => text.slice(0, text.indexOf('],"toolConfig"')));
    expect([second?.startsWith(first!), third?.startsWith(second!), first?.length]).toEqual([
      true,
      true,
      expect.any(Number),
    ]);
  });

  test("a refusal that no heal fits is thrown as it came", async () => {
    const { sent, options } = service(transport, ["Nothing of the kind."]);
    await expect(ask(gemini("gemini-3.8-flash", options))).rejects.toThrow(ApiStatusError);
    expect(sent).toHaveLength(1);
  });
});

describe("a refused request is changed once and sent again", () => {
  const call = (id: string, thoughtSignature?: string): Part => ({
    functionCall: { id, name: "f", args: {} },
    ...(thoughtSignature !== undefined && { thoughtSignature }),
  });
  const result = (id: string): Part => ({ functionResponse: { id, name: "f", response: {} } });
  const functions = [WEATHER];
  const FLAG_UNKNOWN = `Invalid JSON payload received. Unknown name "includeServerSideToolInvocations" at 'tool_config': Cannot find field.`;
  const mixed = { functions, builtIns: [{ googleSearch: {} }] };
  const DUMMY = "skip_thought_signature_validator";
  const CORRUPTED = "Corrupted thought signature.";

  test.each<[string, string, Partial<ModelRequest>, string, object]>([
    [
      "strip-ids",
      `Invalid JSON payload received. Unknown name "id" at 'contents[1].parts[0].function_call': Cannot find field.`,
      { contents: [HI, say("model", call("1", "s"), { text: "x" }), say("user", result("1"))] },
      "gemini-3.8-flash",
      {
        contents: [
          HI,
          say("model", { functionCall: { name: "f", args: {} }, thoughtSignature: "s" }, { text: "x" }),
          say("user", { functionResponse: { name: "f", response: {} } }),
        ],
      },
    ],
    [
      "schema-subset",
      `Invalid JSON payload received. Unknown name "parametersJsonSchema" at 'tools[0].function_declarations[0]': Cannot find field.`,
      { functions, output: { schema: { type: "object", properties: { a: { type: "integer" } } } } },
      "gemini-3.8-flash",
      {
        tools: [
          {
            functionDeclarations: [
              {
                name: "weather",
                description: "Weather",
                parameters: {
                  type: "OBJECT",
                  properties: { city: { type: "STRING", nullable: true, enum: ["Oslo"] } },
                },
              },
            ],
          },
        ],
        contents: [HI],
        generationConfig: {
          responseMimeType: "application/json",
          responseSchema: { type: "OBJECT", properties: { a: { type: "INTEGER" } } },
        },
      },
    ],
    [
      "drop-tool-flag",
      FLAG_UNKNOWN,
      mixed,
      "gemini-3.8-flash",
      {
        tools: [{ functionDeclarations: functions }, { googleSearch: {} }],
        contents: [HI],
        toolConfig: { functionCallingConfig: { mode: "VALIDATED" } },
      },
    ],
    [
      "drop-thinking",
      "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.",
      { settings: { thinking: "minimal" } },
      "gemini-3.6-flash",
      { contents: [HI] },
    ],
    [
      "sign-calls",
      "Function call is missing a thought_signature in functionCall parts.",
      {
        contents: [
          HI,
          say("model", call("0")),
          say("user", result("0")),
          HI,
          say("model", { text: "" }, call("1"), call("2")),
          say("user", result("1"), result("2")),
        ],
      },
      "gemini-3.8-flash",
      {
        contents: [
          HI,
          say("model", call("0")),
          say("user", result("0")),
          HI,
          say("model", { text: "" }, call("1", DUMMY), call("2")),
          say("user", result("1"), result("2")),
        ],
      },
    ],
    [
      "end-with-user",
      "Requests ending with a model turn are not supported.",
      { contents: [HI, say("model", { text: "Once" })] },
      "gemini-3.8-flash",
      { contents: [HI, say("model", { text: "Once" }), say("user", { text: "Please continue." })] },
    ],
    [
      "any-to-auto",
      "Request contains an invalid argument.",
      { functions, calling: { mode: "ANY", allowedFunctionNames: ["weather"] } },
      "gemini-3.8-flash",
      {
        tools: [{ functionDeclarations: functions }],
        contents: [HI],
        toolConfig: { functionCallingConfig: { mode: "AUTO" } },
      },
    ],
  ])("%s", async (heal, message, request, id, healed) => {
    const { sent, options } = service("unary", [message, OK]);
    const { notices } = await ask(gemini(id, options), request);
    expect(notices).toEqual([{ type: "heal", heal, detail: expect.any(String), breaksPrefix: false }]);
    expect(sent[1]?.body).toEqual(healed);
    expect(sent).toHaveLength(2);
    const again = service("unary", [message]);
    await expect(ask(gemini(id, again.options), request)).rejects.toThrow(ApiStatusError);
    expect(again.sent).toHaveLength(2);
  });

  test("signatures that cannot be read are tried once more, then replaced for good", async () => {
    const { sent, options } = service("unary", [CORRUPTED, CORRUPTED, OK]);
    const model = gemini("gemini-3.8-flash", options);
    const conversation = {};
    const old = say("model", { text: "old", thoughtSignature: "fine" });
    const contents = [HI, old, HI, say("model", call("1", "foreign")), say("user", result("1"))];
    const { notices } = await ask(model, { contents }, conversation);
    expect(notices.map((notice) => "heal" in notice && notice.heal)).toEqual(["repeat-request", "replace-signatures"]);
    const healed = [HI, old, HI, say("model", call("1", DUMMY)), say("user", result("1"))];
    expect(sent.map(({ body }) => body)).toEqual([{ contents }, { contents }, { contents: healed }]);

    const later = [say("model", call("2", "own")), say("user", result("2"))];
    await ask(model, { contents: [...contents, ...later] }, conversation);
    expect(sent[3]?.body).toEqual({ contents: [...healed, ...later] });
  });

  test("what holds for a model is remembered, what held for one request is not", async () => {
    const { sent, options } = service("unary", [FLAG_UNKNOWN, OK]);
    const model = gemini("gemini-3.8-flash", options);
    await ask(model, mixed);
    const { notices } = await ask(model, mixed);
    expect([sent.length, notices]).toEqual([3, []]);
    expect(sent[2]?.body).toEqual(sent[1]?.body);

    const forced = service("unary", ["Request contains an invalid argument.", OK]);
    const other = gemini("gemini-3.8-flash", forced.options);
    const request = { functions, calling: { mode: "ANY" as const } };
    await ask(other, request);
    await ask(other, request);
    expect(forced.sent[2]?.body).toEqual(forced.sent[0]?.body);
  });

  test("requests that are rejected at the same time are all healed", async () => {
    const { sent, options } = service("unary", [FLAG_UNKNOWN, FLAG_UNKNOWN, OK]);
    const model = gemini("gemini-3.8-flash", options);
    const asked = await Promise.all([ask(model, mixed), ask(model, mixed)]);
    const heal = { type: "heal", heal: "drop-tool-flag", detail: expect.any(String), breaksPrefix: false };
    expect(asked.map(({ notices }) => notices)).toEqual([[heal], [heal]]);
    expect(sent[3]?.body).toEqual(sent[2]?.body);
    expect(sent).toHaveLength(4);
  });

  test("a flag that one answer takes away the next can ask for again", async () => {
    const { sent, options } = service("unary", [
      FLAG_UNKNOWN,
      "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling.",
      OK,
    ]);
    const { notices } = await ask(gemini("gemini-3.8-flash", options), mixed);
    expect(notices.map((notice) => "heal" in notice && notice.heal)).toEqual(["drop-tool-flag", "add-tool-flag"]);
    expect(sent[2]?.body).toEqual(sent[0]?.body);
  });

  test("changed contents keep their identity, so the bytes go on growing", async () => {
    const { sent, options } = service("unary", [
      `Unknown name "id" at 'contents[1].parts[0].function_call': Cannot find field.`,
      OK,
    ]);
    const model = gemini("gemini-3.8-flash", options);
    const conversation = {};
    const contents = [HI, say("model", call("1", "s")), say("user", result("1"))];
    await ask(model, { contents }, conversation);
    await ask(model, { contents: [...contents, HI] }, conversation);
    expect(sent[2]?.text.startsWith(sent[1]!.text.slice(0, -2))).toBe(true);
    expect(contents[1]).toEqual(say("model", call("1", "s")));
  });
});

describe("making a model", () => {
  test("without a key anywhere fails with its first request, which is not repeated", async () => {
    const model = gemini("gemini-flash-latest", { env: {} });
    await expect(ask(model)).rejects.toThrow(ConfigurationError);
    await expect(ask(model)).rejects.toThrow(
      "No API key: set GEMINI_API_KEY (from https://aistudio.google.com/apikey)",
    );
  });

  test("from an environment with an invalid address is an error", () => {
    expect(() => gemini("gemini-flash-latest", { env: { GOOGLE_GEMINI_BASE_URL: "emulator" } })).toThrow(
      ConfigurationError,
    );
  });

  test("with an invalid id is an error", () => {
    expect(() => gemini("../secrets", service("unary", []).options)).toThrow(ConfigurationError);
  });

  test("takes corrections of what the id says", async () => {
    const { sent, options } = service("unary", [OK]);
    const { transport: _transport, ...rest } = options;
    const model = gemini("my-gateway-name", { ...rest, capabilities: { streaming: false, thinking: "none" } });
    expect(() => model.check({ thinking: "low" })).toThrow(/does not think/);
    await ask(model);
    expect(sent[0]?.path).toBe("/v1beta/models/my-gateway-name:generateContent");
  });
});

test("an abort ends the answer with its own reason, and no request is left", async () => {
  const abort = new AbortController();
  let request: AbortSignal | null | undefined;
  const fetch = (_url: string, init: RequestInit): Promise<Response> => {
    request = init.signal;
    queueMicrotask(() => abort.abort(new Error("enough")));
    return new Promise(() => {});
  };
  const model = gemini("gemini-3.8-flash", { ...service("stream", []).options, fetch });
  await expect(model.respond(ASK, { signal: abort.signal })).rejects.toThrow("enough");
  expect(request?.aborted).toBe(true);
});

test("an abort in the middle of the answer cancels the request", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) =>
      controller.enqueue(
        new TextEncoder().encode(
          `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: "a" }] } }] })}\n\n`,
        ),
      ),
    cancel: () => {
      cancelled = true;
    },
  });
  const fetch = (): Promise<Response> =>
    Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  const abort = new AbortController();
  const batches: (readonly Part[])[] = [];
  const answer = gemini("gemini-3.8-flash", { ...service("stream", []).options, fetch }).respond(ASK, {
    signal: abort.signal,
    onParts: (batch) => {
      batches.push(batch);
      abort.abort(new Error("enough"));
    },
  });
  await expect(answer).rejects.toThrow("enough");
  expect(batches).toEqual([[{ text: "a" }]]);
  expect(cancelled).toBe(true);
});
