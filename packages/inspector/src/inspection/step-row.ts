import type { PrefixField } from "@pollux/core/durable";
import { callsIn } from "./answer-calls.ts";
import type { InnerRow, StepRow } from "./inspection.ts";
import { type Fields, fieldsOf, firstWords, listOf, numberOf, textIn, textOf } from "./read-values.ts";
import type { ReadPlace } from "./step-place.ts";
import { readUsage, turnUsage } from "./usage.ts";

/** What is known of a step besides its name. */
export interface StepInput {
  readonly place: ReadPlace;
  readonly text: string;
  readonly position: number;
  /** When its entry was written. */
  readonly at: number;
}

/** Names of a turn's calls, in call order. */
type Calls = readonly string[];

/** A step that began, and has no outcome yet. */
export function begunRow({ place, text, at }: StepInput, calls: Calls): StepRow {
  return { name: text, kind: place.kind, at, state: "open", ...labelOf(place, calls) };
}

/** A step with its outcome. */
export function outcomeRow({ place, text, position, at }: StepInput, calls: Calls, outcome: unknown): StepRow {
  const { ok, value, error } = fieldsOf(outcome);
  const fields = fieldsOf(value);
  const startedAt = numberOf(fields["startedAt"]) ?? at;
  const endedAt = numberOf(fields["endedAt"]) ?? at;
  const base: Omit<StepRow, "state"> = {
    name: text,
    kind: place.kind,
    position,
    at: startedAt,
    ms: Math.max(0, endedAt - startedAt),
    ...(place.kind === "model" ? undefined : labelOf(place, calls)),
    ...("attempt" in place && place.attempt > 0 ? { attempt: place.attempt } : undefined),
  };
  if (ok !== true) {
    const { name: kind, message } = fieldsOf(error);
    return { ...base, state: "failed", detail: firstWords(textOf(message) ?? textOf(kind) ?? "it failed") };
  }
  return { ...base, ...resultOf(place, fields, value, calls) };
}

/** An answer from outside. */
export function answerRow({ place, text, position, at }: StepInput, calls: Calls, value: unknown): StepRow {
  const { deny, args, output, error, withdrawn, cancelled } = fieldsOf(value);
  const isDenied = value === false || deny !== undefined || withdrawn !== undefined;
  const why = textOf(deny) ?? textOf(withdrawn);
  const said: readonly (readonly [isSo: boolean, what: string])[] = [
    [isDenied, `${withdrawn === undefined ? "denied" : "withdrawn"}${why === undefined ? "" : `: ${why}`}`],
    [args !== undefined, "approved with other arguments"],
    [value === true, "approved"],
    [error !== undefined, "answered with an error"],
    [output !== undefined, "answered with an output"],
  ];
  const [, detail] = said.find(([isSo]) => isSo) ?? [true, "answered"];
  const wasCancelled =
    cancelled === undefined ? "" : cancelled === true ? ", cancelled" : `, not cancelled: ${JSON.stringify(cancelled)}`;
  const state = isDenied ? "denied" : "ok";
  return {
    name: text,
    kind: place.kind,
    position,
    at,
    ms: 0,
    state,
    detail: firstWords(`${detail}${wasCancelled}`),
    ...labelOf(place, calls),
  };
}

/** The last report of a job that goes on. */
export function reportRow({ place, text, position, at }: StepInput, calls: Calls, progress: unknown): StepRow {
  const detail = firstWords(`progress: ${JSON.stringify(progress) ?? "none"}`);
  return { name: text, kind: place.kind, position, at, ms: 0, state: "waiting", detail, ...labelOf(place, calls) };
}

function labelOf(place: ReadPlace, calls: Calls): { readonly label?: string } {
  if (place.kind === "guard") return { label: place.side };
  if (place.kind === "inner") return { label: place.name };
  if (place.kind !== "call" && place.kind !== "wait" && place.kind !== "hook") return {};
  const label = calls[Number(place.callId.slice(place.callId.lastIndexOf(".") + 1))];
  return label === undefined ? {} : { label };
}

