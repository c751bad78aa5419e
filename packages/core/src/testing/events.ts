import type { RunEvent } from "../loop/events.ts";

/** A run to read: a `RunStream`, or any object of that shape. */
export interface ReadableRun<Result> extends AsyncIterable<RunEvent> {
  result(): Promise<Result>;
}

/** Reads a run to its end. @throws What the run throws. */
export async function collect<Result>(
  run: ReadableRun<Result>,
): Promise<{ readonly events: readonly RunEvent[]; readonly result: Result }> {
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  return { events, result: await run.result() };
}

/** The types of the events in order; adjacent deltas of one kind count once, however the text was split. */
export function shapeOf(events: readonly RunEvent[]): RunEvent["type"][] {
  const shape: RunEvent["type"][] = [];
  for (const { type } of events) {
    const isDelta =
      type === "text-delta" || type === "thought-delta" || type === "output-delta" || type === "call-args-delta";
    if (!isDelta || shape.at(-1) !== type) shape.push(type);
  }
  return shape;
}

type Place = "before" | "between-turns" | "answer" | "answered" | "checked" | "calls" | "after";

type Allowed = { readonly [Type in RunEvent["type"]]?: Place };

function leadTo(place: Place, ...types: readonly RunEvent["type"][]): Allowed {
  return Object.fromEntries(types.map((type) => [type, place]));
}

/** Events of an answer in progress, the turn's first or a repeated one. */
const ANSWER: Allowed = {
  ...leadTo("answer", "compact", "steer", "prefix-break", "checking"),
  guardrail: "checked",
  ...leadTo("answer", "text-delta", "thought-delta", "output-delta", "call-args-delta", "part", "notice", "discard"),
  response: "answered",
};

const TURN_END = leadTo("between-turns", "turn-end");

/** Events allowed at each position, and the position after each. */
const NEXT: Readonly<Record<Place, Allowed>> = {
  before: leadTo("between-turns", "run-start"),
  "between-turns": { "turn-start": "answer", "run-end": "after" },
  answer: ANSWER,
  answered: {
    guardrail: "checked",
    recover: "answer",
    ...leadTo("calls", "untrusted", "tool-pending", "tool-start", "tool-end"),
    ...TURN_END,
  },
  checked: { ...ANSWER, ...TURN_END },
  calls: {
    ...leadTo("calls", "untrusted", "tool-pending", "tool-start", "tool-progress", "tool-retry", "tool-end"),
    handoff: "checked",
    ...TURN_END,
  },
  after: {},
};

/**
 * Checks the events of a run against the grammar of {@link RunEvent}: their order, that turns count up from 1, that each event belongs to
 * the current turn, and that each started call ends once. A run that a limit ended may have no turn, or an unfinished last one.
 * @param options - `complete: false` for a run that threw: it may stop anywhere.
 * @throws {Error} Names the first event that does not fit.
 */
export function assertGrammar(
  events: readonly RunEvent[],
  options: { readonly complete?: boolean | undefined } = {},
): void {
  let place: Place = "before";
  let turn = 0;
  const open = new Set<string>();
  const seen = new Set<string>();

  for (const [index, event] of events.entries()) {
    const fail = (why: string): never => {
      throw new Error(`event ${index} (${event.type}) does not fit: ${why}`);
    };
    const limited: boolean = event.type === "run-end" && event.result.stopReason === "limit";
    // Among calls, a guardrail of the input is checked like an event of a call.
    const like = event.type === "guardrail" && event.side === "input" ? "tool-pending" : event.type;
    const next: Place | undefined =
      NEXT[place][like] ??
      NEXT[place][event.type] ??
      (limited && index > 0 && index === events.length - 1 ? "after" : undefined);
    const expected = Object.keys(NEXT[place]);
    if (next === undefined)
      return fail(expected.length === 0 ? "the run has ended" : `expected ${expected.join(" or ")}`);
    if (event.type === "turn-start" && event.turn !== ++turn) fail(`its turn is ${event.turn}, expected ${turn}`);
    if ("turn" in event && event.turn !== turn) fail(`its turn is ${event.turn}, expected ${turn}`);
    if (event.type === "run-end" && turn === 0 && !limited) fail("there was no turn");
    if (event.type === "tool-start") {
      if (seen.has(event.callId)) fail(`${event.callId} has already started`);
      seen.add(event.callId);
      open.add(event.callId);
    }
    const isRefused = event.type === "tool-end" && !seen.has(event.callId);
    if ((event.type === "tool-progress" || event.type === "tool-end") && !open.has(event.callId) && !isRefused)
      fail(`${event.callId} is not running`);
    if (event.type === "tool-end") {
      seen.add(event.callId);
      open.delete(event.callId);
    }
    if ((event.type === "turn-end" || event.type === "run-end") && open.size > 0 && !limited)
      fail(`${[...open].join(", ")} did not end`);
    place = next;
  }
  if (options.complete !== false && place !== "after") throw new Error("the events stop before run-end");
}
