import { type Attributes, type Context, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { Observation, StepEndObservation, StepInfo } from "@pollux/core";
import { defined, errorTypeOf } from "./attributes.ts";
import { captureText, captureValue } from "./run-content.ts";
import { fail, markFailed, NOTHING, type RunTrace } from "./run-trace.ts";

/** A call: its `execute_tool` span, which is active in the tool. */
export class CallTrace {
  readonly run: RunTrace;
  readonly step: StepInfo;
  readonly span: Span | undefined;
  readonly context: Context;
  readonly #name: string;

  constructor(run: RunTrace, step: StepInfo) {
    this.run = run;
    this.step = step;
    const { call, callId, turn, toolDescription } = step;
    const { identity, outlets } = run;
    this.#name = call?.name ?? step.name;
    const attributes = {
      ...OPERATION,
      "gen_ai.tool.name": this.#name,
      "gen_ai.tool.type": "function",
      ...identity,
      ...defined({ "gen_ai.tool.call.id": call?.id ?? callId, "gen_ai.tool.description": toolDescription }),
      "pollux.turn": turn,
      ...(callId !== undefined && { "pollux.call.id": callId }),
      ...(step.attempt > 1 && { "pollux.call.attempt": step.attempt }),
    };
    const options = { kind: SpanKind.INTERNAL, startTime: step.startedAt, attributes };
    this.span = outlets.tracer?.startSpan(`execute_tool ${this.#name}`, options, run.context);
    this.context = this.span === undefined ? run.context : trace.setSpan(run.context, this.span);
    if (run.settings.contentInSpans && this.span?.isRecording() === true)
      this.span.setAttributes(captureValue(run.settings, "gen_ai.tool.call.arguments", call?.args ?? {}));
  }

  observe(observation: Observation): void {
    if (observation.type !== "tool-retry") return;
    const { at, attempt, delayMs, error } = observation;
    const attributes = {
      "error.type": error.kind,
      "pollux.retry.attempt": attempt,
      "pollux.retry.delay": delayMs / 1000,
      // What the model would read is content.
      ...(this.run.settings.contentInSpans && { "pollux.retry.reason": captureText(this.run.settings, error.message) }),
    };
    this.span?.addEvent("pollux.retry", attributes, at);
    this.run.outlets.metrics?.retry({ ...OPERATION, ...this.#labels(), "error.type": error.kind }, this.context);
  }

  end(observation: StepEndObservation): void {
    const { at, ok, error, outcome } = observation;
    const { run, span } = this;
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

  #describe(span: Span, { at, ok, error, outcome }: StepEndObservation): void {
    const { run } = this;
    const { settings } = run;
    if (!ok) {
      fail(span, error, at, true);
      run.hasRecorded(error);
    } else if (outcome?.ok === false)
      markFailed(span, outcome.kind, settings.contentInSpans ? captureText(settings, outcome.message) : undefined);
    if (settings.contentInSpans && outcome !== undefined && span.isRecording())
      span.setAttributes(
        captureValue(settings, "gen_ai.tool.call.result", outcome.ok ? outcome.output : outcome.message),
      );
  }

  /** Attributes of its metrics. A name that the model made up is not among them: there is no end to those. */
  #labels(): Attributes {
    return {
      "gen_ai.tool.name": this.step.toolDescription === undefined ? "_OTHER" : this.#name,
      "gen_ai.tool.type": "function",
      "gen_ai.agent.name": this.run.info.agent,
    };
  }
}

const OPERATION: Attributes = { "gen_ai.operation.name": "execute_tool" };
