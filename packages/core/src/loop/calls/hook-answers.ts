import { isObject } from "../../internal/json.ts";
import type { ToolOutcome } from "../../tool/tool.ts";
import type { CallDecision } from "../loop-input.ts";

/** What `beforeCall` decided. @throws {TypeError} For anything else, which could mean a denial that was misspelled. */
export function checkDecision(given: CallDecision | null): Exclude<CallDecision, void> | undefined {
  if (given === undefined || given === null) return undefined;
  const decision: unknown = given;
  if (
    isObject(decision) &&
    (typeof decision["deny"] === "string" || isObject(decision["args"]) || "output" in decision)
  )
    return given;
  throw new TypeError('beforeCall must return nothing, { deny: "reason" }, { args: { … } } or { output: … }');
}

/** The outcome that `afterCall` gave instead. @throws {TypeError} For anything else. */
export function checkReplaced(given: ToolOutcome | void | null): ToolOutcome | undefined {
  if (given === undefined || given === null) return undefined;
  const outcome: unknown = given;
  if (isObject(outcome) && typeof outcome["ok"] === "boolean") return given;
  throw new TypeError("afterCall must return nothing or an outcome: { ok: true, output: … }");
}
