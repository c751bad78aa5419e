import { Agent, defineTool } from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import { assertObservations, call, say, ScriptedModel } from "@pollux/core/testing";
import { beforeAll, expect, test } from "vitest";
import { record, shape } from "../helpers/observations.ts";

const observer = record();
let all: readonly ObservedEvent[];

beforeAll(async () => {
  const look = defineTool({ name: "look", description: "x", run: () => "seen" });
  const model = new ScriptedModel(call("look"), say("Done."));
  await new Agent({ model, tools: [look], observers: [observer] }).run("Go.");
  all = observer.observations;
});

const numbered = (observations: readonly ObservedEvent[]): readonly ObservedEvent[] =>
  observations.map((one, seq) => ({ ...one, seq }));
const at = (name: string): number => {
  const place = shape(all).indexOf(name);
  if (place < 0) throw new Error(`no ${name}`);
  return place;
};
const without = (...names: string[]): readonly ObservedEvent[] =>
  numbered(all.filter((_, index) => !names.map(at).includes(index)));
const twice = (name: string): readonly ObservedEvent[] =>
  numbered(all.toSpliced(at(name) + 1, 0, ...all.slice(at(name), at(name) + 1)));
const swapped = (a: string, b: string): readonly ObservedEvent[] => {
  const [one, other] = [all[at(a)], all[at(b)]];
  return numbered(all.map((each) => (each === one ? (other ?? each) : each === other ? (one ?? each) : each)));
};

test("what a run tells fits, once, or beside another run", () => {
  assertObservations(all);
  assertObservations([]);
  const run = { ...all[0]?.run, runId: "other", agent: "a", model: "m" };
  const steps = new Map(all.flatMap((one) => ("step" in one ? [[one.step, { ...one.step, run }]] : [])));
  // The same run once more, its steps being of the other run.
  const others = all.map(
    (one) => ({ ...one, run, ...("step" in one && { step: steps.get(one.step) }) }) as ObservedEvent,
  );
  assertObservations(all.flatMap((one, index) => [one, ...others.slice(index, index + 1)]));
});

test.each<[string, () => readonly ObservedEvent[], string]>([
  ["lacks its start", () => without("run-start"), "observation 0 (turn-start) does not fit: expected run-start"],
  ["starts twice", () => twice("run-start"), "the run has already begun"],
  ["lacks its end", () => without("run-end"), "has no run-end"],
  ["continues after its end", () => twice("run-end"), "the run has ended"],
  ["skips a number", () => all.toSpliced(3, 1), "its seq is 4, expected 3"],
  ["lacks the start of a turn", () => without("turn-start 1"), "turn 1 is not open"],
  ["lacks the end of a turn", () => without("turn-end 1"), "turn 1 did not end"],
  ["ends in a turn", () => without("turn-end 2"), "turn 2 did not end"],
  ["counts turns backward", () => swapped("turn-start 1", "turn-start 2"), "turn 1 is not open"],
  ["lacks the start of a step", () => without("step-start model:1"), "model:1 is not open"],
  ["lacks the end of a step", () => without("step-end call:1.0"), "call:1.0 did not end"],
  ["makes a step twice", () => twice("step-start call:1.0"), "call:1.0 has already begun"],
  [
    "says something of a step that is over",
    () => swapped("first-part model:2", "step-end model:2"),
    "model:2 is not open",
  ],
  [
    "asks the model in a call",
    () =>
      all.map((one) => (one.type === "step-end" && one.step.kind === "call" ? { ...one, type: "first-part" } : one)),
    "call:1.0 calls no model",
  ],
  [
    "has a result and did not end with it",
    () => all.map((one) => (one.type === "run-end" ? { ...one, ended: "failed" } : one)),
    'it ended with "failed" and a result',
  ],
])("a run that %s does not fit", (_what, make, message) => {
  expect(() => assertObservations(make())).toThrow(message);
});

test("the runs of a process that died may stop anywhere, in order", () => {
  for (const end of all.keys()) assertObservations(all.slice(0, end), { complete: false });
  expect(() => assertObservations(without("turn-start 1").slice(0, 3), { complete: false })).toThrow("not open");
});
