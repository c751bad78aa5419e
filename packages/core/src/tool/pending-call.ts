import { InvalidApprovalError } from "../errors/run-errors.ts";
import { asObject, copyJson, fingerprint, isObject, sameJson } from "../internal/json.ts";
import type { FunctionCall, JsonObject } from "../wire/types/content.ts";
import { failure, isNamed } from "./call-failure.ts";
import { callDenied, callWithdrawn } from "./model-texts.ts";
import type { ReadByCall } from "./reads.ts";
import type { Approval, PendingCall, PendingQuestion, Tool, ToolOutcome } from "./tool.ts";

/** The key of an answer. It covers the run, the call, the question and the arguments; it is not a secret. @param time - Counts repeats, from 1. */
export function questionToken(
  runId: string,
  { callId, question, call: { name, args = {} } }: Pick<PendingCall, "callId" | "question" | "call">,
  time: number = 1,
): string {
  return fingerprint([runId, callId, question, time, name, args]);
}

/** What the tool declared about answers when the question was asked, the question's reason, and what an outside outcome brings. */
export interface AskedOf extends Pick<PendingCall, "approvedBy" | "editable" | "because" | "job">, ReadByCall {}

/** Builds the question of a call. */
export function buildPendingCall(
  runId: string,
  { turn, callId, call, question, edited }: Omit<PendingCall, "token" | keyof AskedOf>,
  { approvedBy, editable, because, job }: AskedOf = {},
  time: number = 1,
): PendingCall {
  return {
    turn,
    callId,
    call,
    question,
    token: questionToken(runId, { callId, call, question }, time),
    ...(edited === true && { edited }),
    // Approvers don't decide whether a call took effect or how a job ended.
    ...(approvedBy !== undefined && question !== "unknown-outcome" && question !== "job" && { approvedBy }),
    ...(editable !== undefined && question === "approval" && { editable }),
    ...(because !== undefined && question === "approval" && { because }),
    ...(job !== undefined && question === "job" && { job }),
  };
}

/** What an answer to a question about a call means. */
export type OutsideAnswer =
  | { readonly kind: "approved" | "not-executed" }
  /** `asks`: a job asks about these arguments. */
  | { readonly kind: "edited" | "asks"; readonly args: JsonObject }
  | { readonly kind: "denied" | "failed"; readonly text: string }
  /** `isCancelled`: the job's cancellation was tried. */
  | { readonly kind: "withdrawn"; readonly text: string; readonly isCancelled: boolean }
  | { readonly kind: "output"; readonly output: unknown };

/** Reads an answer from outside, which may have any shape. Never throws. Anything but `true` or arguments denies an approval. */
export function readOutsideAnswer(question: PendingQuestion, given: unknown): OutsideAnswer {
  const fields = asObject(given);
  if ("withdrawn" in fields)
    return { kind: "withdrawn", text: reasonIn(fields["withdrawn"]), isCancelled: "cancelled" in fields };
  if (question === "approval") {
    if (given === true) return { kind: "approved" };
    const args = editedArgs(given);
    return args === undefined ? { kind: "denied", text: reasonIn(fields["deny"]) } : { kind: "edited", args };
  }
  if ("notExecuted" in fields) return { kind: "not-executed" };
  if (question !== "outcome" && isObject(fields["ask"])) return { kind: "asks", args: fields["ask"] };
  if ("output" in fields) return { kind: "output", output: fields["output"] };
  const error: unknown = isObject(given) ? fields["error"] : given;
  return { kind: "failed", text: typeof error === "string" ? error : JSON.stringify(error ?? null) };
}

/** The outcome that an answer gives its call; undefined when the call continues with it. */
export function outcomeOf(question: PendingQuestion, answer: OutsideAnswer): ToolOutcome | undefined {
  switch (answer.kind) {
    case "withdrawn":
    case "denied": {
      const { kind, text } = answer;
      const message = kind === "denied" ? callDenied(text) : callWithdrawn[question](text);
      // Whether it took effect stays unknown.
      return failure(question === "unknown-outcome" ? question : kind, message);
    }
    case "output":
      return { ok: true, output: answer.output };
    case "failed":
      return failure("failed", answer.text);
    case "approved":
    case "edited":
    case "asks":
    case "not-executed":
      return undefined;
  }
}

