import { Agent, defineTool, type PartialArg, type RunEvent, vertex } from "@pollux/core";
import { ApiShapeError } from "@pollux/core/errors";
import { assertGrammar, shapeOf } from "@pollux/core/testing";
import { type Brain, calls, faults, type FaultRule, join, type RecordedAnswer, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventsOf, faces } from "../../packages/core/test/helpers/faces.ts";
import { MODEL, openWorld, refusals } from "../support/world.ts";

const SETTINGS = { streamFunctionCallArguments: true } as const;

const order = defineTool({
  name: "order",
  description: "Orders things.",
  input: z.object({
    to: z.string(),
    items: z.array(z.object({ name: z.string(), count: z.number() })),
    tags: z.array(z.string()),
    gift: z.boolean(),
    note: z.null(),
  }),
  run: ({ to, items }) => ({ to, pieces: items.length }),
});
const ARGS = {
  to: "Zoë, 北京 street, third door on the left",
  items: [
    { name: "tea", count: 2 },
    { name: "cup", count: 1.5 },
  ],
  tags: [],
  gift: true,
  note: null,
};

function vertexWorld(brain: Brain, rules: readonly FaultRule[] = []) {
  return openWorld({ profile: "vertex", brain, faults: rules, framing: { splitBytes: true } });
}

function agentOf(world: Awaited<ReturnType<typeof vertexWorld>>): Agent {
  const endpoint = vertex({ baseUrl: world.url, apiKey: "emulator" });
  return new Agent({ model: world.model(MODEL, { endpoint }), tools: [order], settings: SETTINGS });
}

