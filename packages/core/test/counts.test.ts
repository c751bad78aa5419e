import { getEventListeners } from "node:events";
import { Agent, type Content, endpoint, gemini, type RunEvent } from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { chunks, countedService, look, PAGE, turns } from "./helpers/counted-service.ts";
import { faces } from "./helpers/faces.ts";
import { EventQueue } from "../src/loop/run-stream.ts";
import { RequestEncoder } from "../src/wire/http/encode-request.ts";
import { FetchRequest } from "../src/wire/http/choose-transport.ts";
import { type HttpRequest, SEND } from "../src/wire/http/transport.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const LIMITS = { limits: { turns: 1000, toolCalls: 1000 } };

/** The views that the encoder gave, and what was in it then. */
function spyOnEncodeView(): readonly { readonly bytes: Uint8Array; readonly text: string }[] {
  const views: { bytes: Uint8Array; text: string }[] = [];
  // The method is called with its own encoder.
  // oxlint-disable-next-line typescript/unbound-method
  const { encodeView } = RequestEncoder.prototype;
  vi.spyOn(RequestEncoder.prototype, "encodeView").mockImplementation(function (this: RequestEncoder, request) {
    const bytes = encodeView.call(this, request);
    views.push({ bytes, text: new TextDecoder().decode(bytes) });
    return bytes;
  });
  return views;
}

/** Everything that JSON.stringify was given and what came of it. */
interface Serialized {
  readonly value: unknown;
  readonly length: number;
}

function spyOnStringify(): readonly Serialized[] {
  const seen: Serialized[] = [];
  const { stringify } = JSON;
  vi.spyOn(JSON, "stringify").mockImplementation((...args: Parameters<typeof JSON.stringify>) => {
    // Typed as a string, and `undefined` for what has no JSON.
    const json = stringify(...args) as string | undefined;
    seen.push({ value: args[0], length: json?.length ?? 0 });
    return json as string;
  });
  return seen;
}

const timesBy = <Key>(keys: readonly Key[]): Map<Key, number> => {
  const times = new Map<Key, number>();
  for (const key of keys) times.set(key, (times.get(key) ?? 0) + 1);
  return times;
};

const isContent = (value: unknown): value is Content => typeof value === "object" && value !== null && "parts" in value;

