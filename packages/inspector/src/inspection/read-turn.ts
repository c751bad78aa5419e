import type { Json, Source } from "@pollux/core";
import { parseStepName } from "@pollux/core/durable";
import { callsIn } from "./answer-calls.ts";
import { readCalls } from "./call-details.ts";
import { readNotes } from "./turn-notes.ts";
import { readStep, type TurnStep } from "./turn-step.ts";
import { partViews } from "./part-view.ts";
import { fieldsOf, type Fields, listOf, numberOf, textOf } from "./read-values.ts";
import type { RunFold } from "./run-fold.ts";
import type { SessionFold } from "./session-fold.ts";
import { citationsOf, sourcesOf, sourceViews } from "./turn-citations.ts";
import type { AnswerView, ContentView, TurnDetails } from "./turn-details.ts";
import type { TurnFold } from "./turn-fold.ts";

/** All of one turn; undefined when the session has no such turn. */
export function readTurn(fold: SessionFold, runId: string, number: number): TurnDetails | undefined {
  const run = fold.run(runId);
  const turn = run?.turns.get(number);
  if (run === undefined || turn === undefined) return undefined;
  const steps = turn.positions.map((position) => readStep(fold.entries[position], position));
  const sources = sourcesOf(responsesUpTo(fold, run, number));
  const madeBy = makerOf(run, steps);
  const answers = steps.flatMap((step) => readAnswer(step, number, madeBy, sources));
  return {
    runId: run.runId,
    row: turn.row(),
    before: [...readInput(run, turn), ...steps.flatMap(readBefore)],
    ...(madeBy !== undefined && { madeBy }),
    answers,
    calls: readCalls(run, number, steps),
    responses: readResponses(run, number, steps),
    notes: readNotes(number, steps),
    sources: sourceViews(sources),
    entries: turn.positions.map((position) => ({ position, entry: fold.entries[position] ?? null })),
  };
}

/** The answers of a run up to a turn, those of runs inside calls included, for their sources. */
function responsesUpTo(fold: SessionFold, run: RunFold, number: number): readonly unknown[] {
  const responses: unknown[] = [];
  for (const { turn, positions } of run.turns.values()) {
    if (turn > number) continue;
    for (const position of positions) {
      const value = fieldsOf(readStep(fold.entries[position], position).value);
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

/** What began the run, before its first turn. */
function readInput(run: RunFold, turn: TurnFold): readonly ContentView[] {
  const first = run.turns.values().next().value;
  if (turn !== first) return [];
  return listOf(run.entry["input"]).map((content, index) => {
    const { role, parts } = fieldsOf(content);
    const place = { position: run.position, path: ["input", index, "parts"] };
    return { role: textOf(role) ?? "", origin: "input", parts: partViews(parts, place) };
  });
}

/** What a step put before its answer: steering, or a message as a guardrail changed it. */
function readBefore(step: TurnStep): readonly ContentView[] {
  const value = fieldsOf(step.value);
  const list = (contents: unknown, path: readonly (string | number)[], origin: ContentView["origin"]): ContentView[] =>
    listOf(contents).map((content, index) => {
      const { role, parts } = fieldsOf(content);
      const place = { position: step.position, path: ["outcome", "value", ...path, index, "parts"] };
      return { role: textOf(role) ?? "", origin, parts: partViews(parts, place) };
    });
  const { steered, summary, contents } = value;
  const said = list(fieldsOf(steered)["contents"], ["steered", "contents"], "steering");
  const replaced = list(contents, ["contents"], "input");
  if (typeof summary !== "string") return [...replaced, ...said];
  const text = { kind: "text", index: 0, text: summary, raw: { text: summary } } as const;
  return [{ role: "user", origin: "summary", parts: [text] }, ...replaced, ...said];
}

function readAnswer(
  step: TurnStep,
  turn: number,
  madeBy: string | undefined,
  sources: readonly Source[],
): readonly AnswerView[] {
  const name = parseStepName(step.name);
  if (name.kind !== "model" || step.type === "begin") return [];
  const value = fieldsOf(step.value);
  const response = fieldsOf(value["response"]);
  const { content, candidate, envelope, finishReason, finishMessage } = response;
  const { citations, lost } = citationsOf(response, sources);
  const { modelVersion, responseId, usageMetadata } = fieldsOf(envelope);
  const { webSearchQueries } = fieldsOf(fieldsOf(candidate)["groundingMetadata"]);
  const callIds = callsIn(content).map(({ index }, position) => ({ index, callId: `call:${turn}.${position}` }));
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
      ...(content !== undefined && {
        content: { role: textOf(role) ?? "", origin: "answer", parts: partViews(parts, place) },
      }),
      ...texts({ finishReason, finishMessage, modelVersion, responseId }),
      // As they were stored.
      ...(usageMetadata !== undefined && { usageMetadata: usageMetadata as Json }),
      ...(candidate !== undefined && { candidate: candidate as Json }),
      ...(envelope !== undefined && { envelope: envelope as Json }),
      searchQueries: listOf(webSearchQueries).filter((query) => typeof query === "string"),
      lostCitations: lost,
      ...(value["prepared"] !== undefined && { prepared: value["prepared"] as Json }),
      ...errorOf(step.error),
    },
  ];
}

type Texts = "finishReason" | "finishMessage" | "modelVersion" | "responseId";

function texts(values: { readonly [Name in Texts]: unknown }): { readonly [Name in Texts]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === "string"));
}

