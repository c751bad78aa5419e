import type { CallOptions, GeminiClientOptions } from "./client-options.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { GenerationClient } from "./generation.ts";
import { type PageRequest, withPage } from "./http/api-client.ts";
import type { AnswerBatch } from "./http/read-answers.ts";
import type { GenerateContentRequest, GenerateContentResponse } from "./types/generate-content.ts";
import type { CountTokensRequest, CountTokensResponse, ListModelsResponse, ModelInfo } from "./types/resources.ts";

/**
 * A typed client of the Gemini API: one method per operation, wire types in and out, no format of its own.
 *
 * All methods retry, and throw {@link ApiStatusError}, {@link ApiNetworkError}, {@link ApiTimeoutError} or
 * {@link ApiShapeError}; {@link ConfigurationError} before anything is sent.
 */
export class GeminiClient {
  readonly #generation: GenerationClient;

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: GeminiClientOptions = {}) {
    this.#generation = new GenerationClient(options);
  }

  /** Where requests go. */
  get endpoint(): Endpoint {
    return this.#generation.endpoint;
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
    return await this.#generation.generateContent(model, request, options);
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
    const answer = await this.#generation.openStream(model, request, options);
    try {
      for (let batch = await answer.next(); batch !== undefined; batch = await answer.next()) yield batch;
    } finally {
      answer.close();
    }
  }

  /** Counts tokens without generating. */
  async countTokens(
    model: string,
    request: CountTokensRequest,
    options: CallOptions = {},
  ): Promise<CountTokensResponse> {
    return await this.#generation.countTokens(model, request, options);
  }

  /**
   * One page of the models available to this key.
   *
   * @param page - `pageSize` up to 1000, by default 50; `pageToken` from the previous page.
   */
  async listModels(page: PageRequest = {}, options: CallOptions = {}): Promise<ListModelsResponse> {
    const path = withPage(this.endpoint.modelsPath, page);
    return await this.#generation.api.object({ operation: "listModels", method: "GET", path }, options);
  }

  /** Describes one model. */
  async getModel(model: string, options: CallOptions = {}): Promise<ModelInfo> {
    const path = this.endpoint.modelPath(model);
    const info = await this.#generation.api.object({ operation: "getModel", model, method: "GET", path }, options);
    return { name: path, ...info };
  }
}
