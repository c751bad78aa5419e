import {
  Agent,
  type Content,
  defineTool,
  googleSearch,
  type Hooks,
  type PrepareTurn,
  importHistory,
  media,
  type Part,
  runSoFar,
} from "@pollux/core";
import { call, calls, script, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces, typed } from "../../packages/core/test/helpers/faces.ts";
import { answer, openRawService } from "../support/raw-service.ts";
import { sentBy, sketch, sketches } from "../support/sketch.ts";
import { add, byStep, getWeather, TOOLS, user } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { openWorld, refusals } from "../support/world.ts";

const SIGNED = { thoughtSignature: "skip_thought_signature_validator" };
const calling = (...ids: readonly string[]): Content => ({
  role: "model",
  parts: ids.map((id, i) => ({
    functionCall: { id, name: "get_weather", args: { city: id } },
    ...(i === 0 && SIGNED),
  })),
});
const answering = (...ids: readonly string[]): Content => ({
  role: "user",
  parts: ids.map((id) => ({ functionResponse: { id, name: "get_weather", response: { output: 4 } } })),
});
const SAID: Content = { role: "model", parts: [{ text: "4 degrees." }] };

describe.each(faces)("%s", (face) => {
  test("one tool crashes, one is refused, one never ends, one is unknown, one works: each call has one response, in order", async () => {
    const tools = [
      defineTool({ name: "crashes", description: "x", run: () => Promise.reject(new Error("disk on fire")) }),
      defineTool({ name: "hangs", description: "x", timeoutMs: 20, run: () => new Promise<never>(() => {}) }),
      defineTool({ name: "gives_nothing", description: "x", run: () => undefined }),
      getWeather,
    ];
    const names = ["crashes", "hangs", "gives_nothing", "deleted_tool", "get_weather"];
    await using world = await openWorld({
      brain: byStep(
        () => calls(...names.map((name) => ({ name, args: name === "get_weather" ? { city: "Oslo" } : {} }))),
        () => say("One of five."),
      ),
    });
    const hooks: Hooks = {
      beforeCall: ({ call: { name } }) => (name === "gives_nothing" ? { deny: "not today" } : undefined),
    };
    const seen = await watch(face, new Agent({ model: world.model(), tools, hooks }), "Go.");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "One of five." });
    const asked = seen.contents[1]?.parts.flatMap(({ functionCall }) => functionCall ?? []) ?? [];
    const responses = seen.contents[2]?.parts ?? [];
    expect(responses.map(({ functionResponse }) => [functionResponse?.name, functionResponse?.id])).toEqual(
      asked.map(({ name, id }) => [name, id]),
    );
    expect(responses.map(({ functionResponse }) => Object.keys(functionResponse?.response ?? {}))).toEqual([
      ["error"],
      ["error"],
      ["error"],
      ["error"],
      ["output"],
    ]);
    expect(responses[0]?.functionResponse?.response).toEqual({ error: "crashes failed with an internal error" });
    expect(JSON.stringify(responses[3])).toMatch(/error.*get_weather/);
    expect(sentBy(world)[1]?.contents[2]).toEqual(seen.contents[2]);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("parallel calls overlap: each waits for all the others to have begun", async () => {
    let release = (): void => {};
    const all = new Promise<void>((resolve) => (release = resolve));
    let begun = 0;
    const meet = defineTool({
      name: "meet",
      description: "x",
      input: z.object({ who: z.string() }),
      run: async ({ who }) => {
        if (++begun === 4) release();
        await all;
        return who;
      },
    });
    await using world = await openWorld({
      brain: byStep(
        () => calls(...["a", "b", "c", "d"].map((who) => ({ name: "meet", args: { who } }))),
        () => say("All met."),
      ),
    });
    const { contents } = await watch(face, new Agent({ model: world.model(), tools: [meet] }), "Meet.");
    expect(contents[2]?.parts.map(({ functionResponse }) => functionResponse?.response)).toEqual([
      { output: "a" },
      { output: "b" },
      { output: "c" },
      { output: "d" },
    ]);
  });

  test("a user cancels while tools run: the history answers every call, and goes on", async () => {
    const abort = new AbortController();
    const hangs = defineTool({
      name: "hangs",
      description: "x",
      run: () => new Promise<never>(() => setImmediate(() => abort.abort(new Error("enough")))),
    });
    const both = calls("hangs", { name: "get_weather", args: { city: "Oslo" } });
    await using world = await openWorld({ brain: script([both, say("Fine.")]) });
    const agent = new Agent({ model: world.model(), tools: [hangs, getWeather] });
    const seen = await watch(face, agent, "Go.", { signal: abort.signal });
    expect(seen.error).toMatchObject({ message: "enough" });
    expect(seen.contents.at(-1)?.parts.map(({ functionResponse }) => functionResponse?.name)).toEqual([
      "hangs",
      "get_weather",
    ]);
    expect(sketch(seen.contents).at(-1)).toMatch(/^user: hangs <- \{"error":"cancelled/);
    const after = await watch(face, agent, [...seen.contents, user("And now?")]);
    expect(after.result).toMatchObject({ stopReason: "finished", text: "Fine." });
    expect(refusals(world.emulator)).toEqual([]);
  });

  test.each<[string, Part]>([
    ["without ids", { functionCall: { name: "get_weather", args: { city: "Oslo" } } }],
    ["with empty ids", { functionCall: { id: "", name: "get_weather", args: { city: "Oslo" } } }],
  ])("calls %s are answered without ids, also when they are cut off", async (_what, part) => {
    await using service = await openRawService(answer(part, part), answer({ text: "4 and 4." }));
    const seen = await watch(face, new Agent({ model: service.model(), tools: [getWeather] }), "Weather?");
    const response = { functionResponse: { name: "get_weather", response: { output: { city: "Oslo", celsius: 4 } } } };
    expect(seen.contents).toEqual([
      user("Weather?"),
      { role: "model", parts: [part, part] },
      { role: "user", parts: [response, response] },
      { role: "model", parts: [{ text: "4 and 4." }] },
    ]);

    const abort = new AbortController();
    const hangs = defineTool({
      name: "get_weather",
      description: "x",
      input: z.object({ city: z.string() }),
      run: () => (abort.abort(new Error("enough")), new Promise<never>(() => {})),
    });
    await using again = await openRawService(answer(part));
    const cut = await watch(face, new Agent({ model: again.model(), tools: [hangs] }), "Weather?", {
      signal: abort.signal,
    });
    expect(Object.keys(cut.contents.at(-1)?.parts[0]?.functionResponse ?? {})).toEqual(["name", "response"]);
  });

  test("calls that share one id are answered one by one, in order", async () => {
    const part = (city: string): Part => ({ functionCall: { id: "same", name: "get_weather", args: { city } } });
    await using service = await openRawService(answer(part("Oslo"), part("Roma!")), answer({ text: "4 and 5." }));
    const seen = await watch(face, new Agent({ model: service.model(), tools: [getWeather] }), "Weather?");
    expect(seen.contents[2]?.parts).toEqual(
      ["Oslo", "Roma!"].map((city) => ({
        functionResponse: {
          id: "same",
          name: "get_weather",
          response: { output: { city, celsius: city.length } },
        },
      })),
    );
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "4 and 5." });
  });

  describe("a history that was cut in the wrong place is refused before anything is sent", () => {
    test.each<[string, readonly Content[], string]>([
      [
        "it begins with a call",
        [calling("a"), answering("a"), SAID, user("And?")],
        "contents[0] calls get_weather before",
      ],
      ["it begins with a response", [answering("a"), SAID, user("And?")], "contents[0] answers get_weather, which"],
      ["a response without its call", [user("Hi."), SAID, answering("a")], "contents[2] answers get_weather, which"],
      [
        "a response after its answer",
        [user("Hi."), calling("a"), answering("a"), SAID, answering("a")],
        "contents[4] answers get_weather, which",
      ],
      [
        "a call nobody answered",
        [user("Hi."), calling("a"), user("And?")],
        "contents[1] calls get_weather, and the next content contains no response",
      ],
      [
        "a call that was answered by a text of the model",
        [user("Hi."), calling("a"), SAID, user("And?")],
        "contents[2] calls get_weather, and the next content",
      ],
      ["one of two calls", [user("Hi."), calling("a", "b"), answering("a")], "only 1 of 2 are answered (get_weather)"],
      [
        "a response too many",
        [user("Hi."), calling("a"), answering("a", "b")],
        "contents[2] answers get_weather, which the previous content does not call",
      ],
      [
        "responses in two contents",
        [user("Hi."), calling("a", "b"), answering("a"), answering("b")],
        "contents[3] answers get_weather separately from the others",
      ],
      [
        "a response behind a text of the user",
        [user("Hi."), calling("a"), user("Wait."), answering("a")],
        "contents[3] answers get_weather separately from the others",
      ],
      [
        "another id",
        [user("Hi."), calling("a"), answering("b")],
        "contents[2] answers get_weather (id b), and contents[1] calls get_weather (id a)",
      ],
      [
        "another name",
        [
          user("Hi."),
          calling("a"),
          { role: "user", parts: [{ functionResponse: { id: "a", name: "f", response: {} } }] },
        ],
        "contents[2] answers f (id a)",
      ],
    ])("%s", async (_what, history, message) => {
      await using world = await openWorld({ brain: byStep(() => say("Hello.")) });
      const seen = await watch(face, new Agent({ model: world.model(), tools: TOOLS }), history);
      expect(seen.error).toMatchObject({ code: "configuration", message: expect.stringContaining(message) });
      expect(world.emulator.requests).toHaveLength(0);
      expect(runSoFar(seen.error)?.contents).toEqual(history);
      seen.saw("run-start turn-start");

      // The service would refuse it too, and accepts the repaired history.
      const raw = await world.emulator.fetch("/v1beta/models/gemini-3.8-flash:generateContent?key=k", {
        method: "POST",
        body: JSON.stringify({ contents: history }),
      });
      expect(raw.status).toBe(400);
      if (history[0]?.role === "model") return;
      const repaired = importHistory(history, { orphans: "repair" });
      const ended = repaired.at(-1)?.role === "model" ? [...repaired, user("And?")] : repaired;
      const after = await watch(face, new Agent({ model: world.model(), tools: TOOLS }), ended);
      expect(after.result).toMatchObject({ stopReason: "finished", text: "Hello." });
    });
  });

  test("a prepared turn that cuts the history in the wrong place fails the run before the request, and nothing is lost", async () => {
    await using world = await openWorld({
      brain: byStep(() => call("add", { a: 1, b: 2 })),
    });
    const prepareTurn: PrepareTurn = ({ turn, contents }) => (turn === 2 ? { contents: contents.slice(1) } : undefined);
    const agent = new Agent({ model: world.model(), tools: [add], hooks: { prepareTurn } });
    const seen = await watch(face, agent, "Add.");
    expect(seen.error).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("contents[0] calls add"),
    });
    expect(world.bodies).toHaveLength(1);
    expect(sketch(seen.contents)).toEqual([
      'user: "Add."',
      'model: add({"a":1,"b":2})* ""',
      'user: add <- {"output":3}',
    ]);
  });

  test("what older models take is sent: responses in several contents, under no name", async () => {
    await using world = await openWorld({ brain: byStep(() => say("Hello.")) });
    const unnamed: Content = { role: "user", parts: [{ functionResponse: { name: "x", response: { output: 1 } } }] };
    const unsigned = calling("a", "b").parts.map(({ thoughtSignature: _, ...part }) => part);
    const history = [user("Hi."), { role: "model" as const, parts: unsigned }, answering("a"), unnamed];
    const seen = await watch(face, new Agent({ model: world.model("gemini-2.0-flash"), tools: TOOLS }), history);
    expect(seen.result).toMatchObject({ stopReason: "finished" });
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("several contents of the model in a row are one turn, answered by one content", async () => {
    await using world = await openWorld({ brain: byStep(() => say("Hello.")) });
    const history = [user("Hi."), SAID, calling("a"), calling("b"), answering("a", "b")];
    const seen = await watch(face, new Agent({ model: world.model(), tools: TOOLS }), history);
    expect(seen.result).toMatchObject({ stopReason: "finished" });
    expect(refusals(world.emulator)).toEqual([]);
  });

  test.each<[string, Part]>([
    ["a text", { text: "Be brief." }],
    ["an image", { inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } }],
  ])("%s behind function responses is sent in a content of its own, every time the same", async (_what, more) => {
    await using world = await openWorld({
      brain: byStep(
        () => call("add", { a: 1, b: 2 }),
        () => say("3"),
      ),
      strict: { mixedResponses: "refuse" },
    });
    const mixed: Content = { role: "user", parts: [...answering("a").parts, more] };
    const history = [user("Hi."), calling("a"), mixed];
    const seen = await watch(face, new Agent({ model: world.model(), tools: TOOLS }), history);
    expect(seen.result).toMatchObject({ stopReason: "finished" });
    expect(sentBy(world).map(({ contents }) => contents.slice(0, 4))).toEqual(
      Array.from({ length: 2 }, () => [user("Hi."), calling("a"), answering("a"), { role: "user", parts: [more] }]),
    );
    expect(seen.contents.slice(0, 3)).toEqual(history);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a text before function responses stays where it is", async () => {
    await using world = await openWorld({ brain: byStep(() => say("3")), strict: { mixedResponses: "refuse" } });
    const history = [
      user("Hi."),
      calling("a"),
      { ...answering("a"), parts: [{ text: "So:" }, ...answering("a").parts] },
    ];
    const seen = await watch(face, new Agent({ model: world.model(), tools: TOOLS }), history);
    expect(seen.result).toMatchObject({ stopReason: "finished" });
    expect(sentBy(world)[0]?.contents).toEqual(history);
  });

  test("media in a tool's result reaches the model, inside the response or behind it, never beside it", async () => {
    const photo = defineTool({
      name: "photo",
      description: "Takes a photo.",
      run: () => [media(new Uint8Array([1, 2, 3]), "image/png"), media(new Uint8Array([4]), "audio/wav")],
    });
    for (const id of ["gemini-3.8-flash", "gemini-2.5-flash"]) {
      await using world = await openWorld({
        brain: {
          answer: ({ responses, request }) =>
            responses.length + request.contents.length > 1 ? say("Nice.") : call("photo"),
        },
      });
      const seen = await watch(face, new Agent({ model: world.model(id), tools: [photo] }), "Smile.");
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "Nice." });
      const contents = sentBy(world)[1]?.contents ?? [];
      const inside = contents[2]?.parts[0]?.functionResponse?.parts?.length ?? 0;
      const behind = contents[3]?.parts.filter(({ inlineData }) => inlineData !== undefined).length ?? 0;
      expect([contents[2]?.parts.length, inside, behind]).toEqual(id === "gemini-2.5-flash" ? [1, 0, 2] : [1, 1, 1]);
      expect(refusals(world.emulator)).toEqual([]);
    }
  });

  test("a history that ends with the model's words is continued by the user where the model demands it, and only there", async () => {
    const history = [user("Count."), { role: "model" as const, parts: [{ text: "One, two," }] }];
    await using world = await openWorld({ brain: { answer: () => say("three.") } });
    const seen = await watch(face, new Agent({ model: world.model() }), history);
    seen.saw("run-start turn-start notice text-delta response turn-end run-end");
    expect(sketches(world)).toEqual([
      ['user: "Count."', 'model: "One, two,"'],
      ['user: "Count."', 'model: "One, two,"', 'user: "Please continue."'],
    ]);
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "three." });

    await using older = await openWorld({ brain: { answer: () => say("three.") } });
    const prefilled = await watch(face, new Agent({ model: older.model("gemini-2.5-flash") }), history);
    expect(prefilled.result).toMatchObject({ stopReason: "finished" });
    expect(sketches(older)).toEqual([['user: "Count."', 'model: "One, two,"']]);
  });

  test("a final word of the loop never stands beside responses", async () => {
    await using world = await openWorld({
      brain: {
        answer: ({ request }) =>
          request.generationConfig?.responseMimeType
            ? say("{}")
            : request.contents.length > 1
              ? say("ok")
              : call("add", { a: 1, b: 2 }),
      },
      strict: { mixedResponses: "refuse" },
    });
    const agent = new Agent({ model: world.model("gemini-2.5-flash"), tools: [add, googleSearch()] });
    const result = await typed(face, agent, "Add.", { output: z.object({}) });
    expect(result).toMatchObject({ stopReason: "finished", output: {} });
    for (const { contents } of sentBy(world))
      for (const { parts } of contents)
        expect(new Set(parts.map((part) => part.functionResponse === undefined)).size).toBe(1);
    expect(refusals(world.emulator)).toEqual([]);
  });
});
