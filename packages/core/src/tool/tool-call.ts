import type { AnyTool, CompletedToolCall, PendingQuestion, ToolCallBase, ToolErrorKind } from "./tool.ts";

/** A call of a run, discriminated by `status` and, once completed, by `name`. `Completed`: the union of the completed calls of the agent's tools. */
export type ToolCall<Completed extends CompletedToolCall = CompletedToolCall> =
  | Completed
  | ShortenedToolCall
  | FailedToolCall
  | PendingToolCall;

/** The result did not fit in `maxResultBytes`, or could not be sent as an object. */
export interface ShortenedToolCall extends ToolCallBase {
  readonly status: "shortened";
  /** The text that the model read instead. */
  readonly output: string;
}

/** The call has no result; its tool may not exist. */
export interface FailedToolCall extends ToolCallBase {
  readonly status: "failed";
  /** Why, as the model read it. */
  readonly error: { readonly kind: ToolErrorKind; readonly message: string };
}

/** The call waits for an answer from outside, which ended the run. */
export interface PendingToolCall extends ToolCallBase {
  readonly status: "pending";
  /** What it waits for; absent when it waits for other calls of its turn. */
  readonly question?: PendingQuestion | undefined;
}

/** Type of the `output` of runs with these calls when a tool ends them; `never` when no tool is known to end runs. */
export type EndingOutput<Calls> = Calls extends CompletedToolCall
  ? NonNullable<Calls["endedRun"]> extends true
    ? Calls["output"]
    : never
  : never;

/** The calls of an agent with these tools. */
export type CallsOf<Tools extends AnyTool<never>> = ToolCall<NonNullable<Tools["~call"]>>;
