import { Agent, codeExecution, endpoint, googleSearch, renderMarkdown, runSoFar, vertex } from "@pollux/core";
import { call, faults, join, json, script, grounded, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces, typed } from "../../packages/core/test/helpers/faces.ts";
import { chunk, eventStream, openRawService } from "../support/raw-service.ts";
import { sentBy, sketch } from "../support/sketch.ts";
import { add, byStep, TOOLS } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { MODEL, openWorld, refusals } from "../support/world.ts";

const FLAG = "includeServerSideToolInvocations";
const found = grounded("", { queries: ["oslo rain"], sources: [{ title: "yr.no" }] });
const both = byStep(
  () => [found, call("add", { a: 1, b: 2 })],
  () => [say("It rains in Oslo."), found],
);

const SAID = "Überraschung 🎉: Ærø won the cup. The final was in Zürich. Nobody slept.";
const cup = grounded("", {
  queries: ["who won the cup", "where was the final"],
  sources: [
    { title: "cup.example", supports: ["Ærø won the cup.", "The final was in Zürich."] },
    { title: "zürich.example", supports: ["The final was in Zürich."] },
  ],
});

/** Searches and calls a function, then answers from both. */
const native = byStep(
  () => [cup, call("add", { a: 1, b: 2 })],
  () => [say(SAID), cup],
);

/** Calls the search function and another one; with the search tool alone, it answers with the results. */
const delegating = byStep(
  ({ functions }) =>
    functions.length === 0
      ? [say(SAID), cup]
      : join(call("google_search", { query: "Who won the cup, and where?" }), call("add", { a: 1, b: 2 })),
  () => say(`They say: ${SAID}`),
);

