import { callsIn } from "./answer-calls.ts";
import type { InnerRow, StepRow } from "./inspection.ts";
import { type Fields, fieldsOf, firstWords, listOf, numberOf, textIn, textOf } from "./read-values.ts";
import type { ReadPlace } from "./step-place.ts";
import { readUsage, turnUsage } from "./usage.ts";

/** What a step's row is made from. */
export interface StepInput {
  readonly place: ReadPlace;
  readonly text: string;
  readonly position: number;
  /** When its entry was written. */
  readonly at: number;
}

/** Names of a turn's calls, in call order. */
type Calls = readonly string[];

/** A step without an outcome yet. */
export function begunRow(step: StepInput, calls: Calls): StepRow {
  const { position: _, ms: __, ...row } = rowOf(step, calls);
  return { ...row, state: "open" };
}

function rowOf({ place, text, position, at }: StepInput, calls: Calls): Omit<StepRow, "state"> {
  return { name: text, kind: place.kind, position, at, ms: 0, label: labelOf(place, calls) };
}

/** A step with its outcome. */
export function outcomeRow(step: StepInput, calls: Calls, outcome: unknown): StepRow {
  const { place, at } = step;
  const { ok, value, error } = fieldsOf(outcome);
  const fields = fieldsOf(value);
  const startedAt = numberOf(fields["startedAt"]) ?? at;
  const base: Omit<StepRow, "state"> = {
    ...rowOf(step, calls),
    at: startedAt,
    ms: Math.max(0, (numberOf(fields["endedAt"]) ?? at) - startedAt),
    attempt: "attempt" in place && place.attempt > 0 ? place.attempt : undefined,
  };
  if (ok !== true) {
    const { name: kind, message } = fieldsOf(error);
    return { ...base, state: "failed", detail: firstWords(textOf(message) ?? textOf(kind) ?? "it failed") };
  }
  return { ...base, ...resultOf(place, fields, value, calls) };
}

/** An answer from outside. */
export function answerRow(step: StepInput, calls: Calls, value: unknown): StepRow {
  const { deny, args, output, error, withdrawn, cancelled } = fieldsOf(value);
  const isDenied = value === false || deny !== undefined || withdrawn !== undefined;
  const why = textOf(deny) ?? textOf(withdrawn);
  const details: readonly (readonly [isSo: boolean, what: string])[] = [
    [isDenied, `${withdrawn === undefined ? "denied" : "withdrawn"}${why === undefined ? "" : `: ${why}`}`],
    [args !== undefined, "approved with other arguments"],
    [value === true, "approved"],
    [error !== undefined, "answered with an error"],
    [output !== undefined, "answered with an output"],
  ];
  const [, detail] = details.find(([isSo]) => isSo) ?? [true, "answered"];
  const wasCancelled =
    cancelled === undefined ? "" : cancelled === true ? ", cancelled" : `, not cancelled: ${JSON.stringify(cancelled)}`;
  return { ...rowOf(step, calls), state: isDenied ? "denied" : "ok", detail: firstWords(`${detail}${wasCancelled}`) };
}

/** The latest report of an unfinished job. */
export function reportRow(step: StepInput, calls: Calls, progress: unknown): StepRow {
  const detail = firstWords(`progress: ${JSON.stringify(progress) ?? "none"}`);
  return { ...rowOf(step, calls), state: "waiting", detail };
}

function labelOf(place: ReadPlace, calls: Calls): string | undefined {
  if (place.kind === "guard") return place.side;
  if (place.kind === "inner") return place.name;
  if (place.kind !== "call" && place.kind !== "wait" && place.kind !== "hook") return undefined;
  return calls[Number(place.callId.slice(place.callId.lastIndexOf(".") + 1))];
}

type Result = Pick<StepRow, "state"> & Partial<StepRow>;

function resultOf(place: ReadPlace, fields: Fields, value: unknown, calls: Calls): Result {
  switch (place.kind) {
    case "model":
      return modelResult(fields);
    case "call":
      return callResult(fields);
    case "compact":
      return { state: "ok", detail: firstWords(textOf(fields["summary"]) ?? ""), inner: innerOf(fields) };
    case "guard":
      return guardResult(fields["actions"]);
    case "route":
      return { state: "ok", detail: routeDetail(value, calls) };
    default:
      return { state: "ok" };
  }
}

