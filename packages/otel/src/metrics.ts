import {
  type Attributes,
  type Context,
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
} from "@opentelemetry/api";
import type { ModelResponse } from "@pollux/core/model";
import { inputOf, outputOf } from "./attributes.ts";

/** Facts about a model request, for its metrics. */
export interface RequestFigures {
  /** Operation, service, model and failure. */
  readonly attributes: Attributes;
  readonly seconds: number;
  /** Seconds from the request to the first chunk of a streamed answer. */
  readonly firstChunk: number | undefined;
  /** Seconds between one chunk and the next. */
  readonly chunkGaps: readonly number[];
  readonly queued: number | undefined;
  readonly response: ModelResponse | undefined;
  readonly cost: number | undefined;
  readonly pricesAsOf: string | undefined;
}

/** The instruments of the conventions and of this library, made by one meter. Absent where metrics go nowhere. */
export class Metrics {
  readonly #meter: Meter;
  readonly #has2025: boolean;
  readonly #instruments = new Map<string, Histogram | Counter>();

  /** Undefined if no SDK is registered: the meter would drop everything. */
  static of(meter: Meter, names: "2025" | undefined): Metrics | undefined {
    return meter === createNoopMeter() ? undefined : new Metrics(meter, names === "2025");
  }

  private constructor(meter: Meter, has2025: boolean) {
    this.#meter = meter;
    this.#has2025 = has2025;
  }

  request(figures: RequestFigures, context: Context): void {
    const { attributes, seconds, firstChunk, chunkGaps, queued, response, cost, pricesAsOf } = figures;
    this.#record(DURATION, seconds, attributes, context);
    if (firstChunk !== undefined) this.#record(FIRST_CHUNK, firstChunk, attributes, context);
    for (const gap of chunkGaps) this.#record(OUTPUT_CHUNK, gap, attributes, context);
    if (queued !== undefined) this.#record(QUEUE_WAIT, queued, attributes, context);
    if (response !== undefined) this.#usage(response, attributes, context);
    const priced = pricesAsOf === undefined ? attributes : { ...attributes, "pollux.prices_as_of": pricesAsOf };
    if (cost !== undefined) this.#count("pollux.cost", "{cost}", COST, cost, priced, context);
    if (!this.#has2025) return;
    this.#record(DURATION_2025, seconds, attributes, context);
    if (firstChunk !== undefined) this.#record(FIRST_CHUNK_2025, firstChunk, attributes, context);
  }

  agent(
    seconds: number,
    calls: { readonly model: number; readonly tool: number },
    attributes: Attributes,
    context: Context,
  ): void {
    this.#record(AGENT_DURATION, seconds, attributes, context);
    this.#record(AGENT_REQUESTS, calls.model, attributes, context);
    this.#record(AGENT_TOOL_CALLS, calls.tool, attributes, context);
  }

  tool(seconds: number, attributes: Attributes, context: Context): void {
    this.#record(TOOL_DURATION, seconds, attributes, context);
  }

  retry(attributes: Attributes, context: Context): void {
    this.#count("pollux.retries", "{retry}", "Retried model requests and tool calls.", 1, attributes, context);
  }

  recovery(attributes: Attributes, context: Context): void {
    this.#count(
      "pollux.recoveries",
      "{recovery}",
      "Unusable answers that were asked for again.",
      1,
      attributes,
      context,
    );
  }

  #usage({ usage, envelope }: ModelResponse, attributes: Attributes, context: Context): void {
    const { promptTokensDetails, toolUsePromptTokensDetails, candidatesTokensDetails, cacheTokensDetails } =
      envelope.usageMetadata ?? {};
    const { inputTokens, toolUseTokens, outputTokens, thoughtTokens, cachedTokens } = usage;
    const [input, output] = [inputOf(usage), outputOf(usage)];
    const add = (name: string, tokens: number, details?: Details): void => {
      const description = "Tokens of model requests.";
      for (const [modality, share] of byModality(tokens, details)) {
        const labels = { ...attributes, "gen_ai.token.modality": modality };
        this.#count(`gen_ai.client.inference.usage.${name}`, "{token}", description, share, labels, context);
      }
    };
    add("input_tokens", inputTokens, promptTokensDetails);
    add("input_tokens", toolUseTokens, toolUsePromptTokensDetails);
    add("output_tokens", outputTokens, candidatesTokensDetails);
    add("output_tokens", thoughtTokens);
    add("cache_read.input_tokens", cachedTokens, cacheTokensDetails);
    add("reasoning.output_tokens", thoughtTokens);
    this.#record(OPERATION_INPUT, input, attributes, context);
    this.#record(OPERATION_OUTPUT, output, attributes, context);
    if (!this.#has2025) return;
    this.#record(TOKENS_2025, input, { ...attributes, "gen_ai.token.type": "input" }, context);
    this.#record(TOKENS_2025, output, { ...attributes, "gen_ai.token.type": "output" }, context);
  }

