import type { AnsweredCall, ClosedTurn, TurnStep } from "../../durable/closed-turn.ts";
import {
  type CallStepValue,
  type ModelStepValue,
  numberCalls,
  stepName,
  type StepPlace,
} from "../../durable/run-log.ts";
import type { Outcome } from "../../durable/steps.ts";
import type { ModelResponse } from "../../model/model.ts";
import type { StartedJob } from "../../tool/job.ts";
import type { Content, JsonObject, Part } from "../../wire/types/content.ts";

export interface StepRecord {
  readonly place: StepPlace;
  readonly outcome: Outcome;
  /** When it was recorded, in milliseconds since the epoch. */
  readonly at: number;
  /** For a wait: the person who answered, if known. */
  readonly by?: string | undefined;
}

export type StepOutcomes = ReadonlyMap<string, Pick<StepRecord, "place" | "outcome">>;

/** A content of a turn, without repeating what a step holds already. */
export type ContentRef =
  | Content
  /** The model's answer in that step; for a guardrail's step, its own or replacement answer. */
  | { readonly model: string }
  /** The messages that this model step sent for the first time. */
  | { readonly steered: string }
  /** The responses to the turn's calls: by call id as its {@link CallRecord} has them, or in full. */
  | { readonly calls: readonly (string | Part)[] }
  /** The media that follow the responses to these calls. */
  | { readonly after: readonly string[] };

/** A step of a turn, with the data that its outcome lacks. Its `keepFrom` is an index in the session's history. */
export interface StepRef extends Pick<TurnStep, "at" | "discarded" | "keepFrom"> {
  readonly step: string;
}

/** A call that has its answer. */
export type CallRecord = {
  readonly callId: string;
  /** The arguments that a person gave it when approving it. */
  readonly args?: JsonObject | undefined;
  /** It ended the run. */
  readonly endsRun?: true | undefined;
} & (
  | { readonly step: string }
  /** Where no step recorded one: it was denied, answered from outside, or its answer did not come in time. */
  | { readonly value: CallStepValue }
);

/** What a turn added to the conversation. Usage, cost, times, nested runs, origins and the rest come from the steps that it names. */
export interface TurnRecord {
  readonly turn: number;
  /** It converted the answer to the schema: its contents are not part of the history. */
  readonly phase?: "output" | undefined;
  readonly contents: readonly ContentRef[];
  /** All its recorded steps, in order, except the steps of its calls. */
  readonly steps: readonly StepRef[];
  /** In call order, without open calls. */
  readonly calls: readonly CallRecord[];
}

/** The contents of a turn. @throws {RangeError} For a ref to a step that is not in the log. */
export function resolveRefs(
  { contents, calls }: Pick<TurnRecord, "contents" | "calls">,
  outcomes: StepOutcomes,
): Content[] {
  const answerTo = (callId: string): CallStepValue => {
    const call = calls.find((one) => one.callId === callId);
    if (call === undefined) throw new RangeError(`a turn refers to ${callId}, which is not among its calls`);
    return readAnswer(call, outcomes);
  };
  return contents.flatMap((ref): readonly Content[] => {
    if ("model" in ref) return [readResponse(ref, outcomes).content];
    if ("steered" in ref) return (readStep(outcomes, ref.steered) as ModelStepValue).steered?.contents ?? [];
    if ("calls" in ref)
      return [{ role: "user", parts: ref.calls.map((one) => (typeof one === "string" ? answerTo(one).part : one)) }];
    if ("after" in ref) return [{ role: "user", parts: ref.after.flatMap((callId) => answerTo(callId).after) }];
    return [ref];
  });
}

/** An answer of a turn. @throws {RangeError} When its step is not in the log. */
export function readResponse({ model }: { readonly model: string }, outcomes: StepOutcomes): ModelResponse {
  return (readStep(outcomes, model) as ModelStepValue).response;
}

/** The answer to a call. @throws {RangeError} When its step is not in the log. */
export function readAnswer(call: CallRecord, outcomes: StepOutcomes): CallStepValue {
  return "step" in call ? (readStep(outcomes, call.step) as CallStepValue) : call.value;
}

/** A ref is only written for a step with a recorded outcome, and its kind tells the type of the value. */
function readStep(outcomes: StepOutcomes, name: string): unknown {
  const outcome = outcomes.get(name)?.outcome;
  if (outcome?.ok !== true) throw new RangeError(`a turn refers to step ${name}, which is not in the log`);
  return outcome.value;
}

