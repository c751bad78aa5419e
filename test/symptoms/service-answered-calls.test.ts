import { showSession } from "@pollux/cli";
import {
  Agent,
  type Content,
  defineTool,
  importHistory,
  type Json,
  MemoryStore,
  type Part,
  runSoFar,
  type SessionEntry,
} from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import { checkSession, repairSession } from "@pollux/core/doctor";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventsOf, faces } from "../../packages/core/test/helpers/faces.ts";
import { answer, chunk, eventStream, openRawService, type RawAnswer } from "../support/raw-service.ts";

const FORECAST: Part = { functionCall: { name: "get_forecast", args: { city: "Oslo" } } };
const RESULT: Part = {
  functionResponse: { name: "get_forecast", response: { call_tool_result_json: '{"celsius":4}' } },
};
const withId = (id: string): readonly [Part, Part] => [
  { functionCall: { id, ...FORECAST.functionCall! } },
  { functionResponse: { id, ...RESULT.functionResponse! } },
];
const BOOK: Part = { functionCall: { name: "book", args: { day: 1 } } };
const TEXTS: readonly Part[] = [{ text: "It is 4 °C " }, { text: "in Oslo." }];
const SAID: Part = { text: "It is 4 °C in Oslo." };

/** The service's stream: STOP in the first and the last chunk, and not in between. */
const streamed = (...parts: readonly Part[]): RawAnswer => ({
  body: eventStream(
    ...parts.map((part, i) => {
      if (i === 0) {
        const made = chunk([part], "STOP") as { candidates: object[] };
        Object.assign(made.candidates[0]!, { finishMessage: "Model generated function call(s)." });
        return { ...made, turnToken: "v1:t" };
      }
      return { ...chunk([part], i === parts.length - 1 ? "STOP" : undefined), turnToken: "v1:t" };
    }),
  ),
});
const unary = (...parts: readonly Part[]): RawAnswer => ({
  type: "application/json",
  body: JSON.stringify(chunk(parts, "STOP")),
});
const transports = [
  ["stream", streamed],
  ["unary", unary],
] as const;

const bookTool = (booked: unknown[]) =>
  defineTool({
    name: "book",
    description: "Books a day.",
    input: z.object({ day: z.number() }),
    run: ({ day }) => (booked.push(day), "booked"),
  });

const user = (text: string): Content => ({ role: "user", parts: [{ text }] });
const model = (...parts: readonly Part[]): Content => ({ role: "model", parts });
const responses = (...parts: readonly Part[]): Content => ({ role: "user", parts });
const response = (name: string, output: unknown, id?: string): Part => ({
  functionResponse: { ...(id !== undefined && { id }), name, response: { output } },
});
const contentsOf = (body: string | undefined): unknown =>
  (JSON.parse(body ?? "{}") as { readonly contents?: unknown }).contents;

