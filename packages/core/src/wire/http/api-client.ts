import { ApiShapeError } from "../../errors/api-errors.ts";
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
import { type AnswerStream, isErrorObject, parseJson, StreamedAnswer } from "./read-answers.ts";
import { DEFAULT_RETRY, type RetryNotice, type RetryOptions, type RetryPolicy, withRetry } from "./retry.ts";
import { DEFAULT_TIMEOUTS, type Timeouts, withDefaults } from "./timeouts.ts";
import type { FetchLike } from "./transport.ts";

/** Reads a whole answer. */
export type ReadAnswer<T> = (text: string, exchange: Exchange) => T;

/** Sends calls of the API, and tries again what may succeed later. Holds what all calls of a client have in common. */
export class ApiClient implements ExchangeSettings {
  readonly timeouts: Timeouts;
  readonly logger: Logger;
  readonly now: () => number;
  readonly limiter: TrafficLimiter;
  readonly group: object | string | undefined;
  readonly maxDelayMs: number;
  readonly #retry: RetryPolicy;
  readonly #random: () => number;
  readonly #maxBufferBytes: number;
  readonly #env: Environment | undefined;
  readonly #transport: TransportChoice;
  /** When a call that is tried again will be sent, in milliseconds since the epoch. */
  readonly #retryAt = new WeakMap<ApiCall, number>();
  #endpoint: Endpoint | undefined;

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: GeminiClientOptions) {
    this.#endpoint = options.endpoint;
    this.#transport = new TransportChoice(options.fetch, options.httpClient, options.env);
    this.timeouts = withDefaults(DEFAULT_TIMEOUTS, options.timeouts, "timeouts");
    this.#retry = withDefaults(DEFAULT_RETRY, options.retry, "retry");
    if (!Number.isInteger(this.#retry.maxAttempts))
      throw new TypeError("retry.maxAttempts must be an integer of at least 1");
    this.logger = options.logger ?? defaultLogger(options.env);
    this.#maxBufferBytes = options.maxBufferBytes ?? 64 * 1024 * 1024;
    this.#random = options.random ?? Math.random;
    this.now = options.now ?? Date.now;
    this.#env = options.env;
    this.limiter = (options.traffic ?? new Traffic({ random: this.#random })).limiter;
    this.group = options.group;
    // Who does not want to try again does not want to wait either.
    this.maxDelayMs = this.#retry.maxAttempts > 1 ? this.#retry.maxServerDelayMs : 0;
  }

  /** Where requests go. */
  get endpoint(): Endpoint {
    return (this.#endpoint ??= defaultEndpoint(this.#env));
  }

  fetch(logger: Logger): FetchLike | Promise<FetchLike> {
    return this.#transport.current(logger);
  }

  /** One JSON object. */
  object(call: ApiCall, options: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    return this.whole(call, options, readObject);
  }

  /** One whole answer. */
  whole<T>(call: ApiCall, options: CallOptions, read: ReadAnswer<T>): Promise<T> {
    return this.retried(call, options, (attempt) => this.attempt(call, options, attempt, read));
  }

  /** An answer as it is written, once its first chunks have come. */
  stream(call: ApiCall, options: CallOptions): Promise<AnswerStream> {
    return this.retried(call, options, (attempt) =>
      new StreamedAnswer(this.#exchange(call, options, attempt), this.#maxBufferBytes).open(),
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
      const text = await exchange.text(this.#maxBufferBytes);
      exchange.trace(text);
      return read(text, exchange);
    } catch (error) {
      throw exchange.clean(error);
    } finally {
      exchange.close();
    }
  }

  /** Runs attempts as the retry policy says. */
  retried<T>(call: ApiCall, options: CallOptions, attempt: (attempt: number) => Promise<T>): Promise<T> {
    return withRetry(attempt, options.signal, (failure) => {
      options.budget?.failed(failure);
      return this.#retryOptions(call, options);
    });
  }

  #exchange(call: ApiCall, options: CallOptions, attempt: number): Exchange {
    options.budget?.take();
    const retryAt = attempt > 1 ? this.#retryAt.get(call) : undefined;
    return new Exchange(this, call, options, attempt, retryAt);
  }

  #retryOptions(call: ApiCall, options: CallOptions): RetryOptions {
    const logger = options.logger ?? this.logger;
    const { operation, model } = call;
    return {
      policy: this.#retry,
      signal: options.signal,
      random: this.#random,
      onRetry: (notice: RetryNotice) => {
        this.#retryAt.set(call, Date.now() + notice.delayMs);
        logger.warn({ operation, model, ...notice }, "request failed, retrying");
        options.onRetry?.(notice);
      },
      heldMs: (error) => this.limiter.closedMs(error),
    };
  }
}

function readObject(text: string, exchange: Exchange): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  if (!isObject(value)) throw new ApiShapeError("The response is not a JSON object.", "$", text.slice(0, 200));
  if (isErrorObject(value)) throw embeddedError(value, exchange.failure);
  return value;
}

/** JSON as a request's body. */
export function encodeJson(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Which page of a list: how many entries it may have, and the token that the page before gave. */
export interface PageRequest {
  readonly pageSize?: number | undefined;
  readonly pageToken?: string | undefined;
}

/** The path of a list, with what a page is asked with. */
export function withPage(path: string, { pageSize, pageToken }: PageRequest): string {
  const query = new URLSearchParams();
  if (pageSize !== undefined) query.set("pageSize", String(pageSize));
  if (pageToken !== undefined) query.set("pageToken", pageToken);
  return query.size > 0 ? `${path}?${query}` : path;
}
