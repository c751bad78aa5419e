import { ApiShapeError } from "../errors/api-errors.ts";
import type { Environment } from "../internal/environment.ts";
import { isObject } from "../internal/json.ts";
import { defaultLogger, type Logger } from "../logging/logger.ts";
import { type Accounts, Traffic } from "./limiter/traffic.ts";
import { defaultEndpoint } from "./endpoints/default-endpoint.ts";
import { CachedContents } from "./caches.ts";
import type { CallOptions, GeminiClientOptions } from "./client-options.ts";
import { checkRequestSize, RequestEncoder } from "./http/encode-request.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { FilesClient } from "./files.ts";
import type { GenerateContentRequest, GenerateContentResponse } from "./types/generate-content.ts";
import type { FetchLike } from "./http/transport.ts";
import type { CountTokensRequest, CountTokensResponse, ListModelsResponse, ModelInfo } from "./types/resources.ts";
import { DEFAULT_TIMEOUTS, type Timeouts, withDefaults } from "./http/timeouts.ts";
import { type AnswerStream, BodyStream, isErrorObject, parseAnswers, parseJson } from "./http/read-answers.ts";
import { DEFAULT_RETRY, type RetryNotice, type RetryPolicy, withRetry } from "./http/retry.ts";
import { type ApiCall, send, type Sent } from "./http/api-client.ts";
import { embeddedError } from "./errors/status-error.ts";
import type { Ask, WaitNotice } from "./limiter/endpoint-limiter.ts";

/**
 * A typed client of the Gemini API: one method per operation, wire types in and out, no format of its own.
 *
 * All methods retry what may succeed later, and throw {@link ApiStatusError}, {@link ApiNetworkError},
 * {@link ApiTimeoutError} or {@link ApiShapeError}; {@link ConfigurationError} before anything is sent.
 */
