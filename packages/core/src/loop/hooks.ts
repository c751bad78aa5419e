import type { ModelRequest } from "../model/model.ts";
import type { ToolOutcome } from "../tool/tool.ts";
import type { FunctionCall, JsonObject } from "../wire/types/content.ts";

/** What a hook is told of the request that is about to be made. */
export interface RequestInfo {
  readonly turn: number;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
}

/** What a hook is told of a call. */
export interface CallInfo {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly call: FunctionCall;
  readonly signal: AbortSignal;
}

/**
 * What a hook decides about a call before it runs: nothing (it runs), a denial whose text the model reads, other
 * arguments to run it with, or an output that stands in for running it.
 */
export type CallDecision =
  | void
  | undefined
  | { readonly deny: string }
  | { readonly args: JsonObject }
  | { readonly output: unknown };

/**
 * Functions called at fixed points of a run. All may be async; all are awaited, until the run is aborted.
 * A hook that throws ends the run with its error: it is the application's own code, not the model's.
 */
export interface Hooks {
  /** Before each request. May give back another request; history edited here is edited for this request only. */
  readonly beforeRequest?: ((info: RequestInfo) => ModelRequest | void | Promise<ModelRequest | void>) | undefined;
  /** Before each call, side by side for parallel calls. */
  readonly beforeCall?: ((info: CallInfo) => CallDecision | Promise<CallDecision>) | undefined;
  /** After each call; may give back another outcome. */
  readonly afterCall?:
    | ((info: CallInfo & { readonly outcome: ToolOutcome }) => ToolOutcome | void | Promise<ToolOutcome | void>)
    | undefined;
}