describe.each(faces)("%s", (face, read) => {
  describe("what is serialized", () => {
    async function serializedIn(count: number): Promise<{ seen: readonly Serialized[]; contents: readonly Content[] }> {
      const { model } = countedService(turns(count));
      const agent = new Agent({ model, tools: [look], limits: { repeats: Number.POSITIVE_INFINITY } });
      const seen = spyOnStringify();
      const { contents, turns: made } = await read(agent, "Look at all pages.", LIMITS);
      vi.restoreAllMocks();
      expect(made).toBe(count);
      return { seen, contents };
    }

    test("each content is, once", async () => {
      const { seen, contents } = await serializedIn(30);
      const times = timesBy(seen.map(({ value }) => value).filter(isContent));
      for (const [index, content] of contents.slice(0, -1).entries()) {
        const count = times.get(content) ?? 0;
        expect(count, `law 4: content ${index} was serialized ${count} times`).toBe(1);
      }
      // The last answer is sent to nobody.
      expect(times.size).toBe(contents.length - 1);
    });

    test("grows with what is new, and with nothing else", async () => {
      const bytesOf = async (count: number): Promise<number> =>
        (await serializedIn(count)).seen.reduce((sum, { length }) => sum + length, 0);
      const [ten, twenty, forty] = [await bytesOf(10), await bytesOf(20), await bytesOf(40)];
      const perTurn = (twenty - ten) / 10;
      // Twenty more turns cost twice as much as ten more, but for the digits of their numbers.
      expect(Math.abs(forty - twenty - 20 * perTurn), `${ten}, ${twenty}, ${forty} characters`).toBeLessThan(200);
      // A turn has a call, and a response that holds a page.
      expect(perTurn).toBeLessThan(1.5 * PAGE.length);
    });

    test("takes no more than four calls a turn", async () => {
      const callsOf = async (count: number): Promise<number> => (await serializedIn(count)).seen.length;
      const [ten, forty] = [await callsOf(10), await callsOf(40)];
      // The answer, its responses, the fields behind the contents, and the calls, to know them when they come again.
      expect((forty - ten) / 30).toBeLessThanOrEqual(4);
      expect(ten).toBeLessThanOrEqual(4 * 10 + 4);
    });

    test("declarations are, once a run", async () => {
      const { seen } = await serializedIn(20);
      const withTools = seen.filter(({ value }) => typeof value === "object" && value !== null && "tools" in value);
      expect(withTools, `law 4: declarations were serialized ${withTools.length} times`).toHaveLength(1);
    });
  });

  test("declarations are made once for an agent, and contents go on as the objects they are", async () => {
    const clone = vi.spyOn(globalThis, "structuredClone");
    const { model } = countedService(turns(12));
    const sent: { readonly contents: readonly Content[]; readonly functions: readonly object[] }[] = [];
    const observe = (seen: ObservedEvent): void => {
      if (seen.type === "request") sent.push(seen.request);
    };
    const agent = new Agent({
      model,
      tools: [look],
      observers: [{ observe }],
      limits: { repeats: Number.POSITIVE_INFINITY },
    });
    const result = await read(agent, "Look at all pages.");
    await read(agent, "And again.");

    expect(sent).toHaveLength(24);
    for (const [turn, { contents }] of sent.slice(0, 12).entries()) {
      const others = contents.filter((content, index) => content !== result.contents[index]).length;
      expect(others, `law 4: contents of request ${turn + 1} that are copies`).toBe(0);
    }
    expect(new Set(sent.map(({ functions }) => functions[0])).size).toBe(1);
    expect(clone, "law 4: structuredClone").not.toHaveBeenCalled();
  });

  test("fetch gets bytes of its own, copied once, and again only for another attempt", async () => {
    const views = spyOnEncodeView();
    const { model, bodies } = countedService(turns(6), (_init, number) =>
      number === 3 ? new Response("{}", { status: 503 }) : undefined,
    );
    await read(
      new Agent({ model, tools: [look], limits: { repeats: Number.POSITIVE_INFINITY } }),
      "Look at all pages.",
    );
    expect(bodies).toHaveLength(7);
    expect(views).toHaveLength(6);
    const [first, second, third, ...others] = views.map(({ text }) => text);
    // Read when all is over: what was sent later has not changed what was sent before.
    const texts = bodies.map((body) => new TextDecoder().decode(body));
    expect(texts).toEqual([first, second, third, third, ...others]);
    for (const body of bodies) expect(body.buffer.byteLength).toBe(body.byteLength);
  });

  test("a transport gets the encoder's own memory", async () => {
    const views = spyOnEncodeView();
    const { bodies, ...service } = countedService(turns(6));
    const sent: (Uint8Array | undefined)[] = [];
    const transport = Object.assign(service.fetch, {
      [SEND]: (request: HttpRequest) => {
        sent.push(request.body);
        return new FetchRequest(request, service.fetch);
      },
    });
    const model = gemini("gemini-2.5-flash", {
      endpoint: endpoint({ baseUrl: "http://service.local", apiKey: "key" }),
      fetch: transport,
    });
    await read(
      new Agent({ model, tools: [look], limits: { repeats: Number.POSITIVE_INFINITY } }),
      "Look at all pages.",
    );
    expect(sent).toHaveLength(6);
    for (const [index, body] of sent.entries())
      expect(body === views[index]?.bytes, `law 4: body ${index + 1} is the encoded one`).toBe(true);
    expect(bodies).toHaveLength(6);
  });

  test("usage is that of the last chunk of each answer", async () => {
    const { model } = countedService([
      chunks([{ text: "One " }, { text: "two " }, { functionCall: { id: "call-1", name: "look", args: { page: 1 } } }]),
      chunks([{ text: "Done." }]),
    ]);
    const { usage } = await read(new Agent({ model, tools: [look] }), "Go.");
    expect(usage).toMatchObject({ requests: 2, inputTokens: 200, outputTokens: 3 + 1, totalTokens: 103 + 101 });
  });

  test("no turn leaves a listener on a signal", async () => {
    const { signal } = new AbortController();
    // The methods are called with their own signal.
    // oxlint-disable-next-line typescript/unbound-method
    const { addEventListener, removeEventListener } = AbortSignal.prototype;
    const registered = new Map<AbortSignal, Set<unknown>>();
    vi.spyOn(AbortSignal.prototype, "addEventListener").mockImplementation(function (
      this: AbortSignal,
      ...args: Parameters<AbortSignal["addEventListener"]>
    ) {
      registered.set(this, (registered.get(this) ?? new Set()).add(args[1]));
      addEventListener.apply(this, args);
    });
    vi.spyOn(AbortSignal.prototype, "removeEventListener").mockImplementation(function (
      this: AbortSignal,
      ...args: Parameters<AbortSignal["removeEventListener"]>
    ) {
      registered.get(this)?.delete(args[1]);
      removeEventListener.apply(this, args);
    });
    const heard = (): number => [...registered.values()].reduce((sum, { size }) => sum + size, 0);
    const byRequest: { readonly given: number; readonly all: number }[] = [];
    const { model } = countedService(turns(25), () => {
      // Node's own listeners of derived signals are seen here, and nowhere else.
      byRequest.push({ given: getEventListeners(signal, "abort").length, all: heard() });
      return undefined;
    });
    const agent = new Agent({ model, tools: [look], limits: { repeats: Number.POSITIVE_INFINITY } });
    await read(agent, "Look at all pages.", { signal });
    expect(byRequest).toHaveLength(25);
    expect(byRequest.at(-1), "law 7: listeners at the last request, and at the second").toEqual(byRequest[1]);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    expect(registered.size).toBeGreaterThan(0);
    expect(heard(), "law 7: listeners that were not removed").toBe(0);
  });

  describe("timers", () => {
    let set: MockInstance<typeof setTimeout>;
    let cleared: MockInstance<typeof clearTimeout>;
    beforeEach(() => {
      set = vi.spyOn(globalThis, "setTimeout");
      cleared = vi.spyOn(globalThis, "clearTimeout");
    });

    test("are at most one a request and one a call, and none is left", async () => {
      const { model } = countedService(turns(25));
      const agent = new Agent({ model, tools: [look], limits: { repeats: Number.POSITIVE_INFINITY } });
      await read(agent, "Look at all pages.");
      const requests = 25;
      const calls = 24;
      expect(set.mock.calls.length, "law 7: timers of a run").toBeLessThanOrEqual(requests + calls);
      const stopped = new Set(cleared.mock.calls.map(([timer]) => timer));
      const left = set.mock.results.filter(({ value }) => !stopped.has(value)).length;
      expect(left, "law 7: timers that were not stopped").toBe(0);
    });

    test("are as many for five hundred chunks as for one", async () => {
      const { model } = countedService([chunks(Array.from({ length: 500 }, (_, index) => ({ text: `${index} ` })))]);
      await read(new Agent({ model }), "Count.");
      expect(set.mock.calls.length).toBeLessThanOrEqual(1);
    });
  });

  test.skipIf(face !== "run")("no event is made of a chunk that nobody watches", async () => {
    const CHUNKS = 400;
    const writes = [vi.spyOn(EventQueue.prototype, "write"), vi.spyOn(EventQueue.prototype, "writeInStep")];
    const { model } = countedService([chunks(Array.from({ length: CHUNKS }, (_, index) => ({ text: `${index} ` })))]);
    const yielded = spyOnYields();
    await read(new Agent({ model }), "Count.");
    for (const write of writes) expect(write, "events written for a reader who is not there").not.toHaveBeenCalled();
    vi.restoreAllMocks();
    const events = new Set(yielded.filter(isEvent));
    expect(
      [...events].map(({ type }) => type),
      "events of a run without a reader",
    ).toEqual([]);
    // Of a chunk: its batch, through the generators of the client.
    expect(yielded.length / CHUNKS, "values a chunk that went through generators").toBeLessThan(3);
  });
});

