import { ConfigurationError } from "../errors/agent-error.ts";
import { ApiStatusError } from "../errors/api-errors.ts";
import { checkOptions, type OptionNames, type Spellings } from "../internal/option-names.ts";
import type { Logger } from "../logging/logger.ts";
import {
  type CallOptions,
  type CallSignal,
  CLIENT_OPTIONS,
  CLIENT_SPELLINGS,
  type GeminiClientOptions,
} from "../wire/client-options.ts";
import type { EndpointKind } from "../wire/endpoints/endpoint.ts";
import { GeminiClient } from "../wire/client.ts";
import { findKnownModel, inferCapabilities, type ModelCapabilities, type ModelId } from "../wire/known-models.ts";
import { mostRequestBytes, RequestEncoder } from "../wire/http/encode-request.ts";
import type { AnswerBatch, AnswerStream } from "../wire/http/read-answers.ts";
import type { Content, Part } from "../wire/types/content.ts";
import type { GenerateContentRequest, GenerateContentResponse } from "../wire/types/generate-content.ts";
import type { createHealer, Healer, HealMemory } from "./heal/heal.ts";
import type { HistoryOrigin } from "./history/import-history.ts";
import { checkPairing, isMixed } from "./history/open-calls.ts";
import type { CacheRequest, Model, ModelRequest, ModelResponse, RespondOptions, TokenCount } from "./model.ts";
import {
  buildCacheRequest,
  buildCountTokensRequest,
  buildHead,
  buildRequest,
  type RequestHead,
} from "./request/build-request.ts";
import { checkSettings, type ModelSettings, type RequestFacts } from "./settings.ts";
import type { Cache } from "./resources/caches.ts";
import { type AnswerSource, ResponseFold } from "./response/fold.ts";

/** Options of {@link gemini}, including those of the client. */
export interface GeminiOptions extends GeminiClientOptions {
  /** Whether to request answers as a stream or whole. @defaultValue "stream"; "unary" for models that do not stream */
  readonly transport?: "stream" | "unary" | undefined;
  /** Overrides what is inferred from the model's ID, for tuned models and gateways' own names. */
  readonly capabilities?: Partial<ModelCapabilities> | undefined;
  /** Limits that all processes of the application share: a `Quota` of `@pollux/core/quota`. @defaultValue none */
  readonly quota?: ModelQuota | undefined;
}

/** Delays a model's answers until its limits have room. */
export interface ModelQuota {
  /** @internal */
  within(
    modelId: string,
    options: RespondOptions,
    answer: (options: RespondOptions) => Promise<ModelResponse>,
  ): Promise<ModelResponse>;
}

/** The names of all options. */
export const GEMINI_OPTIONS: OptionNames<GeminiOptions> = {
  ...CLIENT_OPTIONS,
  transport: true,
  capabilities: true,
  quota: true,
};

/** Advice for options that other libraries take here. */
export const GEMINI_SPELLINGS: Spellings = {
  ...CLIENT_SPELLINGS,
  "use gemini(id, { retry: { maxAttempts: … } })": "maxRetries",
  "pass it in the settings of the agent or of run()": "temperature topP topK maxOutputTokens thinking safetySettings",
};

/**
 * A model of the Gemini API.
 * @param id - Such as `gemini-flash-latest`; `models/…`, `tunedModels/…` and a gateway's names work too. Without an endpoint, the key is
 * read from the environment with each request.
 * @throws {ConfigurationError} For an invalid ID or base URL.
 * @throws {TypeError} For an option that does not exist.
 * @example
 * ```ts
 * const model = gemini("gemini-flash-latest", { retry: { maxAttempts: 2 }, traffic: new Traffic({ maxConcurrent: 4 }) });
 * const agent = new Agent({ model });
 * ```
 */
export function gemini(id: ModelId, options: GeminiOptions = {}): GeminiModel {
  return new GeminiModel(id, options);
}

/** See {@link gemini}. Serves any number of concurrent runs. */
export class GeminiModel implements Model {
  readonly id: string;
  readonly capabilities: ModelCapabilities;
  readonly origin: HistoryOrigin;
  readonly endpointKind: EndpointKind;
  readonly streams: boolean;
  readonly maxRequestBytes: number;
  readonly #client: GeminiClient;
  readonly #facts: RequestFacts;
  readonly #logger: Logger | undefined;
  readonly #quota: ModelQuota | undefined;
  readonly #heals: Set<string>;
  readonly #conversations = new WeakMap<object, Conversation>();
  #isAdvised: boolean;

