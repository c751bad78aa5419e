import { addUsage, computeCost, NO_USAGE, type Prices, type Usage } from "../model/usage.ts";
import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { ModelResponse } from "../model/model.ts";
import type { Content, Part } from "../wire/types/content.ts";
import { INTERRUPTED } from "../tool/model-texts.ts";
import type { NestedRun, PendingCall } from "../tool/tool.ts";
import type { CallStepValue } from "../durable/run-log.ts";
import type { PlannedCall, TurnCall } from "./calls/call-state.ts";
import { type Compaction, estimateTokens } from "./turn/compaction.ts";
import type { Limits, Spent } from "./limits.ts";
import { PartialAnswer, sendablePartial } from "./turn/partial-answer.ts";
import type { RunSoFar } from "./result.ts";
import { closeOpenCalls, unansweredResponse } from "./transcript.ts";
import type { SentPrefix } from "./loop-input.ts";

/** A call and what its step recorded. */
export interface AnsweredCall extends Pick<PlannedCall, "turn" | "callId" | "call" | "edited"> {
  /** It ends the run. */
  readonly endsRun?: true | undefined;
  readonly value: CallStepValue;
}

/** Progress of one run. Only the loop changes it; others get copies. */
export class RunState {
  readonly runId: string;
  /** The history and what the run has added to it. */
  readonly contents: Content[];
  /** The message of the run, until guardrails have checked it. Not part of the contents. */
  unchecked: readonly Content[] = [];
  turns = 0;
  toolCalls = 0;
  usage: Usage = NO_USAGE;
  /** In the unit of the price table. */
  cost = 0;
  /** Answers that can have sources, in order of arrival, those of nested runs included. */
  readonly responses: ModelResponse[] = [];
  /** Those of nested runs. */
  readonly nestedResponses: Set<ModelResponse> = new Set();
  /** Those that were unusable and retried. */
  readonly discarded: Set<ModelResponse> = new Set();
  /** The calls of closed turns. */
  readonly answeredCalls: AnsweredCall[] = [];
  /** The calls of the open turn, some of them answered. */
  calls: readonly TurnCall[] = [];
  /** Runs that ended inside calls of the open turn; not in the totals yet. */
  readonly unsettled: NestedRun[] = [];
  /** Calls with invalid arguments, by tool name. */
  readonly badCalls: Map<string, number> = new Map();
  /** What is sent in place of the oldest contents; absent while all are sent. */
  compaction: Compaction | undefined;
  /** How many prompts the service has refused as too long. */
  overflows = 0;
  /** Tokens of the last prompt and its answer as the service counted them, and the number of their contents. */
  #counted: { readonly tokens: number; readonly contents: number } | undefined;
  /** Calls that wait for an answer from outside, in a suspended run. */
  pending: readonly PendingCall[] = [];
  /** Steering messages up to this position are in the contents. */
  steeringCursor = 0;
  /** W3C `traceparent` of the run, as the last request recorded it. */
  traceparent: string | undefined;
  /** When the last step ended, in milliseconds since the epoch, from the recorded times. */
  endedAt = 0;
  /** Milliseconds in which a step was executed: waiting for an answer does not count. */
  activeMs = 0;
  /** The answer that is under way. The one that puts the result into a schema is not shown, so it is none. */
  readonly partial: PartialAnswer;
  /** The last answer of the run itself. */
  lastResponse: ModelResponse | undefined;
  /** Contents of other models than the run's, and where these are: `prepareTurn` may choose a model. */
  readonly foreign: Map<Content, HistoryOrigin>;
  /** What the last request of this process had before its end; kept for `prepareTurn` only. */
  sent: SentPrefix | undefined;

  constructor(
    runId: string,
    contents: readonly Content[],
    onPartial?: (partial: PartialAnswer) => void,
    foreign: Map<Content, HistoryOrigin> = new Map(),
  ) {
    this.partial = new PartialAnswer(onPartial);
    this.foreign = foreign;
    this.runId = runId;
    this.contents = [...contents];
  }

  /** @param prices - Of the model that answered. */
  addResponse(response: ModelResponse, prices?: Prices): void {
    this.lastResponse = response;
    if (prices !== undefined) this.cost += computeCost(response.usage, prices);
    this.usage = addUsage(this.usage, response.usage);
    const { contextTokens, outputTokens } = response.usage;
    // Thoughts are not sent again; the answer is appended to the contents that were sent.
    if (contextTokens > 0)
      this.#counted = { tokens: contextTokens + outputTokens, contents: this.#sendableCount() + 1 };
    this.responses.push(response);
  }