describe.each(faces)("%s", (face, read) => {
  test.each([MODEL, "gemini-flash-latest", "gemini-4-argon"])(
    "search beside functions carries the flag on the Developer API, and the service's own parts go back in place: %s",
    async (id) => {
      await using world = await openWorld({ brain: both });
      const seen = await watch(face, new Agent({ model: world.model(id), tools: [add, googleSearch()] }), "Rain?");
      seen.saw(`run-start turn-start part part part response tool-start tool-end turn-end
      turn-start part part text-delta response turn-end run-end`);
      const sent = sentBy(world);
      expect(sent[0]?.tools).toMatchObject([{ functionDeclarations: [{ name: "add" }] }, { googleSearch: {} }]);
      expect(sent.map(({ toolConfig }) => toolConfig)).toEqual([
        { functionCallingConfig: { mode: "VALIDATED" }, [FLAG]: true },
        { functionCallingConfig: { mode: "VALIDATED" }, [FLAG]: true },
      ]);
      const [, said, answered] = sent[1]?.contents ?? [];
      expect(said?.parts.map((part) => Object.keys(part)[0]).slice(0, 3)).toEqual([
        "toolCall",
        "toolResponse",
        "functionCall",
      ]);
      expect(answered?.parts.map(({ functionResponse }) => functionResponse?.name)).toEqual(["add"]);
      expect(seen.result).toMatchObject({
        stopReason: "finished",
        groundedBy: "native",
        sources: [{ title: "yr.no" }],
      });
      expect(refusals(world.emulator)).toEqual([]);
    },
  );

  test("search beside functions carries no flag on Vertex", async () => {
    await using world = await openWorld({ profile: "vertex", brain: both });
    const onVertex = vertex({ baseUrl: world.url, accessToken: () => "ya29.test", project: "p", location: "global" });
    const agent = new Agent({ model: world.model(undefined, { endpoint: onVertex }), tools: [add, googleSearch()] });
    const seen = await watch(face, agent, "Rain?");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "It rains in Oslo." });
    expect(world.bodies.join()).not.toContain(FLAG);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test.each<[string, object]>([
    ["search alone", { tools: [googleSearch()] }],
    ["functions alone", { tools: [add] }],
    ["two built-in tools", { tools: [googleSearch(), codeExecution()] }],
  ])("%s carries neither flag nor calling mode", async (_what, options) => {
    await using world = await openWorld({ brain: byStep(() => say("Hi.")) });
    const seen = await watch(face, new Agent({ model: world.model(), ...options }), "Hi.");
    expect(seen.result).toMatchObject({ stopReason: "finished" });
    expect(sentBy(world)[0]).not.toHaveProperty("toolConfig");
  });

  test.each(["gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.0-flash"])(
    "an older model is never sent both: search is a function there, with a request of its own: %s",
    async (id) => {
      await using world = await openWorld({
        brain: byStep(
          ({ functions }) =>
            functions.length === 0 ? [say("Rain."), found] : call("google_search", { query: "Rain?" }),
          () => say("It rains."),
        ),
      });
      const agent = new Agent({ model: world.model(id), tools: [add, googleSearch()] });
      const seen = await watch(face, agent, "Rain?");
      seen.saw(`run-start turn-start part response tool-start tool-end turn-end
      turn-start text-delta response turn-end run-end`);
      expect(sentBy(world).map(({ tools = [] }) => tools.map((tool) => Object.keys(tool)[0]))).toEqual([
        ["functionDeclarations"],
        ["googleSearch"],
        ["functionDeclarations"],
      ]);
      expect(sentBy(world).map(({ tools }) => names(tools))).toEqual([
        ["add", "google_search"],
        [],
        ["add", "google_search"],
      ]);
      expect(seen.result).toMatchObject({
        stopReason: "finished",
        groundedBy: "delegated",
        usage: { requests: 3 },
        sources: [{ title: "yr.no" }],
      });
      expect(refusals(world.emulator)).toEqual([]);
    },
  );

  test("a schema for the answer never goes along with search: grounding would come back empty", async () => {
    await using world = await openWorld({
      brain: {
        answer: ({ request }) =>
          request.generationConfig?.responseMimeType
            ? json({ rain: true })
            : { ...say("It rains."), search: found.search },
      },
    });
    const agent = new Agent({ model: world.model(), tools: [googleSearch()] });
    const result = await typed(face, agent, "Rain?", { output: z.object({ rain: z.boolean() }) });
    expect(result).toMatchObject({ stopReason: "finished", output: { rain: true }, text: "It rains." });
    expect(result.sources.map(({ title }) => title)).toEqual(["yr.no"]);
    for (const { tools, generationConfig } of sentBy(world))
      expect(tools !== undefined && generationConfig?.["responseMimeType"] !== undefined).toBe(false);
    expect(world.bodies).toHaveLength(2);
  });

  test.each<[string, readonly object[]]>([
    ["in the last chunk", [{}, full()]],
    ["in the chunk before the last", [full(), {}]],
    ["in the first chunk, and empty afterward", [full(), { groundingMetadata: {} }]],
    ["in the first chunk, empty lists afterward", [full(), { groundingMetadata: { groundingChunks: [] } }]],
    ["in two halves", [{ groundingMetadata: { webSearchQueries: ["oslo rain"] } }, full()]],
  ])("grounding that arrives %s reaches the reader", async (_where, [first = {}, second = {}]) => {
    const said = (words: string, more: object, reason?: string): object => {
      const { candidates, ...rest } = chunk([{ text: words }], reason) as { candidates: [object] };
      return { candidates: [{ ...candidates[0], ...more }], ...rest };
    };
    await using service = await openRawService({
      body: eventStream(said("It ", first), said("rains.", second, "STOP")),
    });
    const seen = await watch(face, new Agent({ model: service.model(), tools: [googleSearch()] }), "Rain?");
    expect(seen.result).toMatchObject({
      text: "It rains.",
      sources: [{ number: 1, title: "yr.no" }],
      searchQueries: ["oslo rain"],
      citations: [{ start: 0, end: 9, sources: [1] }],
      groundedBy: "native",
    });
  });

  test("the service's own calls are not answered, and a turn of nothing else is its own doing", async () => {
    const parts = [
      { toolCall: { toolType: "GOOGLE_SEARCH_WEB", args: { queries: ["q"] }, id: "s1" }, thoughtSignature: "YQ==" },
      { toolResponse: { toolType: "GOOGLE_SEARCH_WEB", response: {}, id: "s1" }, thoughtSignature: "Yg==" },
    ];
    await using service = await openRawService({ body: eventStream(chunk(parts), chunk([{ text: "Rain." }], "STOP")) });
    const seen = await watch(face, new Agent({ model: service.model(), tools: [add, googleSearch()] }), "Rain?");
    seen.saw("run-start turn-start part part text-delta response turn-end run-end");
    expect(service.bodies).toHaveLength(1);
    expect(seen.contents[1]).toEqual({ role: "model", parts: [...parts, { text: "Rain." }] });
  });

  describe("a key without search quota answers 429", () => {
    const fault = faults.tierWithoutModel();
    const isSearch = ({ body }: { body: unknown }) => JSON.stringify(body).includes('"googleSearch"');

    test("beside functions, natively: the run fails at once and says why", async () => {
      await using world = await openWorld({ brain: both, faults: [{ at: isSearch, fault }] });
      const seen = await watch(face, new Agent({ model: world.model(), tools: [add, googleSearch()] }), "Rain?");
      expect(seen.error).toMatchObject({ code: "api_status", status: 429, retryable: false });
      expect((seen.error as Error).message).toContain("not in the key's tier");
      expect(world.bodies).toHaveLength(1);
      expect(runSoFar(seen.error)).toMatchObject({ turns: 1, usage: { requests: 0 } });
    });

    test("in a separate request: the model reads the error, and continues without", async () => {
      await using world = await openWorld({
        brain: script([call("google_search", { query: "Rain?" }), say("I cannot look.")]),
        faults: [{ at: isSearch, fault }],
      });
      const agent = new Agent({ model: world.model("gemini-2.5-flash"), tools: [add, googleSearch()] });
      const seen = await watch(face, agent, "Rain?");
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "I cannot look." });
      expect(world.bodies).toHaveLength(3);
      expect(sketch(seen.contents)[2]).toMatch(/^user: google_search <- \{"error":".*429/);
    });
  });

  test.each([
    ["natively", MODEL, native],
    ["by delegation", "gemini-2.5-flash-lite", delegating],
  ])("%s, sources, citations, queries and the entry point reach the app alike", async (_how, id, brain) => {
    await using world = await openWorld({ brain });
    const result = await read(new Agent({ model: world.model(id), tools: [...TOOLS, googleSearch()] }), "Who won?");
    expect(result.sources.map(({ number, kind, title }) => ({ number, kind, title }))).toEqual([
      { number: 1, kind: "web", title: "cup.example" },
      { number: 2, kind: "web", title: "zürich.example" },
    ]);
    expect(
      result.citations.map(({ start, end, sources, match }) => [
        result.text.slice(start, end),
        sources,
        match === "unverified",
      ]),
    ).toEqual([
      ["Ærø won the cup.", [1], false],
      ["The final was in Zürich.", [1, 2], false],
    ]);
    expect(result.searchQueries).toEqual(["who won the cup", "where was the final"]);
    expect(result.usage.searchQueries).toBe(2);
    expect(result.searchEntryPoints.join()).toContain("who won the cup");
    expect(renderMarkdown(result)).toContain("Ærø won the cup.");
    expect(renderMarkdown(result)).toMatch(/\[1\][\s\S]*cup\.example/);
  });

  test.each([
    ["natively", MODEL],
    ["by delegation", "gemini-2.5-flash-lite"],
  ])("%s, a schema for the answer does not cost the citations", async (_how, id) => {
    const brain = byStep(
      ({ request, functions, model }) => {
        if (request.generationConfig?.responseMimeType !== undefined) return say('{"winner":"Ærø"}');
        if (functions.length === 0) return [say(SAID), cup];
        return model.builtInsWithFunctions ? [say(SAID), cup] : call("google_search", { query: "Who won the cup?" });
      },
      ({ request }) => say(request.generationConfig?.responseMimeType === undefined ? SAID : '{"winner":"Ærø"}'),
    );
    await using world = await openWorld({ brain });
    const agent = new Agent({ model: world.model(id), tools: [...TOOLS, googleSearch()] });
    const result = await typed(face, agent, "Who won?", { output: z.object({ winner: z.string() }) });
    expect(result).toMatchObject({ stopReason: "finished", text: SAID, output: { winner: "Ærø" } });
    expect(result.citations.map(({ start, end }) => result.text.slice(start, end))).toEqual([
      "Ærø won the cup.",
      "The final was in Zürich.",
    ]);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a gateway that does not know the flag is asked without it, once and for all", async () => {
    await using world = await openWorld({ brain: native, profile: "comet" });
    const gateway = endpoint({ baseUrl: world.url, apiKey: "comet-key", kind: "gateway" });
    const agent = new Agent({
      model: world.model(undefined, { endpoint: gateway }),
      tools: [...TOOLS, googleSearch()],
    });
    expect(await read(agent, "Who won?")).toMatchObject({ stopReason: "finished", text: SAID });
    const flags = sentBy(world).map(({ toolConfig }) => "includeServerSideToolInvocations" in (toolConfig ?? {}));
    expect(flags).toEqual([true, false, false]);
    await read(agent, "Who won?");
    expect(
      sentBy(world)
        .slice(3)
        .every(({ toolConfig }) => !("includeServerSideToolInvocations" in (toolConfig ?? {}))),
    ).toBe(true);
  });
});

/** Names of the functions among these tools. */
function names(tools: readonly object[] = []): readonly string[] {
  return (tools as readonly { functionDeclarations?: readonly { name: string }[] }[]).flatMap(
    ({ functionDeclarations = [] }) => functionDeclarations.map(({ name }) => name),
  );
}

/** The service's grounding for "It rains." */
function full(): object {
  return {
    groundingMetadata: {
      webSearchQueries: ["oslo rain"],
      searchEntryPoint: { renderedContent: "<div>oslo rain</div>" },
      groundingChunks: [{ web: { uri: "https://vertexaisearch.cloud.google.com/r/1", title: "yr.no" } }],
      groundingSupports: [{ segment: { endIndex: 9, text: "It rains." }, groundingChunkIndices: [0] }],
    },
  };
}
