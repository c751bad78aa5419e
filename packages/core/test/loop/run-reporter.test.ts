import {
  Agent,
  type AgentOptions,
  ApiStatusError,
  type Content,
  defineTool,
  handoff,
  type RunEvent,
  type RunInput,
} from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import {
  assertGrammar,
  assertObservations,
  call,
  calls,
  dies,
  empty,
  fails,
  hangs,
  join,
  say,
  type ScriptedTurn,
  ScriptedModel,
} from "@pollux/core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answersTo } from "../helpers/answers.ts";
import { chunks, countedService } from "../helpers/counted-service.ts";
import { eventsOf } from "../helpers/faces.ts";
import { fakeTime } from "../helpers/fake-time.ts";
import { record } from "../helpers/observations.ts";

/** Every kind that a reader and observers get. */
type Shared = Extract<RunEvent["type"], ObservedEvent["type"]>;
const SHARED: Readonly<Record<Shared, true>> = {
  "run-start": true,
  "turn-start": true,
  compact: true,
  guardrail: true,
  recover: true,
  "prefix-break": true,
  notice: true,
  discard: true,
  "tool-retry": true,
  untrusted: true,
  "tool-pending": true,
  handoff: true,
  "turn-end": true,
  "run-end": true,
};

const look = defineTool({ name: "look", description: "x", reads: "trusted", run: () => "seen" });
const ask = defineTool({ name: "ask", description: "x", needsApproval: true, run: () => "ok" });
const helper = new Agent({ name: "helper", model: ScriptedModel.with({}, ...repeat(20, say("Found."))) });

function repeat(times: number, turn: ScriptedTurn): readonly ScriptedTurn[] {
  return Array.from({ length: times }, () => turn);
}

/** A tool that fails every other time. */
function flaky() {
  let runs = 0;
  const run = (): string => {
    if (++runs % 2 === 1) throw new Error("busy");
    return "there";
  };
  return defineTool({ name: "flaky", description: "x", retry: { minDelayMs: 1, maxDelayMs: 1 }, run });
}

/**
 * Reads and observes one run, and compares both.
 *
 * @returns The kinds of events that both got.
 */
async function compare(options: AgentOptions, input: RunInput, signal?: AbortSignal): Promise<readonly Shared[]> {
  const observer = record();
  const agent = new Agent({ ...options, observers: [observer] });
  const { events, result, error } = await eventsOf(agent, input, { runId: "r", signal });
  assertGrammar(events, { complete: result !== undefined });
  const own = observer.observations.filter(({ run }) => run.runId === "r");
  assertObservations(own);

  const read = events.filter(isShared);
  const seen = own.filter(isShared).map(withoutPlace);
  const end = seen.pop();
  // Observers get it even if the run fails; a reader then gets the error. They get the result by reference, and whole.
  if (result === undefined) expect(end).toMatchObject({ type: "run-end", error });
  else expect(end).toMatchObject({ ended: "result", ...read.pop() });
  if (seen.length > read.length) expect(seen.pop()).toMatchObject({ type: "turn-end" });
  expect(seen).toEqual(read);
  return own.filter(isShared).map(({ type }) => type);
}

function isShared<Event extends RunEvent | ObservedEvent>(event: Event): event is Extract<Event, { type: Shared }> {
  return event.type in SHARED;
}

/** The event as its reader gets it. */
function withoutPlace({ run, at, seq, ...event }: ObservedEvent & { readonly step?: unknown }): object {
  const { step, ...rest } = event;
  expect([run.runId, typeof at, typeof seq, step === undefined]).toEqual(["r", "number", "number", !("step" in event)]);
  return rest;
}

const LONG: readonly Content[] = ["word ".repeat(400), "Noted.", "And now?"].map((text, index) => ({
  role: index === 1 ? "model" : "user",
  parts: [{ text }],
}));

