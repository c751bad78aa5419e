import {
  type Context,
  context,
  metrics,
  type SpanContext,
  type SpanKind,
  type SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import * as sdk from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach } from "vitest";

/** A span as its processor gets it; the same in both lines of the SDK. */
export interface EndedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: readonly [seconds: number, nanoseconds: number];
  readonly endTime: readonly [seconds: number, nanoseconds: number];
  readonly status: { readonly code: SpanStatusCode; readonly message?: string };
  readonly attributes: { readonly [name: string]: unknown };
  readonly events: readonly { readonly name: string; readonly attributes?: { readonly [name: string]: unknown } }[];
  readonly instrumentationScope: { readonly name: string; readonly version?: string };
  readonly links: readonly { readonly context: SpanContext }[];
  spanContext(): SpanContext;
}

/** A log record as its processor gets it. */
export interface EmittedRecord {
  readonly eventName?: string;
  readonly severityNumber?: number;
  readonly attributes: { readonly [name: string]: unknown };
  readonly spanContext?: SpanContext;
}

/** An SDK in this process, with everything that it was given. */
export class Sdk {
  readonly started: string[] = [];
  /** In the order in which they ended. */
  readonly spans: EndedSpan[] = [];
  readonly records: EmittedRecord[] = [];
  readonly tracerProvider: InstanceType<typeof sdk.TracerProvider>;
  readonly meterProvider: MeterProvider;
  readonly loggerProvider: LoggerProvider;
  readonly #reader = new Reader();

  constructor(sampler?: sdk.Sampler) {
    const nothing = (): Promise<void> => Promise.resolve();
    const processor: sdk.SpanProcessor = {
      onStart: (span) => void this.started.push(span.spanContext().spanId),
      onEnd: (span) => void this.spans.push(span),
      forceFlush: nothing,
      shutdown: nothing,
    };
    // The name of the class in the 2.x line.
    const Provider = "TracerProvider" in sdk ? sdk.TracerProvider : Reflect.get(sdk, "BasicTracerProvider");
    this.tracerProvider = new Provider({ spanProcessors: [processor], ...(sampler !== undefined && { sampler }) });
    this.meterProvider = new MeterProvider({ readers: [this.#reader] });
    this.loggerProvider = new LoggerProvider({
      processors: [
        {
          onEmit: (record) => {
            const { eventName, severityNumber, attributes, spanContext } = record;
            this.records.push({
              attributes,
              ...(eventName !== undefined && { eventName }),
              ...(severityNumber !== undefined && { severityNumber }),
              ...(spanContext !== undefined && { spanContext }),
            });
          },
          forceFlush: nothing,
          shutdown: nothing,
        },
      ],
    });
  }

  /** The names of all instruments that have data, with what they hold, in words. */
  async metrics(): Promise<Readonly<Record<string, readonly Point[]>>> {
    const { resourceMetrics } = await this.#reader.collect();
    const points: Record<string, readonly Point[]> = {};
    for (const { metrics: all } of resourceMetrics.scopeMetrics)
      for (const { descriptor, dataPoints } of all)
        points[descriptor.name] = dataPoints.map(({ value, attributes }) => ({
          unit: descriptor.unit,
          attributes,
          value:
            typeof value === "number"
              ? value
              : {
                  count: value.count,
                  sum: "sum" in value ? value.sum : undefined,
                  boundaries: "buckets" in value && "boundaries" in value.buckets ? value.buckets.boundaries : [],
                },
        }));
    return points;
  }

  find(name: string): EndedSpan {
    const span = this.spans.find((one) => one.name === name);
    if (span === undefined)
      throw new Error(`there is no span ${name}: ${this.spans.map((one) => one.name).join(", ")}`);
    return span;
  }
}

/** A data point of a metric. */
export interface Point {
  readonly unit: string;
  readonly attributes: { readonly [name: string]: unknown };
  readonly value:
    | number
    | { readonly count: number; readonly sum: number | undefined; readonly boundaries: readonly number[] };
}

class Reader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** Keeps contexts across asynchronous work in the tests of a file, as an SDK does. */
export function keepContexts(): void {
  beforeEach(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterEach(() => {
    context.disable();
    trace.disable();
    metrics.disable();
  });
}

/** Executes something in a span of the test's own, as a program around an agent does. */
export async function inSpan<T>(sdkInUse: Sdk, name: string, work: (context: Context) => Promise<T>): Promise<T> {
  const span = sdkInUse.tracerProvider.getTracer("test").startSpan(name);
  const within = trace.setSpan(context.active(), span);
  try {
    return await context.with(within, () => work(within));
  } finally {
    span.end();
  }
}
