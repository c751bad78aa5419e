import type { RetryWait } from "../chat-protocol.ts";
import type { DataPart } from "../data-part.ts";
import { defined } from "../json.ts";
import type { AgUiActivity, AgUiMessage, AgUiMetadata } from "./messages.ts";

/**
 * An event of AG-UI 1.0, of the kinds that we send.
 *
 * @see https://docs.ag-ui.com/concepts/events
 */
export type AgUiEvent = AgUiEventKind & {
  readonly metadata?: AgUiMetadata | undefined;
};

type AgUiEventKind =
  | { readonly type: "RUN_STARTED"; readonly threadId: string; readonly runId: string; readonly protocolVersion: "1.0" }
  | AgUiRunEnd
  | { readonly type: "STEP_STARTED" | "STEP_FINISHED"; readonly stepName: string }
  | { readonly type: "TEXT_MESSAGE_START"; readonly messageId: string; readonly role: "assistant" | "user" }
  | { readonly type: "TEXT_MESSAGE_CONTENT"; readonly messageId: string; readonly delta: string }
  | { readonly type: "TEXT_MESSAGE_END"; readonly messageId: string }
  | {
      readonly type: "TOOL_CALL_START";
      readonly toolCallId: string;
      readonly toolCallName: string;
      readonly parentMessageId: string;
    }
  | { readonly type: "TOOL_CALL_ARGS"; readonly toolCallId: string; readonly delta: string }
  | { readonly type: "TOOL_CALL_END"; readonly toolCallId: string }
  | {
      readonly type: "TOOL_CALL_RESULT";
      readonly messageId: string;
      readonly toolCallId: string;
      readonly content: string;
      readonly role: "tool";
    }
  | { readonly type: "STATE_DELTA"; readonly delta: readonly AgUiPatch[] }
  | { readonly type: "MESSAGES_SNAPSHOT"; readonly messages: readonly AgUiMessage[] }
  | ({ readonly type: "ACTIVITY_SNAPSHOT"; readonly messageId: string; readonly replace: true } & AgUiActivity)
  | { readonly type: "REASONING_START" | "REASONING_END" | "REASONING_MESSAGE_END"; readonly messageId: string }
  | { readonly type: "REASONING_MESSAGE_START"; readonly messageId: string; readonly role: "reasoning" }
  | { readonly type: "REASONING_MESSAGE_CONTENT"; readonly messageId: string; readonly delta: string }
  | {
      readonly type: "SUBAGENT_STARTED";
      readonly subagentRunId: string;
      readonly name: string;
      readonly parentToolCallId: string;
    }
  | {
      readonly type: "SUBAGENT_FINISHED";
      readonly subagentRunId: string;
      readonly outcome: { readonly type: "success" };
    }
  | { readonly type: "SUBAGENT_ERROR"; readonly subagentRunId: string; readonly message: string }
  | { readonly type: "CUSTOM"; readonly name: "pollux.tool-progress"; readonly value: AgUiToolProgress }
  /** Whether guardrails hold the model's text until they have checked it. */
  | { readonly type: "CUSTOM"; readonly name: "pollux.checking"; readonly value: { readonly isChecking: boolean } }
  /** The model's service is busy, and the request is sent again automatically. */
  | { readonly type: "CUSTOM"; readonly name: "pollux.retry"; readonly value: RetryWait }
  /** The application's own part: see `DataPart`. */
  | { readonly type: "CUSTOM"; readonly name: `data-${string}`; readonly value: Pick<DataPart, "id" | "data"> };

/** The last event of a run. */
export type AgUiRunEnd =
  | {
      readonly type: "RUN_FINISHED";
      readonly threadId: string;
      readonly runId: string;
      readonly outcome: AgUiOutcome;
      readonly usage?: readonly AgUiTokenUsage[] | undefined;
      readonly metadata?: AgUiMetadata | undefined;
    }
  | {
      readonly type: "RUN_ERROR";
      readonly message: string;
      readonly code: string;
      readonly usage?: readonly AgUiTokenUsage[] | undefined;
      readonly metadata?: AgUiMetadata | undefined;
    };

/** How a run that did not fail has ended. */
export type AgUiOutcome =
  /** The client executes the calls that are named, if any. */
  | { readonly type: "success"; readonly pendingToolCallIds?: readonly string[] }
  /** It waits for a person. */
  | { readonly type: "interrupt"; readonly interrupts: readonly AgUiInterrupt[] }
  | { readonly type: "cancelled" };

/** A question to a person; the answer is an entry of `resume` in the next request. */
export interface AgUiInterrupt {
  readonly id: string;
  readonly reason: "tool_call" | "input_required" | "pollux:unknown-outcome";
  readonly message: string;
  readonly toolCallId: string;
  /** JSON Schema of the answer's `payload`. */
  readonly responseSchema: { readonly [name: string]: unknown };
}

/** Tokens of a run. */
export interface AgUiTokenUsage {
  readonly provider: "google";
  /** Cached ones included. */
  readonly inputTokens: number;
  /** Thoughts included. */
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly reasoningTokens: number;
  readonly cachedInputTokens: number;
}

/** A change of the shared state. */
export type AgUiPatch =
  | { readonly op: "add"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/** What a call has reported. For a run inside the call, `path` names the agents and tools that the report passed through. */
export interface AgUiToolProgress {
  readonly toolCallId: string;
  readonly progress: unknown;
  readonly path?: readonly string[] | undefined;
}

/** A data part as an event. */
export function dataEvent({ type: name, id, data }: DataPart): AgUiEvent {
  return { type: "CUSTOM", name, value: { ...defined({ id }), data: data ?? null } };
}
