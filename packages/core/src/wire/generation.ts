import { ApiShapeError } from "../errors/api-errors.ts";
import type { CallOptions, GeminiClientOptions } from "./client-options.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { embeddedError } from "./errors/status-error.ts";
import { ApiClient, encodeJson } from "./http/api-client.ts";
import { checkRequestSize, RequestEncoder } from "./http/encode-request.ts";
import type { ApiCall, Exchange } from "./http/exchange.ts";
import { type AnswerStream, parseAnswers } from "./http/read-answers.ts";
import type { GenerateContentRequest, GenerateContentResponse } from "./types/generate-content.ts";
import type { CountTokensRequest, CountTokensResponse } from "./types/resources.ts";

/** The calls that a model needs. Apart from `GeminiClient`, so that an agent does not bundle uploads and lists. */
export class GenerationClient {
  readonly api: ApiClient;
  readonly #maxRequestBytes: number | undefined;
  /** The path of the last model: a client rarely uses another one. */
  #last: { readonly model: string; readonly path: string } | undefined;

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: GeminiClientOptions) {
    this.api = new ApiClient(options);
    this.#maxRequestBytes = options.maxRequestBytes;
  }

  /** Where requests go. */
  get endpoint(): Endpoint {
    return this.api.endpoint;
  }

  /** One whole answer. */
  async generateContent(
    model: string,
    request: GenerateContentRequest,
    options: CallOptions,
  ): Promise<GenerateContentResponse> {
    const call = this.#generation(model, "generateContent", "", request, options);
    return await this.api.whole(call, options, readResponse);
  }

  /** A streamed answer. Resolves with the first chunks; retries only before them. */
  openStream(model: string, request: GenerateContentRequest, options: CallOptions): Promise<AnswerStream> {
    const call = this.#generation(model, "streamGenerateContent", "?alt=sse", request, options);
    return this.api.stream(call, options);
  }

  /** Counts tokens without generating. */
  async countTokens(model: string, request: CountTokensRequest, options: CallOptions): Promise<CountTokensResponse> {
    const path = this.endpoint.modelPath(model);
    const { generateContentRequest: whole } = request;
    const { tools }: GenerateContentRequest = whole ?? request;
    const body = whole ? { generateContentRequest: { model: path, ...whole } } : request;
    const call: ApiCall = {
      operation: "countTokens",
      model,
      method: "POST",
      path: `${path}:countTokens`,
      body: encodeJson(body),
      tools,
    };
    return await this.api.object(call, options);
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
