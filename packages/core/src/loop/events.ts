import type { GuardrailAction, PrefixField } from "../durable/run-log.ts";
import type { ModelNotice, ModelResponse } from "../model/model.ts";
import type { CompletedToolCall, PendingCall, ToolOutcome } from "../tool/tool.ts";
import type { ToolRetryNotice } from "../tool/retry-call.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { Content, FunctionCall, JsonObject, Part, PartialArg } from "../wire/types/content.ts";
import type { TurnProblem } from "./turn/classify-answer.ts";
import type { OutputDelta } from "./output/json-growth.ts";
import type { RunResult } from "./result.ts";

/** Which run something belongs to: in its first event, in hooks and in lines of the log. */
export interface RunIdentity {
  readonly runId: string;
  /** Name of the agent. */
  readonly agent: string;
  /** Absent for a run without a session. */
  readonly sessionId?: string | undefined;
  /** What the caller said about the run. */
  readonly metadata?: JsonObject | undefined;
}

/** A run's result as its last event has it: without the conversation, which grows, and without media. */
export type RunEnd = WithoutContents<RunResult<unknown>>;

type WithoutContents<Result> = Result extends unknown ? Omit<Result, (typeof NOT_IN_EVENTS)[number]> : never;

const NOT_IN_EVENTS = [
  "contents",
  "added",
  "toolCalls",
  "interrupted",
  "response",
  "images",
  "code",
  "thoughts",
  "urls",
  "safetyRatings",
  "citationSources",
] as const;

/** The result of a run, fit for its last event. */
export function runEnd(result: RunResult<unknown>): RunEnd {
  const entries = Object.entries(result).filter(([name]) => !NOT_IN_EVENTS.some((one) => one === name));
  // Just these are left out.
  return Object.fromEntries(entries) as unknown as RunEnd;
}

/**
 * Everything that a run reports, in order. JSON-safe plain objects; a delta has only what is new.
 *
 * Grammar, where `answer` is what one request streams:
 *
 * ```text
 * run    = run-start turn+ run-end
 * turn   = turn-start compact? answer (recover answer)* (tool-pending | tool-start | tool-progress | tool-retry | tool-end)* turn-end
 * answer = (steer | prefix-break | guardrail | text-delta | output-delta | thought-delta | call-args-delta | part | notice | discard)* response
 * ```
 *
 * Guardrails of the input come before an answer. Those of the output come before `response` if the answer is held back, otherwise after
 * it, and what replaces it follows with a `response` of its own; after a stop there is only `turn-end`.
 *
 * `discard` voids everything streamed since the last `turn-start`, `recover` or `discard`; it is streamed again. A limit may end
 * a run before its first turn, and the wall time in the middle of an answer. Every `tool-start` has one `tool-end` with its
 * `callId`; a call that was never run, because it was refused or a hook gave its output, has only a `tool-end`. A run that fails
 * throws instead of reporting `run-end`.
 */
export type RunEvent<Calls extends ToolCall = ToolCall> = (RunEventKind | ToolEndEvent<Calls>) & {
  /** It was reported before: a resumed run, or one that is read again, repeats what its log holds. */
  readonly replayed?: true | undefined;
};

