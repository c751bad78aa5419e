import { ApiShapeError } from "../errors/api-errors.ts";
import type { CallOptions, GeminiClientOptions } from "./client-options.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { embeddedError } from "./errors/status-error.ts";
import { ApiClient, encodeJson, type PageRequest, withPage } from "./http/api-client.ts";
import { checkRequestSize, RequestEncoder } from "./http/encode-request.ts";
import type { ApiCall, Exchange } from "./http/exchange.ts";
import { type AnswerBatch, type AnswerStream, parseAnswers } from "./http/read-answers.ts";
import type { GenerateContentRequest, GenerateContentResponse } from "./types/generate-content.ts";
import type { CountTokensRequest, CountTokensResponse, ListModelsResponse, ModelInfo } from "./types/resources.ts";

/**
 * A typed client of the Gemini API: one method per operation, wire types in and out, no format of its own.
 *
 * All methods retry, and throw {@link ApiStatusError}, {@link ApiNetworkError}, {@link ApiTimeoutError} or
 * {@link ApiShapeError}; {@link ConfigurationError} before anything is sent.
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
   * A streamed answer, one list of chunks per read from the network.
   *
   * Retries only before the first list. Ends where the body ends: the answer is complete if it has a finish reason. Leaving the
   * loop cancels the request.
   *
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

  /** A streamed answer for whoever closes it. Resolves with the first chunks; retries only before them. @internal */
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

  /**
   * One page of the models available to this key.
   *
   * @param page - `pageSize` up to 1000, by default 50; `pageToken` from the previous page.
   */
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
