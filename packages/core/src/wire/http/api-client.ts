import { ConfigurationError } from "../../errors/agent-error.ts";
import { ApiShapeError, ApiStatusError } from "../../errors/api-errors.ts";
import type { Environment } from "../../internal/environment.ts";
import { isObject } from "../../internal/json.ts";
import { defaultLogger, type Logger } from "../../logging/logger.ts";
import type { CallOptions, GeminiClientOptions } from "../client-options.ts";
import { defaultEndpoint } from "../endpoints/default-endpoint.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";
import { embeddedError } from "../errors/status-error.ts";
import { type TrafficLimiter, Traffic } from "../limiter/traffic.ts";
import { TransportChoice } from "./choose-transport.ts";
import { type ApiCall, Exchange, type ExchangeSettings } from "./exchange.ts";
import {
  type AnswerLimits,
  type AnswerStream,
  DEFAULT_LIMITS,
  isErrorObject,
  parseJson,
  StreamedAnswer,
} from "./read-answers.ts";
import { DEFAULT_RETRY, type RetryOptions, type RetryPolicy, withRetry } from "./retry.ts";
import { DEFAULT_TIMEOUTS, type Timeouts, withDefaults } from "./timeouts.ts";

/** Reads a whole answer. */
type ReadAnswer<T> = (text: string, exchange: Exchange) => T;

/** What JavaScript passes for the objects that `google()`, `endpoint()` and `new Traffic()` make. */
function checkClientOptions({ endpoint, traffic }: GeminiClientOptions): void {
  if (endpoint !== undefined && typeof endpoint?.modelPath !== "function")
    throw new TypeError("endpoint must be made by google(), vertex(), cometapi() or endpoint()");
  if (traffic !== undefined && typeof traffic?.limiter !== "object")
    throw new TypeError("traffic must be made by new Traffic()");
}

/** Sends calls of the API and retries them. Holds what all calls of a client share. */
export class ApiClient implements ExchangeSettings {
  readonly timeouts: Timeouts;
  readonly logger: Logger;
  readonly now: () => number;
  readonly limiter: TrafficLimiter;
  readonly group: object | string | undefined;
  readonly maxDelayMs: number;
  readonly transport: TransportChoice;
  readonly #retry: RetryPolicy;
  readonly #random: () => number;
  readonly #limits: AnswerLimits;
  readonly #env: Environment | undefined;
  /** When the retry of a call was announced for, in milliseconds since the epoch. */
  readonly #retryAt = new WeakMap<ApiCall, number>();
  #endpoint: Endpoint | undefined;

