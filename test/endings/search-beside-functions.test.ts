import { Agent, endpoint, googleSearch, renderMarkdown } from "@pollux/core";
import { call, join, search, text } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces, typed } from "../../packages/core/test/helpers/faces.ts";
import { byStep, TOOLS } from "../support/trip.ts";
import { MODEL, openWorld, refusals, type World } from "../support/world.ts";

const SAID = "Überraschung 🎉: Ærø won the cup. The final was in Zürich. Nobody slept.";
const found = search({
  queries: ["who won the cup", "where was the final"],
  sources: [{ title: "cup.example" }, { title: "zürich.example" }],
  supports: [
    { text: "Ærø won the cup.", sources: [0] },
    { text: "The final was in Zürich.", sources: [0, 1] },
  ],
});

interface Sent {
  readonly tools?: readonly {
    readonly googleSearch?: unknown;
    readonly functionDeclarations?: readonly { name: string }[];
  }[];
  readonly toolConfig?: object;
  readonly contents: readonly { readonly parts: readonly { readonly [kind: string]: unknown }[] }[];
}
const sentBy = (world: World): readonly Sent[] => world.bodies.map((body) => JSON.parse(body) as Sent);

/** Searches and calls a function, then answers from both. */
const native = byStep(
  () => [found, call("add", { a: 1, b: 2 })],
  () => [text(SAID), found],
);

/** Calls the search function and another one; alone with the search tool it answers with what it found. */
const delegating = byStep(
  ({ functions }) =>
    functions.length === 0
      ? [text(SAID), found]
      : join([call("google_search", { query: "Who won the cup, and where?" }), call("add", { a: 1, b: 2 })]),
  () => text(`They say: ${SAID}`),
);

const OLD = "gemini-2.5-flash-lite";

describe.each(faces)("%s", (face, read) => {
  test.each([MODEL, "gemini-flash-latest", "gemini-4-argon"])(
    "%s searches and calls functions in one request",
    async (id) => {
      await using world = await openWorld({ brain: native });
      const result = await read(new Agent({ model: world.model(id), tools: [...TOOLS, googleSearch()] }), "Who won?");
      expect(result).toMatchObject({ stopReason: "finished", text: SAID, turns: 2, groundedBy: "native" });
      const [first, second] = sentBy(world);
      expect(first).toMatchObject({
        tools: [{ functionDeclarations: [{ name: "get_weather" }, { name: "add" }] }, { googleSearch: {} }],
        toolConfig: { includeServerSideToolInvocations: true },
      });
      // The service's own parts go back, in their order.
      const kinds = second!.contents[1]!.parts.map((part) => Object.keys(part)[0]);
      expect(kinds.slice(0, 3)).toEqual(["toolCall", "toolResponse", "functionCall"]);
      expect(refusals(world.emulator)).toEqual([]);
    },
  );

  test.each([OLD, "gemini-2.0-flash"])("%s does the same through a request of its own", async (id) => {
    await using world = await openWorld({ brain: delegating });
    const agent = new Agent({ model: world.model(id), tools: [...TOOLS, googleSearch()], instructions: "Be brief." });
    const result = await read(agent, "Who won?");
    expect(result).toMatchObject({
      stopReason: "finished",
      text: `They say: ${SAID}`,
      turns: 2,
      groundedBy: "delegated",
    });
    const tools = sentBy(world).map((body) =>
      body.tools?.map((tool) => tool.functionDeclarations?.map(({ name }) => name) ?? "search"),
    );
    expect(tools).toEqual([
      [["get_weather", "add", "google_search"]],
      ["search"],
      [["get_weather", "add", "google_search"]],
    ]);
    expect(result.usage.requests).toBe(3);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test.each([
    ["natively", MODEL, native],
    ["by delegation", OLD, delegating],
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
    ["by delegation", OLD],
  ])("%s, a schema for the answer does not cost the citations", async (_how, id) => {
    const brain = byStep(
      ({ request, functions, model }) => {
        if (request.generationConfig?.responseMimeType !== undefined) return text('{"winner":"Ærø"}');
        if (functions.length === 0) return [text(SAID), found];
        return model.builtInsWithFunctions ? [text(SAID), found] : call("google_search", { query: "Who won the cup?" });
      },
      ({ request }) => text(request.generationConfig?.responseMimeType === undefined ? SAID : '{"winner":"Ærø"}'),
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
