import { abortable } from "../../internal/abort.ts";
import { isObject, isTooDeep } from "../../internal/json.ts";
import { depthError } from "../../model/request/check-contents.ts";
import { failure } from "../../tool/call-failure.ts";
import type { ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall, JsonObject } from "../../wire/types/content.ts";
import type { CallDecision, CallInfo, LoopInput } from "../loop-input.ts";
import type { TurnCall } from "./call-state.ts";

/** What `beforeCall` decided; `undefined` lets the call run. */
export type Decision = Exclude<CallDecision, void> | undefined;

/** Calls `beforeCall`. @throws {TypeError} For a result of another shape, which could be a misspelled denial. */
export async function askBefore(input: LoopInput, call: TurnCall, signal: AbortSignal): Promise<Decision> {
  const given = await abortable(Promise.resolve(input.hooks.beforeCall?.(infoOf(input, call, signal))), signal);
  const decision: unknown = given ?? undefined;
  if (
    decision === undefined ||
    (isObject(decision) && (typeof decision["deny"] === "string" || isObject(decision["args"]) || "output" in decision))
  )
    return decision as Decision; // checked here
  throw new TypeError('beforeCall must return nothing, { deny: "reason" }, { args: { … } } or { output: … }');
}

/** What a decision means: an outcome instead of running the call, or arguments to run it with. */
export function readDecision(decision: Decision): {
  readonly outcome?: ToolOutcome | undefined;
  readonly args?: JsonObject | undefined;
} {
  if (decision === undefined) return {};
  if ("deny" in decision) return { outcome: failure("denied", decision.deny) };
  if ("args" in decision && !("output" in decision)) return { args: decision.args };
  // A step records no `output` that is undefined.
  return { outcome: { ok: true, output: "output" in decision ? decision.output : undefined } };
}

/** The outcome that `afterCall` gives instead, if it does. @throws {TypeError} For a result of another shape. */
export async function askAfter(
  input: LoopInput,
  call: TurnCall,
  signal: AbortSignal,
  outcome: ToolOutcome,
): Promise<ToolOutcome | undefined> {
  const info = { ...infoOf(input, call, signal), outcome };
  const given: unknown = (await abortable(Promise.resolve(input.hooks.afterCall?.(info)), signal)) ?? undefined;
  if (given === undefined || (isObject(given) && typeof given["ok"] === "boolean"))
    return given as ToolOutcome | undefined; // checked here
  throw new TypeError("afterCall must return nothing or an outcome: { ok: true, output: … }");
}

function infoOf({ identity, context }: LoopInput, { turn, callId, call }: TurnCall, signal: AbortSignal): CallInfo {
  return { ...identity, context, turn, callId, call, signal };
}

/** The call with the arguments that `beforeCall` returned. */
export function withArguments({ callId, call }: TurnCall, args: JsonObject): FunctionCall {
  if (isTooDeep(args))
    throw depthError(`The arguments that beforeCall returned for ${callId} (${call.name}) nest`, "the tool cannot run");
  return { ...call, args };
}
