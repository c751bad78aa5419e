import { Agent, type Part, type RunEvent, runSoFar } from "@pollux/core";
import { StreamIncompleteError } from "@pollux/core/errors";
import { assertGrammar } from "@pollux/core/testing";
import {
  type Brain,
  type BrainTurn,
  type CutFault,
  faults,
  finishes,
  grounded,
  join,
  say,
  script,
} from "@pollux/emulator";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventsOf, faces } from "../../packages/core/test/helpers/faces.ts";
import { inMadeUpTime } from "../support/made-up-time.ts";
import { openWorld, refusals } from "../support/world.ts";

const LONG = "gemini-4-argon";

/** Parts of the answer, one chunk each. */
const PIECES: readonly Part[] = [
  { text: "First I think ", thought: true },
  { text: "a little.", thought: true },
  { text: "Zoë " },
  { text: "lives in " },
  { text: "北京, " },
  { text: "which is 🏮 far. " },
  { executableCode: { language: "PYTHON", code: "print(1)" } },
  { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1\n" } },
  { text: "So " },
  { text: "it ends", thoughtSignature: "c2lnbmVk" },
  { text: "" },
  { text: " here." },
  { text: "", thoughtSignature: "bGFzdA==" },
];
const WHOLE: readonly Part[] = [
  { text: "First I think a little.", thought: true },
  { text: "Zoë lives in 北京, which is 🏮 far. " },
  ...PIECES.slice(6, 8),
  { text: "So " },
  PIECES[9]!,
  { text: " here." },
  PIECES[12]!,
];

/** Sends all pieces, some per request, with regular checkpoints. */
function longAnswer(perRequest: number, perCheckpoint: number): Brain {
  return {
    anySignature: true,
    answer(turn) {
      const from = startOf(turn);
      const to = Math.min(from + perRequest, PIECES.length);
      const body = PIECES.slice(from, to)
        .map((part, i) => {
          const said = from + i + 1;
          const isLast = said === to;
          const isOver = said === PIECES.length;
          const hasToken = !isOver && (isLast || (i + 1) % perCheckpoint === 0);
          return {
            candidates: [
              {
                content: { role: "model", parts: [part] },
                ...(isLast && { finishReason: isOver ? "STOP" : "CONTINUATION" }),
                ...(hasToken && { continuationToken: tokenAfter(said) }),
                index: 0,
              },
            ],
            usageMetadata: { promptTokenCount: 10 + from, candidatesTokenCount: i + 1, totalTokenCount: 11 + from + i },
          };
        })
        .map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`)
        .join("");
      return { parts: [], recorded: { status: 200, contentType: "text/event-stream", body } };
    },
  };
}

function tokenAfter(said: number): string {
  return `after ${said}`;
}

/** How many pieces the request's token covers. */
function startOf({ raw }: BrainTurn): number {
  const { continuationToken = tokenAfter(0) } = raw as { readonly continuationToken?: string };
  return Number(continuationToken.slice("after ".length));
}

/** The final text of a reader that drops text voided by a `discard`. */
function readText(events: readonly RunEvent[]): string {
  let read = "";
  for (const event of events) {
    if (event.type === "discard") read = "";
    if (event.type === "text-delta") read += event.delta;
  }
  return read;
}

describe.each(faces)("%s", (_face, read) => {
  test.each(["stream", "unary"] as const)("an answer of several requests is one answer, over %s", async (transport) => {
    const brain = script([
      [say("One day, "), finishes("CONTINUATION")],
      [say("there was a client, "), finishes("CONTINUATION")],
      say("and it went on."),
    ]);
    await using world = await openWorld({ brain });
    const result = await read(new Agent({ model: world.model(LONG, { transport }) }), "Tell me.");
    expect(result).toMatchObject({
      stopReason: "finished",
      text: "One day, there was a client, and it went on.",
      turns: 1,
      response: { finishReason: "STOP" },
    });
    expect(result.contents.map(({ role }) => role)).toEqual(["user", "model"]);

    const [first, ...later] = world.bodies.map((body) => JSON.parse(body) as Record<string, unknown>);
    for (const { continuationToken, ...body } of later) {
      expect(body).toEqual(first);
      expect(continuationToken).toEqual(expect.any(String));
    }
    expect([later.length, refusals(world.emulator)]).toEqual([2, []]);

    const prompts = world.answers.map((answer) => [...answer.matchAll(/"promptTokenCount":\s*(\d+)/g)].at(-1)?.[1]);
    expect(result.usage.requests).toBe(3);
    expect(result.usage.inputTokens).toBe(prompts.reduce((sum, count) => sum + Number(count), 0));
    expect(result.usage.contextTokens).toBe(Number(prompts[0]));
  });

  test("a limit of the caller's is not raised, and the token stays where it can be found", async () => {
    await using world = await openWorld({ brain: script([[say("It was a"), finishes("MAX_TOKENS")]]) });
    const result = await read(new Agent({ model: world.model(LONG), settings: { maxOutputTokens: 40 } }), "Tell me.");
    expect(result.stopReason).toBe("truncated");
    expect(result.response?.candidate.continuationToken).toEqual(expect.any(String));
    expect(world.bodies).toHaveLength(1);
  });

  test("an answer cut off by the service's own limit goes on, when the caller set none", async () => {
    const brain = script([[say("It was a "), finishes("MAX_TOKENS")], say("dark night.")]);
    await using world = await openWorld({ brain });
    const result = await read(new Agent({ model: world.model(LONG) }), "Tell me.");
    expect(result).toMatchObject({
      stopReason: "finished",
      text: "It was a dark night.",
      turns: 1,
      usage: { requests: 2 },
    });
    const [first, second] = world.bodies.map((body) => JSON.parse(body) as Record<string, unknown>);
    expect(second).toEqual({ ...first, continuationToken: expect.any(String) });
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("sources of later requests are counted from the start", async () => {
    const found = (title: string, said: string) =>
      grounded("", { queries: [title], sources: [{ title, supports: [said] }] });
    const brain = script([
      join(say("Zoë said this. "), found("a.example", "Zoë said this."), finishes("CONTINUATION")),
      join(say("北京 said that."), found("b.example", "北京 said that.")),
    ]);
    await using world = await openWorld({ brain });
    const result = await read(new Agent({ model: world.model(LONG) }), "Who?");
    expect(result.citations.map(({ text: quoted, sources, match }) => [quoted, sources, match])).toEqual([
      ["Zoë said this.", [1], "exact"],
      ["北京 said that.", [2], "exact"],
    ]);
    expect(result.sources.map(({ title }) => title)).toEqual(["a.example", "b.example"]);
    expect(result.usage.searchQueries).toBe(2);
  });

  test("a stream that breaks goes on from its last checkpoint", async () => {
    const rules = [{ at: [1, 2], fault: faults.closeEarly({ afterChunks: 3 }) }];
    await using world = await openWorld({ brain: longAnswer(20, 2), faults: rules });
    const agent = new Agent({ model: world.model(LONG) });
    const result = await inMadeUpTime(undefined, () => read(agent, "Tell me."));
    expect(result.contents[1]?.parts).toEqual(WHOLE);
    const tokens = world.bodies.map((body) => (JSON.parse(body) as { continuationToken?: string }).continuationToken);
    expect(tokens).toEqual([undefined, tokenAfter(2), tokenAfter(4)]);
    expect(result.usage).toMatchObject({ requests: 3, contextTokens: 10, incomplete: true });
  });

  test("after three reconnects without progress the run fails, with what had come", async () => {
    const rules = [
      { at: 1, fault: faults.closeEarly({ afterChunks: 5 }) },
      {
        at: (request: { readonly number: number }) => request.number > 1,
        fault: faults.closeEarly({ afterChunks: 1 }),
      },
    ];
    await using world = await openWorld({ brain: longAnswer(20, 4), faults: rules });
    const agent = new Agent({ model: world.model(LONG) });
    const failed = await inMadeUpTime(undefined, () => read(agent, "Tell me.")).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(StreamIncompleteError);
    expect(failed).toMatchObject({
      retryable: false,
      partial: { role: "model", parts: [WHOLE[0], { text: "Zoë lives in " }] },
    });
    expect(runSoFar(failed)?.contents).toEqual([
      { role: "user", parts: [{ text: "Tell me." }] },
      { role: "model", parts: [{ text: "Zoë lives in " }] },
    ]);
    expect(world.bodies).toHaveLength(5);
  });
});

test("a reader sees one answer, and an event says when to start over", async () => {
  const rules = [{ at: [1], fault: faults.closeEarly({ afterChunks: 5 }) }];
  await using world = await openWorld({ brain: longAnswer(20, 4), faults: rules });
  const { events, result } = await eventsOf(new Agent({ model: world.model(LONG) }), "Tell me.");
  assertGrammar(events);
  expect(events.filter(({ type }) => type === "discard")).toHaveLength(1);
  expect(readText(events)).toBe(result?.text);
  expect(world.bodies).toHaveLength(2);
});

/** Bytes of the longest body. */
const LONGEST = 3_000;

test("nothing is lost and nothing doubled, wherever the stream breaks", async () => {
  const cut = fc.record({ atByte: fc.nat({ max: LONGEST }), reset: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.option(cut), { minLength: 1, maxLength: 3 }),
      async (perRequest, perCheckpoint, cuts) => {
        const rules = cuts.flatMap((where, i) => {
          if (where === null) return [];
          const fault: CutFault = { kind: "cut", rule: "S-7", ...where };
          return [{ at: i + 1, fault }];
        });
        await using world = await openWorld({
          brain: longAnswer(perRequest, perCheckpoint),
          faults: rules,
        });
        const agent = new Agent({ model: world.model(LONG), limits: { restarts: 5 } });
        const { events, result, error } = await inMadeUpTime(undefined, () => eventsOf(agent, "Tell me."));
        expect(error).toBeUndefined();
        assertGrammar(events);
        expect(result?.contents[1]?.parts).toEqual(WHOLE);
        expect(readText(events)).toBe(result?.text);
        expect(refusals(world.emulator)).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

test("the same holds for the emulator's own checkpoints, which take no token of another request", async () => {
  const said = Array.from({ length: 60 }, (_, i) => `Satz ${i} über 北京. `).join("");
  const cut = fc.record({ atByte: fc.nat({ max: 12_000 }), reset: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(cut, { maxLength: 3 }), async (checkpointEvery, cuts) => {
      const rules = cuts.map((where, i) => {
        const fault: CutFault = { kind: "cut", rule: "S-7", ...where };
        return { at: i + 1, fault };
      });
      await using world = await openWorld({
        brain: { answer: () => say(said) },
        faults: rules,
        longDecode: { hopTokens: 60, checkpointEvery },
      });
      const agent = new Agent({ model: world.model(LONG), limits: { restarts: 5 } });
      const { events, result, error } = await inMadeUpTime(undefined, () => eventsOf(agent, "Tell me."));
      expect(error).toBeUndefined();
      expect([result?.text, readText(events)]).toEqual([said, said]);
      expect(refusals(world.emulator)).toEqual([]);
    }),
    { numRuns: 25 },
  );
});
