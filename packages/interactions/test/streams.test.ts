import { createEmulator, type EmulatorOptions, faults, type FaultRule } from "@pollux/emulator";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type InteractionEvent, InteractionsClient, type Step, StepsBuilder } from "../src/index.ts";
import { improvise } from "@pollux/emulator/improvise";
import { bytes, clientOf, localClient, collect, frames, json, rawServer } from "./support/raw-server.ts";
import { type Connection, eventsOf, scriptedService } from "./support/scripted-service.ts";

const ASK = { model: "gemini-3.8-flash", input: "Tell me of Oslo", store: true } as const;
const RESEARCH = {
  agent: "deep-research-preview-04-2026",
  input: "How do heat pumps work?",
  background: true,
  store: true,
  agent_config: { type: "deep-research", thinking_summaries: "auto" },
} as const;

function stepsOf(events: readonly InteractionEvent[]): readonly Step[] {
  const builder = new StepsBuilder();
  for (const event of events) builder.add(event);
  return builder.steps;
}

/** Events that must come at most once, as texts. */
function marksOf(events: readonly InteractionEvent[]): readonly string[] {
  return events
    .filter(({ event_type: type }) => type !== "step.delta" && type !== "unknown")
    .map((event) => `${event.event_type} ${"index" in event ? String(event.index) : ""}`);
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
const annotation = fc.record({ type: fc.constant("url_citation"), url: fc.webUrl(), start_index: fc.nat(9) });
const content = fc.oneof(
  fc.record({ type: fc.constant("text"), text }),
  fc.record({ type: fc.constant("text"), text, annotations: fc.array(annotation, { minLength: 1, maxLength: 3 }) }),
  fc.record({ type: fc.constant("image"), data: fc.base64String({ minLength: 4, maxLength: 40 }) }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant("thought"),
    summary: fc.array(fc.record({ type: fc.constant("text"), text }), { minLength: 1, maxLength: 2 }),
    signature: fc.string({ minLength: 1, maxLength: 9 }),
  }),
  // Two texts in a row would be one in a stream.
  fc.record({
    type: fc.constant("model_output"),
    content: fc.array(content, { minLength: 1, maxLength: 4 }).map(apart),
  }),
  fc.record({
    type: fc.constant("function_call"),
    id: fc.string({ minLength: 1, maxLength: 8 }),
    name: fc.constant("f"),
    arguments: fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), text),
  }),
);
const connection: fc.Arbitrary<Connection> = fc.record({
  size: fc.integer({ min: 1, max: 20 }),
  cut: fc.nat(999),
  how: fc.constantFrom("reset", "end", "garbage", "error"),
});

function apart<T extends { readonly type: string }>(contents: readonly T[]): T[] {
  return contents.filter(({ type }, index) => type !== "text" || contents[index - 1]?.type !== "text");
}

describe("a stream that breaks and is resumed", () => {
  test("loses nothing and repeats nothing, wherever and however it breaks", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 4 }),
        fc.array(connection, { maxLength: 3 }),
        async (steps, cuts) => {
          const fetch = scriptedService(steps, cuts);
          const client = new InteractionsClient({
            fetch,
            retry: { minDelayMs: 1, maxAttempts: 9 },
            env: { GEMINI_API_KEY: "k" },
          });
          const events = await collect(client.follow("v1_abc", { pollMs: 1 }));
          expect(stepsOf(events)).toEqual(steps);
          const marks = marksOf(events);
          expect(marks).toEqual([...new Set(marks)]);
          expect(marks.at(-1)).toBe("interaction.completed ");
        },
      ),
      { numRuns: 150 },
    );
  });

  test("with what another process had received, only the rest is delivered", async () => {
    const steps: readonly Step[] = [
      { type: "thought", signature: "s" },
      { type: "model_output", content: [{ type: "text", text: "Nothing is lost here." }] },
    ];
    const all = steps.flatMap((one, index) => eventsOf(one, index, 5));
    for (let have = 0; have <= all.length; have++) {
      const client = new InteractionsClient({ fetch: scriptedService(steps, []), env: { GEMINI_API_KEY: "k" } });
      const rest = await collect(client.follow("v1_abc", { have: all.slice(0, have) }));
      expect(stepsOf([...all.slice(0, have), ...rest])).toEqual(steps);
    }
  });

  test("one that contradicts what was received fails, and says where the truth is", async () => {
    const started = eventsOf({ type: "model_output", content: [{ type: "text", text: "One" }] }, 0, 3).slice(0, 2);
    const client = new InteractionsClient({
      fetch: scriptedService([{ type: "model_output", content: [{ type: "text", text: "Two" }] }], []),
      env: { GEMINI_API_KEY: "k" },
    });
    await expect(collect(client.follow("v1_abc", { have: started }))).rejects.toMatchObject({
      code: "interaction_stream",
      interactionId: "v1_abc",
      message: expect.stringContaining("get() returns the interaction as it is stored"),
    });
  });
});

