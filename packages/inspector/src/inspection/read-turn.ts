import type { Source } from "@pollux/core";
import { callsIn } from "./answer-calls.ts";
import { readCalls } from "./call-details.ts";
import { readNotes } from "./turn-notes.ts";
import { stepsOf, type TurnStep } from "./turn-step.ts";
import { type ContentPlace, partViews } from "./part-view.ts";
import { fieldsOf, listOf, numberOf, readError, textOf } from "./read-values.ts";
import type { RunFold } from "./run-fold.ts";
import type { SessionFold } from "./session-fold.ts";
import { citationsOf, sourcesOf, sourceViews } from "./turn-citations.ts";
import type { AnswerView, ContentView, TurnDetails } from "./turn-details.ts";
import type { TurnFold } from "./turn-fold.ts";

/** One turn in full; undefined when the session has no such turn. */
export function readTurn(fold: SessionFold, runId: string, number: number): TurnDetails | undefined {
  const run = fold.run(runId);
  const turn = run?.turns.get(number);
  if (run === undefined || turn === undefined) return undefined;
  const steps = stepsOf(fold, turn);
  const sources = sourcesOf(responsesUpTo(fold, run, number));
  const madeBy = makerOf(run, steps);
  const answers = steps.flatMap((step) => readAnswer(step, number, madeBy, sources));
  return {
    runId: run.runId,
    row: turn.row(),
    before: [...readInput(run, turn), ...steps.flatMap(readBefore), ...readUnfinished(run, number)],
    answers,
    calls: readCalls(run, turn, steps),
    // The log of a run that waits has responses for the case that the conversation goes on without an answer.
    responses: run.pending().some((call) => call.turn === number) ? [] : readResponses(turn, steps),
    notes: readNotes(steps),
    sources: sourceViews(sources),
    entries: turn.positions.map((position) => ({ position, entry: fold.entries[position] ?? null })),
  };
}

/** The answers of a run up to a turn, including those of runs inside calls, for their sources. */
function responsesUpTo(fold: SessionFold, run: RunFold, number: number): readonly unknown[] {
  const responses: unknown[] = [];
  for (const turn of run.turns.values()) {
    if (turn.turn > number) continue;
    for (const step of stepsOf(fold, turn)) {
      const value = fieldsOf(step.value);
      if (value["response"] !== undefined) responses.push(value["response"]);
      for (const nested of listOf(value["nested"])) responses.push(...listOf(fieldsOf(nested)["responses"]));
    }
  }
  return responses;
}

/** Model, version and family that made the signatures of a turn's answers. */
function makerOf(run: RunFold, steps: readonly TurnStep[]): string | undefined {
  let model = textOf(run.entry["model"]);
  let family = textOf(fieldsOf(run.entry["origin"])["family"]);
  for (const { value } of steps) {
    const other = fieldsOf(fieldsOf(fieldsOf(value)["prepared"])["model"]);
    model = textOf(other["id"]) ?? model;
    family = textOf(fieldsOf(other["origin"])["family"]) ?? family;
  }
  if (model === undefined) return undefined;
  return family === undefined || family === model ? model : `${model} (${family})`;
}

/** The input of the run, before its first turn. */
function readInput(run: RunFold, turn: TurnFold): readonly ContentView[] {
  const first = run.turns.values().next().value;
  if (turn !== first) return [];
  return contentsAt(run.entry["input"], { position: run.position, path: ["input"] }, "input");
}

/** A list of contents in an entry. */
function contentsAt(contents: unknown, { position, path }: ContentPlace, origin: ContentView["origin"]): ContentView[] {
  return listOf(contents).map((content, index) => {
    const { role, parts } = fieldsOf(content);
    const place = { position, path: [...path, index, "parts"] };
    return { role: textOf(role) ?? "", origin, parts: partViews(parts, place) };
  });
}

/** The contents that a step added before its answer: steering, a summary, or a message as a guardrail changed it. */
function readBefore(step: TurnStep): readonly ContentView[] {
  const value = fieldsOf(step.value);
  const list = (contents: unknown, path: readonly string[], origin: ContentView["origin"]): ContentView[] =>
    contentsAt(contents, { position: step.position, path: ["outcome", "value", ...path] }, origin);
  const { steered, summary, contents } = value;
  const steering = list(fieldsOf(steered)["contents"], ["steered", "contents"], "steering");
  const replaced = list(contents, ["contents"], "input");
  if (typeof summary !== "string") return [...replaced, ...steering];
  const text = { kind: "text", index: 0, text: summary, raw: { text: summary } } as const;
  return [{ role: "user", origin: "summary", parts: [text] }, ...replaced, ...steering];
}

