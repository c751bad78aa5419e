import { type Attributes, type Context, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { ObservedEvent, StepInfo } from "@pollux/core/observers";
import { defined, errorTypeOf } from "./attributes.ts";
import { captureText, captureValue } from "./run-content.ts";
import { agentOf, fail, markFailed, NOTHING, type RunTrace } from "./run-trace.ts";

/** A call: its `execute_tool` span, which is active in the tool. */
export class CallTrace {
  readonly run: RunTrace;
  readonly step: StepInfo;
  readonly span: Span | undefined;
  readonly context: Context;
  /** `unknown` if no tool has the name: the model made it up. */
  readonly #tool: string;

  constructor(run: RunTrace, step: StepInfo) {
    this.run = run;
    this.step = step;
    const { call, callId, turn, toolDescription } = step;
    const { identity, outlets, settings } = run;
    const isKnown = toolDescription !== undefined;
    const captures = settings.contentInSpans;
    const called = call?.name ?? step.name;
    this.#tool = isKnown ? called : "unknown";
    const name = captures && !isKnown ? captureText(settings, called) : this.#tool;
    const attributes = {
      ...OPERATION,
      "gen_ai.tool.name": name,
      "gen_ai.tool.type": "function",
      ...identity,
      ...agentOf(step),
      ...defined({ "gen_ai.tool.call.id": call?.id ?? callId }),
      ...(captures && isKnown && { "gen_ai.tool.description": captureText(settings, toolDescription) }),
      "pollux.turn": turn,
      ...(callId !== undefined && { "pollux.call.id": callId }),
      ...(step.attempt > 1 && { "pollux.call.attempt": step.attempt }),
      ...(callId !== undefined && run.held.get(callId)),
    };
    const options = { kind: SpanKind.INTERNAL, startTime: step.startedAt, attributes };
    this.span = outlets.tracer?.startSpan(`execute_tool ${name}`, options, run.context);
    this.context = this.span === undefined ? run.context : trace.setSpan(run.context, this.span);
    if (captures && this.span?.isRecording() === true)
      this.span.setAttributes(captureValue(settings, "gen_ai.tool.call.arguments", call?.args ?? {}));
  }

  observe(observation: ObservedEvent): void {
    if (observation.type !== "tool-retry") return;
    const { at, attempt, delayMs, error } = observation;
    const attributes = {
      "error.type": error.kind,
      "pollux.retry.attempt": attempt,
      "pollux.retry.delay": delayMs / 1000,
      // The text for the model is content.
      ...(this.run.settings.contentInSpans && { "pollux.retry.reason": captureText(this.run.settings, error.message) }),
    };
    this.span?.addEvent("pollux.retry", attributes, at);
    this.run.outlets.metrics?.retry({ ...OPERATION, ...this.#labels(), "error.type": error.kind }, this.context);
  }

  end(observation: ObservedEvent<"step-end">): void {
    const { at, ok, error, outcome, reads } = observation;
    const { run, span } = this;
    run.addReads(reads);
    const errorType = ok ? (outcome?.ok === false ? outcome.kind : undefined) : errorTypeOf(error);
    run.add({ ...NOTHING, calls: 1 });
    try {
      const attributes = { ...this.#labels(), ...defined({ "error.type": errorType }) };
      run.outlets.metrics?.tool((at - this.step.startedAt) / 1000, attributes, this.context);
      if (span !== undefined) this.#describe(span, observation);
    } finally {
      span?.end(at);
    }
  }

  #describe(span: Span, { at, ok, error, outcome, reads }: ObservedEvent<"step-end">): void {
    const { run } = this;
    const { settings } = run;
    if (!ok) {
      fail(span, settings, error, at, true);
      run.hasRecorded(error);
    } else if (outcome?.ok === false)
      markFailed(span, outcome.kind, settings.contentInSpans ? captureText(settings, outcome.message) : undefined);
    const content = settings.contentInSpans ? outcome : undefined;
    if ((content === undefined && reads === undefined) || !span.isRecording()) return;
    span.setAttributes(defined({ "pollux.reads": reads }));
    if (content !== undefined)
      span.setAttributes(
        captureValue(settings, "gen_ai.tool.call.result", content.ok ? content.output : content.message),
      );
  }

  /** Attributes of its metrics. Names that the model made up are never among them: their number has no limit. */
  #labels(): Attributes {
    return {
      "gen_ai.tool.name": this.#tool,
      "gen_ai.tool.type": "function",
      ...agentOf(this.step),
    };
  }
}

const OPERATION: Attributes = { "gen_ai.operation.name": "execute_tool" };