describe.each(faces)("%s", (_face, read) => {
  describe.each(transports)("over %s", (transport, say) => {
    test.each([
      ["without IDs", [FORECAST, RESULT]],
      ["with IDs", withId("a1")],
      ["with an ID on the call only", [withId("a1")[0], RESULT]],
    ])("a call %s that the service answered is not answered again", async (_ids, pair) => {
      await using service = await openRawService(say(...pair, ...TEXTS), say(...TEXTS));
      const booked: unknown[] = [];
      const observed: ObservedEvent[] = [];
      const agent = new Agent({
        model: service.model(undefined, { transport }),
        tools: [bookTool(booked)],
        observers: [{ observe: (one) => void observed.push(one) }],
      });
      const result = await read(agent, "Weather?");
      expect(result).toMatchObject({ stopReason: "finished", text: "It is 4 °C in Oslo.", turns: 1 });
      const content = model(...pair, SAID);
      expect(result.contents).toEqual([user("Weather?"), content]);
      expect(service.bodies).toHaveLength(1);
      expect(observed.filter((one) => one.type === "step-start").map(({ step }) => step.name)).toEqual(["model:1"]);

      const next = await read(agent, [...result.contents, user("And then?")]);
      expect(next.stopReason).toBe("finished");
      expect(contentsOf(service.bodies[1])).toEqual([user("Weather?"), content, user("And then?")]);
    });

    test("of a mixture exactly the open calls are answered, in call order", async () => {
      const first: readonly Part[] = [BOOK, FORECAST, RESULT, { text: "I book." }, { functionCall: { name: "nope" } }];
      await using service = await openRawService(say(...first), say({ text: "Booked." }));
      const booked: unknown[] = [];
      const seen: unknown[] = [];
      const agent = new Agent({
        model: service.model(undefined, { transport }),
        tools: [bookTool(booked)],
        stopWhen: [
          ({ lastCalls, toolCalls }) => (
            seen.push(
              lastCalls.map(({ name }) => name),
              toolCalls,
            ),
            false
          ),
        ],
      });
      const result = await read(agent, "Go.");
      expect(result).toMatchObject({ stopReason: "finished", text: "Booked." });
      expect(booked).toEqual([1]);
      expect(seen).toEqual([["book", "nope"], 2]);
      expect(contentsOf(service.bodies[1])).toEqual([
        user("Go."),
        model(...first),
        responses(response("book", "booked"), {
          functionResponse: { name: "nope", response: { error: expect.stringContaining("nope") } },
        }),
      ]);
    });

    test("of two calls of the same name the first is the one that is answered", async () => {
      const later: Part = { functionCall: { name: "book", args: { day: 2 } } };
      const own = response("book", "by the service");
      await using service = await openRawService(say(BOOK, later, own), say({ text: "Booked." }));
      const booked: unknown[] = [];
      const agent = new Agent({ model: service.model(undefined, { transport }), tools: [bookTool(booked)] });
      await read(agent, "Go.");
      expect(booked).toEqual([2]);
      expect(contentsOf(service.bodies[1])).toEqual([
        user("Go."),
        model(BOOK, later, own),
        responses(response("book", "booked")),
      ]);
    });

    test("a gateway's word for calls does not make an answered call an open one", async () => {
      const body = JSON.stringify(chunk([FORECAST, RESULT, SAID], "tool_calls"));
      await using service = await openRawService(
        transport === "unary"
          ? { type: "application/json", body }
          : { body: eventStream(chunk([FORECAST, RESULT, SAID], "tool_calls")) },
      );
      const result = await read(new Agent({ model: service.model(undefined, { transport }) }), "Weather?");
      expect(result).toMatchObject({ stopReason: "finished", text: "It is 4 °C in Oslo." });
      expect(service.bodies).toHaveLength(1);
    });

    test("an answered call and nothing else is an empty answer", async () => {
      await using service = await openRawService(say(FORECAST, RESULT), say(...TEXTS));
      const result = await read(new Agent({ model: service.model(undefined, { transport }) }), "Weather?");
      expect(result).toMatchObject({ stopReason: "finished", text: "It is 4 °C in Oslo.", turns: 1 });
      expect(service.bodies).toHaveLength(2);
      expect(result.contents).toEqual([user("Weather?"), model(SAID)]);
    });
  });

  test("the service's contents of one turn each, as some clients keep them, can be sent", async () => {
    const history = [user("Weather?"), model(FORECAST), model(RESULT), model(TEXTS[0]!), model(TEXTS[1]!)];
    await using service = await openRawService(answer({ text: "You are welcome." }));
    const input = [...history, user("Thanks.")];
    const result = await read(new Agent({ model: service.model() }), input);
    expect(result.stopReason).toBe("finished");
    expect(contentsOf(service.bodies[0])).toEqual(input);
  });

  test("a stream that breaks after the call, or inside the text, starts over", async () => {
    const [call, own, text] = [FORECAST, RESULT, { text: "It is" }];
    const cut: RawAnswer = { body: eventStream(chunk([call], "STOP"), chunk([own]), chunk([text])) };
    await using service = await openRawService(cut, streamed(FORECAST, RESULT, ...TEXTS));
    const result = await read(new Agent({ model: service.model() }), "Weather?");
    expect(result).toMatchObject({ stopReason: "finished", text: "It is 4 °C in Oslo." });
    expect(result.contents).toEqual([user("Weather?"), model(FORECAST, RESULT, SAID)]);
    expect(service.bodies).toHaveLength(2);
  });

  test("what had come when it broke for good can be sent, the answered call included", async () => {
    const cut: RawAnswer = {
      body: eventStream(chunk([FORECAST], "STOP"), chunk([RESULT]), chunk([{ text: "It is" }]), chunk([BOOK])),
    };
    await using service = await openRawService(cut, answer({ text: "Hm." }));
    const failed = await read(new Agent({ model: service.model(), limits: { restarts: 0 } }), "Weather?").catch(
      (error: unknown) => error,
    );
    const contents = runSoFar(failed)?.contents ?? [];
    expect(contents).toEqual([user("Weather?"), model(FORECAST, RESULT, { text: "It is" })]);
    const next = await read(new Agent({ model: service.model() }), [...contents, user("Go on.")]);
    expect(next.stopReason).toBe("finished");
  });

  test("compaction can cut before and after the call's content, and the summary includes its result", async () => {
    const early = "Tell me all about it, please. ".repeat(40);
    const history = [user(early), model(FORECAST, RESULT, SAID), user("Thanks."), model({ text: "You are welcome." })];
    await using service = await openRawService(answer({ text: "It was cold." }), answer({ text: "Bye." }));
    const cuts: (readonly number[])[] = [];
    const agent = new Agent({
      model: service.model(),
      compaction: { policy: ({ boundaries }) => (cuts.push(boundaries), cuts.length === 1 ? 2 : undefined) },
    });
    const result = await read(agent, [...history, user("Bye.")]);
    expect(result).toMatchObject({ stopReason: "finished", text: "Bye." });
    expect(cuts[0]).toEqual([0, 2, 4]);
    expect(contentsOf(service.bodies[0])).toEqual([user(early), history[1], user(expect.any(String) as never)]);
    expect(contentsOf(service.bodies[1])).toEqual([
      user(expect.stringContaining("It was cold.") as never),
      ...history.slice(2),
      user("Bye."),
    ]);
  });
});

