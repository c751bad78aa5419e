import type { Json } from "@pollux/core";
import { parseStepName } from "@pollux/core/durable";
import { callsIn } from "./answer-calls.ts";
import { partViews, shorten } from "./part-view.ts";
import type { TurnStep } from "./turn-step.ts";
import { type Fields, fieldsOf, isFields, listOf, numberOf, textOf } from "./read-values.ts";
import type { RunFold } from "./run-fold.ts";
import type { CallDetails, NestedView } from "./turn-details.ts";
import { readUsage, turnUsage } from "./usage.ts";

/** The calls of a turn's last answer, and what became of each. */
export function readCalls(run: RunFold, turn: number, steps: readonly TurnStep[]): readonly CallDetails[] {
  const answer = steps.findLast(({ value }) => fieldsOf(value)["response"] !== undefined);
  const { content } = fieldsOf(fieldsOf(fieldsOf(answer?.value)["response"]));
  const routes = steps.findLast(({ name }) => parseStepName(name).kind === "route")?.value;
  return callsIn(content).map(({ call }, index) => {
    const callId = `call:${turn}.${index}`;
    const own = steps.filter(({ name }) => {
      const step = parseStepName(name);
      return (step.kind === "call" || step.kind === "wait" || step.kind === "hook") && step.callId === callId;
    });
    return readCall(call, callId, own, fieldsOf(listOf(routes)[index]), run);
  });
}

function readCall(call: Fields, callId: string, steps: readonly TurnStep[], route: Fields, run: RunFold): CallDetails {
  const { name, id, args } = call;
  const done = steps.findLast(({ type, value }) => type === "step" && fieldsOf(value)["part"] !== undefined);
  const value = fieldsOf(done?.value);
  const { response } = fieldsOf(fieldsOf(value["part"])["functionResponse"]);
  const told = response ?? outsideAnswer(steps);
  const failure = fieldsOf(value["failure"]);
  const begun = steps.find(({ type }) => type === "begin");
  const startedAt = numberOf(value["startedAt"]) ?? begun?.at;
  const endedAt = numberOf(value["endedAt"]);
  const edited = editedArgs(steps, route);
  return {
    callId,
    name: textOf(name) ?? "",
    ...(typeof id === "string" && { id }),
    args: shorten(args ?? {}),
    ...(edited !== undefined && { editedArgs: edited }),
    state: stateOf(callId, steps, value, route, run),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(told !== undefined && { response: shorten(told) }),
    ...(typeof failure["kind"] === "string" && {
      failure: { kind: failure["kind"], message: textOf(failure["message"]) ?? "" },
    }),
    ...(value["shortened"] === true && { isShortened: true }),
    steps: steps.map((step) => ({
      name: step.name,
      at: step.at,
      ...(step.value !== undefined && { value: shorten(step.value) }),
    })),
    nested: listOf(value["nested"]).map((nested) => readNested(nested, done?.position ?? 0)),
  };
}

function stateOf(
  callId: string,
  steps: readonly TurnStep[],
  value: Fields,
  route: Fields,
  run: RunFold,
): CallDetails["state"] {
  if (run.pending().some((pending) => pending.callId === callId)) return "waiting";
  if (value["unknown"] === true) return "unknown";
  const failure = textOf(fieldsOf(value["failure"])["kind"]);
  if (failure === "denied" || route["do"] === "deny") return "denied";
  if (failure !== undefined) return "failed";
  if (value["notRun"] === true) return "not-run";
  if (value["part"] !== undefined || outsideAnswer(steps) !== undefined) return "ok";
  if (steps.some(({ value: answer }) => answer === false || fieldsOf(answer)["deny"] !== undefined)) return "denied";
  if (steps.some(({ error }) => error !== undefined)) return "failed";
  // One that a run that is over never made.
  return run.end === undefined ? "open" : "not-run";
}

/** What somebody outside answered under the name of the call. */
function outsideAnswer(steps: readonly TurnStep[]): unknown {
  const answer = steps.findLast(({ name, type }) => type === "answer" && parseStepName(name).kind === "call")?.value;
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
    ...(typeof cost === "number" && { cost }),
    answers: listOf(responses).map((response) => {
      const { role, parts } = fieldsOf(fieldsOf(response)["content"]);
      return { role: textOf(role) ?? "model", origin: "answer", parts: partViews(parts, { position, path: [] }) };
    }),
  };
}
