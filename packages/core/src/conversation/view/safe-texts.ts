import type { ErrorCode } from "../../errors/agent-error.ts";
import { isObject } from "../../internal/json.ts";
import type { ToolErrorKind } from "../../tool/tool.ts";
import type { MessageError, ToolCallError } from "../conversation.ts";

/** What anybody may read of a call that failed: a tool's own text may hold paths, queries or names of machines. */
const FAILURES: { readonly [Kind in ToolErrorKind]: string } = {
  "not-found": "There is no such tool.",
  "bad-input": "The arguments of the call were not valid.",
  failed: "The tool failed.",
  timeout: "The call took too long.",
  cancelled: "The call was cancelled before it ended.",
  denied: "The call was denied.",
  withdrawn: "The request was withdrawn.",
  "unknown-outcome": "It is unknown whether the call took effect.",
  "not-run": "The call was not run.",
};

/** The failure of a call as it is shown. */
export function safeFailure(kind: ToolErrorKind): ToolCallError {
  return { kind, message: FAILURES[kind] ?? "The call failed." };
}

const ERRORS: { readonly [Code in ErrorCode]?: string } = {
  api_status: "The model's service refused the request or could not answer it.",
  api_network: "The model's service could not be reached.",
  api_timeout: "The model's service took too long to answer.",
  api_shape: "The model's service sent an answer that could not be read.",
  traffic_limit: "Too many requests are waiting.",
  request_limit: "The model's service had to be asked too often.",
  stream_incomplete: "The answer broke off.",
  response_blocked: "The model's service refused the message.",
  run_aborted: "The run was stopped.",
  run_stopped: "The run was stopped.",
  run_released: "The run goes on in another process.",
  session_lease_lost: "The run was taken over by another process.",
  session_store: "The conversation could not be stored.",
  session_limit: "The conversation has reached its limit.",
};

/** The error of a run as it is shown. */
export function safeError(
  error: { readonly name: string; readonly code?: string | undefined },
  isAborted: boolean,
): MessageError {
  const { name, code } = error;
  // A code that is not in the table is none of ours, or says nothing to a person.
  const text = ERRORS[code as ErrorCode];
  const message = text ?? (isAborted ? "The run was stopped." : "Something went wrong.");
  return { name, ...(code !== undefined && { code }), message };
}

/**
 * What a tool reports, as it is shown. An agent in a call reports the events of its run, with signatures, arguments and results: of these
 * only the kind, the turn and what is said are shown.
 */
export function safeProgress(progress: unknown): unknown {
  if (!isObject(progress) || !Array.isArray(progress["path"]) || !isObject(progress["event"])) return progress;
  const { type, turn, delta } = progress["event"];
  const isSaid = type === "text-delta" || type === "thought-delta";
  return { path: progress["path"], event: { type, ...(turn !== undefined && { turn }), ...(isSaid && { delta }) } };
}