describe("what a reader and observers both get is the same event", () => {
  fakeTime("leaps");

  test("of every kind", async () => {
    const busy = [new Response("{}", { status: 503 })];
    const service = countedService([chunks([{ text: "Hi." }])], () => busy.shift());
    const kinds = [
      await compare({ model: service.model }, "Go."),
      await compare({ model: new ScriptedModel(dies("It"), empty(), say("It is.")) }, "Go."),
      await compare(
        {
          model: new ScriptedModel(say("It was long."), say("The secret.")),
          compaction: { windowTokens: 600, threshold: 0.5, keep: 0.3 },
          guardrails: { output: [{ name: "out", check: ({ text }) => ({ replace: text.replace("secret", "***") }) }] },
        },
        LONG,
      ),
      await compare(
        {
          model: new ScriptedModel(call("flaky"), calls("look", "ask")),
          tools: [look, ask, flaky()],
          hooks: { prepareTurn: ({ turn }) => ({ instructions: `Turn ${turn}.` }) },
        },
        "Go.",
      ),
      await compare({ model: new ScriptedModel(call("transfer_to_helper")), tools: [handoff(helper)] }, "Go."),
    ];
    expect(new Set(kinds.flat())).toEqual(new Set(Object.keys(SHARED)));
  });

  const anyTurn: fc.Arbitrary<ScriptedTurn> = fc.oneof(
    fc.constant(call("look")),
    fc.constant(calls("look", "flaky", "ask", "nothing")),
    fc.constant(calls({ name: "helper", args: { task: "Find." } }, "flaky")),
    fc.constant(say("Said.")),
    fc.constant(empty()),
    fc.constant(dies("It")),
    fc.constant(hangs("It")),
    fc.constant(join(say("Cut"), { batches: [], finishReason: "MAX_TOKENS" })),
    fc.constant(fails(new ApiStatusError("busy", { status: 503, retryable: true }))),
  );
  const anyOptions = fc.record({
    approves: fc.boolean(),
    streaming: fc.constantFrom("hold" as const, "show" as const, undefined),
    prepares: fc.boolean(),
    abortMs: fc.nat({ max: 300 }),
  });

  test("whatever the model does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyTurn, { maxLength: 6 }), anyOptions, async (script, how) => {
        const abort = new AbortController();
        const timer = setTimeout(() => abort.abort(new Error("enough")), how.abortMs);
        const options: AgentOptions = {
          model: new ScriptedModel(...script),
          tools: [look, ask, flaky(), helper.asTool({ description: "x" })],
          approve: how.approves ? () => true : undefined,
          limits: { wallTimeMs: 200 },
          guardrails: how.streaming && {
            streaming: how.streaming,
            output: [{ name: "out", check: ({ text }) => (text === "Said." ? { replace: "Passed." } : undefined) }],
          },
          ...(how.prepares && { hooks: { prepareTurn: ({ turn }) => ({ instructions: `Turn ${turn}.` }) } }),
        };
        await compare(options, "Go.", abort.signal);
        clearTimeout(timer);
      }),
      { numRuns: 60 },
    );
  });
});

test.each([true, false])(
  "a run that goes on repeats its events to its reader, with a mark; observed: %s",
  async (isObserved) => {
    const observer = record();
    const model = new ScriptedModel(call("look"), call("ask"), say("Done."));
    const session = new Agent({ model, tools: [look, ask], observers: isObserved ? [observer] : [] }).session();
    const told = (events: readonly RunEvent[]): string[] =>
      events.map(({ type, replayed }) => (replayed === true ? `+${type}` : type));

    await session.send("Go.");
    const before = observer.observations.length;
    const asked: RunEvent[] = [];
    for await (const event of session.resumeStream()) asked.push(event);
    expect(told(asked).slice(-4)).toEqual(["+response", "+tool-pending", "turn-end", "run-end"]);
    expect(told(asked).filter((one) => !one.startsWith("+"))).toEqual(["turn-end", "run-end"]);

    const between = observer.observations.length;
    const answers = await answersTo(session, { approvals: { "call:2.0": true } });
    const events: RunEvent[] = [];
    for await (const event of session.resumeStream(answers)) events.push(event);
    assertGrammar(events);
    const live = ["tool-start", "tool-end", "turn-end", "turn-start", "text-delta", "response", "turn-end", "run-end"];
    expect(told(events).filter((one) => !one.startsWith("+"))).toEqual(live);
    if (!isObserved) return;
    for (const [seen, kinds] of [
      [observer.observations.slice(before, between), ["turn-start", "tool-pending", "turn-end"]],
      [observer.observations.slice(between), ["turn-start", "turn-end", "turn-start", "turn-end"]],
    ] as const) {
      assertObservations(seen);
      expect(seen.every(({ run }) => run.resumed)).toBe(true);
      expect(seen.filter(isShared).map(({ type }) => type)).toEqual(["run-start", ...kinds, "run-end"]);
    }
  },
);
