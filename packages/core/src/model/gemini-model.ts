import { ConfigurationError } from "../errors/agent-error.ts";
import { ApiStatusError } from "../errors/api-errors.ts";
import type { Logger } from "../logging/logger.ts";
import type { CallOptions, CallSignal, GeminiClientOptions } from "../wire/client-options.ts";
import { GeminiClient } from "../wire/client.ts";
import { waitForFile } from "../wire/files.ts";
import type { RequestEncoder } from "../wire/http/encode-request.ts";
import type { AnswerBatch, AnswerStream } from "../wire/http/read-answers.ts";
import type { RequestBudget, RetryNotice } from "../wire/http/retry.ts";
import type { WaitNotice } from "../wire/limiter/endpoint-limiter.ts";
import type { GenerateContentRequest, GenerateContentResponse } from "../wire/types/generate-content.ts";
import type { CountTokensResponse } from "../wire/types/resources.ts";
import { inferCapabilities, type ModelCapabilities } from "./capabilities.ts";
import { Healer, type HealName } from "./heal/heal.ts";
import { Conversation } from "./history/conversation.ts";
import type { HistoryOrigin } from "./history/import-history.ts";
import type { CacheRequest, Model, ModelRequest, ModelResponse, RespondOptions, TokenCount } from "./model.ts";
import {
  buildCacheRequest,
  buildCountTokensRequest,
  buildRequest,
  type RequestFacts,
} from "./request/build-request.ts";
import { checkSettings } from "./request/check-settings.ts";
import { type Cache, readCache } from "./resources/caches.ts";
import { type AnswerSource, collectWithContinuation } from "./response/continuation.ts";
import type { ModelSettings } from "./settings.ts";

/** Options of {@link gemini}: those of the client, and how the model is used. */
export interface GeminiOptions extends GeminiClientOptions {
  /**
   * Whether answers are asked for as a stream or whole. What comes back is the same.
   *
   * @defaultValue "stream"; "unary" for models that do not stream
   */
  readonly transport?: "stream" | "unary" | undefined;
  /** Corrects what is assumed from the model's id, for tuned models and names of a gateway's own. */
  readonly capabilities?: Partial<ModelCapabilities> | undefined;
}

/**
 * A model of the Gemini API.
 *
 * @param id - Such as `gemini-flash-latest`; `models/…`, `tunedModels/…` and a gateway's names work too.
 * @throws {ConfigurationError} When there is no key in the environment and no endpoint was given, or the id cannot be one.
 */
export function gemini(id: string, options: GeminiOptions = {}): GeminiModel {
  return new GeminiModel(id, options);
}

/** See {@link gemini}. Serves any number of runs at the same time. */
export class GeminiModel implements Model {
  readonly id: string;
  readonly capabilities: ModelCapabilities;
  readonly origin: HistoryOrigin;
  readonly #client: GeminiClient;
  readonly #facts: RequestFacts;
  readonly #transport: "stream" | "unary";
  readonly #logger: Logger | undefined;
  readonly #heals = new Set<HealName>();
  readonly #conversations = new WeakMap<object, Conversation>();

  constructor(id: string, options: GeminiOptions = {}) {
    this.id = id;
    this.capabilities = { ...inferCapabilities(id), ...options.capabilities };
    this.#client = new GeminiClient(options);
    const { endpoint } = this.#client;
    endpoint.modelPath(id);
    this.origin = { endpoint: endpoint.baseUrl, family: this.capabilities.family };
    if (options.endpoint === undefined) {
      // Asking for the key now makes a missing one an error of the construction. A token that has to be fetched may wait.
      Promise.resolve(endpoint.authHeaders()).catch(() => {});
    }
    this.#facts = { modelId: id, capabilities: this.capabilities, endpointKind: endpoint.kind };
    this.#transport = options.transport ?? (this.capabilities.streaming ? "stream" : "unary");
    this.#logger = options.logger;
  }