function reasonIn(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

/** The arguments with which an approval replaces the model's, if it does. */
export function editedArgs(approval: unknown): JsonObject | undefined {
  if (!isObject(approval) || "deny" in approval) return undefined;
  const args = approval["args"];
  return isObject(args) ? args : undefined;
}

/** What is wrong with replaced arguments, in short; `undefined` when they are valid. */
export async function findArgumentProblem(tool: Pick<Tool, "parse">, args: JsonObject): Promise<string | undefined> {
  try {
    await tool.parse(copyJson(args));
    return undefined;
  } catch (error) {
    return isNamed(error, "ModelRetry") ? error.message : "they could not be checked";
  }
}

/** The arguments of a call that an approval may change; `undefined` when the tool does not say. */
export function listEditable(
  { editable, declaration }: Pick<Tool, "editable" | "declaration">,
  args: JsonObject = {},
): readonly string[] | undefined {
  if (editable !== true) return editable;
  const { properties } = asObject(declaration.parametersJsonSchema);
  return [...new Set([...Object.keys(asObject(properties)), ...Object.keys(args)])];
}

/** True if an approval's arguments differ from the ones that were shown. */
export function isEdit(given: JsonObject, { args = {} }: Pick<FunctionCall, "args">): boolean {
  return !sameJson(given, args);
}

/** @throws {InvalidApprovalError} For changes to arguments that the tool does not let an approval change. */
export function checkEditable({ callId, call, editable }: PendingCall, args: JsonObject): void {
  if (editable === undefined) return;
  const shown = call.args ?? {};
  const names = [...new Set([...Object.keys(shown), ...Object.keys(args)])];
  const changed = names.filter((name) => !editable.includes(name) && !sameJson(shown[name], args[name]));
  if (changed.length === 0) return;
  const allowed = editable.length === 0 ? "no argument" : `only ${editable.join(", ")}`;
  throw new InvalidApprovalError(callId, call.name, changed.join(", "), `change more than they may (${allowed})`);
}

/**
 * Approves a waiting call, or all of several: returns the `approvals` of `session.resume()`, `continue()` and `answer()`. Skips calls that
 * wait for something else. To decide differently about each, spread several results into one object.
 * @param args - Arguments to run a single call with instead; they must match the tool's schema.
 * @throws {TypeError} When none of the calls waits for an approval.
 * @example await session.resume({ approvals: approve(result.pending) })
 */
export function approve(calls: PendingCall | readonly PendingCall[], args?: JsonObject): Approvals {
  if (args !== undefined && (Array.isArray(calls) || !isObject(args)))
    throw new TypeError("approve(): arguments are for one call, as an object: approve(call, { amount: 5 })");
  return decide("approve", calls, args === undefined ? true : { args });
}

/**
 * Denies a waiting call, or all of several, like {@link approve}.
 *
 * @param reason - The reason, which the model reads. @defaultValue only that the user denied the call
 * @example await session.resume({ approvals: deny(result.pending, "Too expensive.") })
 */
export function deny(calls: PendingCall | readonly PendingCall[], reason?: string): Approvals {
  return decide("deny", calls, reason === undefined ? false : { deny: reason });
}

/** Decisions, by the tokens of their questions. */
export interface Approvals {
  readonly [token: string]: Approval;
}

function decide(by: string, calls: PendingCall | readonly PendingCall[], approval: Approval): Approvals {
  const approvals = [calls].flat().filter(({ question }) => question === "approval");
  if (approvals.length === 0)
    throw new TypeError(`${by}(): none of these calls waits for an approval; pass the calls in a result's pending`);
  return Object.fromEntries(approvals.map(({ token }) => [token, approval]));
}
