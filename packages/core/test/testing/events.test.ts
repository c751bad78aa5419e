import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../src/loop/events.ts";
import { assertGrammar, collect, shapeOf } from "../../src/testing/index.ts";

// Only the fields that the functions read; the rest of a result or a response is nothing to them.
const START = { type: "run-start", runId: "r", agent: "a", model: "m" } as const;
const END = { type: "run-end", result: { stopReason: "finished" } } as unknown as RunEvent;
const LIMIT = { type: "run-end", result: { stopReason: "limit" } } as unknown as RunEvent;

function at(turn: number, ...types: readonly string[]): RunEvent[] {
  return types.map((type) => {
    const [kind, callId] = type.split(" ");
    return (callId === undefined ? { type: kind, turn } : { type: kind, turn, callId }) as unknown as RunEvent;
  });
}

const ANSWER = [
  "turn-start",
  "thought-delta",
  "text-delta",
  "text-delta",
  "part",
  "notice",
  "discard",
  "text-delta",
  "response",
];

describe("collect", () => {
  test("reads a run and gives its events and its result", async () => {
    const run = {
      async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, void> {
        yield START;
        yield END;
      },
      result: async () => "result",
    };
    expect(await collect(run)).toEqual({ events: [START, END], result: "result" });
  });
});

test("shapeOf counts neighboring deltas of one kind once", () => {
  expect(shapeOf([START, ...at(1, ...ANSWER, "turn-end"), END])).toEqual([
    "run-start",
    "turn-start",
    "thought-delta",
    "text-delta",
    "part",
    "notice",
    "discard",
    "text-delta",
    "response",
    "turn-end",
    "run-end",
  ]);
});

describe("assertGrammar", () => {
  test.each<[string, RunEvent[]]>([
    ["one turn", [START, ...at(1, ...ANSWER, "turn-end"), END]],
    [
      "calls side by side, then an answer",
      [
        START,
        ...at(1, ...ANSWER, "tool-start a", "tool-start b", "tool-progress b", "tool-end b", "tool-end a", "turn-end"),
        ...at(2, ...ANSWER, "turn-end"),
        END,
      ],
    ],
    [
      "an answer that had to be asked for again",
      [START, ...at(1, ...ANSWER, "recover", "text-delta", "response", "recover", "response", "turn-end"), END],
    ],
    ["a limit before the first turn", [START, LIMIT]],
    ["a limit in the middle of a turn", [START, ...at(1, "turn-start", "text-delta"), LIMIT]],
  ])("takes %s", (_name, events) => {
    assertGrammar(events);
  });

  test.each<[string, RunEvent[], string]>([
    ["nothing", [], "the events stop before run-end"],
    ["a run without its start", at(1, "turn-start"), "event 0 (turn-start) does not fit: expected run-start"],
    ["a run without turns", [START, END], "event 1 (run-end) does not fit: there was no turn"],
    [
      "an event after the end",
      [START, ...at(1, ...ANSWER, "turn-end"), END, ...at(2, "turn-start")],
      "event 12 (turn-start) does not fit: the run has ended",
    ],
    [
      "a turn without a response",
      [START, ...at(1, "turn-start", "turn-end")],
      "event 2 (turn-end) does not fit: expected compact or steer or prefix-break or checking or guardrail or text-delta or thought-delta or output-delta or call-args-delta or part or notice or discard or response",
    ],
    [
      "text after the response",
      [START, ...at(1, ...ANSWER, "text-delta")],
      "event 10 (text-delta) does not fit: expected guardrail or recover or untrusted or tool-pending or tool-start or tool-end or turn-end",
    ],
    [
      "a turn number that is left out",
      [START, ...at(2, "turn-start")],
      "event 1 (turn-start) does not fit: its turn is 2, expected 1",
    ],
    [
      "an event of another turn",
      [START, ...at(1, "turn-start"), ...at(2, "text-delta")],
      "event 2 (text-delta) does not fit: its turn is 2, expected 1",
    ],
    [
      "a call that starts twice",
      [START, ...at(1, ...ANSWER, "tool-start a", "tool-end a", "tool-start a")],
      "event 12 (tool-start) does not fit: a has already started",
    ],
    [
      "a call that ends twice",
      [START, ...at(1, ...ANSWER, "tool-start a", "tool-end a", "tool-end a")],
      "event 12 (tool-end) does not fit: a is not running",
    ],
    [
      "progress of nothing",
      [START, ...at(1, ...ANSWER, "tool-start a", "tool-progress b")],
      "event 11 (tool-progress) does not fit: b is not running",
    ],
    [
      "a call that never ends",
      [START, ...at(1, ...ANSWER, "tool-start a", "turn-end")],
      "event 11 (turn-end) does not fit: a did not end",
    ],
  ])("refuses %s", (_name, events, message) => {
    expect(() => assertGrammar(events)).toThrow(new Error(message));
  });

  test("lets a run that threw stop anywhere", () => {
    assertGrammar([START, ...at(1, "turn-start", "text-delta")], { complete: false });
    expect(() => assertGrammar([START, ...at(1, "turn-start", "text-delta")])).toThrow(
      "the events stop before run-end",
    );
  });
});