function resultOf(
  place: ReadPlace,
  fields: Fields,
  value: unknown,
  calls: Calls,
): Pick<StepRow, "state" | "detail" | "inner" | "label" | "breaks" | "ms"> {
  switch (place.kind) {
    case "model":
      return modelResult(fields);
    case "call":
      return callResult(fields);
    case "compact":
      return { state: "ok", detail: firstWords(textOf(fields["summary"]) ?? ""), ...innerOf(fields) };
    case "guard":
      return guardResult(fields["actions"]);
    case "route":
      return { state: "ok", ...routeDetail(value, calls) };
    default:
      return { state: "ok" };
  }
}

function modelResult(fields: Fields): Pick<StepRow, "state" | "detail" | "label" | "breaks"> {
  if (fields["tooLong"] === true) return { state: "failed", detail: "the prompt was too long for the model" };
  if (fields["stopped"] === true) return { state: "denied", detail: "a guardrail stopped the message" };
  const { model, breaks } = fieldsOf(fields["prepared"]);
  const asked = textOf(fieldsOf(model)["id"]);
  const response = fields["response"];
  return {
    state: response === undefined ? "unknown" : "ok",
    detail: textOf(fieldsOf(response)["finishReason"]) ?? "no finish reason",
    ...(asked !== undefined && { label: asked }),
    // Only compared and shown.
    ...(Array.isArray(breaks) && breaks.length > 0 && { breaks: breaks.map(String) as PrefixField[] }),
  };
}

function callResult(fields: Fields): Pick<StepRow, "state" | "detail" | "inner" | "label" | "ms"> {
  const { failure, unknown, notRun, part, durationMs } = fields;
  const { kind, message } = fieldsOf(failure);
  const label = textOf(fieldsOf(fieldsOf(part)["functionResponse"])["name"]);
  const ms = numberOf(durationMs);
  const common = { ...(label !== undefined && { label }), ...(ms !== undefined && { ms }), ...innerOf(fields) };
  if (fields["job"] !== undefined) {
    const { jobId } = fieldsOf(fields["job"]);
    return { ...common, state: "ok", detail: firstWords(`started job ${textOf(jobId) ?? ""}`) };
  }
  if (unknown === true) return { ...common, state: "unknown", detail: "it is unknown whether the call took effect" };
  if (failure === undefined)
    return { ...common, state: "ok", ...(notRun === true && { detail: "a hook answered; the tool did not run" }) };
  const detail = firstWords([kind, message].filter((one) => typeof one === "string").join(": "));
  return { ...common, state: kind === "denied" ? "denied" : "failed", detail };
}

function guardResult(actions: unknown): Pick<StepRow, "state" | "detail"> {
  const last = fieldsOf(listOf(actions).at(-1));
  const { action, name, reason } = last;
  if (typeof action !== "string") return { state: "ok" };
  const detail = firstWords(
    `${textOf(name) ?? "a guardrail"}: ${action}${typeof reason === "string" ? `, ${reason}` : ""}`,
  );
  return { state: action === "stop" ? "denied" : "ok", detail };
}

function routeDetail(routes: unknown, calls: Calls): { readonly detail?: string } {
  const told = listOf(routes).flatMap((route, index) => {
    const kind = fieldsOf(route)["do"];
    return typeof kind === "string" && kind !== "run" ? [`${calls[index] ?? `call ${index}`}: ${kind}`] : [];
  });
  return told.length === 0 ? {} : { detail: firstWords(told.join(", ")) };
}

function innerOf({ nested }: Fields): { readonly inner?: readonly InnerRow[] } {
  const inner = listOf(nested).map((run): InnerRow => {
    const { usage, cost, responses } = fieldsOf(run);
    return {
      usage: turnUsage(readUsage(usage)),
      ...(typeof cost === "number" && { cost }),
      texts: listOf(responses).map((response) => answerWords(fieldsOf(response)["content"])),
    };
  });
  return inner.length === 0 ? {} : { inner };
}

/** The visible words of an answer, or else of its thoughts, or the calls that it made. */
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