  constructor(id: string, options: GeminiOptions = {}) {
    if (typeof id !== "string") throw new TypeError('gemini() takes a model id, such as "gemini-flash-latest"');
    checkOptions("gemini()", options, GEMINI_OPTIONS, GEMINI_SPELLINGS);
    this.id = id;
    this.capabilities = { ...inferCapabilities(id), ...options.capabilities };
    this.#isAdvised = findKnownModel(id) !== undefined && this.capabilities.routedTo === undefined;
    this.#client = new GeminiClient(options);
    const { endpoint } = this.#client;
    // Shared by all models with the same endpoint and path.
    const path = [endpoint.baseUrl, endpoint.apiVersion, endpoint.modelPath(id)].join("/");
    this.#heals = endpoint.learned?.get(path) ?? new Set<string>();
    endpoint.learned?.set(path, this.#heals);
    this.origin = { endpoint: endpoint.baseUrl, family: this.capabilities.family };
    this.endpointKind = endpoint.kind;
    this.#facts = { modelId: id, capabilities: this.capabilities, endpointKind: endpoint.kind };
    this.streams = options.transport === undefined ? this.capabilities.streaming : options.transport === "stream";
    this.maxRequestBytes = mostRequestBytes(options.maxRequestBytes, endpoint);
    this.#logger = options.logger;
    this.#quota = options.quota;
  }

  check(settings: ModelSettings): void {
    checkSettings(settings, this.capabilities, this.id, this.#facts.endpointKind);
    if (settings.streamFunctionCallArguments === true && !this.streams)
      throw new ConfigurationError('streamFunctionCallArguments works only with transport: "stream".');
  }

  async respond(request: ModelRequest, options: RespondOptions): Promise<ModelResponse> {
    const answer = (own: RespondOptions): Promise<ModelResponse> => this.#answer(request, own);
    return await (this.#quota?.within(this.id, options, answer) ?? answer(options));
  }

  async #answer(request: ModelRequest, options: RespondOptions): Promise<ModelResponse> {
    const { conversation: key } = options;
    const conversation = (key && this.#conversations.get(key)) ?? new Conversation();
    if (key !== undefined) this.#conversations.set(key, conversation);
    const logger = options.logger ?? this.#logger;
    if (!this.#isAdvised) this.#advise(request.settings, logger);
    const wanted = conversation.buildRequest(request, this.#facts);
    const memory = conversation.heals;
    // Most requests need no heal.
    let healer = this.#heals.size + memory.active.size > 0 ? await loadHealer(wanted, this.#heals, memory) : undefined;
    const waitedFor = new Set<string>();
    for (;;) {
      const sent = healer?.apply() ?? wanted;
      const source = this.#createSource(sent, conversation.encoder, logger, options);
      try {
        const fold = new ResponseFold();
        const failure = await fold.read(source);
        const response =
          fold.token === undefined
            ? fold.partial()
            : await import("./response/continuation.ts").then((module) => module.continueAnswer(source, fold, failure));
        memory.answered = sent;
        return response;
      } catch (error) {
        for (const fold of source.folds ?? []) options.onLost?.(fold.partial().usage);
        if (source.hasParts === true || !(error instanceof ApiStatusError) || error.status !== 400) throw error;
        const { filesPath } = this.#client.endpoint;
        // A file that the service is still processing.
        const id = filesPath && /\bFile (?:files\/)?([a-z0-9-]+) is not in an ACTIVE state/i.exec(error.message)?.[1];
        const file = id && `${filesPath}/${id}`;
        const mustWait = file !== undefined && !waitedFor.has(file);
        if (!mustWait) healer ??= await loadHealer(wanted, this.#heals, memory);
        const healed = mustWait ? WAIT_FOR_FILE : healer?.learn(error.message);
        if (healed === undefined) throw error;
        logger?.warn({ model: this.id, ...healed }, "the request was rejected; retrying with a change");
        options.onNotice?.({ type: "heal", ...healed });
        if (!mustWait) continue;
        waitedFor.add(file);
        const { getFile, waitForFile } = await import("./resources/wait-for-file.ts");
        const { signal, tap } = options;
        await waitForFile({ get: () => getFile(this.#client.api, file, { signal, tap }) }, file, { signal });
      }
    }
  }

  /** Warns once about a deprecated model, or about settings of an unknown one, which nothing checks. */
  #advise(settings: ModelSettings, logger: Logger | undefined): void {
    const { routedTo } = this.capabilities;
    const set = Object.keys(settings);
    this.#isAdvised = routedTo !== undefined || set.length > 0;
    if (routedTo !== undefined)
      logger?.warn({ model: this.id, routedTo }, "the model is deprecated; another one answers in its place");
    else if (this.#isAdvised)
      logger?.warn({ model: this.id, settings: set }, "the model is unknown; its settings are sent unchecked");
  }

  /** @throws {ApiStatusError} When the endpoint does not count tokens, as with some gateways. */
  async countTokens(request: ModelRequest, { signal }: CallSignal = {}): Promise<TokenCount> {
    const body = buildCountTokensRequest(buildRequest(request, this.#facts), this.#facts.endpointKind);
    const count = await this.#client.countTokens(this.id, body, { signal });
    return {
      totalTokens: count.totalTokens ?? 0,
      cachedTokens: count.cachedContentTokenCount ?? 0,
      details: count.promptTokensDetails ?? [],
    };
  }

  /** @throws {ConfigurationError} When the model or endpoint does not support explicit caches. */
  async createCache(request: CacheRequest, { signal }: CallSignal = {}): Promise<Cache> {
    const { createCachedContent } = await import("./resources/caches.ts");
    return await createCachedContent(this.#client.api, buildCacheRequest(request, this.#facts), { signal }, request);
  }

  #createSource(
    request: GenerateContentRequest,
    encoder: RequestEncoder,
    logger: Logger | undefined,
    options: RespondOptions,
  ): AnswerSource {
    const { onParts, onNotice, conversation: group } = options;
    const call: CallOptions = {
      ...options,
      group,
      encoder,
      logger,
      onRetry: (retry) => onNotice?.({ type: "retry", ...retry }),
      onWait: (wait) => onNotice?.({ type: "wait", ...wait }),
    };
    return {
      onParts,
      onRewind: (reason) => onNotice?.({ type: "rewind", reason }),
      logger,
      maxOutputTokens: request.generationConfig?.maxOutputTokens,
      open: (token) => {
        const body = token === undefined ? request : { ...request, continuationToken: token };
        return this.streams
          ? this.#client.openStream(this.id, body, call)
          : openWhole(this.#client.generateContent(this.id, body, call));
      },
    };
  }
}

/** A unary answer, read as a stream of one chunk. */
async function openWhole(answer: Promise<GenerateContentResponse>): Promise<AnswerStream> {
  const batches: AnswerBatch[] = [[await answer]];
  return { next: async () => batches.shift(), close() {} };
}

const WAIT_FOR_FILE = {
  heal: "wait-for-file",
  detail: "The service is still processing a file; the request will be retried once it is ready.",
  breaksPrefix: false,
} as const;

/** Most programs never load it: only rejected requests need it. */
function loadHealer(...args: Parameters<typeof createHealer>): Promise<Healer> {
  return import("./heal/heal.ts").then(({ createHealer }) => createHealer(...args));
}

/** State that lasts from one request of a conversation to the next. Contents are recognized by identity and must not be modified once sent. */
export class Conversation {
  readonly encoder: RequestEncoder = new RequestEncoder();
  readonly heals: HealMemory = { answered: undefined, active: new Set(), memos: new Map() };
  /** Contents of the last request, as sent; all of them were checked. */
  #seen: readonly Content[] = [];
  /** Where their last turn begins; later contents may extend it. */
  #lastTurn = 0;
  readonly #split = new WeakMap<Content, readonly Content[]>();
  #last: ModelRequest | undefined;
  #head: RequestHead = {};

  /** @throws {ConfigurationError} For a request that cannot be sent. */
  buildRequest(request: ModelRequest, facts: RequestFacts): GenerateContentRequest {
    const contents = this.#prepare(request.contents, facts);
    return buildRequest({ ...request, contents }, facts, this.#findHead(request, facts));
  }

  /** The contents to send: checked, and with nothing after function responses. */
  #prepare(contents: readonly Content[], { capabilities }: RequestFacts): readonly Content[] {
    let known = countShared(this.#seen, contents);
    let prepared = contents;
    if (contents.slice(known).some(isMixed)) {
      prepared = contents.flatMap((content) => this.#splitMixed(content));
      known = countShared(this.#seen, prepared);
    }
    this.#lastTurn = checkPairing(prepared, capabilities, known > this.#lastTurn ? this.#lastTurn : 0);
    this.#seen = prepared.slice();
    return prepared;
  }

  /** Moves parts after function responses, which the service rejects, into another `user` content. The same content gives the same objects. */
  #splitMixed(content: Content): readonly Content[] {
    if (!isMixed(content)) return [content];
    const known = this.#split.get(content);
    if (known !== undefined) return known;
    const first = content.parts.findIndex((part) => part.functionResponse !== undefined);
    const stays = (part: Part, i: number): boolean => i < first || part.functionResponse !== undefined;
    const split = [
      { ...content, parts: content.parts.filter(stays) },
      { ...content, parts: content.parts.filter((part, i) => !stays(part, i)) },
    ];
    this.#split.set(content, split);
    return split;
  }

  #findHead(request: ModelRequest, facts: RequestFacts): RequestHead {
    const { instructions, functions, builtIns, calling }: Partial<ModelRequest> = this.#last ?? {};
    const isSame =
      instructions === request.instructions &&
      functions === request.functions &&
      builtIns === request.builtIns &&
      (calling?.mode === "NONE") === (request.calling?.mode === "NONE");
    if (!isSame) this.#head = buildHead(request, facts);
    this.#last = request;
    return this.#head;
  }
}

function countShared(seen: readonly Content[], contents: readonly Content[]): number {
  let shared = 0;
  while (shared < seen.length && seen[shared] === contents[shared]) shared++;
  return shared;
}
