import {
  type Attributes,
  type Context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import type { ReadsMark } from "@pollux/core";
import type { ObservedEvent, RunInfo } from "@pollux/core/observers";
import { defined, errorTypeOf, identityOf, type Tokens, tokensOf, untrustedAttributes } from "./attributes.ts";
import type { Metrics } from "./metrics.ts";
import type { EventLogger, Settings } from "./options.ts";
import { captureError, RunContent } from "./run-content.ts";
import { parseTraceparent } from "./trace-context.ts";

/** Where a run's spans, metrics and events go; at least one of them is given. */
export interface Outlets {
  readonly tracer: Tracer | undefined;
  readonly metrics: Metrics | undefined;
  readonly events: EventLogger | undefined;
}

/**
 * What an observer knows about a run while this process executes it: its `invoke_agent` span, and sums over everything
 * inside.
 */
export class RunTrace {
  readonly info: RunInfo;
  readonly outlets: Outlets;
  readonly settings: Settings;
  /** The context in which its span is active. */
  readonly context: Context;
  /** Attributes of each of its spans. */
  readonly identity: Attributes;
  readonly content: RunContent;
  /** The run that contains it, if it is executed in this process. */
  readonly outer: RunTrace | undefined;
  /** Its session, or the session of the run that contains it. */
  readonly sessionId: string | undefined;
  /** Its requests summarize messages of {@link RunTrace.outer}, and have their spans there. */
  readonly isSummary: boolean;
  /** Undefined without a tracer, and for a summary. */
  readonly span: Span | undefined;
  /** Some of its messages have been replaced by a summary. */
  isCompacted = false;
  /** The turn of its last step. */
  turn = 0;
  /** Finish reason of the last answer. */
  finishReason: string | undefined;
  /** By call id: attributes that say why a call was asked about or denied because of untrusted content. */
  readonly held: Map<string, Attributes> = new Map();
  #reads: ReadsMark | undefined;
  #sums: Sums = NOTHING;
  readonly #isResumed: boolean;
  /** A failure that a span inside has recorded. */
  #recorded: unknown;

  /** @param context - Where it starts. */
  constructor({ run, at }: ObservedEvent<"run-start">, context: Context, from: RunOrigin) {
    const { outlets, settings, outer } = from;
    this.info = run;
    this.outlets = outlets;
    this.settings = settings;
    this.outer = outer;
    this.sessionId = run.sessionId ?? outer?.sessionId;
    this.#isResumed = run.resumed === true;
    this.isSummary = outer !== undefined && isSummary(run);
    this.identity = this.isSummary && outer !== undefined ? outer.identity : identityOf(run, outer?.sessionId);
    this.content = new RunContent(settings);
    const link = parseTraceparent(run.resumedFrom);
    this.span = this.isSummary
      ? undefined
      : outlets.tracer?.startSpan(
          `invoke_agent ${run.agent}`,
          {
            kind: SpanKind.INTERNAL,
            startTime: at,
            attributes: {
              "gen_ai.operation.name": "invoke_agent",
              ...this.identity,
              "gen_ai.request.model": run.model,
              "pollux.run.id": run.runId,
              ...(this.#isResumed && { "pollux.resumed": true }),
            },
            ...(link !== undefined && { links: [{ context: link }] }),
          },
          context,
        );
    this.context = this.span === undefined ? context : trace.setSpan(context, this.span);
  }

  /** Adds what a request, a call or a run inside has done. */
  add(more: Sums): void {
    this.#sums = addSums(this.#sums, more);
  }

  /** Adds what a call or an answer has read. */
  addReads(reads: ReadsMark | undefined): void {
    if (reads !== undefined) this.#reads = this.#reads === undefined || this.#reads === reads ? reads : "both";
  }

  /** Remembers a failure that a span inside has recorded: it is recorded once. */
  hasRecorded(error: unknown): void {
    this.#recorded = error;
  }

  /** Adds an event to its span, for what happens between two steps. */
  addEvent(observation: ObservedEvent): void {
    const { span } = this.isSummary && this.outer !== undefined ? this.outer : this;
    const { at } = observation;
    switch (observation.type) {
      case "recover": {
        const { turn, problem, attempt } = observation;
        const attributes = {
          "pollux.turn": turn,
          "pollux.recover.problem": problem,
          "pollux.recover.attempt": attempt,
        };
        span?.addEvent("pollux.recover", attributes, at);
        this.outlets.metrics?.recovery({ ...agentOf(this.info), "pollux.recover.problem": problem }, this.context);
        return;
      }
      case "guardrail": {
        const { turn, side, name, action } = observation;
        const attributes = { "pollux.turn": turn, "pollux.guardrail.side": side, "pollux.guardrail.action": action };
        span?.addEvent("pollux.guardrail", { ...attributes, "pollux.guardrail.name": name }, at);
        return;
      }
      case "tool-pending": {
        const { turn, call, callId, question } = observation;
        const attributes = { "pollux.turn": turn, "pollux.call.id": callId, "pollux.pending.question": question };
        span?.addEvent("pollux.pending", { ...attributes, "pollux.pending.tool": call.name }, at);
        return;
      }
      case "untrusted": {
        const { turn, callId, name, because } = observation;
        const why = untrustedAttributes(because);
        this.held.set(callId, why);
        const attributes = { "pollux.turn": turn, "pollux.call.id": callId, "pollux.untrusted.tool": name, ...why };
        span?.addEvent("pollux.untrusted", { ...attributes, "pollux.untrusted.rule": because.rule }, at);
        return;
      }
      case "compact": {
        const { turn, replaced, tokensBefore, tokensAfter } = observation;
        const tokens = { "pollux.compact.tokens_before": tokensBefore, "pollux.compact.tokens_after": tokensAfter };
        span?.addEvent("pollux.compact", { "pollux.turn": turn, "pollux.compact.replaced": replaced, ...tokens }, at);
        this.isCompacted = true;
        return;
      }
      case "handoff": {
        const { turn, from, to } = observation;
        span?.addEvent(
          "pollux.handoff",
          { "pollux.turn": turn, "pollux.handoff.from": from, "pollux.handoff.to": to },
          at,
        );
        return;
      }
      default:
    }
  }

  end(observation: ObservedEvent<"run-end">): void {
    const { at, ended, error } = observation;
    const sums = this.#sums;
    this.outer?.add({ ...sums, requests: this.isSummary ? sums.requests : 0, calls: 0 });
    if (this.isSummary) return;
    const { span } = this;
    const hasFailed = ended === "failed" || ended === "aborted";
    const errorType = hasFailed ? { "error.type": errorTypeOf(error) } : {};
    try {
      this.outlets.metrics?.agent(
        (at - this.info.startedAt) / 1000,
        { model: sums.requests, tool: sums.calls },
        { ...agentOf(this.info), ...errorType },
        this.context,
      );
      if (span?.isRecording() !== true) return;
      this.#describe(span, observation);
      if (hasFailed) fail(span, this.settings, error, at, this.#recorded !== error);
    } finally {
      span?.end(at);
    }
  }

  #describe(span: Span, { ended, result, turns, usage, cost, unpriced, pricesAsOf }: ObservedEvent<"run-end">): void {
    // Work from before the resume is in earlier spans.
    const spent = this.#isResumed ? this.#sums : larger(this.#sums, usage, cost);
    span.setAttributes({
      ...tokensOf(spent),
      ...defined({
        "gen_ai.response.finish_reasons": this.finishReason === undefined ? undefined : [this.finishReason],
        // With a model that has no price, the sum is only a part.
        "pollux.cost": unpriced === undefined ? spent.cost : undefined,
        "pollux.prices_as_of": pricesAsOf,
        "pollux.reads": this.#reads,
        "pollux.stop_reason": result?.stopReason,
        "pollux.ended": ended === "result" ? undefined : ended,
      }),
      "pollux.turns": turns,
      ...this.content.ofRun(),
    });
  }
}

/** Where a run was started. */
export interface RunOrigin {
  readonly outlets: Outlets;
  readonly settings: Settings;
  readonly outer: RunTrace | undefined;
}

/** Totals of the work inside a run. */
export interface Sums extends Tokens {
  readonly requests: number;
  readonly calls: number;
  readonly cost: number | undefined;
}

export const NOTHING: Sums = {
  requests: 0,
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  thoughtTokens: 0,
  toolUseTokens: 0,
  cost: undefined,
};

function addSums(sum: Sums, more: Sums): Sums {
  return {
    requests: sum.requests + more.requests,
    calls: sum.calls + more.calls,
    inputTokens: sum.inputTokens + more.inputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    thoughtTokens: sum.thoughtTokens + more.thoughtTokens,
    toolUseTokens: sum.toolUseTokens + more.toolUseTokens,
    cost: more.cost === undefined ? sum.cost : (sum.cost ?? 0) + more.cost,
  };
}

/**
 * The larger counts of a run: its own counts lack runs in calls that an abort interrupted, and the sums lack runs that
 * are executed or observed elsewhere.
 */
function larger(sums: Sums, usage: Tokens, cost: number | undefined): Tokens & Pick<Sums, "cost"> {
  return {
    inputTokens: Math.max(sums.inputTokens, usage.inputTokens),
    outputTokens: Math.max(sums.outputTokens, usage.outputTokens),
    thoughtTokens: Math.max(sums.thoughtTokens, usage.thoughtTokens),
    toolUseTokens: Math.max(sums.toolUseTokens, usage.toolUseTokens),
    cost: cost === undefined ? sums.cost : Math.max(cost, sums.cost ?? 0),
  };
}

/**
 * Marks a span as failed.
 *
 * @param records - Whether the error itself is recorded as well.
 */
export function fail(span: Span, settings: Settings, error: unknown, at: number, records: boolean): void {
  const exception = captureError(settings, settings.contentInSpans, error);
  markFailed(span, errorTypeOf(error), exception["exception.message"]);
  if (records) span.addEvent("exception", exception, at);
}

/** Marks a span as failed when nothing was thrown. */
export function markFailed(span: Span, type: string, message: string | undefined): void {
  span.setAttribute("error.type", type);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
}

/** A run inside another one belongs to a call, or summarizes. */
function isSummary({ parent }: RunInfo): boolean {
  return parent !== undefined && parent.callId === undefined;
}

/** The name of the acting agent. */
export function agentOf({ agent }: Pick<RunInfo, "agent">): Attributes {
  return { "gen_ai.agent.name": agent };
}