  /** Another answer instead of the last one. */
  replaceLast(response: ModelResponse): void {
    const { lastResponse } = this;
    if (lastResponse === undefined) return;
    this.lastResponse = response;
    const origin = this.foreign.get(lastResponse.content);
    if (origin !== undefined) this.foreign.set(response.content, origin);
    this.responses[this.responses.lastIndexOf(lastResponse)] = response;
  }

  addCall(answered: AnsweredCall): void {
    const { call, value } = answered;
    this.answeredCalls.push(answered);
    this.addActiveTime(value.startedAt, value.endedAt);
    for (const run of value.nested) this.addNested(run);
    if (value.failure?.kind === "bad-input") this.badCalls.set(call.name, (this.badCalls.get(call.name) ?? 0) + 1);
  }

  /**
   * Cancels a call of the open turn for a person; the run goes on.
   *
   * @returns False when the call is not one that runs here.
   */
  cancelCall(callId: string): boolean {
    const call = this.calls.find((one) => one.callId === callId);
    if (call?.current.state !== "running") return false;
    call.isCancelled = true;
    call.cancel?.();
    return true;
  }

  /** Adds the usage, cost and answers of a nested run. */
  addNested(run: NestedRun): void {
    // The context of a nested run is not the caller's.
    this.usage = { ...addUsage(this.usage, run.usage), contextTokens: this.usage.contextTokens };
    this.cost += run.cost ?? 0;
    this.responses.push(...run.responses);
    for (const response of run.responses) this.nestedResponses.add(response);
  }

  addActiveTime(startedAt: number, endedAt: number): void {
    this.activeMs += Math.max(0, endedAt - Math.max(startedAt, this.endedAt));
    this.endedAt = Math.max(this.endedAt, endedAt);
  }

  /** A step that the wall time aborted records no time: it has used up the rest. */
  useUpWallTime({ wallTimeMs = 0 }: Limits): void {
    this.activeMs = Math.max(this.activeMs, wallTimeMs);
  }

  /** What the next request sends. */
  sendable(): readonly Content[] {
    const { contents, compaction } = this;
    return compaction === undefined ? [...contents] : [...compaction.summary, ...contents.slice(compaction.keepFrom)];
  }

  #sendableCount(): number {
    const { contents, compaction } = this;
    return compaction === undefined
      ? contents.length
      : compaction.summary.length + contents.length - compaction.keepFrom;
  }

  /** Approximate tokens of the next prompt: the service's last count plus an estimate of what follows. */
  promptTokens(): number {
    const sent = this.sendable();
    if (this.#counted === undefined) return estimateTokens(sent);
    return this.#counted.tokens + estimateTokens(sent.slice(this.#counted.contents));
  }

  /** Replaces the first `cut` contents that are sent with a summary. */
  compact(summary: readonly Content[], cut: number): void {
    const { compaction } = this;
    const keepFrom = compaction === undefined ? cut : compaction.keepFrom + cut - compaction.summary.length;
    this.compaction = { summary, keepFrom };
    this.#counted = undefined;
  }

  /** What is known of the open turn's calls, by position: their responses, and that nobody knows what came of one that was cut off. */
  answeredParts(): ReadonlyMap<number, Part> {
    const parts = new Map<number, Part>();
    for (const [index, { current, call }] of this.calls.entries()) {
      if (current.state === "answered") parts.set(index, current.value.part);
      else if (current.state === "interrupted") parts.set(index, unansweredResponse(call, INTERRUPTED));
    }
    return parts;
  }

  spent(): Spent {
    const { turns, toolCalls, usage, cost, activeMs: wallTimeMs } = this;
    return { turns, toolCalls, usage, wallTimeMs, cost };
  }

  /** {@link spent} during a call: includes its nested runs that have ended, and the time since it began. */
  spentInside(elapsedMs: number): Spent {
    const { usage, cost, wallTimeMs, ...rest } = this.spent();
    return {
      ...rest,
      usage: this.unsettled.reduce((sum, run) => addUsage(sum, run.usage), usage),
      cost: this.unsettled.reduce((sum, run) => sum + (run.cost ?? 0), cost),
      wallTimeMs: wallTimeMs + elapsedMs,
    };
  }

  /** The answer that is under way, as a content that can be sent. */
  interrupted(): Content | undefined {
    return sendablePartial(this.partial.parts());
  }

  /** A snapshot whose contents can be sent. */
  soFar(): RunSoFar {
    const interrupted = this.interrupted();
    const contents = [...closeOpenCalls(this.contents, this.answeredParts())];
    if (interrupted !== undefined) contents.push(interrupted);
    return {
      ...(this.compaction !== undefined && { compaction: this.compaction }),
      runId: this.runId,
      contents,
      ...(interrupted !== undefined && { interrupted }),
      turns: this.turns,
      usage: this.usage,
      ...(this.cost > 0 && { cost: this.cost }),
    };
  }
}