function modelResult(fields: Fields): Result {
  if (fields["tooLong"] === true) return { state: "failed", detail: "the prompt was too long for the model" };
  if (fields["stopped"] === true) return { state: "denied", detail: "a guardrail stopped the message" };
  const { model, breaks } = fieldsOf(fields["prepared"]);
  const response = fields["response"];
  return {
    state: response === undefined ? "unknown" : "ok",
    detail: textOf(fieldsOf(response)["finishReason"]) ?? "no finish reason",
    label: textOf(fieldsOf(model)["id"]),
    breaks: listOf(breaks).length > 0 ? listOf(breaks).map(String) : undefined,
  };
}

function callResult(fields: Fields): Result {
  const { failure, unknown, notRun, part, durationMs } = fields;
  const { kind, message } = fieldsOf(failure);
  const label = textOf(fieldsOf(fieldsOf(part)["functionResponse"])["name"]);
  const ms = numberOf(durationMs);
  const common = { ...(label !== undefined && { label }), ...(ms !== undefined && { ms }), inner: innerOf(fields) };
  if (fields["job"] !== undefined) {
    const { jobId } = fieldsOf(fields["job"]);
    return { ...common, state: "ok", detail: firstWords(`started job ${textOf(jobId) ?? ""}`) };
  }
  if (unknown === true) return { ...common, state: "unknown", detail: "it is unknown whether the call took effect" };
  if (failure === undefined)
    return { ...common, state: "ok", detail: notRun === true ? "a hook answered; the tool did not run" : undefined };
  const wasRun = kind !== "denied" && kind !== "not-run" && kind !== "withdrawn";
  const detail = firstWords(
    [kind === "not-run" ? undefined : kind, message].filter((one) => typeof one === "string").join(": "),
  );
  return { ...common, state: wasRun ? "failed" : "denied", detail };
}

function guardResult(actions: unknown): Result {
  const { action, name, reason } = fieldsOf(listOf(actions).at(-1));
  if (typeof action !== "string") return { state: "ok" };
  const detail = firstWords(
    `${textOf(name) ?? "a guardrail"}: ${action}${typeof reason === "string" ? `, ${reason}` : ""}`,
  );
  return { state: action === "stop" ? "denied" : "ok", detail };
}

function routeDetail(routes: unknown, calls: Calls): string | undefined {
  const decisions = listOf(routes).flatMap((route, index) => {
    const kind = fieldsOf(route)["do"];
    return typeof kind === "string" && kind !== "run" ? [`${calls[index] ?? `call ${index}`}: ${kind}`] : [];
  });
  return decisions.length === 0 ? undefined : firstWords(decisions.join(", "));
}

function innerOf({ nested }: Fields): StepRow["inner"] {
  const inner = listOf(nested).map((run): InnerRow => {
    const { usage, cost, responses } = fieldsOf(run);
    return {
      usage: turnUsage(readUsage(usage)),
      cost: numberOf(cost),
      texts: listOf(responses).map((response) => answerWords(fieldsOf(response)["content"])),
    };
  });
  return inner.length === 0 ? undefined : inner;
}

/** The first visible words of an answer, or else of its thoughts, or its calls. */
export function answerWords(response: unknown): string {
  const { content } = fieldsOf(response);
  const text = textIn([content]) || textIn([content], "thought");
  if (text.trim() !== "") return firstWords(text);
  const calls = callsIn(response).slice(0, 5);
  return firstWords(calls.map(({ call }) => `${textOf(call["name"]) ?? ""}(${shortArgs(call["args"])})`).join(", "));
}

function shortArgs(args: unknown): string {
  const members = Object.entries(fieldsOf(args)).slice(0, 4);
  return members.map(([name, value]) => `${name}: ${firstWords(JSON.stringify(value) ?? "", 40)}`).join(", ");
}