function errorOf(error: Fields | undefined): Pick<AnswerView, "error"> {
  if (error === undefined) return {};
  const { name, message, code } = error;
  return {
    error: {
      name: textOf(name) ?? "Error",
      message: textOf(message) ?? "",
      ...(typeof code === "string" && { code }),
    },
  };
}

/** What the run said after the answer, before the next one: responses to its calls, and requests to answer again. */
function readResponses(run: RunFold, turn: number, steps: readonly TurnStep[]): readonly ContentView[] {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const resolve = (name: unknown, member: "part" | "after"): readonly ContentView["parts"][number][] => {
    const step = byName.get(typeof name === "string" ? name : "");
    if (step === undefined) return [];
    const value = fieldsOf(step.value)[member];
    const path = ["outcome", "value", ...(member === "part" ? [] : ["after"])];
    const parts = member === "part" ? [value] : value;
    return partViews(parts, { position: step.position, path });
  };
  const added = listOf(run.end?.["added"]);
  if (added.length === 0)
    return byCall(steps).map((step) => ({ role: "user", origin: "responses", parts: resolve(step.name, "part") }));
  const contents: ContentView[] = [];
  let isHere = false;
  for (const ref of added) {
    const { model, calls, after, role, parts } = fieldsOf(ref);
    if (typeof model === "string") {
      const name = parseStepName(model);
      isHere = name.kind === "model" && name.turn === turn;
    } else if (isHere && calls !== undefined) {
      const told = listOf(calls).flatMap((one) => (typeof one === "string" ? resolve(one, "part") : inEnd([one], run)));
      contents.push({ role: "user", origin: "responses", parts: numbered(told) });
    } else if (isHere && after !== undefined)
      contents.push({
        role: "user",
        origin: "media",
        parts: numbered(listOf(after).flatMap((one) => resolve(one, "after"))),
      });
    else if (isHere && role !== undefined) {
      const views = inEnd(parts, run);
      const origin = views.some(({ kind }) => kind === "response") ? "responses" : "asks-again";
      contents.push({ role: textOf(role) ?? "", origin, parts: views });
    }
  }
  return contents;
}

/** The last step of each call, in call order. */
function byCall(steps: readonly TurnStep[]): readonly TurnStep[] {
  const last = new Map<string, TurnStep>();
  for (const step of steps) {
    const name = parseStepName(step.name);
    if (name.kind === "call" && fieldsOf(step.value)["part"] !== undefined) last.set(name.callId, step);
  }
  return [...last.entries()]
    .toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([, step]) => step);
}

/** Parts that the run's end holds itself. Their media are not fetched: steps hold them. */
function inEnd(parts: unknown, run: RunFold): ContentView["parts"] {
  return partViews(parts, { position: run.positions.at(-1) ?? run.position, path: ["added"] });
}

function numbered(parts: ContentView["parts"]): ContentView["parts"] {
  return parts.map((part, index) => ({ ...part, index }));
}