  check(settings: ModelSettings): void {
    checkSettings(settings, this.capabilities, this.id, this.#facts.endpointKind);
    if (settings.streamFunctionCallArguments === true && this.#transport === "unary")
      throw new ConfigurationError('streamFunctionCallArguments works only with transport: "stream".');
  }

  async respond(request: ModelRequest, options: RespondOptions): Promise<ModelResponse> {
    const conversation = this.#findConversation(options.conversation);
    const logger = options.logger ?? this.#logger;
    const wanted = conversation.buildRequest(request, this.#facts);
    const healer = new Healer(this.#heals, conversation.heals);
    const answer = new Answer(this.#client, this.id, this.#transport, conversation.encoder, logger, options);
    const waitedFor = new Set<string>();
    for (;;) {
      answer.request = healer.apply(wanted);
      try {
        const response = await collectWithContinuation(answer);
        healer.accept(answer.request);
        return response;
      } catch (error) {
        const file = answer.isBegun ? undefined : findUnreadyFile(error);
        const isWorthWaiting =
          file !== undefined && !waitedFor.has(file) && this.#client.endpoint.filesPath !== undefined;
        const healed = isWorthWaiting ? WAIT_FOR_FILE : answer.isBegun ? undefined : healer.learn(error, wanted);
        if (healed === undefined) throw error;
        logger?.warn({ model: this.id, ...healed }, "the request was rejected; retrying with a change");
        options.onNotice?.({ type: "heal", ...healed });
        if (!isWorthWaiting) continue;
        waitedFor.add(file);
        await waitForFile(this.#client.files, file, { signal: options.signal });
      }
    }
  }

  /** @throws {ApiStatusError} When the endpoint does not count, as some gateways. */
  async countTokens(request: ModelRequest, { signal }: CallSignal = {}): Promise<TokenCount> {
    const body = buildCountTokensRequest(buildRequest(request, this.#facts), this.#facts.endpointKind);
    return readTokenCount(await this.#client.countTokens(this.id, body, { signal }));
  }

  /** @throws {ConfigurationError} When model or endpoint have no explicit caches. */
  async createCache(request: CacheRequest, { signal }: CallSignal = {}): Promise<Cache> {
    return readCache(await this.#client.caches.create(buildCacheRequest(request, this.#facts), { signal }));
  }

  #findConversation(key: object | undefined): Conversation {
    const known = key && this.#conversations.get(key);
    if (known !== undefined) return known;
    const conversation = new Conversation();
    if (key !== undefined) this.#conversations.set(key, conversation);
    return conversation;
  }
}

/** One answer, over as many requests as it takes. The options of each of them, too. */
class Answer implements AnswerSource, CallOptions {
  /** What to ask for, without a token. */
  request: GenerateContentRequest = { contents: [] };
  /** True once parts were handed on. */
  isBegun = false;
  readonly onParts: RespondOptions["onParts"];
  readonly signal: AbortSignal;
  readonly group: object | undefined;
  readonly encoder: RequestEncoder;
  readonly budget: RequestBudget | undefined;
  readonly logger: Logger | undefined;
  readonly #client: GeminiClient;
  readonly #model: string;
  readonly #transport: "stream" | "unary";
  readonly #options: RespondOptions;

  constructor(
    client: GeminiClient,
    model: string,
    transport: "stream" | "unary",
    encoder: RequestEncoder,
    logger: Logger | undefined,
    options: RespondOptions,
  ) {
    this.#client = client;
    this.#model = model;
    this.#transport = transport;
    this.encoder = encoder;
    this.logger = logger;
    this.onParts = options.onParts;
    this.signal = options.signal;
    this.group = options.conversation;
    this.budget = options.budget;
    this.#options = options;
  }

  open(continuationToken: string | undefined): Promise<AnswerStream> {
    const body = continuationToken === undefined ? this.request : { ...this.request, continuationToken };
    return this.#transport === "stream" ? this.#client.openStream(this.#model, body, this) : this.#openWhole(body);
  }

  async #openWhole(body: GenerateContentRequest): Promise<AnswerStream> {
    return new WholeAnswer(await this.#client.generateContent(this.#model, body, this));
  }

  onRewind(reason: string): void {
    this.#options.onNotice?.({ type: "rewind", reason });
  }

  onRetry(retry: RetryNotice): void {
    this.#options.onNotice?.({ type: "retry", ...retry });
  }

  onWait(wait: WaitNotice): void {
    this.#options.onNotice?.({ type: "wait", ...wait });
  }
}

class WholeAnswer implements AnswerStream {
  #response: GenerateContentResponse | undefined;

  constructor(response: GenerateContentResponse) {
    this.#response = response;
  }

  async next(): Promise<AnswerBatch | undefined> {
    const response = this.#response;
    this.#response = undefined;
    return response && [response];
  }

  close(): void {
    this.#response = undefined;
  }
}

const WAIT_FOR_FILE = {
  heal: "wait-for-file",
  detail: "The service is still processing a file; the request will be retried once it is ready.",
  breaksPrefix: false,
} as const;

/** Name of the file (`files/abc`) that a request was refused for because the service still works on it. */
function findUnreadyFile(error: unknown): string | undefined {
  if (!(error instanceof ApiStatusError) || error.status !== 400) return undefined;
  const id = /\bFile (?:files\/)?([a-z0-9-]+) is not in an ACTIVE state/i.exec(error.message)?.[1];
  return id === undefined ? undefined : `files/${id}`;
}

/** The service's count as ours; what is absent is zero. */
function readTokenCount(answer: CountTokensResponse): TokenCount {
  return {
    totalTokens: answer.totalTokens ?? 0,
    cachedTokens: answer.cachedContentTokenCount ?? 0,
    details: answer.promptTokensDetails ?? [],
  };
}