/** The answer that was unfinished when the run ended: the next run's requests have it. */
function readUnfinished({ end, positions }: RunFold, number: number): readonly ContentView[] {
  const { place, parts } = fieldsOf(end?.["interrupted"]);
  if (fieldsOf(place)["turn"] !== number) return [];
  const at = { position: positions.at(-1) ?? 0, path: ["interrupted", "parts"] };
  return [{ role: "model", origin: "unfinished", parts: partViews(parts, at) }];
}

function readAnswer(
  step: TurnStep,
  turn: number,
  madeBy: string | undefined,
  sources: readonly Source[],
): readonly AnswerView[] {
  const { place: name } = step;
  if (name.kind !== "model" || step.type === "begin") return [];
  const value = fieldsOf(step.value);
  const response = fieldsOf(value["response"]);
  const { content, candidate, envelope, finishReason, finishMessage } = response;
  const { citations, lost } = citationsOf(response, sources);
  const { modelVersion, usageMetadata } = fieldsOf(envelope);
  const { webSearchQueries } = fieldsOf(fieldsOf(candidate)["groundingMetadata"]);
  const callIds = callsIn(response).map(({ index }, position) => ({ index, callId: `call:${turn}.${position}` }));
  const place = {
    position: step.position,
    path: ["outcome", "value", "response", "content", "parts"],
    madeBy,
    callIds,
    citations,
  };
  const { role, parts } = fieldsOf(content);
  return [
    {
      step: step.name,
      attempt: name.attempt,
      startedAt: numberOf(value["startedAt"]) ?? step.at,
      endedAt: numberOf(value["endedAt"]) ?? step.at,
      content:
        content === undefined
          ? undefined
          : { role: textOf(role) ?? "", origin: "answer", parts: partViews(parts, place) },
      finishReason: textOf(finishReason),
      finishMessage: textOf(finishMessage),
      modelVersion: textOf(modelVersion),
      // As stored.
      beside: { usageMetadata, candidate, envelope, prepared: value["prepared"] } as AnswerView["beside"],
      searchQueries: listOf(webSearchQueries).filter((query) => typeof query === "string"),
      lostCitations: lost,
      error: step.error && readError(step.error),
    },
  ];
}

/** The contents that the run added after the answer: responses to its calls, and requests to answer again. */
function readResponses(turn: TurnFold, steps: readonly TurnStep[]): readonly ContentView[] {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const inStep = (name: string, member: "part" | "after"): ContentView["parts"] => {
    const step = byName.get(name);
    if (step === undefined) return [];
    const value = fieldsOf(step.value)[member];
    const path = ["outcome", "value", ...(member === "part" ? [] : ["after"])];
    return partViews(member === "part" ? [value] : value, { position: step.position, path });
  };
  const { record } = turn;
  if (record === undefined)
    return byCall(steps).map((step) => ({ role: "user", origin: "responses", parts: inStep(step.name, "part") }));
  // The page never fetches media from the turn's own entry: steps have them.
  const inRecord = (parts: unknown): ContentView["parts"] =>
    partViews(parts, { position: record.position, path: [...record.path, "contents"] });
  const answers = new Map(listOf(record.fields["calls"]).map((call) => [fieldsOf(call)["callId"], fieldsOf(call)]));
  const answerTo = (callId: unknown, member: "part" | "after"): ContentView["parts"] => {
    const { step, value } = answers.get(callId) ?? {};
    if (typeof step === "string") return inStep(step, member);
    const own = fieldsOf(value)[member];
    return inRecord(member === "part" ? [own] : own);
  };
  return listOf(record.fields["contents"]).flatMap((ref): readonly ContentView[] => {
    const { calls, after, role, parts } = fieldsOf(ref);
    if (calls !== undefined) {
      const sent = listOf(calls).flatMap((one) => (typeof one === "string" ? answerTo(one, "part") : inRecord([one])));
      return [{ role: "user", origin: "responses", parts: numbered(sent) }];
    }
    if (after !== undefined) {
      const media = listOf(after).flatMap((callId) => answerTo(callId, "after"));
      return [{ role: "user", origin: "media", parts: numbered(media) }];
    }
    if (role === undefined) return [];
    const isResponse = listOf(parts).some((part) => fieldsOf(part)["functionResponse"] !== undefined);
    return [{ role: textOf(role) ?? "", origin: isResponse ? "responses" : "asks-again", parts: inRecord(parts) }];
  });
}

/** The last step of each call, in call order. */
function byCall(steps: readonly TurnStep[]): readonly TurnStep[] {
  const last = new Map<string, TurnStep>();
  for (const step of steps) {
    const { place } = step;
    if (place.kind === "call" && fieldsOf(step.value)["part"] !== undefined) last.set(place.callId, step);
  }
  return [...last.entries()]
    .toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([, step]) => step);
}

function numbered(parts: ContentView["parts"]): ContentView["parts"] {
  return parts.map((part, index) => ({ ...part, index }));
}
