import type { Json } from "@pollux/core";
import { callsIn } from "./answer-calls.ts";
import { partViews, shorten } from "./part-view.ts";
import { isOutcomeFromOutside, lastResponse, type TurnStep } from "./turn-step.ts";
import { type Fields, fieldsOf, isFields, listOf, numberOf, textOf } from "./read-values.ts";
import type { RunFold } from "./run-fold.ts";
import type { TurnFold } from "./turn-fold.ts";
import type { CallDetails, NestedView } from "./turn-details.ts";
import { readsOf, whyHeld } from "./untrusted.ts";
import { readUsage, turnUsage } from "./usage.ts";

/** The calls of a turn's last answer, each with its outcome. */
export function readCalls(
  run: RunFold,
  { turn, record }: Pick<TurnFold, "turn" | "record">,
  steps: readonly TurnStep[],
): readonly CallDetails[] {
  // Outcomes without a step of their own are in the turn's entry.
  const recorded = new Map(listOf(record?.fields["calls"]).map((one) => [fieldsOf(one)["callId"], fieldsOf(one)]));
  const routes = steps.findLast(({ place }) => place.kind === "route")?.value;
  return callsIn(lastResponse(steps)).map(({ call }, index) => {
    const callId = `call:${turn}.${index}`;
    const own = steps.filter(
      ({ place }) =>
        (place.kind === "call" || place.kind === "wait" || place.kind === "hook") && place.callId === callId,
    );
    return readCall(call, callId, {
      steps: own,
      all: steps,
      route: fieldsOf(listOf(routes)[index]),
      recorded: recorded.get(callId),
      run,
    });
  });
}

/** What the log says about one call. */
interface CallSources {
  readonly steps: readonly TurnStep[];
  /** All steps of the turn. */
  readonly all: readonly TurnStep[];
  readonly route: Fields;
  readonly recorded: Fields | undefined;
  readonly run: RunFold;
}

function readCall(call: Fields, callId: string, sources: CallSources): CallDetails {
  const { steps, route, recorded } = sources;
  const { name, id, args } = call;
  const done = steps.findLast(({ type, value }) => type === "step" && fieldsOf(value)["part"] !== undefined);
  const value = fieldsOf(recorded?.["value"] ?? done?.value);
  const state = stateOf(callId, value, sources);
  // While a job runs, its call has a response for the case that the conversation goes on without it.
  const { part, failure } = state === "waiting" ? {} : value;
  const { response } = fieldsOf(fieldsOf(part)["functionResponse"]);
  const answer = response ?? outsideAnswer(steps);
  const begun = steps.find(({ type }) => type === "begin");
  const { kind, message } = fieldsOf(failure);
  return {
    callId,
    name: textOf(name) ?? "",
    id: textOf(id),
    args: shorten(args ?? {}),
    editedArgs: editedArgs(steps, route),
    state,
    startedAt: numberOf(value["startedAt"]) ?? begun?.at,
    endedAt: numberOf(value["endedAt"]),
    because: whyHeld(route["because"], call),
    ...readsOf("call", value),
    response: answer === undefined ? undefined : shorten(answer),
    failure: typeof kind === "string" ? { kind, message: textOf(message) ?? "" } : undefined,
    isShortened: value["shortened"] === true || undefined,
    skill: skillRead(callId, sources.all, answer),
    steps: steps.map(({ name: step, at, value: result }) => {
      return { name: step, at, value: result === undefined ? undefined : shorten(result) };
    }),
    nested: listOf(value["nested"]).map((nested) => readNested(nested, done?.position ?? 0)),
  };
}

function stateOf(callId: string, value: Fields, { steps, route, run }: CallSources): CallDetails["state"] {
  if (run.pending().some((pending) => pending.callId === callId)) return "waiting";
  if (value["unknown"] === true) return "unknown";
  const failure = textOf(fieldsOf(value["failure"])["kind"]);
  if (failure === "unknown-outcome") return "unknown";
  if (failure === "not-run" || failure === "withdrawn") return "not-run";
  if (failure === "denied" || route["do"] === "deny") return "denied";
  if (failure !== undefined) return "failed";
  if (value["notRun"] === true) return "not-run";
  if (value["part"] !== undefined || outsideAnswer(steps) !== undefined) return "ok";
  if (steps.some(({ value: answer }) => answer === false || fieldsOf(answer)["deny"] !== undefined)) return "denied";
  if (steps.some(({ error }) => error !== undefined)) return "failed";
  // Without a recorded beginning, the log doesn't show whether a run that is over has made the call.
  return run.end !== undefined && steps.some(({ type }) => type === "begin") ? "unknown" : "open";
}

/** The outcome of the call that somebody outside reported. */
function outsideAnswer(steps: readonly TurnStep[]): unknown {
  const answer = steps.findLast(isOutcomeFromOutside)?.value;
  return isFields(answer) && ("output" in answer || "error" in answer) ? answer : undefined;
}

function editedArgs(steps: readonly TurnStep[], route: Fields): Json | undefined {
  const given = steps.findLast(({ value, type }) => type === "answer" && fieldsOf(value)["args"] !== undefined);
  const args = fieldsOf(given?.value)["args"] ?? route["args"];
  return args === undefined ? undefined : shorten(args);
}

function readNested(nested: unknown, position: number): NestedView {
  const { usage, cost, responses } = fieldsOf(nested);
  return {
    usage: turnUsage(readUsage(usage)),
    cost: numberOf(cost),
    answers: listOf(responses).map((response) => {
      const { role, parts } = fieldsOf(fieldsOf(response)["content"]);
      return { role: textOf(role) ?? "model", origin: "answer", parts: partViews(parts, { position, path: [] }) };
    }),
  };
}

/** Characters per token, as the compaction of histories estimates. */
const CHARACTERS_PER_TOKEN = 4;

/** The skill that a call read, as the tool recorded it, and about how many tokens its text adds to every later request. */
export function skillRead(callId: string, steps: readonly TurnStep[], response: unknown): CallDetails["skill"] {
  const read = steps.findLast(
    ({ place }) => place.kind === "inner" && place.callId === callId && place.name.startsWith("skill:"),
  );
  const { skill, file, sha256 } = fieldsOf(listOf(read?.value)[0]);
  if (typeof skill !== "string" || response === undefined) return undefined;
  const tokens = Math.ceil(JSON.stringify(response).length / CHARACTERS_PER_TOKEN);
  return { name: skill, file: textOf(file) ?? "", sha256: textOf(sha256) ?? "", tokens };
}