test("a stream makes one event of each chunk", async () => {
  const CHUNKS = 400;
  const texts = Array.from({ length: CHUNKS }, (_, index) => `${index} `);
  const { model } = countedService([chunks(texts.map((text) => ({ text })))]);
  const writes = vi.spyOn(EventQueue.prototype, "write");
  const events: RunEvent[] = [];
  for await (const event of new Agent({ model }).stream("Count.")) events.push(event);
  expect(events.flatMap((event) => (event.type === "text-delta" ? [event.delta] : []))).toEqual(texts);
  expect(events.map(({ type }) => type).filter((type) => type !== "text-delta")).toEqual([
    "run-start",
    "turn-start",
    "response",
    "turn-end",
    "run-end",
  ]);
  expect(writes.mock.calls.length, "events written by the model's step").toBe(CHUNKS);
});

function isEvent(value: unknown): value is RunEvent {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Everything that generators yield, wherever they stand, until the mocks are restored. */
function spyOnYields(): readonly unknown[] {
  const yielded: unknown[] = [];
  const prototypeOf = <T>(generator: T): T => Object.getPrototypeOf(Object.getPrototypeOf(generator)) as T;
  const later = prototypeOf((async function* (): AsyncGenerator {})());
  const atOnce = prototypeOf((function* (): Generator {})());
  // The methods are called with their own generator.
  // oxlint-disable-next-line typescript/unbound-method
  const [nextLater, nextAtOnce] = [later.next, atOnce.next];
  vi.spyOn(later, "next").mockImplementation(async function (this: AsyncGenerator, ...args) {
    const result = await nextLater.apply(this, args);
    if (result.done !== true) yielded.push(result.value);
    return result;
  });
  vi.spyOn(atOnce, "next").mockImplementation(function (this: Generator, ...args) {
    const result = nextAtOnce.apply(this, args);
    if (result.done !== true) yielded.push(result.value);
    return result;
  });
  return yielded;
}
