import { Agent, codeExecution, googleSearch, runSoFar, vertex } from "@pollux/core";
import { call, faults, json, script, search, text } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces, typed } from "../../packages/core/test/helpers/faces.ts";
import { chunk, eventStream, openRawService } from "../support/raw-service.ts";
import { sentBy, sketch } from "../support/sketch.ts";
import { add, byStep } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { openWorld, refusals } from "../support/world.ts";

const FLAG = "includeServerSideToolInvocations";
const found = search({ queries: ["oslo rain"], sources: [{ title: "yr.no" }] });
const both = byStep(
  () => [found, call("add", { a: 1, b: 2 })],
  () => [text("It rains in Oslo."), found],
);

describe.each(faces)("%s", (face) => {
  test("search beside functions carries the flag on the Developer API, and the service's own parts go back in place", async () => {
    await using world = await openWorld({ brain: both });
    const seen = await watch(face, new Agent({ model: world.model(), tools: [add, googleSearch()] }), "Rain?");
    seen.saw(`run-start turn-start part part part response tool-start tool-end turn-end
      turn-start part part text-delta response turn-end run-end`);
    const sent = sentBy(world);
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
    expect(seen.result).toMatchObject({ stopReason: "finished", groundedBy: "native", sources: [{ title: "yr.no" }] });
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("search beside functions carries no flag on Vertex", async () => {
    await using world = await openWorld({ profile: "vertex", brain: both });
    const endpoint = vertex({ baseUrl: world.url, accessToken: () => "ya29.test", project: "p", location: "global" });
    const agent = new Agent({ model: world.model(undefined, { endpoint }), tools: [add, googleSearch()] });
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
    await using world = await openWorld({ brain: byStep(() => text("Hi.")) });
    const seen = await watch(face, new Agent({ model: world.model(), ...options }), "Hi.");
    expect(seen.result).toMatchObject({ stopReason: "finished" });
    expect(sentBy(world)[0]).not.toHaveProperty("toolConfig");
  });

  test("an older model is never sent both: search is a function there, with a request of its own", async () => {
    await using world = await openWorld({
      brain: byStep(
        ({ functions }) =>
          functions.length === 0 ? [text("Rain."), found] : call("google_search", { query: "Rain?" }),
        () => text("It rains."),
      ),
    });
    const agent = new Agent({ model: world.model("gemini-2.5-flash"), tools: [add, googleSearch()] });
    const seen = await watch(face, agent, "Rain?");
    seen.saw(`run-start turn-start part response tool-start tool-end turn-end
      turn-start text-delta response turn-end run-end`);
    expect(sentBy(world).map(({ tools = [] }) => tools.map((tool) => Object.keys(tool)[0]))).toEqual([
      ["functionDeclarations"],
      ["googleSearch"],
      ["functionDeclarations"],
    ]);
    expect(seen.result).toMatchObject({
      stopReason: "finished",
      groundedBy: "delegated",
      sources: [{ title: "yr.no" }],
    });
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a schema for the answer never goes along with search: grounding would come back empty", async () => {
    await using world = await openWorld({
      brain: {
        answer: ({ request }) =>
          request.generationConfig?.responseMimeType
            ? json({ rain: true })
            : { ...text("It rains."), search: found.search },
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
    ["in the first chunk, and empty afterwards", [full(), { groundingMetadata: {} }]],
    ["in the first chunk, empty lists afterwards", [full(), { groundingMetadata: { groundingChunks: [] } }]],
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

    test("in a request of its own: the model is told, and goes on without", async () => {
      await using world = await openWorld({
        brain: script([call("google_search", { query: "Rain?" }), text("I cannot look.")]),
        faults: [{ at: isSearch, fault }],
      });
      const agent = new Agent({ model: world.model("gemini-2.5-flash"), tools: [add, googleSearch()] });
      const seen = await watch(face, agent, "Rain?");
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "I cannot look." });
      expect(world.bodies).toHaveLength(3);
      expect(sketch(seen.contents)[2]).toMatch(/^user: google_search <- \{"error":".*429/);
    });
  });
});

/** What the service says about "It rains." */
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