describe("over a socket, with a service that fails", () => {
  const at = (number: number, fault: FaultRule["fault"]): FaultRule => ({ at: number, fault });

  /** What a research streams with these faults, and what is stored. */
  async function follow(
    options: EmulatorOptions,
  ): Promise<{ events: InteractionEvent[]; stored: readonly Step[]; asked: number }> {
    const emulator = createEmulator({ brain: improvise(), deltaCharacters: 8, ...options });
    await using server = await emulator.listen();
    const client = clientOf(server.url);
    const events = await collect(client.stream(RESEARCH, { pollMs: 1 }));
    const asked = emulator.requests.length;
    const created = events.find(({ event_type: type }) => type === "interaction.created");
    const { id = "" } = created?.event_type === "interaction.created" ? created.interaction : {};
    const { steps = [] } = await client.get(id);
    return { events, stored: steps.filter(({ type }) => type !== "user_input"), asked };
  }

  test.each<[string, EmulatorOptions]>([
    ["nothing", {}],
    ["every byte on its own", { framing: { splitBytes: true } }],
    ["resets", { faults: [at(2, faults.reset({ afterChunks: 4 })), at(3, faults.reset({ afterChunks: 15 }))] }],
    ["ends too early, in a frame", { faults: [at(2, faults.closeMidJson({ atByte: 900 }))] }],
    ["an end without completed", { faults: [at(2, faults.closeEarly({ afterChunks: 12 }))] }],
    ["an error in the stream", { faults: [at(2, faults.errorInStream({ afterChunks: 9 }))] }],
    ["an error before any step", { faults: [at(2, faults.errorInStream({ afterChunks: 0 }))] }],
    ["an overload, unframed", { faults: [at(2, faults.overloaded()), at(3, faults.overloaded())] }],
    ["an overload of the request that creates", { faults: [at(1, faults.overloaded())] }],
  ])("%s: everything arrives once", async (_, options) => {
    const { events, stored } = await follow(options);
    expect(stepsOf(events)).toEqual(stored);
    expect(marksOf(events)).toEqual([...new Set(marksOf(events))]);
    expect(events.at(-1)?.event_type).toBe("interaction.completed");
  });

  test("one whose end alone is missing is not asked for again", async () => {
    expect((await follow({ faults: [at(2, faults.closeEarly({ afterChunks: 999 }))] })).asked).toBe(2);
  });

  test("a failed research ends with its errors", async () => {
    const errors = [{ code: "api_error", message: "no more sources" }];
    const { events } = await follow({ interactions: { research: () => ({ status: "failed", errors }) } });
    expect(events.at(-1)).toMatchObject({
      event_type: "interaction.completed",
      interaction: { status: "failed", errors },
    });
  });

  test("one that never ends is followed until the limit, and the service is not flooded", async () => {
    const emulator = createEmulator({
      brain: improvise(),
      interactions: { research: () => ({ status: "in_progress" }) },
    });
    const client = localClient(emulator);
    const { id = "" } = await client.create(RESEARCH);
    const late = collect(client.follow(id, { timeoutMs: 200, pollMs: 50 }));
    await expect(late).rejects.toMatchObject({ code: "api_timeout", message: expect.stringContaining("it continues") });
    expect(emulator.requests.length).toBeLessThan(15);
  });

  test("a connection that always breaks at the same place fails in the end, with its error", async () => {
    const { url, sent } = await rawServer((response, request) => {
      if (!String(request.url).includes("stream=true"))
        return json({ id: "v1_abc", status: "in_progress" })(response, request, "");
      bytes(frames([{ event_type: "interaction.created", interaction: { id: "v1_abc" } }], false), "reset")(
        response,
        request,
        "",
      );
    });
    const client = clientOf(url, { retry: { maxAttempts: 3, minDelayMs: 1 } });
    await expect(collect(client.follow("v1_abc", { pollMs: 1 }))).rejects.toMatchObject({ code: "api_network" });
    expect(sent.filter((one) => one.includes("stream=true")).length).toBe(4);
  });

  test("a stream that falls silent is opened again", async () => {
    const begun = [{ event_type: "interaction.created", interaction: { id: "v1_abc" } }];
    const over = [
      ...begun,
      { event_type: "interaction.completed", interaction: { id: "v1_abc", status: "completed" } },
    ];
    let streams = 0;
    const { url } = await rawServer((response, request, body) => {
      const isStream = String(request.url).includes("stream=true");
      const answer = isStream && ++streams === 1 ? bytes(frames(begun, false), "silence") : bytes(frames(over));
      (isStream ? answer : json({ id: "v1_abc", status: streams > 1 ? "completed" : "in_progress" }))(
        response,
        request,
        body,
      );
    });
    const client = clientOf(url, { timeouts: { idleMs: 30 } });
    const events = await collect(client.follow("v1_abc", { pollMs: 1 }));
    expect(events.map(({ event_type: type }) => type)).toEqual(["interaction.created", "interaction.completed"]);
  });
});

