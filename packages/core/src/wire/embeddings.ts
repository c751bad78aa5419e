import type { CallOptions, GeminiClientOptions } from "./client-options.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { ApiClient, encodeJson } from "./http/api-client.ts";
import { checkRequestSize } from "./http/encode-request.ts";
import type {
  BatchEmbedContentsResponse,
  EmbedContentRequest,
  EmbedContentResponse,
  PredictEmbeddingsRequest,
  PredictEmbeddingsResponse,
} from "./types/embeddings.ts";

/**
 * A client of the embedding methods. Apart from `GeminiClient`, so that programs without embeddings do not bundle it.
 *
 * Retries and throws as `GeminiClient` does; {@link ConfigurationError} on an endpoint without embeddings.
 *
 * @see https://ai.google.dev/api/embeddings
 */
export class EmbeddingsClient {
  readonly #client: ApiClient;
  readonly #maxRequestBytes: number | undefined;

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: GeminiClientOptions = {}) {
    this.#client = new ApiClient(options);
    this.#maxRequestBytes = options.maxRequestBytes;
  }

  /** Where requests go. */
  get endpoint(): Endpoint {
    return this.#client.endpoint;
  }

  /** One vector for one content. */
  async embedContent(
    model: string,
    request: EmbedContentRequest,
    options: CallOptions = {},
  ): Promise<EmbedContentResponse> {
    return await this.#post("embedContent", model, request, options);
  }

  /** A vector for each of at most 100 requests. Not on Vertex. `model` is filled in where a request has none. */
  async batchEmbedContents(
    model: string,
    requests: readonly EmbedContentRequest[],
    options: CallOptions = {},
  ): Promise<BatchEmbedContentsResponse> {
    const path = this.endpoint.modelPath(model);
    const body = { requests: requests.map((request) => ({ model: path, ...request })) };
    return await this.#post("batchEmbedContents", model, body, options);
  }

  /** A vector for each instance, with Vertex's text embedding models: one instance for `gemini-embedding-001`. */
  async predict(
    model: string,
    request: PredictEmbeddingsRequest,
    options: CallOptions = {},
  ): Promise<PredictEmbeddingsResponse> {
    return await this.#post("predict", model, request, options);
  }

  async #post(operation: string, model: string, request: object, options: CallOptions): Promise<object> {
    const body = encodeJson(request);
    checkRequestSize(body.byteLength, this.#maxRequestBytes, this.endpoint);
    const path = `${this.endpoint.modelPath(model)}:${operation}`;
    const call = this.#client.object({ operation, model, method: "POST", path, body }, options);
    return await this.#client.onCollection(call, "embeddings", "use Google's endpoint, or Vertex, for them");
  }
}
