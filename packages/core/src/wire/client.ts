import { AgentError, ConfigurationError } from "../errors/agent-error.ts";
import { ApiShapeError, ApiStatusError } from "../errors/api-errors.ts";
import { sleep } from "../internal/abort.ts";
import { isObject } from "../internal/json.ts";
import { withDefaults } from "../internal/option-names.ts";
import { defaultLogger } from "../logging/logger.ts";
import {
  type AnswerLimits,
  type CallOptions,
  DEFAULT_LIMITS,
  DEFAULT_TIMEOUTS,
  type GeminiClientOptions,
} from "./client-options.ts";
import { defaultEndpoint } from "./endpoints/services.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { embeddedError } from "./errors/http-errors.ts";
import { chooseTransport } from "./http/choose-transport.ts";
import { checkRequestSize, RequestEncoder } from "./http/encode-request.ts";
import { type ApiCall, type Attempt, Exchange, type ExchangeSettings } from "./http/exchange.ts";
import {
  type AnswerBatch,
  type AnswerStream,
  isErrorObject,
  parseAnswers,
  parseJson,
  StreamedAnswer,
} from "./http/read-answers.ts";
import { DEFAULT_RETRY, delayFor, describe, type RetryPolicy } from "./http/retry.ts";
import { NEEDS_NO_KEY } from "./http/transport.ts";
import { Traffic } from "./limiter/traffic.ts";
import type { GenerateContentRequest, GenerateContentResponse } from "./types/generate-content.ts";
import type { CountTokensRequest, CountTokensResponse, ListModelsResponse, ModelInfo } from "./types/resources.ts";

/**
 * A typed client of the Gemini API: one method per operation, wire types in and out. All methods retry, and throw {@link ApiStatusError},
 * {@link ApiNetworkError}, {@link ApiTimeoutError} or {@link ApiShapeError}; {@link ConfigurationError} before anything is sent.
 */
