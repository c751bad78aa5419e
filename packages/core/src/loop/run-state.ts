import { addUsage, knownCost, NO_USAGE, priceUsage, type Usage } from "../model/usage.ts";
import { contentsBytes, partsBytes } from "../model/request/check-contents.ts";
import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { ModelResponse } from "../model/model.ts";
import type { Content, Part } from "../wire/types/content.ts";
import { INTERRUPTED, JOB_LEFT } from "../tool/model-texts.ts";
import { addRead, type ReadSource } from "../tool/reads.ts";
import { asMade } from "../tool/stand-in.ts";
import type { NestedRun, PendingCall } from "../tool/tool.ts";
import type { Toolset } from "../tool/toolset.ts";
import type { AnsweredCall, LostUsage } from "../durable/closed-turn.ts";
import { readByCall, readByModel, readSteered } from "../durable/read-by-step.ts";
import type { ModelStepValue, PhaseKind, Steered, StepTimes } from "../durable/run-log.ts";
import type { TurnCall } from "./calls/call-state.ts";
import { type Compaction, estimateTokens } from "./turn/compaction.ts";
import { type Limits, RepeatGuard, type Spent } from "./limits.ts";
import { PartialResponse, sendablePartial } from "./turn/partial-answer.ts";
import type { RunSoFar } from "./result.ts";
import { closeOpenCalls, unansweredResponse } from "./transcript.ts";
import type { Handover, LoopInput, OpenTurn, SentPrefix } from "./loop-input.ts";

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
  /** In the unit of the price table; excludes the cost of `unpriced`. */
  cost = 0;
  /** A model that answered and has no price in the table: the run's cost is unknown. */
  unpriced: string | undefined;
  /** Day of the price list. */
  pricesAsOf: string | undefined;
  /** Of the price list. */
  currency: string | undefined;
  /** The maximum cost of the whole run by its owner's budget when the turn began; absent without a budget. */
  maxCost: number | undefined;
  /** Answers that can have sources, in order of arrival, including answers of nested runs. */
  readonly responses: ModelResponse[] = [];
  /** Answers of nested runs. */
  readonly nestedResponses: Set<ModelResponse> = new Set();
  /** Answers that were unusable and retried. */
  readonly discarded: Set<ModelResponse> = new Set();
  /** The calls of closed turns. */
  readonly answeredCalls: AnsweredCall[] = [];
  /** The calls of the open turn, some of them answered. */
  calls: readonly TurnCall[] = [];
  /** Runs that ended inside calls of the open turn; not in the totals yet. */
  readonly unsettled: NestedRun[] = [];
  /** What the model has read in the whole history, and through which tools. */
  readonly read: ReadSource[] = [];
  /** Calls with invalid arguments, by tool name. */
  readonly badCalls: Map<string, number> = new Map();
  /** What is sent in place of the oldest contents; absent while all are sent. */
  compaction: Compaction | undefined;
  /** Finds turns that repeat themselves. */
  readonly repeats: RepeatGuard = new RepeatGuard();
  /** Turns in a row whose calls the token limit cut off. */
  cutOffTurns = 0;
  /** The turns that are not closed, oldest first; empty when turns are not recorded. */
  readonly openTurns: OpenTurn[] = [];
  /** The usage of broken answers, when they failed the run. */
  lost: LostUsage | undefined;
  /** Tokens of the last prompt and its answer as the service counted them, and the number of their contents. */
  #counted: { readonly tokens: number; readonly contents: number } | undefined;
  /** Calls that wait for an answer from outside, in a suspended run. */
  pending: readonly PendingCall[] = [];
  /** The last handoff; absent while the agent that began the run leads. */
  handover: Handover | undefined;
  /** Steering messages up to this position are in the contents. */
  steeringCursor = 0;
  /** W3C `traceparent` of the run, as the last request recorded it. */
  traceparent: string | undefined;
  /** When the last step ended, in milliseconds since the epoch, from the recorded times. */
  endedAt = 0;
  /** Milliseconds in which a step was executed: waiting for an answer does not count. */
  activeMs = 0;
  /** The answer in progress. An answer that only converts the result to a schema is not shown, so it does not count. */
  readonly partial: PartialResponse;
  /** The last answer of the run itself. */
  lastResponse: ModelResponse | undefined;
  /** The last answer of the work: the output phase only converts it. */
  workResponse: ModelResponse | undefined;
  /** Contents by other models than the run's, with their origins: `prepareTurn` may choose a model. */
  readonly foreign: Map<Content, HistoryOrigin>;
  /** The prefix of the last request of this process; kept for `prepareTurn` only. */
  sent: SentPrefix | undefined;
  /** The tools that the calls of the last answer may use, if they differ from the run's. */
  turnTools: Toolset | undefined;

  constructor(
    runId: string,
    contents: readonly Content[],
    onPartial?: (partial: PartialResponse) => void,
    foreign: Map<Content, HistoryOrigin> = new Map(),
  ) {
    this.partial = new PartialResponse(onPartial);
    this.foreign = foreign;
    this.runId = runId;
    this.contents = [...contents];
  }

  /** Adds an answer. A recorded cost stands; an answer that had no price is priced now. */
  addAnswer(
    value: Pick<ModelStepValue, "response" | "prepared" | "cost" | "unpriced" | "described" | keyof StepTimes>,
    { prices, model }: Pick<LoopInput, "prices" | "model">,
    phase: PhaseKind = "work",
  ): void {
    const { response, prepared, startedAt, endedAt, traceparent } = value;
    let { cost = 0 } = value;
    if (value.cost === undefined && prices !== undefined && response.usage.requests > 0) {
      const id = response.envelope.modelVersion ?? prepared?.model?.id ?? value.unpriced ?? model.id;
      const priced = priceUsage(prices, response.usage, id, endedAt);
      this.unpriced ??= priced.unpriced;
      cost = priced.cost ?? 0;
    }
    this.cost += cost;
    this.addActiveTime(startedAt, endedAt);
    this.traceparent = traceparent ?? this.traceparent;
    if (prepared?.model !== undefined) this.foreign.set(response.content, prepared.model.origin);
    this.lastResponse = response;
    if (phase === "work") this.workResponse = response;
    this.usage = addUsage(this.usage, response.usage);
    const { contextTokens, outputTokens } = response.usage;
    // Thoughts are not sent again; the answer is appended to the contents that were sent.
    if (contextTokens > 0)
      this.#counted = { tokens: contextTokens + outputTokens, contents: this.sendable().length + 1 };
    this.responses.push(response);
    const { groundingMetadata, urlContextMetadata } = response.candidate;
    let hasRead = (value.described ?? groundingMetadata ?? urlContextMetadata) !== undefined;
    // Almost no answer has these: for the others, no function is called.
    for (const part of response.content.parts) hasRead ||= (part.toolResponse ?? part.functionResponse) !== undefined;
    if (hasRead) addRead(this.read, ...readByModel(value));
  }

  addSteered(steered: Steered): void {
    this.steeringCursor = steered.upTo;
    addRead(this.read, ...readSteered(steered));
  }

  replaceLast(response: ModelResponse): void {
    const { lastResponse } = this;
    if (lastResponse === undefined) return;
    this.lastResponse = response;
    if (this.workResponse === lastResponse) this.workResponse = response;
    const origin = this.foreign.get(lastResponse.content);
    if (origin !== undefined) this.foreign.set(response.content, origin);
    this.responses[this.responses.lastIndexOf(lastResponse)] = response;
    if (this.discarded.delete(lastResponse)) this.discarded.add(response);
  }

  addCall(answered: AnsweredCall): void {
    const { call, value } = answered;
    this.answeredCalls.push(answered);
    this.openTurns.at(-1)?.calls.push(answered);
    this.addActiveTime(value.startedAt, value.endedAt);
    for (const run of value.nested) this.addNested(run);
    if (value.reads !== undefined || value.nested.length > 0) addRead(this.read, ...readByCall(call.name, value));
    if (value.handoff !== undefined)
      this.handover = { from: this.handover?.to, to: value.handoff, tool: call.name, turn: answered.turn };
    if (value.failure?.kind === "bad-input") this.badCalls.set(call.name, (this.badCalls.get(call.name) ?? 0) + 1);
  }

  /** Cancels a call of the open turn for a person; the run continues. @returns False when no such call runs here. */
  cancelCall(callId: string): boolean {
    const call = this.calls.find((one) => one.callId === callId);
    if (call?.current.state !== "running") return false;
    call.isCancelled = true;
    call.cancel?.();
    return true;
  }

  addNested({ responses, ...spent }: NestedRun): void {
    // Its context is not the caller's.
    this.addLost({ ...spent, usage: { ...spent.usage, contextTokens: 0 } });
    this.responses.push(...responses);
    for (const response of responses) this.nestedResponses.add(response);
  }

  addLost({ usage, cost = 0, unpriced }: Pick<LostUsage, "usage" | "cost" | "unpriced">): void {
    const contextTokens = usage.contextTokens || this.usage.contextTokens;
    this.usage = { ...addUsage(this.usage, usage), contextTokens };
    this.cost += cost;
    this.unpriced ??= unpriced;
  }

  addActiveTime(startedAt: number, endedAt: number): void {
    this.activeMs += Math.max(0, endedAt - Math.max(startedAt, this.endedAt));
    this.endedAt = Math.max(this.endedAt, endedAt);
  }

  /** A step that the wall time aborted records no time: it has used up the rest. */
  useUpWallTime({ wallTimeMs = 0 }: Limits): void {
    this.activeMs = Math.max(this.activeMs, wallTimeMs);
  }

  sendable(): readonly Content[] {
    const { contents, compaction } = this;
    return compaction === undefined ? [...contents] : [...compaction.summary, ...contents.slice(compaction.keepFrom)];
  }

  /** Bytes of text and inline media that are sent, with what the calls of the open turn have added so far. */
  sentBytes(): number {
    return this.calls.reduce((sum, { current, responseBytes }) => {
      const added = current.state === "answered" ? [current.value.part, ...current.value.after] : [];
      return sum + (responseBytes ?? partsBytes(added));
    }, contentsBytes(this.sendable()));
  }

  /** Approximate tokens of the next prompt: the service's last count plus an estimate of what follows. */
  promptTokens(): number {
    const sent = this.sendable();
    if (this.#counted === undefined) return estimateTokens(sent);
    return this.#counted.tokens + estimateTokens(sent.slice(this.#counted.contents));
  }

  /** Sends a summary in place of the contents before an index. */
  compact(summary: readonly Content[], keepFrom: number): void {
    this.compaction = { summary, keepFrom };
    this.#counted = undefined;
  }

  /** Responses to the open turn's calls, by position; for a call that was cut off, that its outcome is unknown. */
  answeredParts(): ReadonlyMap<number, Part> {
    const parts = new Map<number, Part>();
    for (const [index, one] of this.calls.entries()) {
      const { current } = one;
      if (current.state === "answered") parts.set(index, current.value.part);
      else if (current.state === "interrupted") parts.set(index, unansweredResponse(asMade(one), INTERRUPTED));
      else if (current.state === "awaiting-job" || current.state === "cancelling-job")
        parts.set(index, unansweredResponse(asMade(one), JOB_LEFT));
    }
    return parts;
  }

  spent(): Spent {
    const { turns, toolCalls, usage, cost, unpriced, pricesAsOf, currency, activeMs: wallTimeMs } = this;
    return { turns, toolCalls, usage, wallTimeMs, cost, unpriced, pricesAsOf, currency };
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

  /** The answer in progress, as a content that can be sent. */
  interrupted(): Content | undefined {
    return sendablePartial(this.partial.kept());
  }

  /** A snapshot whose contents can be sent. */
  soFar(): RunSoFar {
    const interrupted = this.interrupted();
    const contents = [...closeOpenCalls(this.contents, this.answeredParts())];
    if (interrupted !== undefined) contents.push(interrupted);
    return {
      ...(this.compaction !== undefined && { compaction: this.compaction }),
      ...(this.read.length > 0 && { read: [...this.read] }),
      runId: this.runId,
      contents,
      ...(interrupted !== undefined && { interrupted }),
      turns: this.turns,
      usage: this.usage,
      ...knownCost(this),
    };
  }
}