describe("the stream of a request that is answered at once", () => {
  test("delivers the events as they are, unknown ones and fields too", async () => {
    const sent = [
      { event_type: "interaction.created", interaction: { id: "v1_abc" }, later: true },
      { event_type: "step.start", index: 0, step: { type: "dream" } },
      { event_type: "step.delta", index: 0, delta: { type: "vision", of: 1 } },
      { event_type: "step.delta", index: 0, delta: { type: "vision", of: 1 } },
      { event_type: "step.delta", index: "no number", delta: {} },
      { event_type: "weather.report", rain: true },
      { event_type: "interaction.completed", interaction: { id: "v1_abc", status: "completed" } },
    ];
    const { url } = await rawServer(bytes(frames(sent)));
    const events = await collect(clientOf(url).stream(ASK));
    expect(events.map((event) => (event.event_type === "unknown" ? event.event : event))).toEqual(sent);
    expect(events.filter(({ event_type: type }) => type === "unknown")).toHaveLength(2);
  });

  test.each([4, 6, 9])("cut behind %d events, it is completed from what is stored", async (afterChunks) => {
    const emulator = createEmulator({
      brain: improvise(),
      deltaCharacters: 8,
      faults: [{ at: 1, fault: faults.closeEarly({ afterChunks }) }],
    });
    await using server = await emulator.listen();
    const client = clientOf(server.url);
    const events = await collect(client.stream(ASK, { pollMs: 1 }));
    const [created] = events;
    const { id = "" } = created?.event_type === "interaction.created" ? created.interaction : {};
    expect(stepsOf(events)).toEqual((await client.get(id)).steps?.slice(1));
    // It was not created twice.
    expect(emulator.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  test("cut, and not stored: what came is kept, and the error says what to do", async () => {
    const emulator = createEmulator({
      brain: improvise(),
      faults: [{ at: 1, fault: faults.closeEarly({ afterChunks: 4 }) }],
    });
    await using server = await emulator.listen();
    const seen: InteractionEvent[] = [];
    const work = (async () => {
      for await (const event of clientOf(server.url).stream({ ...ASK, store: false })) seen.push(event);
    })();
    await expect(work).rejects.toMatchObject({
      code: "interaction_stream",
      message: expect.stringContaining("with store: true"),
    });
    expect(seen).toHaveLength(4);
  });

  test("cut before anything is known of it: the outcome is unknown", async () => {
    const { url, sent } = await rawServer(bytes("event: interaction.cre", "reset"));
    await expect(collect(clientOf(url).stream(ASK))).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(sent).toHaveLength(1);
  });

  test("a refusal in the stream is thrown as what it is", async () => {
    const { url, sent } = await rawServer(
      bytes(frames([{ error: { message: "Blocked.", code: "safety" }, event_type: "error" }], false)),
    );
    await expect(collect(clientOf(url).stream(ASK))).rejects.toMatchObject({
      code: "api_status",
      status: 400,
      reason: "safety",
    });
    expect(sent).toHaveLength(1);
  });

  test("leaving the loop, or aborting, ends the request", async () => {
    let closed = 0;
    const begun = frames([{ event_type: "interaction.created", interaction: { id: "v1_abc" } }], false);
    const { url } = await rawServer((response, request, body) => {
      response.on("close", () => closed++);
      bytes(begun, "silence")(response, request, body);
    });
    for await (const _ of clientOf(url).stream(ASK)) break;
    const stop = new AbortController();
    const work = (async () => {
      for await (const _ of clientOf(url).follow("v1_abc", { signal: stop.signal })) stop.abort(new Error("enough"));
    })();
    await expect(work).rejects.toThrow("enough");
    await expect.poll(() => closed).toBe(2);
  });

  test("a stream larger than its limit fails", async () => {
    const delta = { event_type: "step.delta", index: 0, delta: { type: "text", text: "x".repeat(500) } };
    const { url } = await rawServer(bytes(frames(Array.from({ length: 20 }, () => delta))));
    const client = clientOf(url, { maxAnswerBytes: 4_000 });
    await expect(collect(client.stream({ ...ASK, store: false }))).rejects.toMatchObject({
      cause: { code: "api_shape" },
    });
  });
});
