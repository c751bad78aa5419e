import { type Attributes, type Context, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { ObservedEvent, StepInfo } from "@pollux/core/observers";
import {
  defined,
  errorTypeOf,
  finishReasonOf,
  providerOf,
  readsOf,
  requestAttributes,
  responseAttributes,
  type Service,
  serverOf,
} from "./attributes.ts";
import { emitDetails, emitException } from "./events.ts";
import { captureError, captureText, type CapturedContent } from "./run-content.ts";
import { agentOf, fail, markFailed, NOTHING, type RunTrace } from "./run-trace.ts";

/** A model request: its `generate_content` span, with retries and heals as events. */
export class RequestTrace {
  readonly run: RunTrace;
  readonly step: StepInfo;
  readonly span: Span | undefined;
  readonly context: Context;
  /** Its operation, service and model, which its metrics have, too. */
  #target: Attributes;
  /** When it was first sent; undefined if it was not. */
  #sentAt: number | undefined;
  #firstPartAt: number | undefined;
  #streams = false;
  /** Attributes of the event with its details. */
  #details: Attributes = {};
  #captured: CapturedContent["structured"] = {};

  constructor(run: RunTrace, step: StepInfo) {
    this.run = run;
    this.step = step;
    const { info, identity, outlets } = run;
    this.#target = targetOf(info.model, info);
    const attributes = {
      ...this.#target,
      ...identity,
      ...agentOf(step),
      "pollux.turn": run.isSummary ? (run.outer?.turn ?? step.turn) : step.turn,
      ...(run.isSummary ? { "pollux.purpose": "summary" } : step.phase === "output" && { "pollux.purpose": "output" }),
      ...(run.isCompacted && { "gen_ai.conversation.compacted": true }),
    };
    if (outlets.events !== undefined) this.#details = attributes;
    const options = { kind: SpanKind.CLIENT, startTime: step.startedAt, attributes };
    this.span = outlets.tracer?.startSpan(`generate_content ${info.model}`, options, run.context);
    this.context = this.span === undefined ? run.context : trace.setSpan(run.context, this.span);
  }

  observe(observation: ObservedEvent): void {
    switch (observation.type) {
      case "request":
        this.#send(observation);
        return;
      case "first-part":
        this.#firstPartAt ??= observation.at;
        return;
      case "prefix-break":
        this.span?.addEvent(
          "pollux.prefix_break",
          { "pollux.prefix_break.fields": [...observation.fields] },
          observation.at,
        );
        return;
      case "discard":
        this.span?.addEvent(
          "pollux.discard",
          this.#reason("pollux.discard.reason", observation.reason),
          observation.at,
        );
        return;
      case "notice": {
        const { notice, at } = observation;
        if (notice.type === "heal") {
          this.span?.addEvent(
            "pollux.heal",
            { "pollux.heal.name": notice.heal, "pollux.heal.detail": notice.detail },
            at,
          );
          return;
        }
        const { type, delayMs, error } = notice;
        const attributes = {
          [`pollux.${type}.delay`]: delayMs / 1000,
          ...this.#reason(`pollux.${type}.reason`, error.message),
        };
        const errorType = error.status === undefined ? error.code : String(error.status);
        this.span?.addEvent(`pollux.${type}`, { ...attributes, "error.type": errorType }, at);
        if (type === "retry")
          this.run.outlets.metrics?.retry({ ...this.#target, "error.type": errorType }, this.context);
        return;
      }
      default:
    }
  }

  end(observation: ObservedEvent<"step-end">): void {
    const { at, ok, error, response, cost } = observation;
    const { run, span } = this;
    run.addReads(readsOf(response));
    if (response !== undefined) {
      run.finishReason = finishReasonOf(response);
      run.add({ ...NOTHING, ...response.usage, requests: 1, cost });
    } else if (this.#sentAt !== undefined) run.add({ ...NOTHING, requests: 1 });
    const errorType = ok ? this.#refusal(observation) : errorTypeOf(error);
    const firstChunk = this.#timeToFirstChunk(observation);
    try {
      if (span !== undefined && !ok) {
        fail(span, run.settings, error, at, true);
        run.hasRecorded(error);
      } else if (span !== undefined && errorType !== undefined) markFailed(span, errorType, PROMPT_TOO_LONG);
      this.#record(observation, errorType, firstChunk);
      this.#describe(observation, errorType, firstChunk);
    } finally {
      span?.end(at);
    }
  }

  /** Without an answer, the service refused the prompt as too long; or nothing was sent. */
  #refusal({ response }: ObservedEvent<"step-end">): string | undefined {
    return response === undefined && this.#sentAt !== undefined ? "prompt_too_long" : undefined;
  }

  /** Adds the answer to the span, and emits the events. */
  #describe(
    { at, ok, error, response, cost, pricesAsOf }: ObservedEvent<"step-end">,
    errorType: string | undefined,
    firstChunk: number | undefined,
  ): void {
    const { span, run } = this;
    const { settings, outlets } = run;
    const { events } = outlets;
    const isRecording = span?.isRecording() === true;
    if (!isRecording && events === undefined) return;
    const captures = (isRecording && settings.contentInSpans) || settings.contentInEvents;
    const content = captures && response !== undefined ? run.content.ofResponse(response) : undefined;
    const attributes = {
      ...(response === undefined
        ? this.#firstPartAt !== undefined && { "gen_ai.response.finish_reasons": ["error"] }
        : responseAttributes(response, { cost, pricesAsOf })),
      ...defined({
        "gen_ai.response.time_to_first_chunk": firstChunk,
        "error.type": errorType,
        "pollux.reads": readsOf(response),
      }),
    };
    span?.setAttributes({ ...attributes, ...(settings.contentInSpans && content?.strings) });
    if (events === undefined || this.#sentAt === undefined) return;
    const structured = settings.contentInEvents ? { ...this.#captured, ...content?.structured } : {};
    if (settings.emitsDetails) emitDetails(events, { ...this.#details, ...attributes }, structured, at, this.context);
    if (ok) return;
    const exception = captureError(settings, settings.contentInEvents, error);
    emitException(
      events,
      { ...exception, ...(errorType !== undefined && { "error.type": errorType }) },
      at,
      this.context,
    );
  }

  /** Why a request is repeated: content, because the service's error texts quote the prompt. */
  #reason(attribute: string, text: string): Attributes {
    const { settings } = this.run;
    return settings.contentInSpans ? { [attribute]: captureText(settings, text) } : {};
  }

  #send({ request, model, streams, at, ...service }: ObservedEvent<"request">): void {
    const { span, run } = this;
    const isFirst = this.#sentAt === undefined;
    this.#sentAt ??= at;
    this.#streams = streams === true;
    if (!isFirst) return;
    this.#target = targetOf(model, service);
    const { settings, outlets } = run;
    const { events } = outlets;
    const isRecording = span?.isRecording() === true;
    if (!isRecording && events === undefined) return;
    const attributes = { ...this.#target, ...requestAttributes(request, streams) };
    const captures = (isRecording && settings.contentInSpans) || settings.contentInEvents;
    const content = captures ? run.content.ofRequest(request) : undefined;
    if (model !== run.info.model) span?.updateName(`generate_content ${model}`);
    span?.setAttributes({ ...attributes, ...(settings.contentInSpans && content?.strings) });
    if (events === undefined) return;
    Object.assign(this.#details, attributes);
    this.#captured = content?.structured ?? {};
  }

  #timeToFirstChunk({ chunksAt }: ObservedEvent<"step-end">): number | undefined {
    const first = this.#firstPartAt ?? chunksAt?.[0];
    if (!this.#streams || first === undefined || this.#sentAt === undefined) return undefined;
    return (first - this.#sentAt) / 1000;
  }

  #record(
    { at, response, cost, pricesAsOf, chunksAt = [], queuedMs }: ObservedEvent<"step-end">,
    errorType: string | undefined,
    firstChunk: number | undefined,
  ): void {
    const { metrics } = this.run.outlets;
    if (metrics === undefined || this.#sentAt === undefined) return;
    const attributes = {
      ...this.#target,
      ...defined({ "gen_ai.response.model": response?.envelope.modelVersion, "error.type": errorType }),
    };
    metrics.request(
      {
        attributes,
        seconds: (at - this.step.startedAt) / 1000,
        firstChunk,
        chunkGaps: this.#streams
          ? chunksAt.slice(1).map((chunkAt, index) => (chunkAt - (chunksAt[index] ?? 0)) / 1000)
          : [],
        queued: queuedMs === undefined ? undefined : queuedMs / 1000,
        response,
        cost,
        pricesAsOf,
      },
      this.context,
    );
  }
}

const PROMPT_TOO_LONG = "the prompt exceeds the model's limit; older messages are summarized";

/** The operation, the service and the model. */
function targetOf(model: string, service: Service): Attributes {
  return {
    "gen_ai.operation.name": "generate_content",
    "gen_ai.provider.name": providerOf(service),
    "gen_ai.request.model": model,
    ...serverOf(service),
  };
}
