import { type Context, context, type Meter, metrics, trace, type Tracer } from "@opentelemetry/api";
import type { ObservedEvent, Observer, RunInfo, StepInfo } from "@pollux/core/observers";
import { CallTrace } from "./call-trace.ts";
import { Metrics } from "./metrics.ts";
import { type OpenTelemetryOptions, readSettings } from "./options.ts";
import { RequestTrace } from "./request-trace.ts";
import { type Outlets, RunTrace } from "./run-trace.ts";
import { startingContext, traceparentOf } from "./trace-context.ts";

/** Name and version of the instrumentation, as in `package.json`. */
const NAME = "@pollux/otel";
const VERSION = "0.1.0";

/**
 * An observer that reports runs to OpenTelemetry, by its conventions for generative AI: spans and metrics, and events if there is a
 * logger provider.
 *
 * Pass it to an agent as one of its `observers`, or to `observeAllRuns()`. One observer serves any number of agents. It uses the
 * providers that are registered when a run starts; without any, it does nothing.
 *
 * @throws {TypeError} Names an option that is not valid.
 * @see https://github.com/open-telemetry/semantic-conventions-genai
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", observers: [openTelemetry()] });
 * ```
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Observer {
  const settings = readSettings(options);
  const events = options.loggerProvider?.getLogger(NAME, VERSION);
  const findMetrics = metricsFinder(options);
  const runs = new WeakMap<RunInfo, RunTrace>();
  const steps = new WeakMap<StepInfo, StepTrace>();
  /** Steps in progress, by run and name, which an inner run knows. */
  const inProgress = new Map<string, StepTrace>();

  const start = (observation: ObservedEvent<"run-start">): void => {
    const { run } = observation;
    const outlets: Outlets = { tracer: findTracer(options), metrics: findMetrics(), events };
    const inside = run.parent === undefined ? undefined : inProgress.get(stepId(run.parent.runId, run.parent.step));
    const from = { outlets, settings, outer: inside?.run };
    runs.set(run, new RunTrace(observation, startingContext(run.parent, inside?.context), from));
  };

  const startStep = (run: RunTrace, step: StepInfo): void => {
    const { kind, turn } = step;
    run.turn = turn;
    const made =
      kind === "model" ? new RequestTrace(run, step) : kind === "call" ? new CallTrace(run, step) : new OtherStep(run);
    steps.set(step, made);
    inProgress.set(stepId(run.info.runId, step.name), made);
  };

  return {
    isEnabled: () => events !== undefined || findTracer(options) !== undefined || findMetrics() !== undefined,
    observe: (observation) => {
      if (observation.type === "run-start") {
        start(observation);
        return;
      }
      const run = runs.get(observation.run);
      if (run === undefined) return;
      if (observation.type === "run-end") run.end(observation);
      else if (!("step" in observation)) run.addEvent(observation);
      else if (observation.type === "step-start") startStep(run, observation.step);
      else {
        const { step } = observation;
        const made = steps.get(step);
        if (observation.type !== "step-end") made?.observe(observation);
        else {
          const id = stepId(run.info.runId, step.name);
          if (inProgress.get(id) === made) inProgress.delete(id);
          made?.end(observation);
        }
      }
    },
    around: (step, next) => {
      const made = steps.get(step);
      return made === undefined ? next() : context.with(made.context, next);
    },
    capture: () => {
      const active = context.active();
      return (work) => context.with(active, work);
    },
    traceparent: (of) => {
      const span = "run" in of ? spanOf(steps.get(of)) : runs.get(of)?.span;
      return span === undefined ? undefined : traceparentOf(span);
    },
  };
}

/** A step while it is executed. */
interface StepTrace {
  readonly run: RunTrace;
  readonly context: Context;
  observe(observation: ObservedEvent): void;
  end(observation: Extract<ObservedEvent, { readonly type: "step-end" }>): void;
}

/** A step without a span: spans that it starts are children of its run. */
class OtherStep implements StepTrace {
  readonly run: RunTrace;
  readonly context: Context;

  constructor(run: RunTrace) {
    this.run = run;
    this.context = run.context;
  }

  observe(): void {}

  end(): void {}
}

function spanOf(step: StepTrace | undefined): ReturnType<typeof trace.getSpan> {
  return step === undefined ? undefined : trace.getSpan(step.context);
}

function stepId(runId: string, step: string): string {
  return `${runId} ${step}`;
}

/** Undefined if no SDK is registered: the spans would go nowhere. */
function findTracer({ tracerProvider }: OpenTelemetryOptions): Tracer | undefined {
  const provider = tracerProvider ?? trace.getTracerProvider();
  // The global provider passes everything on, once a provider is registered.
  if ("getDelegateTracer" in provider && typeof provider.getDelegateTracer === "function") {
    const tracer: Tracer | undefined = provider.getDelegateTracer(NAME, VERSION);
    return tracer;
  }
  return provider.getTracer(NAME, VERSION);
}

/** The instruments are kept until another provider is registered. */
function metricsFinder({ meterProvider, metrics: names }: OpenTelemetryOptions): () => Metrics | undefined {
  let known: { readonly meter: Meter; readonly metrics: Metrics | undefined } | undefined;
  return () => {
    const meter = (meterProvider ?? metrics).getMeter(NAME, VERSION);
    if (known?.meter !== meter) known = { meter, metrics: Metrics.of(meter, names) };
    return known.metrics;
  };
}
