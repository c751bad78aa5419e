import { endpoint, geminiApi, vertex } from "@pollux/core";
import { createEmulator, faults, script, call, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { type CreateRequest, InteractionsClient, OutcomeUnknownError } from "../src/index.ts";
import { type Answer, bytes, clientOf, localClient, collect, frames, json, rawServer } from "./support/raw-server.ts";

const ASK = { model: "gemini-3.8-flash", input: "Hello", store: true } as const;
const RESEARCH = {
  agent: "deep-research-preview-04-2026",
  input: "How do heat pumps work?",
  background: true,
  store: true,
  agent_config: { type: "deep-research", thinking_summaries: "auto" },
} as const;
const DONE = { id: "v1_abc", status: "completed", steps: [] };

/** What a promise is rejected with. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => error,
  );
}

describe("what goes over the wire", () => {
  test("each operation sends one request, with the fields of the API and those that nobody knows", async () => {
    const { url, sent } = await rawServer(json(DONE));
    const client = clientOf(url);
    await client.create({ ...ASK, generation_config: { thinking_level: "low" }, future_field: { a: [1] } });
    await client.create(RESEARCH);
    await client.get("v1_abc");
    await client.get("v1_a/b", { includeInput: true });
    await client.cancel("v1_abc");
    await client.delete("v1_abc");
    await collect(client.stream(ASK)).catch(() => undefined);
    await collect(client.events("v1_abc", { lastEventId: "v1_MV8=" })).catch(() => undefined);
    expect(sent.slice(0, 6)).toEqual([
      'POST /v1beta/interactions {"model":"gemini-3.8-flash","input":"Hello","store":true,"generation_config":{"thinking_level":"low"},"future_field":{"a":[1]}}',
      'POST /v1beta/interactions {"agent":"deep-research-preview-04-2026","input":"How do heat pumps work?","background":true,"store":true,"agent_config":{"type":"deep-research","thinking_summaries":"auto"}}',
      "GET /v1beta/interactions/v1_abc",
      "GET /v1beta/interactions/v1_a%2Fb?include_input=true",
      "POST /v1beta/interactions/v1_abc/cancel",
      "DELETE /v1beta/interactions/v1_abc",
    ]);
    expect(sent[6]).toBe(
      'POST /v1beta/interactions {"model":"gemini-3.8-flash","input":"Hello","store":true,"stream":true}',
    );
    expect(sent.at(-1)).toBe("GET /v1beta/interactions/v1_abc?last_event_id=v1_MV8%3D&stream=true");
  });

  test("an answer is returned as it came: unknown statuses, steps and fields stay", async () => {
    const answer = {
      id: "x",
      status: "pondering",
      steps: [{ type: "dream", of: ["sheep"] }],
      usage: { x: 1 },
      extra: null,
    };
    const { url } = await rawServer(json(answer));
    expect(await clientOf(url).create(ASK)).toEqual(answer);
  });

  test("a conversation with a function, kept by the service", async () => {
    const emulator = createEmulator({ brain: script([call("get_weather", { city: "Oslo" }), say("Four degrees.")]) });
    const client = localClient(emulator);
    const tools = [{ type: "function", name: "get_weather", parameters: { type: "object" } }];
    const first = await client.create({ ...ASK, tools });
    const asked = first.steps?.find(({ type }) => type === "function_call");
    expect([first.status, asked?.name, asked?.arguments]).toEqual(["requires_action", "get_weather", { city: "Oslo" }]);
    const result = {
      type: "function_result",
      call_id: asked?.id,
      name: "get_weather",
      result: [{ type: "text", text: "4" }],
    };
    const second = await client.create({ ...ASK, tools, input: [result], previous_interaction_id: first.id });
    expect([second.status, second.steps?.at(-1)?.content]).toEqual([
      "completed",
      [{ type: "text", text: "Four degrees." }],
    ]);
  });
});

describe("before anything is sent", () => {
  test.each<[string, Partial<CreateRequest> | Record<string, unknown>, string]>([
    ["no store", { ...ASK, store: undefined }, "store must be true or false"],
    ["neither model nor agent", { input: "x", store: true }, "either model or agent"],
    ["both", { ...ASK, agent: "a" }, "either model or agent"],
    ["a stream", { ...ASK, stream: true }, "call stream()"],
    ["background, not stored", { ...RESEARCH, store: false }, "background requires store: true"],
    ["a conversation, not stored", { ...ASK, store: false, previous_interaction_id: "x" }, "requires store: true"],
  ])("%s", async (_, request, message) => {
    const emulator = createEmulator();
    const client = localClient(emulator);
    await expect(client.create(request as CreateRequest)).rejects.toThrow(message);
    await expect(collect(client.stream(request as CreateRequest))).rejects.toThrow(message);
    expect(emulator.requests).toEqual([]);
  });

  test.each([
    ["Vertex AI", vertex({ apiKey: "k", env: {} }), "aiplatform.googleapis.com is Vertex AI"],
    ["a gateway", endpoint({ baseUrl: "https://gateway.example", apiKey: "k" }), "gateway.example is a gateway"],
  ])("%s", async (_, given, message) => {
    expect(() => new InteractionsClient({ endpoint: given })).toThrow(message);
  });

  test("a gateway from the environment, with the first request", async () => {
    const client = new InteractionsClient({ env: { COMETAPI_KEY: "k" } });
    await expect(client.create(ASK)).rejects.toMatchObject({ code: "configuration" });
    await expect(client.get("v1_x")).rejects.toThrow("Developer API only");
  });

  test("options that do not exist, with what to write instead", () => {
    expect(() => new InteractionsClient({ apiKey: "k" } as object)).toThrow("use endpoint: geminiApi({ apiKey: … })");
    expect(() => new InteractionsClient({ retrys: {} } as object)).toThrow('did you mean "retry"?');
  });

  test("an invalid id", async () => {
    const client = new InteractionsClient({ endpoint: geminiApi({ apiKey: "k" }) });
    await expect(client.get("")).rejects.toThrow("an interaction with store: false has none");
  });
});

describe("a request that creates is sent again only if it certainly did nothing", () => {
  const busy = (code: string): object => ({ error: { message: "high demand", code } });

  test.each<[string, Answer]>([
    ["429", json(busy("too_many_requests"), 429)],
    ["503 of the service", json(busy("service_unavailable"), 503)],
    ["503 of the service, framed", framed(503, busy("service_unavailable"))],
  ])("%s: again", async (_, refusal) => {
    const { url, sent } = await rawServer(refusal, json(DONE));
    expect(await clientOf(url).create(ASK)).toEqual(DONE);
    expect(sent.length).toBe(2);
    const streamed = await rawServer(
      refusal,
      bytes(frames([{ event_type: "interaction.completed", interaction: DONE }])),
    );
    expect(await collect(clientOf(streamed.url).stream(ASK))).toHaveLength(1);
    expect(streamed.sent.length).toBe(2);
  });

  test.each<[string, Answer, number?]>([
    ["500", json(busy("api_error"), 500)],
    ["503 of something in between", (response) => response.writeHead(503).end("<html><title>Down</title></html>")],
    ["504", json(busy("deadline_exceeded"), 504)],
    ["408", json(busy("timeout"), 408)],
    ["a reset", (response) => void response.socket?.resetAndDestroy()],
    ["a reset behind half an answer", bytes('{"id":"v1_a', "reset")],
    ["half an answer", bytes('{"id":"v1_a')],
    ["silence", bytes("", "silence"), 50],
    ["a web page", bytes("<html></html>")],
    ["no interaction", json({ hello: 1 })],
  ])("%s: not again, and the error says that the outcome is unknown", async (_, answer, firstByteMs) => {
    const { url, sent } = await rawServer(answer);
    const client = clientOf(url, { timeouts: { firstByteMs } });
    const error = await failureOf(client.create(ASK));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({
      code: "outcome_unknown",
      retryable: false,
      cause: { name: expect.stringMatching(/^Api/) },
    });
    expect(String(error)).not.toContain("secret-key-123");
    expect(sent.length).toBe(1);
  });

  test("a connection that was kept open and is closed meanwhile: not again either", async () => {
    // The second request meets a server that closes the connection instead of an answer.
    const { url, sent } = await rawServer(json(DONE), (response) => void response.socket?.destroy());
    const client = clientOf(url, { httpClient: "node" });
    await client.create(ASK);
    expect(await failureOf(client.create(ASK))).toBeInstanceOf(OutcomeUnknownError);
    expect(sent.length).toBe(2);
  });

  test("no connection at all: the error of the network, after all attempts", async () => {
    const client = clientOf("http://127.0.0.1:9");
    expect(await failureOf(client.create(ASK))).toMatchObject({ code: "api_network", retryable: true });
  });

  test.each([400, 401, 403, 404, 501])("%d: refused for good", async (status) => {
    const { url, sent } = await rawServer(json({ error: { message: "no", code: "invalid_request" } }, status));
    expect(await failureOf(clientOf(url).create(ASK))).toMatchObject({ code: "api_status", status });
    expect(sent.length).toBe(1);
  });

  test("a quota of hours is not waited for", async () => {
    const message = "Rate limit exceeded (limit: 20 requests per day on Free Tier). Please retry in 12h47m5s";
    const { url, sent } = await rawServer(json({ error: { message, code: "too_many_requests" } }, 429));
    expect(await failureOf(clientOf(url).create(ASK))).toMatchObject({ status: 429, retryAfterMs: 46_025_000 });
    expect(sent.length).toBe(1);
  });
});

describe("other requests are repeated", () => {
  test("get, cancel and delete, after a reset and an overload", async () => {
    for (const work of ["get", "cancel", "delete"] as const) {
      const { url, sent } = await rawServer(
        (response) => void response.socket?.resetAndDestroy(),
        json({ error: { message: "later", code: "service_unavailable" } }, 503),
        json(DONE),
      );
      await clientOf(url)[work]("v1_abc");
      expect(sent.length, work).toBe(3);
    }
  });

  test("a delete whose first attempt arrived", async () => {
    const gone = json({ error: { message: "not found", code: "not_found" } }, 404);
    const { url } = await rawServer((response) => void response.socket?.resetAndDestroy(), gone);
    await clientOf(url).delete("v1_abc");
    const other = await rawServer(gone);
    await expect(clientOf(other.url).delete("v1_abc")).rejects.toThrow("There is no interaction v1_abc");
  });
});

describe("wait", () => {
  test("polls until it is over, and tells how far it is", async () => {
    const emulator = createEmulator({ interactions: { polls: 3 } });
    const client = localClient(emulator);
    const { id = "" } = await client.create(RESEARCH);
    const seen: string[] = [];
    const done = await client.wait(id, { pollMs: 1, onProgress: ({ status }) => seen.push(status) });
    expect([seen, done.status]).toEqual([["in_progress", "in_progress", "in_progress"], "completed"]);
  });

  test("goes on with a status that nobody knows, and while a young interaction is forbidden", async () => {
    const { url, sent } = await rawServer(
      json({ error: { message: "no", code: "permission_denied" } }, 403),
      json({ id: "v1_abc", status: "pondering" }),
      json({ id: "v1_abc", status: "failed", errors: [{ code: "api_error" }] }),
    );
    expect(await clientOf(url).wait("v1_abc", { pollMs: 1 })).toMatchObject({ status: "failed" });
    expect(sent.length).toBe(3);
  });

  test("ends with its limit, or its signal", async () => {
    const { url } = await rawServer(json({ id: "v1_abc", status: "in_progress" }));
    const client = clientOf(url);
    const late = await failureOf(client.wait("v1_abc", { timeoutMs: 20, pollMs: 5 }));
    expect(late).toMatchObject({ code: "api_timeout", kind: "total", limitMs: 20 });
    const stop = new AbortController();
    const onProgress = (): void => stop.abort(new Error("enough"));
    await expect(client.wait("v1_abc", { signal: stop.signal, onProgress })).rejects.toThrow("enough");
    await expect(client.wait("v1_abc", { timeoutMs: 0 })).rejects.toThrow("timeoutMs must be a positive number");
  });

  test("cancelled work stays cancelled, and what is deleted is gone", async () => {
    const emulator = createEmulator({ faults: [{ at: 3, fault: faults.overloaded() }] });
    const client = localClient(emulator, { retry: { minDelayMs: 1 } });
    const { id = "" } = await client.create(RESEARCH);
    expect((await client.cancel(id)).status).toBe("cancelled");
    expect((await client.wait(id)).status).toBe("cancelled");
    await client.delete(id);
    await expect(client.get(id)).rejects.toThrow("was deleted or not stored");
  });
});

function framed(status: number, error: object): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "text/event-stream" });
    response.end(`event: error\ndata: ${JSON.stringify({ ...error, event_type: "error" })}\n\n`);
  };
}