type RunEventKind =
  | ({ readonly type: "run-start"; readonly model: string } & RunIdentity)
  | { readonly type: "turn-start"; readonly turn: number }
  /** A summary replaces the oldest messages in what is sent; the history keeps them. The service's implicit cache starts over. */
  | {
      readonly type: "compact";
      readonly turn: number;
      /** Number of contents that the summary replaces. */
      readonly replaced: number;
      readonly summary: string;
      /** Prompt tokens before and after, estimated. */
      readonly tokensBefore: number;
      readonly tokensAfter: number;
    }
  /** Messages that arrived while the run was in progress, sent with this request. */
  | { readonly type: "steer"; readonly turn: number; readonly contents: readonly Content[] }
  /** `prepareTurn` changed what the service's implicit cache depends on, compared with the request before: that cache starts over. */
  | { readonly type: "prefix-break"; readonly turn: number; readonly fields: readonly PrefixField[] }
  /**
   * A guardrail replaced or stopped a message or an answer. What an answer of this turn had shown is withdrawn; what replaces it follows.
   * A stop ends the run.
   */
  | ({ readonly type: "guardrail"; readonly turn: number; readonly side: "input" | "output" } & GuardrailAction)
  | { readonly type: "text-delta"; readonly turn: number; readonly delta: string }
  | { readonly type: "thought-delta"; readonly turn: number; readonly delta: string }
  /**
   * What the text before adds to the typed output: JSON, not validated, in the order of `changes`. Only with an `output`. A later answer
   * of the run starts over. `partialOutputs()` puts the value together.
   */
  | ({ readonly type: "output-delta"; readonly turn: number } & OutputDelta)
  /**
   * Arguments of a call that is being written, on endpoints that stream them. The first one has an empty `delta`; a
   * `stringValue` continues that of the same `jsonPath`. The whole call follows as a `part`.
   */
  | {
      readonly type: "call-args-delta";
      readonly turn: number;
      readonly name: string;
      readonly id?: string | undefined;
      readonly delta: readonly PartialArg[];
    }
  /** A part that is not text: a call, an image, code and its result, a tool call of the service. */
  | { readonly type: "part"; readonly turn: number; readonly part: Part }
  /** A request is retried, delayed, or was changed once to suit the endpoint. */
  | {
      readonly type: "notice";
      readonly turn: number;
      readonly notice: Exclude<ModelNotice, { readonly type: "rewind" }>;
    }
  | { readonly type: "discard"; readonly turn: number; readonly reason: string }
  | { readonly type: "response"; readonly turn: number; readonly response: ModelResponse }
  /** The answer is unusable; the model is asked again. */
  | {
      readonly type: "recover";
      readonly turn: number;
      readonly problem: TurnProblem;
      readonly attempt: number;
      readonly action: string;
    }
  /** The call waits for an answer from outside. */
  | ({ readonly type: "tool-pending" } & PendingCall)
  | {
      readonly type: "tool-start";
      readonly turn: number;
      readonly callId: string;
      /** As the model wrote it: there may be no such tool. */
      readonly name: string;
      /** With the arguments it runs with. */
      readonly call: FunctionCall;
      /** A person changed its arguments when approving it. */
      readonly edited?: true | undefined;
    }
  /** The tool failed and is run again after a wait. */
  | ({
      readonly type: "tool-retry";
      readonly turn: number;
      readonly callId: string;
      readonly name: string;
    } & ToolRetryNotice)
  | { readonly type: "tool-progress"; readonly turn: number; readonly callId: string; readonly progress: unknown }
  | { readonly type: "turn-end"; readonly turn: number }
  | { readonly type: "run-end"; readonly result: RunEnd };

/** A call has ended. With static tools, its name tells the type of the output. */
type ToolEndEvent<Calls extends ToolCall> =
  | CompletedEndOf<Calls>
  | ToolEnd<
      string,
      | Extract<ToolOutcome, { readonly ok: false }>
      /** The text that the model read instead of an output that was too long. */
      | { readonly ok: true; readonly output: string; readonly shortened: true }
    >;

type CompletedEndOf<Calls> = Calls extends CompletedToolCall
  ? ToolEnd<Calls["name"], { readonly ok: true; readonly output: Calls["output"]; readonly shortened?: undefined }>
  : never;

interface ToolEnd<Name extends string, Outcome> {
  readonly type: "tool-end";
  readonly turn: number;
  readonly callId: string;
  readonly name: Name;
  readonly call: FunctionCall;
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly edited?: true | undefined;
}

/**
 * Passes one event to the reader. A promise means that the run has to wait for the reader. Never rejects; events for a reader
 * that has left are dropped.
 */
export type Emit = (event: RunEvent) => void | Promise<void>;