/** The given chunks, one per list of parts, then a text. */
function raw(...chunks: readonly (readonly object[])[]): Brain {
  const body = chunks
    .map((parts, i) => ({
      candidates: [
        { content: { role: "model", parts }, ...(i === chunks.length - 1 && { finishReason: "STOP" }), index: 0 },
      ],
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount: i + 1, totalTokenCount: 6 + i },
    }))
    .map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`)
    .join("");
  const recorded: RecordedAnswer = { status: 200, contentType: "text/event-stream", body };
  return {
    anySignature: true,
    answer: ({ responses }) => (responses.length > 0 ? say("Done.") : { parts: [], recorded }),
  };
}

function piecesIn(events: readonly RunEvent[]) {
  return events.flatMap((event) => (event.type === "call-args-delta" ? [event] : []));
}

/** Combines the events like a user interface. */
function textAt(path: string, pieces: readonly PartialArg[]): string {
  return pieces.flatMap(({ jsonPath, stringValue }) => (jsonPath === path ? (stringValue ?? "") : "")).join("");
}

describe.each(faces)("%s", (_face, read) => {
  test("a call that arrives in pieces is made once, whole, and goes back in the documented form", async () => {
    const brain: Brain = {
      answer: ({ responses }) =>
        responses.length > 0 ? say("Ordered.") : join(say("One moment."), calls({ name: "order", args: ARGS })),
    };
    await using world = await vertexWorld(brain);
    const result = await read(agentOf(world), "Tea, please.");
    expect(result).toMatchObject({ stopReason: "finished", text: "Ordered." });
    expect(result.contents[1]?.parts.filter((part) => part.functionCall)).toEqual([
      { functionCall: { id: expect.any(String), name: "order", args: ARGS }, thoughtSignature: expect.any(String) },
    ]);
    expect(result.contents[2]?.parts).toMatchObject([
      { functionResponse: { name: "order", response: { output: { to: ARGS.to, pieces: 2 } } } },
    ]);
    expect(world.answers[0]?.match(/"partialArgs"/g)?.length).toBeGreaterThan(8);
    expect(world.bodies[1]).not.toMatch(/partialArgs|willContinue/);
    expect(JSON.parse(world.bodies[0]!).toolConfig.functionCallingConfig).toMatchObject(SETTINGS);
    expect([world.bodies.length, refusals(world.emulator)]).toEqual([2, []]);
  });

  test.each(["$.__proto__.polluted", "$.constructor.prototype.polluted", "$['prototype'].polluted"])(
    "the path %s ends the run, and nothing is touched",
    async (jsonPath) => {
      const brain = raw(
        [{ functionCall: { name: "order", id: "1", willContinue: true }, thoughtSignature: "c2ln" }],
        [{ functionCall: { partialArgs: [{ jsonPath, stringValue: "yes" }], willContinue: true } }],
        [{ functionCall: {} }],
      );
      await using world = await vertexWorld(brain);
      const failed = await read(agentOf(world), "Tea, please.").catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(ApiShapeError);
      expect(failed).toMatchObject({ path: "functionCall.partialArgs.jsonPath", excerpt: jsonPath });
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      expect(world.bodies).toHaveLength(1);
    },
  );
});

test("the documented chunks are visible one by one, then as one call", async () => {
  const brain = raw(
    [{ text: "Let me " }],
    [{ text: "see." }, { functionCall: { name: "order", id: "1", willContinue: true }, thoughtSignature: "c2ln" }],
    [
      {
        functionCall: {
          partialArgs: [{ jsonPath: "$.to", stringValue: "New ", willContinue: true }],
          willContinue: true,
        },
      },
    ],
    [{ functionCall: { partialArgs: [{ jsonPath: "$.to", stringValue: "Delhi" }], willContinue: true } }],
    [
      {
        functionCall: {
          partialArgs: [
            { jsonPath: "$.items[0].name", stringValue: "tea" },
            { jsonPath: "$.items[0].count", numberValue: 1 },
            { jsonPath: "$.tags[]" },
            { jsonPath: "$.gift", boolValue: false },
            { jsonPath: "$.note", nullValue: "NULL_VALUE" },
          ],
          willContinue: true,
        },
      },
    ],
    [{ functionCall: {} }],
  );
  await using world = await vertexWorld(brain);
  const { events, result } = await eventsOf(agentOf(world), "Tea, please.");
  assertGrammar(events);
  const args = { to: "New Delhi", items: [{ name: "tea", count: 1 }], tags: [], gift: false, note: null };
  const part = { functionCall: { name: "order", id: "1", args }, thoughtSignature: "c2ln" };
  const piece = (...delta: PartialArg[]) => ({ type: "call-args-delta", turn: 1, name: "order", id: "1", delta });
  const from = events.findIndex(({ type }) => type === "call-args-delta");
  expect(events.slice(from, from + 5)).toEqual([
    piece(),
    piece({ jsonPath: "$.to", stringValue: "New ", willContinue: true }),
    piece({ jsonPath: "$.to", stringValue: "Delhi" }),
    piece(
      { jsonPath: "$.items[0].name", stringValue: "tea" },
      { jsonPath: "$.items[0].count", numberValue: 1 },
      { jsonPath: "$.tags[]" },
      { jsonPath: "$.gift", boolValue: false },
      { jsonPath: "$.note", nullValue: "NULL_VALUE" },
    ),
    { type: "part", turn: 1, part },
  ]);
  expect(shapeOf(events).slice(0, 7)).toEqual([
    "run-start",
    "turn-start",
    "text-delta",
    "call-args-delta",
    "part",
    "response",
    "tool-start",
  ]);
  expect(JSON.parse(JSON.stringify(piecesIn(events)))).toEqual(piecesIn(events));
  expect(result?.contents[1]?.parts).toEqual([{ text: "Let me see." }, part]);
});

test("each piece carries only what is new, however long the arguments are", async () => {
  const long = { ...ARGS, to: "far away, ".repeat(2_000) };
  const brain: Brain = {
    answer: ({ responses }) =>
      responses.length > 0 ? say("Ordered.") : calls({ name: "order", args: long }, { name: "order", args: ARGS }),
  };
  await using world = await vertexWorld(brain);
  const { events } = await eventsOf(agentOf(world), "Tea, please.");
  assertGrammar(events);
  const pieces = piecesIn(events);
  const ids = [...new Set(pieces.map(({ id }) => id))];
  expect(ids).toHaveLength(2);
  expect(
    ids.map((id) =>
      textAt(
        "$.to",
        pieces.flatMap((piece) => (piece.id === id ? piece.delta : [])),
      ),
    ),
  ).toEqual([long.to, ARGS.to]);
  expect(Math.max(...pieces.map((piece) => JSON.stringify(piece).length))).toBeLessThan(300);
});

test("a call that breaks off in its arguments is void and starts over", async () => {
  const brain: Brain = {
    answer: ({ responses }) => (responses.length > 0 ? say("Ordered.") : calls({ name: "order", args: ARGS })),
  };
  await using world = await vertexWorld(brain, [{ at: 1, fault: faults.closeEarly({ afterChunks: 3 }) }]);
  const { events, result } = await eventsOf(agentOf(world), "Tea, please.");
  assertGrammar(events);
  const shape = shapeOf(events);
  expect(shape.slice(0, 7)).toEqual([
    "run-start",
    "turn-start",
    "call-args-delta",
    "discard",
    "call-args-delta",
    "part",
    "response",
  ]);
  expect(result).toMatchObject({ stopReason: "finished", text: "Ordered." });
  expect(result?.contents[1]?.parts.filter((part) => part.functionCall)).toHaveLength(1);
  expect(world.bodies).toHaveLength(3);
});