  /** @throws {TypeError} For a limit that is not a positive number, or an option of another kind. */
  constructor(options: GeminiClientOptions) {
    checkClientOptions(options);
    this.#endpoint = options.endpoint;
    this.transport = new TransportChoice(options.fetch, options.httpClient, options.env);
    this.timeouts = withDefaults(DEFAULT_TIMEOUTS, options.timeouts, "timeouts");
    this.#retry = withDefaults(DEFAULT_RETRY, options.retry, "retry");
    if (!Number.isInteger(this.#retry.maxAttempts))
      throw new TypeError("retry.maxAttempts must be an integer of at least 1");
    this.logger = options.logger ?? defaultLogger(options.env);
    this.#limits = withDefaults(
      DEFAULT_LIMITS,
      {
        maxBufferBytes: options.maxBufferBytes,
        maxAnswerBytes: options.maxAnswerBytes,
        maxAnswerChunks: options.maxAnswerChunks,
      },
      "options",
    );
    this.#random = options.random ?? Math.random;
    this.now = options.now ?? Date.now;
    this.#env = options.env;
    this.limiter = (options.traffic ?? new Traffic({ random: this.#random })).limiter;
    this.group = options.group;
    // A client without retries does not wait for the service either.
    this.maxDelayMs = this.#retry.maxAttempts > 1 ? this.#retry.maxServerDelayMs : 0;
  }

  /** Where requests go. */
  get endpoint(): Endpoint {
    return (this.#endpoint ??= defaultEndpoint(this.#env, this.logger));
  }

  /** A call whose answer is a JSON object. */
  object(call: ApiCall, options: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    return this.whole(call, options, readObject);
  }

  /** A call whose answer is read whole. */
  whole<T>(call: ApiCall, options: CallOptions, read: ReadAnswer<T>): Promise<T> {
    return this.retried(call, options, (attempt) => this.attempt(call, options, attempt, read));
  }

  /** A call whose answer is streamed; resolves with the first chunks. */
  stream(call: ApiCall, options: CallOptions): Promise<AnswerStream> {
    return this.retried(call, options, (attempt) =>
      new StreamedAnswer(this.#exchange(call, options, attempt), this.#limits).open(),
    );
  }

  /**
   * One attempt of a call.
   *
   * @param attempt - From 1.
   */
  async attempt<T>(call: ApiCall, options: CallOptions, attempt: number, read: ReadAnswer<T>): Promise<T> {
    const exchange = await this.#exchange(call, options, attempt).open();
    try {
      const text = await exchange.text(this.#limits.maxBufferBytes);
      exchange.trace(text);
      return read(text, exchange);
    } catch (error) {
      throw exchange.clean(error);
    } finally {
      exchange.close();
    }
  }

  /** Makes attempts according to the retry policy. */
  retried<T>(call: ApiCall, options: CallOptions, attempt: (attempt: number) => Promise<T>): Promise<T> {
    return withRetry(attempt, options.signal, (failure) => {
      options.budget?.failed(failure);
      return this.#retryOptions(call, options);
    });
  }

  /**
   * A call on a collection that not every service has.
   *
   * @param feature - Name of the collection, for the error.
   * @param advice - What to do without it.
   * @throws {ConfigurationError} When the service does not have it.
   */
  async onCollection<T>(call: Promise<T>, feature: string, advice: string): Promise<T> {
    try {
      return await call;
    } catch (error) {
      const isUnknown = error instanceof ApiStatusError && [404, 405, 501].includes(error.status);
      // With this reason the service has the collection, and lacks something else, such as the model.
      if (!isUnknown || error.reason?.toUpperCase() === "NOT_FOUND") throw error;
      const { host } = new URL(this.endpoint.baseUrl);
      throw new ConfigurationError(`${host} does not support ${feature} (HTTP ${error.status}): ${advice}.`, {
        cause: error,
      });
    }
  }

  #exchange(call: ApiCall, options: CallOptions, attempt: number): Exchange {
    options.budget?.take();
    const retryAt = attempt > 1 ? this.#retryAt.get(call) : undefined;
    return new Exchange(this, call, options, attempt, retryAt);
  }

  #retryOptions(call: ApiCall, options: CallOptions): RetryOptions {
    const { operation, model } = call;
    return {
      policy: this.#retry,
      signal: options.signal,
      random: this.#random,
      onRetry: (notice) => {
        this.#retryAt.set(call, Date.now() + notice.delayMs);
        (options.logger ?? this.logger).warn({ operation, model, ...notice }, "request failed, retrying");
        options.onRetry?.(notice);
      },
      heldMs: (error) => this.limiter.closedMs(error),
    };
  }
}

function readObject(text: string, exchange: Exchange): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  if (!isObject(value)) throw new ApiShapeError("The response is not a JSON object.", "$", text);
  if (isErrorObject(value)) throw embeddedError(value, exchange.failure);
  return value;
}

/** JSON as the body of a request. */
export function encodeJson(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** A page of a list: how many entries at most, and the token from the previous page. */
export interface PageRequest {
  readonly pageSize?: number | undefined;
  readonly pageToken?: string | undefined;
}

/** The path of a list, with the query of a page. */
export function withPage(path: string, { pageSize, pageToken }: PageRequest): string {
  const query = new URLSearchParams();
  if (pageSize !== undefined) query.set("pageSize", String(pageSize));
  if (pageToken !== undefined) query.set("pageToken", pageToken);
  return query.size > 0 ? `${path}?${query}` : path;
}

/** Requests the pages of a list as they are read. A service that repeats a token ends it. */
export async function* readPages<Page extends { readonly nextPageToken?: string | undefined }>(
  get: (pageToken: string | undefined) => Promise<Page>,
): AsyncGenerator<Page, void, void> {
  let pageToken: string | undefined;
  do {
    const page = await get(pageToken);
    yield page;
    if (page.nextPageToken === pageToken) return;
    pageToken = page.nextPageToken;
  } while (pageToken);
}