export class GeminiClient {
  /** Explicit caches: create, get, list, update, delete. */
  readonly caches: CachedContents = new CachedContents(
    () => this.endpoint,
    (call, options) => this.#object(call, options),
  );
  /** Files for requests: upload, get, list, delete. */
  readonly files: FilesClient = new FilesClient({
    endpoint: () => this.endpoint,
    object: (call, options) => this.#object(call, options),
    attempt: (call, options, attempt, read) => this.#attempt(call, options, attempt, read),
    retried: (call, options, attempt) => this.#retried(call, options, attempt),
  });
  readonly #timeouts: Timeouts;
  readonly #retry: RetryPolicy;
  readonly #fetch: FetchLike;
  readonly #logger: Logger;
  readonly #maxBufferBytes: number;
  readonly #maxRequestBytes: number | undefined;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #env: Environment | undefined;
  readonly #traffic: Accounts;
  readonly #group: object | string | undefined;
  /** Until when a call that is tried again was told to wait, in milliseconds since the epoch. */
  readonly #toldUntil = new WeakMap<ApiCall, number>();
  #endpoint: Endpoint | undefined;
  /** The model asked last and its path: a client hardly ever asks another one. */
  #asked: { readonly model: string; readonly path: string } | undefined;

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: GeminiClientOptions = {}) {
    this.#endpoint = options.endpoint;
    // Looked up with each request, so that a fetch patched later (tracing, tests) is used.
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#timeouts = withDefaults(DEFAULT_TIMEOUTS, options.timeouts, "timeouts");
    this.#retry = withDefaults(DEFAULT_RETRY, options.retry, "retry");
    if (!Number.isInteger(this.#retry.maxAttempts))
      throw new TypeError("retry.maxAttempts must be a whole number of at least 1");
    this.#logger = options.logger ?? defaultLogger(options.env);
    this.#maxBufferBytes = options.maxBufferBytes ?? 64 * 1024 * 1024;
    this.#maxRequestBytes = options.maxRequestBytes;
    this.#random = options.random ?? Math.random;
    this.#now = options.now ?? Date.now;
    this.#env = options.env;
    this.#traffic = (options.traffic ?? new Traffic({ random: this.#random })).accounts;
    this.#group = options.group;
  }

  /** Where requests go. */
  get endpoint(): Endpoint {
    return (this.#endpoint ??= defaultEndpoint(this.#env));
  }

  /**
   * One whole answer.
   *
   * @see https://ai.google.dev/api/generate-content#method:-models.generatecontent
   */
  async generateContent(
    model: string,
    request: GenerateContentRequest,
    options: CallOptions = {},
  ): Promise<GenerateContentResponse> {
    const call = this.#generation(model, "generateContent", "", request, options);
    return await this.#answered(call, options, (text, sent) => {
      const [answer, ...others] = parseAnswers(text);
      if (answer === undefined || others.length > 0)
        throw new ApiShapeError("The answer is a list, not one object.", "$", text.slice(0, 200));
      if (answer.response) return answer.response;
      throw embeddedError(answer.error, sent.failure);
    });
  }

  /**
   * An answer as it is written, one list of chunks per read from the network.
   *
   * Retries only before the first list is handed on. Ends where the body ends: whether the answer was complete is for
   * the reader to say, by its finish reason. Leaving the loop cancels the request.
   *
   * @see https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
   */
  async *streamGenerateContent(
    model: string,
    request: GenerateContentRequest,
    options: CallOptions = {},
  ): AsyncGenerator<readonly GenerateContentResponse[], void, void> {
    const answer = await this.openStream(model, request, options);
    try {
      for (let batch = await answer.next(); batch !== undefined; batch = await answer.next()) yield batch;
    } finally {
      answer.close();
    }
  }

  /**
   * As {@link GeminiClient.streamGenerateContent}, without a generator. Resolves once the first chunks have come.
   *
   * @internal
   */
  async openStream(model: string, request: GenerateContentRequest, options: CallOptions = {}): Promise<AnswerStream> {
    const call = this.#generation(model, "streamGenerateContent", "?alt=sse", request, options);
    return await this.#retried(call, options, async (attempt) =>
      new BodyStream(await this.#send(call, options, attempt), this.#maxBufferBytes).open(),
    );
  }

  /** Counts tokens without generating. */
  async countTokens(
    model: string,
    request: CountTokensRequest,
    options: CallOptions = {},
  ): Promise<CountTokensResponse> {
    const path = this.endpoint.modelPath(model);
    const { generateContentRequest: whole } = request;
    const body = whole ? { generateContentRequest: { model: path, ...whole } } : request;
    const call: ApiCall = {
      operation: "countTokens",
      model,
      method: "POST",
      path: `${path}:countTokens`,
      body: encode(body),
    };
    return await this.#object(call, options);
  }

  /**
   * One page of the models this key may use.
   *
   * @param page - `pageSize` up to 1000, by default 50; `pageToken` from the page before.
   */
  async listModels(
    page: { readonly pageSize?: number | undefined; readonly pageToken?: string | undefined } = {},
    options: CallOptions = {},
  ): Promise<ListModelsResponse> {
    const query = new URLSearchParams();
    if (page.pageSize !== undefined) query.set("pageSize", String(page.pageSize));
    if (page.pageToken !== undefined) query.set("pageToken", page.pageToken);
    const path = this.endpoint.modelsPath + (query.size > 0 ? `?${query}` : "");
    return await this.#object({ operation: "listModels", method: "GET", path }, options);
  }

  /** What the service says about one model. */
  async getModel(model: string, options: CallOptions = {}): Promise<ModelInfo> {
    const path = this.endpoint.modelPath(model);
    const info = await this.#object({ operation: "getModel", model, method: "GET", path }, options);
    return { name: path, ...info };
  }

  #generation(
    model: string,
    operation: string,
    query: string,
    request: GenerateContentRequest,
    options: CallOptions,
  ): ApiCall {
    const body = (options.encoder ?? new RequestEncoder()).lend(request);
    checkRequestSize(body.byteLength, this.#maxRequestBytes, this.endpoint);
    if (this.#asked?.model !== model) this.#asked = { model, path: this.endpoint.modelPath(model) };
    return { operation, model, method: "POST", path: `${this.#asked.path}:${operation}${query}`, body, lent: true };
  }

  #object(call: ApiCall, options: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    return this.#answered(call, options, (text, sent) => {
      const value = parseJson(text);
      if (!isObject(value)) throw new ApiShapeError("The answer is not a JSON object.", "$", text.slice(0, 200));
      if (isErrorObject(value)) throw embeddedError(value, sent.failure);
      return value;
    });
  }

  #answered<T>(call: ApiCall, options: CallOptions, read: (text: string, sent: Sent) => T): Promise<T> {
    return this.#retried(call, options, (attempt) => this.#attempt(call, options, attempt, read));
  }

  async #attempt<T>(
    call: ApiCall,
    options: CallOptions,
    attempt: number,
    read: (text: string, sent: Sent) => T,
  ): Promise<T> {
    const sent = await this.#send(call, options, attempt);
    try {
      const text = await sent.exchange.text(this.#maxBufferBytes);
      sent.trace(text);
      return read(text, sent);
    } catch (error) {
      throw sent.clean(error);
    } finally {
      sent.finish();
    }
  }

  #send(call: ApiCall, options: CallOptions, attempt: number): Promise<Sent> {
    const { signal } = options;
    const logger = options.logger ?? this.#logger;
    return send(call, {
      endpoint: this.endpoint,
      fetch: this.#fetch,
      timeouts: this.#timeouts,
      logger,
      now: this.#now,
      signal,
      attempt,
      traffic: this.#traffic,
      ask: this.#ask(call, options, attempt),
    });
  }

  #ask(call: ApiCall, { signal, group, onWait, logger = this.#logger }: CallOptions, attempt: number): Ask {
    return {
      // A client with a group of its own is one party, whatever it does.
      group: this.#group ?? group,
      signal,
      // Who does not want to try again does not want to wait either.
      patienceMs: this.#retry.maxAttempts > 1 ? this.#retry.maxServerDelayMs : 0,
      toldUntil: attempt > 1 ? this.#toldUntil.get(call) : undefined,
      onWait: (notice: WaitNotice): void => {
        logger.info({ operation: call.operation, model: call.model, ...notice }, "request held back");
        onWait?.(notice);
      },
    };
  }

  readonly #heldMs = (error: object): number | undefined => this.#traffic.heldMs(error);

  #retried<T>(call: ApiCall, options: CallOptions, attempt: (attempt: number) => Promise<T>): Promise<T> {
    const { signal } = options;
    const logger = options.logger ?? this.#logger;
    const onRetry = (notice: RetryNotice): void => {
      this.#toldUntil.set(call, Date.now() + notice.delayMs);
      logger.warn({ operation: call.operation, model: call.model, ...notice }, "request failed, retrying");
      options.onRetry?.(notice);
    };
    return withRetry(attempt, { policy: this.#retry, signal, random: this.#random, onRetry, heldMs: this.#heldMs });
  }
}

function encode(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