export class GeminiClient {
  /** @internal */
  readonly api: ApiClient;
  readonly #maxRequestBytes: number | undefined;
  /** The path of the last model: a client rarely uses another one. */
  #last: { readonly model: string; readonly path: string } | undefined;

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: GeminiClientOptions = {}) {
    this.api = new ApiClient(options);
    this.#maxRequestBytes = options.maxRequestBytes;
  }

  /** Where requests go. */
  get endpoint(): Endpoint {
    return this.api.endpoint;
  }

  /** One whole answer. @see https://ai.google.dev/api/generate-content#method:-models.generatecontent */
  async generateContent(
    model: string,
    request: GenerateContentRequest,
    options: CallOptions = {},
  ): Promise<GenerateContentResponse> {
    const call = this.#generation(model, "generateContent", "", request, options);
    return await this.api.whole(call, options, readResponse);
  }

  /**
   * A streamed answer, one list of chunks per read from the network. Retries only before the first list. It is complete if it has a
   * finish reason. Leaving the loop cancels the request.
   * @see https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
   */
  async *streamGenerateContent(
    model: string,
    request: GenerateContentRequest,
    options: CallOptions = {},
  ): AsyncGenerator<AnswerBatch, void, void> {
    const answer = await this.openStream(model, request, options);
    try {
      for (let batch = await answer.next(); batch !== undefined; batch = await answer.next()) yield batch;
    } finally {
      answer.close();
    }
  }

  /** A streamed answer, which the caller must close. Resolves with the first chunks; retries only before them. @internal */
  openStream(model: string, request: GenerateContentRequest, options: CallOptions): Promise<AnswerStream> {
    return this.api.stream(this.#generation(model, "streamGenerateContent", "?alt=sse", request, options), options);
  }

  /** Counts tokens without generating. */
  async countTokens(
    model: string,
    request: CountTokensRequest,
    options: CallOptions = {},
  ): Promise<CountTokensResponse> {
    const path = this.endpoint.modelPath(model);
    const { generateContentRequest: whole } = request;
    const { tools }: GenerateContentRequest = whole ?? request;
    const body = encodeJson(whole ? { generateContentRequest: { model: path, ...whole } } : request);
    const call = { operation: "countTokens", model, method: "POST", path: `${path}:countTokens`, body, tools } as const;
    return await this.api.object(call, options);
  }

  /** One page of the models available to this key. @param page - `pageSize` up to 1000, by default 50; `pageToken` of the last page. */
  async listModels(page: PageRequest = {}, options: CallOptions = {}): Promise<ListModelsResponse> {
    const path = withPage(this.endpoint.modelsPath, page);
    return await this.api.object({ operation: "listModels", method: "GET", path }, options);
  }

  /** Describes one model. */
  async getModel(model: string, options: CallOptions = {}): Promise<ModelInfo> {
    const path = this.endpoint.modelPath(model);
    const info = await this.api.object({ operation: "getModel", model, method: "GET", path }, options);
    return { name: path, ...info };
  }

  #generation(
    model: string,
    operation: string,
    query: string,
    request: GenerateContentRequest,
    options: CallOptions,
  ): ApiCall {
    const body = (options.encoder ?? new RequestEncoder()).encodeView(request);
    checkRequestSize(body.byteLength, this.#maxRequestBytes, this.endpoint);
    if (this.#last?.model !== model) this.#last = { model, path: this.endpoint.modelPath(model) };
    const path = `${this.#last.path}:${operation}${query}`;
    return { operation, model, method: "POST", path, body, bodyIsView: true, tools: request.tools };
  }
}

function readResponse(text: string, exchange: Exchange): GenerateContentResponse {
  const [answer, ...others] = parseAnswers(text);
  if (answer === undefined || others.length > 0)
    throw new ApiShapeError("The response is a list, not an object.", "$", text);
  if (answer.response) return answer.response;
  throw embeddedError(answer.error, exchange.failure);
}

/** Reads a whole answer. */
type ReadAnswer<T> = (text: string, exchange: Exchange) => T;

/** Sends calls of the API and retries them. Holds the settings that all calls of a client share. */
export class ApiClient {
  readonly #settings: ExchangeSettings;
  readonly #retry: RetryPolicy;
  readonly #random: () => number;
  readonly #limits: AnswerLimits;

  /** @throws {TypeError} For a limit that is not a positive number, or an option of another kind. */
  constructor(options: GeminiClientOptions) {
    let { endpoint } = options;
    const { traffic = new Traffic({ random: options.random }) } = options;
    if (endpoint !== undefined && typeof endpoint?.modelPath !== "function")
      throw new TypeError("endpoint must be made by geminiApi(), vertex(), cometapi() or endpoint()");
    if (typeof traffic?.acquire !== "function") throw new TypeError("traffic must be made by new Traffic()");
    const { env, fetch, group, random = Math.random, now = Date.now, logger = defaultLogger(env) } = options;
    const { maxBufferBytes, maxAnswerBytes, maxAnswerChunks } = options;
    this.#random = random;
    this.#retry = withDefaults(DEFAULT_RETRY, options.retry, "retry");
    if (!Number.isInteger(this.#retry.maxAttempts))
      throw new TypeError("retry.maxAttempts must be an integer of at least 1");
    this.#limits = withDefaults(DEFAULT_LIMITS, { maxBufferBytes, maxAnswerBytes, maxAnswerChunks }, "options");
    this.#settings = {
      get endpoint() {
        return (endpoint ??= defaultEndpoint(env, logger, fetch !== undefined && NEEDS_NO_KEY in fetch));
      },
      transport: chooseTransport(fetch, options.httpClient, env),
      timeouts: withDefaults(DEFAULT_TIMEOUTS, options.timeouts, "timeouts"),
      traffic,
      // A client without retries does not wait for the service either.
      maxDelayMs: this.#retry.maxAttempts > 1 ? this.#retry.maxServerDelayMs : 0,
      logger,
      now,
      group,
    };
  }

  /** Where requests go. */
  get endpoint(): Endpoint {
    return this.#settings.endpoint;
  }

  /** A call whose answer is a JSON object. */
  object(call: ApiCall, options: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    return this.whole(call, options, readObject);
  }

  whole<T>(call: ApiCall, options: CallOptions, read: ReadAnswer<T>): Promise<T> {
    return this.retried(call, options, (attempt) => this.attempt(call, options, attempt, read));
  }

  /** A call whose answer is streamed; resolves with the first chunks. */
  stream(call: ApiCall, options: CallOptions): Promise<AnswerStream> {
    return this.retried(call, options, (attempt) =>
      new StreamedAnswer(this.#exchange(call, options, attempt), this.#limits).open(),
    );
  }

  /** One attempt of a call whose body the caller reads and closes; resolves once the service has accepted it. */
  open(call: ApiCall, options: CallOptions, attempt: Attempt): Promise<Exchange> {
    return this.#exchange(call, options, attempt).open();
  }

  async attempt<T>(call: ApiCall, options: CallOptions, attempt: Attempt, read: ReadAnswer<T>): Promise<T> {
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

  /** Makes attempts according to the retry policy until one succeeds or fails for good; rethrows the last error unchanged. */
  async retried<T>(call: ApiCall, options: CallOptions, run: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { signal } = options;
    signal?.throwIfAborted();
    try {
      return await run({ number: 1 });
    } catch (first) {
      signal?.throwIfAborted();
      if (!(first instanceof AgentError) || !first.retryable) throw first;
      // Loaded at the first failure, to keep cold starts fast.
      const { default: pRetry } = await import("p-retry");
      let attempt: Attempt = { number: 1 };
      const retried = pRetry(() => (attempt.number === 1 ? Promise.reject(first) : run(attempt)), {
        retries: Math.max(0, this.#retry.maxAttempts - 1),
        // p-retry adds no delay: it awaits the one below.
        minTimeout: 0,
        maxTimeout: 0,
        onFailedAttempt: async ({ error, retriesLeft }) => {
          signal?.throwIfAborted();
          attempt = await this.#waitFor(error, attempt, retriesLeft, call, options);
        },
      });
      return await retried.catch((error: unknown) => {
        // p-retry replaces a reason that is not an Error; the caller gets its own.
        signal?.throwIfAborted();
        throw error;
      });
    }
  }

  /** Waits for the next attempt. @throws The error, if it is not worth a retry. */
  async #waitFor(
    error: Error,
    { number }: Attempt,
    left: number,
    call: ApiCall,
    options: CallOptions,
  ): Promise<Attempt> {
    const { operation, model } = call;
    const { signal, budget } = options;
    const waitMs = left > 0 ? delayFor(error, number, this.#retry, this.#random) : undefined;
    if (waitMs === undefined || !(error instanceof AgentError)) throw error;
    // If the limiter holds the next attempt back for this error, its wait is the only one.
    const heldMs = this.#settings.traffic.closedMs(error);
    const notice = { attempt: number, delayMs: heldMs ?? waitMs, error: describe(error) };
    const retryAt = Date.now() + notice.delayMs;
    budget?.failed(error);
    (options.logger ?? this.#settings.logger).warn({ operation, model, ...notice }, "request failed, retrying");
    options.onRetry?.(notice);
    if (heldMs === undefined) await sleep(waitMs, signal);
    return { number: number + 1, retryAt };
  }

  /** A call on a collection that not every service has. @throws {ConfigurationError} With advice when this one does not. */
  async onCollection<T>(call: Promise<T>, feature: string, advice: string): Promise<T> {
    try {
      return await call;
    } catch (error) {
      const isUnknown = error instanceof ApiStatusError && [404, 405, 501].includes(error.status);
      // With this reason, the service has the collection but lacks something else, such as the model.
      if (!isUnknown || error.reason?.toUpperCase() === "NOT_FOUND") throw error;
      const { host } = new URL(this.endpoint.baseUrl);
      throw new ConfigurationError(`${host} does not support ${feature} (HTTP ${error.status}): ${advice}.`, {
        cause: error,
      });
    }
  }

  #exchange(call: ApiCall, options: CallOptions, attempt: Attempt): Exchange {
    options.budget?.take();
    return new Exchange(this.#settings, call, options, attempt);
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

function withPage(path: string, { pageSize, pageToken }: PageRequest): string {
  const query = new URLSearchParams();
  if (pageSize !== undefined) query.set("pageSize", String(pageSize));
  if (pageToken !== undefined) query.set("pageToken", pageToken);
  return query.size > 0 ? `${path}?${query}` : path;
}

/** Requests the pages of a list as they are read. Ends when the service repeats a token. @param get - Gets the page at a path. */
export async function* readPages<Page extends { readonly nextPageToken?: string | undefined }>(
  all: string,
  pageSize: number,
  get: (path: string) => Promise<Page>,
): AsyncGenerator<Page, void, void> {
  let pageToken: string | undefined;
  do {
    const page = await get(withPage(all, { pageSize, pageToken }));
    yield page;
    if (page.nextPageToken === pageToken) return;
    pageToken = page.nextPageToken;
  } while (pageToken);
}