  #record(
    { name, unit, description, buckets }: HistogramKind,
    value: number,
    attributes: Attributes,
    context: Context,
  ): void {
    let histogram = this.#instruments.get(name);
    if (histogram === undefined) {
      const advice = { explicitBucketBoundaries: [...buckets] };
      histogram = this.#meter.createHistogram(name, { unit, description, advice });
      this.#instruments.set(name, histogram);
    }
    if ("record" in histogram) histogram.record(value, attributes, context);
  }

  #count(
    name: string,
    unit: string,
    description: string,
    value: number,
    attributes: Attributes,
    context: Context,
  ): void {
    if (value === 0) return;
    let counter = this.#instruments.get(name);
    if (counter === undefined) {
      counter = this.#meter.createCounter(name, { unit, description });
      this.#instruments.set(name, counter);
    }
    if ("add" in counter) counter.add(value, attributes, context);
  }
}

type Details =
  | readonly { readonly modality?: string | undefined; readonly tokenCount?: number | undefined }[]
  | undefined;

/** Splits a count by modality if the details add up to it; otherwise, and for thoughts, the modality is not known. */
function byModality(tokens: number, details: Details): readonly (readonly [string, number])[] {
  const split = (details ?? []).map(
    ({ modality, tokenCount = 0 }) => [modality?.toLowerCase() ?? UNKNOWN, tokenCount] as const,
  );
  const sum = split.reduce((total, [, count]) => total + count, 0);
  return sum === tokens ? split : [[UNKNOWN, tokens]];
}

const UNKNOWN = "unknown";

interface HistogramKind {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly buckets: readonly number[];
}

/** Bucket boundaries that the conventions advise. */
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const AGENT_SECONDS = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6];
const TOKENS = Array.from({ length: 14 }, (_, step) => 4 ** step);
const COUNTS = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233];

const seconds = (name: string, description: string, buckets = SECONDS): HistogramKind => ({
  name,
  unit: "s",
  description,
  buckets,
});

const COST = "Cost of model requests, in the unit of the price table.";
const DURATION = seconds("gen_ai.client.inference.duration", "Duration of model requests, retries included.");
const FIRST_CHUNK = seconds(
  "gen_ai.client.inference.time_to_first_chunk",
  "Time until the first chunk of a streamed answer.",
);
const OUTPUT_CHUNK = seconds(
  "gen_ai.client.inference.time_per_output_chunk",
  "Time from one chunk of an answer to the next.",
);
const QUEUE_WAIT = seconds("pollux.queue.wait", "Time that model requests waited for the limits of their traffic.");
const AGENT_DURATION = seconds("gen_ai.invoke_agent.duration", "Duration of runs.", AGENT_SECONDS);
const TOOL_DURATION = seconds("gen_ai.execute_tool.duration", "Duration of tool calls.");
const DURATION_2025 = seconds("gen_ai.client.operation.duration", "Duration of model requests, retries included.");
const FIRST_CHUNK_2025 = seconds(
  "gen_ai.client.operation.time_to_first_chunk",
  "Time until the first chunk of a streamed answer.",
);
const AGENT_REQUESTS: HistogramKind = {
  name: "gen_ai.invoke_agent.inference_calls",
  unit: "{call}",
  description: "Model requests of a run.",
  buckets: COUNTS,
};
const AGENT_TOOL_CALLS: HistogramKind = {
  name: "gen_ai.invoke_agent.tool_calls",
  unit: "{call}",
  description: "Tool calls of a run.",
  buckets: COUNTS,
};
const OPERATION_INPUT: HistogramKind = {
  name: "gen_ai.client.inference.operation.input_tokens",
  unit: "{token}",
  description: "Input tokens of a model request.",
  buckets: TOKENS,
};
const OPERATION_OUTPUT: HistogramKind = {
  name: "gen_ai.client.inference.operation.output_tokens",
  unit: "{token}",
  description: "Output tokens of a model request.",
  buckets: TOKENS,
};
const TOKENS_2025: HistogramKind = {
  name: "gen_ai.client.token.usage",
  unit: "{token}",
  description: "Tokens of model requests.",
  buckets: TOKENS,
};