test("a reader sees the call, the response and the text as they come", async () => {
  await using service = await openRawService(streamed(FORECAST, RESULT, ...TEXTS));
  const { events } = await eventsOf(new Agent({ model: service.model() }), "Weather?");
  const seen = events.map((event) => (event.type === "part" ? event.part : event.type));
  // Chunks that arrive together may be one delta.
  expect(seen.filter((one, i) => one !== seen[i - 1])).toEqual([
    "run-start",
    "turn-start",
    FORECAST,
    RESULT,
    "text-delta",
    "response",
    "turn-end",
    "run-end",
  ]);
});

describe("in a session", () => {
  const record = async (...answers: readonly RawAnswer[]) => {
    const service = await openRawService(...answers);
    const store = new MemoryStore();
    const session = new Agent({ model: service.model("gemini-2.5-flash"), tools: [bookTool([])] }).session({
      id: "s",
      store,
    });
    await session.send("Weather?");
    await session.send("Thanks.");
    const log = (await store.load("s")) as unknown as readonly SessionEntry[];
    return {
      service,
      session,
      log,
      lines: log.map((value) => ({ value })),
      [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
    };
  };

  test("the turn is kept, sent and read back as it came, and a doctor finds nothing wrong", async () => {
    await using recorded = await record(streamed(FORECAST, RESULT, ...TEXTS), answer({ text: "Bye." }));
    const contents = [user("Weather?"), model(FORECAST, RESULT, SAID), user("Thanks."), model({ text: "Bye." })];
    expect(await recorded.session.history()).toEqual(contents);
    expect(contentsOf(recorded.service.bodies[1])).toEqual(contents.slice(0, 3));
    expect(checkSession(recorded.lines)).toEqual({ problems: [], notes: [] });
    expect(repairSession(recorded.lines)).toEqual({ entries: recorded.log, done: [], refused: undefined });
    await expect(recorded.session.fork({ contents: 2 })).resolves.toBeDefined();
    expect(showSession(recorded.log)).toMatch(
      /call +get_forecast\(.*\), by the service\n.*result +get_forecast: .*celsius.*\n.*It is 4 °C in Oslo\./,
    );
  });

  test("a doctor who lost the end of a run rebuilds it with the open calls answered", async () => {
    await using recorded = await record(
      streamed(FORECAST, RESULT, { text: "I book." }, BOOK),
      answer({ text: "Booked." }),
      answer({ text: "Bye." }),
    );
    const end = recorded.log.findIndex(({ type }) => type === "end");
    const { entries, done } = repairSession(recorded.lines.toSpliced(end, 1));
    expect(done).toHaveLength(1);
    const store = new MemoryStore();
    await store.append("r", 0, entries as unknown as readonly Json[]);
    const session = new Agent({ model: recorded.service.model() }).session({ id: "r", store });
    expect((await session.history()).slice(0, 4)).toEqual([
      user("Weather?"),
      model(FORECAST, RESULT, { text: "I book." }, BOOK),
      responses(response("book", "booked")),
      model({ text: "Booked." }),
    ]);
  });

  test("a doctor answers what is open in contents of one turn, and nothing else", async () => {
    const history = (...contents: readonly Content[]) => [
      { value: { v: 3, at: 1, type: "history", parts: [{ contents }] } },
    ];
    const sound = [user("?"), model(FORECAST), model(RESULT), model(BOOK), responses(response("book", 1)), model(SAID)];
    expect(checkSession(history(...sound)).problems).toEqual([]);
    const [repaired] = repairSession(history(...sound.toSpliced(4, 1))).entries;
    expect(repaired).toMatchObject({
      parts: [
        {
          contents: [
            ...sound.slice(0, 4),
            responses({ functionResponse: { name: "book", response: { error: expect.any(String) } } }),
            sound[5],
          ],
        },
      ],
    });
  });
});

describe("an import", () => {
  test("keeps the service's responses where they are, with the IDs of their calls", () => {
    const contents = [
      user("?"),
      model(FORECAST, RESULT, SAID, BOOK),
      responses(response("book", "booked")),
      model(FORECAST),
      model(RESULT),
      model({ text: "Bye." }),
    ];
    const [call, own] = withId("call-1");
    expect(importHistory(contents, { model: "gemini-2.5-flash" })).toEqual([
      user("?"),
      model(call, own, SAID, { functionCall: { ...BOOK.functionCall!, id: "call-2" } }),
      responses(response("book", "booked", "call-2")),
      model(...withId("call-3"), { text: "Bye." }),
    ]);
    expect(importHistory(contents, { model: "gemini-2.5-flash", ids: "strip" })).toEqual([
      ...contents.slice(0, 3),
      model(FORECAST, RESULT, { text: "Bye." }),
    ]);
  });

  test("refuses a response of the model's that answers no call of it, or drops it", () => {
    const contents = [user("?"), model(RESULT, SAID)];
    expect(() => importHistory(contents)).toThrow(
      /the model's response of get_forecast in contents\[1\] answers no call/,
    );
    expect(importHistory(contents, { orphans: "repair" })).toEqual([user("?"), model(SAID)]);
  });
});