/** A turn for the log: contents that its steps hold become refs, the rest is written in full. `placeCut` returns an index in the history. */
export function recordTurn(
  { turn, phase, contents, steps, calls }: ClosedTurn,
  outcomes: StepOutcomes,
  placeCut: (keepFrom: number) => number,
): TurnRecord {
  return {
    turn,
    phase,
    contents: buildRefs(contents, { steps, calls }),
    steps: steps.map(({ name, at, discarded, keepFrom }) => ({
      step: name,
      at,
      discarded,
      keepFrom: keepFrom === undefined ? undefined : placeCut(keepFrom),
    })),
    calls: calls.map((call) => recordCall(call, outcomes)),
  };
}

function recordCall({ turn, callId, call, edited, endsRun, value }: AnsweredCall, outcomes: StepOutcomes): CallRecord {
  const edit = { callId, ...(edited && { args: call.args ?? {} }), ...(endsRun && { endsRun }) };
  for (let attempt = 0; ; attempt++) {
    const step = stepName({ kind: "call", turn, callId, attempt });
    const outcome = outcomes.get(step)?.outcome;
    if (outcome === undefined) return { ...edit, value };
    // Steps of calls record this type.
    if (outcome.ok && (outcome.value as unknown) === value) return { ...edit, step };
  }
}

function buildRefs(contents: readonly Content[], { steps, calls }: Pick<ClosedTurn, "steps" | "calls">): ContentRef[] {
  const known = new Map<Content, ContentRef>();
  for (const { name, value } of steps) {
    // No kind of step has other members with these names.
    const { response, steered } = (value ?? {}) as Partial<ModelStepValue>;
    if (response !== undefined) known.set(response.content, { model: name });
    const ref = { steered: name };
    for (const content of steered?.contents ?? []) known.set(content, ref);
  }
  const parts = new Map<Part, string>();
  const after = new Map<Part, string>();
  for (const { callId, value } of calls) {
    parts.set(value.part, callId);
    for (const part of value.after) after.set(part, callId);
  }
  const refs = contents.map((content): ContentRef => {
    const ref = known.get(content);
    if (ref !== undefined) return ref;
    if (content.parts.some((part) => parts.has(part)))
      return { calls: content.parts.map((part) => parts.get(part) ?? part) };
    const ids = content.parts.map((part) => after.get(part));
    return ids.length > 0 && ids.every((id) => id !== undefined) ? { after: [...new Set(ids)] } : content;
  });
  // All messages of a step come together.
  return refs.filter((ref, index) => ref !== refs[index - 1]);
}

/** A turn of the log in the loop's form. `placeCut` returns an index in the history as it is sent; undefined if it is not sent. */
export function readTurn(
  record: TurnRecord,
  outcomes: StepOutcomes,
  placeCut: (keepFrom: number) => number | undefined,
): ClosedTurn {
  const { turn, phase, contents, steps, calls } = record;
  const answer = contents.findLast((ref) => "model" in ref);
  const numbered = numberCalls(turn, answer && readResponse(answer, outcomes));
  const made = new Map(numbered.map(({ callId, call }) => [callId, call]));
  return {
    turn,
    phase,
    contents: resolveRefs(record, outcomes),
    steps: steps.flatMap(({ step, keepFrom, ...rest }): TurnStep[] => {
      const known = outcomes.get(step);
      if (known === undefined) return [];
      const { place, outcome } = known;
      const cut = keepFrom === undefined ? undefined : placeCut(keepFrom);
      const job = place.kind === "wait" && place.question === "job" ? findJob(place, outcomes) : undefined;
      return [{ ...rest, name: step, place, value: outcome.ok ? outcome.value : undefined, keepFrom: cut, job }];
    }),
    calls: calls.flatMap((one): AnsweredCall[] => {
      const { callId, args, endsRun } = one;
      const call = made.get(callId);
      if (call === undefined) return [];
      const edit = args && { call: { ...call, args }, edited: true as const };
      return [{ turn, callId, call, ...edit, ...(endsRun && { endsRun }), value: readAnswer(one, outcomes) }];
    }),
  };
}

function findJob(
  { callId, time }: Extract<StepPlace, { kind: "wait" }>,
  outcomes: StepOutcomes,
): StartedJob | undefined {
  const made = [...outcomes.values()].flatMap(({ place, outcome }) =>
    // Such a step records this type.
    place.kind === "call" && place.callId === callId && outcome.ok ? [outcome.value as Partial<CallStepValue>] : [],
  );
  return made.findLast(({ job }) => (job?.number ?? 1) === time)?.job;
}
