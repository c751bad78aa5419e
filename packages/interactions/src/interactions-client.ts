import {
  ApiClient,
  type ApiCall,
  ApiNetworkError,
  ApiShapeError,
  ApiStatusError,
  ApiTimeoutError,
  type Attempt,
  type CallOptions,
  checkOptions,
  CLIENT_OPTIONS,
  CLIENT_SPELLINGS,
  ConfigurationError,
  type Endpoint,
  encodeJson,
  type Exchange,
  type GeminiClientOptions,
  parseJson,
  sleep,
} from "@pollux/core/wire";
import { explainCreate, InteractionStreamError, OutcomeUnknownError } from "./errors.ts";
import { EventLedger } from "./event-ledger.ts";
import { startLimit } from "./limit.ts";
import type { InteractionEvent } from "./types/events.ts";
import type { Interaction, Step } from "./types/interaction.ts";
import type { CreateRequest } from "./types/request.ts";
import { isObject, readEvents, readFailure, type StreamLimits } from "./wire-events.ts";

/** Options of {@link InteractionsClient}, the same as for every client of the library. */
export type InteractionsClientOptions = GeminiClientOptions;

/** Options of {@link InteractionsClient.get}. */
export interface GetOptions extends CallOptions {
  /** Also returns the input, as `input`. @defaultValue false */
  readonly includeInput?: boolean | undefined;
}

/** Options of {@link InteractionsClient.wait}. */
export interface WaitOptions extends CallOptions {
  /** Longest wait in milliseconds. @defaultValue 3_600_000 (an hour, the longest that deep research takes) */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds before the second poll; each further wait is 1.5 times as long, up to 10_000. @defaultValue 1_000 */
  readonly pollMs?: number | undefined;
  /** Called with each answer that is still in progress; must not throw. */
  readonly onProgress?: ((interaction: Interaction) => void) | undefined;
}

/** Options of streams. */
export interface FollowOptions extends CallOptions, Pick<WaitOptions, "timeoutMs" | "pollMs"> {
  /** Events that were received earlier, in another process for example: they are not delivered again. @defaultValue none */
  readonly have?: readonly InteractionEvent[] | undefined;
}

const MAX_POLL_MS = 10_000;
/** For how long the service may not know its newest interactions, or refuse to show them. */
const YOUNG_MS = 60_000;

/**
 * A client of Google's Interactions API: background work, agents such as deep research, and streams that resume.
 * Requests and answers are in the wire format, including fields that the library doesn't know.
 *
 * Only the Developer API has it: with Vertex AI or a gateway, every method throws a {@link ConfigurationError} before anything is sent.
 * Throws the errors of `GeminiClient`, and {@link OutcomeUnknownError} and {@link InteractionStreamError}.
 *
 * @see https://ai.google.dev/gemini-api/docs/interactions
 * @example
 * ```ts
 * const client = new InteractionsClient();
 * const interaction = await client.create({ model: "gemini-3.8-flash", input: "Why is the sky blue?", store: false });
 * console.log(readResult(interaction).text);
 * ```
 */
export class InteractionsClient {
  readonly #api: ApiClient;
  readonly #limits: StreamLimits;
  readonly #maxAttempts: number;

  /** @throws {TypeError} For an option that does not exist, or a limit that is not a positive number. */
  constructor(options: InteractionsClientOptions = {}) {
    checkOptions("new InteractionsClient()", options, CLIENT_OPTIONS, CLIENT_SPELLINGS);
    this.#api = new ApiClient(options);
    const { maxBufferBytes = 64 * 1024 * 1024, maxAnswerBytes = 256 * 1024 * 1024, endpoint, retry } = options;
    this.#limits = { maxBufferBytes, maxAnswerBytes };
    this.#maxAttempts = retry?.maxAttempts ?? 4;
    if (endpoint !== undefined) checkEndpoint(endpoint);
  }

  /** Where requests go. */
  get endpoint(): Endpoint {
    return this.#api.endpoint;
  }

  /**
   * Creates an interaction. Without `background` it resolves when the model has answered; with it, at once.
   *
   * Sent again only if the first request certainly did nothing: there was no connection, or the service refused it for its rate or its load.
   *
   * @throws {OutcomeUnknownError} When it may have been received, and there is no answer.
   * @throws {TypeError} For a request without `store`, or without exactly one of `model` and `agent`.
   */
  async create(request: CreateRequest, options: CallOptions = {}): Promise<Interaction> {
    const call = this.#createCall(request, false);
    return await this.#createOnce(call, options, (attempt) =>
      this.#api.attempt(call, options, attempt, readInteraction),
    );
  }

  /** An interaction in its current state. @throws {ApiStatusError} 404 when there is none (any more). */
  async get(id: string, options: GetOptions = {}): Promise<Interaction> {
    const query = options.includeInput === true ? "?include_input=true" : "";
    return await this.#withId(id, this.#api.whole(this.#call("get", "GET", id, query), options, readInteraction));
  }

  /** Stops an interaction in the background. The answer may still say `in_progress`. */
  async cancel(id: string, options: CallOptions = {}): Promise<Interaction> {
    return await this.#withId(
      id,
      this.#api.whole(this.#call("cancel", "POST", id, "/cancel"), options, readInteraction),
    );
  }

  /** Deletes an interaction at Google. Later interactions of the conversation stay. */
  async delete(id: string, options: CallOptions = {}): Promise<void> {
    const call = this.#call("delete", "DELETE", id);
    const run = async (attempt: Attempt): Promise<void> => {
      await this.#api
        .attempt(call, options, attempt, () => undefined)
        .catch((error: unknown) => {
          // The first attempt may have arrived without its answer coming back.
          if (!(attempt.number > 1 && error instanceof ApiStatusError && error.status === 404)) throw error;
        });
    };
    await this.#withId(id, this.#api.retried(call, options, run));
  }

  /**
   * Waits until an interaction is over, or requires an action, and returns it. It may have failed: see its `status`.
   *
   * @throws {ApiTimeoutError} When it is not over in time. It continues: wait again, or cancel it.
   */
  async wait(id: string, options: WaitOptions = {}): Promise<Interaction> {
    return await this.#poll(id, options, [403]);
  }

  /** @param young - HTTP statuses that are no failure while the interaction is new. */
  async #poll(id: string, options: WaitOptions, young: readonly number[]): Promise<Interaction> {
    const { pollMs = 1_000, onProgress } = options;
    using limit = startLimit(id, options);
    const { signal } = limit;
    const since = performance.now();
    for (let waitMs = pollMs; ; waitMs = Math.min(waitMs * 1.5, MAX_POLL_MS)) {
      const found = await this.get(id, { ...options, signal }).catch((error: unknown) => {
        const isYoung = error instanceof ApiStatusError && young.includes(error.status);
        if (!isYoung || performance.now() - since > YOUNG_MS) throw error;
        return undefined;
      });
      if (found !== undefined && isOver(found)) return found;
      if (found !== undefined) onProgress?.(found);
      await sleep(waitMs, signal);
    }
  }

  /**
   * Creates an interaction and streams its events. A stored one continues after the connection breaks: nothing is lost
   * or delivered twice. Ends with `interaction.completed`, whatever the status. Leaving the loop ends the request, not
   * the interaction.
   *
   * @throws {OutcomeUnknownError} Like {@link InteractionsClient.create}.
   * @throws {InteractionStreamError} When an interaction that is not stored breaks off.
   */
  async *stream(request: CreateRequest, options: FollowOptions = {}): AsyncGenerator<InteractionEvent, void, void> {
    if (request.background === true) {
      const { id = "" } = await this.create(request, options);
      return yield* this.follow(id, options);
    }
    const call = this.#createCall(request, true);
    const exchange = await this.#createOnce(call, options, (attempt) => this.#api.open(call, options, attempt));
    const ledger = new EventLedger();
    let failure: unknown;
    try {
      for await (const event of readEvents(exchange, this.#limits)) {
        yield* ledger.take(event);
        if (ledger.isOver) return;
      }
    } catch (error) {
      if (!isCut(error)) throw error;
      failure = error;
    }
    options.signal?.throwIfAborted();
    const { id } = ledger;
    if (id === undefined || !request.store) {
      const cut = "The stream broke off before the end of the interaction";
      if (request.store) throw new OutcomeUnknownError(`${cut}, and before its id was known.`, { cause: failure });
      throw new InteractionStreamError(
        `${cut}, which is not stored: create it again, or with store: true.`,
        undefined,
        {
          cause: failure,
        },
      );
    }
    // Only streams of interactions in the background can be joined. One that was being answered may not be stored yet.
    yield* this.#rest(await this.#poll(id, options, [403, 404]), ledger);
  }

  /**
   * Streams the events of a stored interaction from the first one on, until it is over. Connects again when a connection breaks, and polls
   * when the service ends a stream early: no event is lost, and none is repeated.
   *
   * @throws {ApiTimeoutError} When it is not over within `timeoutMs`. It continues: follow it again.
   * @throws {InteractionStreamError} When a later connection contradicts an earlier one.
   */
  async *follow(id: string, options: FollowOptions = {}): AsyncGenerator<InteractionEvent, void, void> {
    const { have = [], pollMs = 1_000 } = options;
    using limit = startLimit(id, options);
    const { signal } = limit;
    const ledger = new EventLedger(id);
    for (const event of have) ledger.take(event);
    let isFirst = have.length === 0;
    let fruitless = 0;
    while (!ledger.isOver) {
      ledger.reconnected();
      let failure: unknown;
      let hasNews = false;
      try {
        for await (const event of await this.#open(id, { ...options, signal })) {
          // What earlier connections may have left out comes before the end.
          if (event.event_type === "interaction.completed" && !isFirst)
            yield* this.#rest(await this.get(id, { ...options, signal }), ledger, event);
          for (const fresh of ledger.take(event)) {
            hasNews = true;
            yield fresh;
          }
          if (ledger.isOver) return;
        }
      } catch (error) {
        if (!isCut(error)) throw error;
        failure = error;
      }
      signal.throwIfAborted();
      isFirst = false;
      fruitless = hasNews ? 0 : fruitless + 1;
      if (fruitless === 0) continue;
      const isSilence = failure === undefined || failure instanceof ApiTimeoutError;
      if (!isSilence && fruitless >= this.#maxAttempts) throw failure;
      const found = await this.get(id, { ...options, signal });
      if (isOver(found)) yield* this.#rest(found, ledger);
      else await sleep(Math.min(pollMs * 1.5 ** fruitless, MAX_POLL_MS), signal);
    }
  }

  /**
   * The events of one connection, as they come: from the first one on, or after `lastEventId`. {@link InteractionsClient.follow} resumes by
   * itself, and by content: the service was seen to repeat the whole answer after a `lastEventId`.
   */
  async *events(
    id: string,
    options: CallOptions & { readonly lastEventId?: string | undefined } = {},
  ): AsyncGenerator<InteractionEvent, void, void> {
    yield* await this.#open(id, options, options.lastEventId);
  }

  /** The events of a stored interaction that were not received, and its end. */
  *#rest(stored: Interaction, ledger: EventLedger, end?: InteractionEvent): Generator<InteractionEvent, void, void> {
    const { steps = [], ...interaction } = stored;
    const { id, object, model, agent } = interaction;
    yield* ledger.take({ event_type: "interaction.created", interaction: { id, object, model, agent } });
    yield* ledger.takeStored(steps.filter(({ type }: Step) => type !== "user_input"));
    yield* ledger.take(end ?? { event_type: "interaction.completed", interaction });
  }

  async #open(id: string, options: CallOptions, lastEventId?: string): Promise<AsyncGenerator<InteractionEvent, void>> {
    const query = new URLSearchParams({
      ...(lastEventId !== undefined && { last_event_id: lastEventId }),
      stream: "true",
    });
    const call = this.#call("get", "GET", id, `?${query}`);
    const opened = this.#api.retried(call, options, (attempt) => this.#api.open(call, options, attempt));
    return readEvents(await this.#withId(id, opened), this.#limits);
  }

  /** Attempts to create, of which only the last one can have done anything. */
  #createOnce<T>(call: ApiCall, options: CallOptions, run: (attempt: Attempt) => Promise<T>): Promise<T> {
    return this.#api.retried(call, options, async (attempt) => {
      try {
        return await run(attempt);
      } catch (error) {
        throw explainCreate(error);
      }
    });
  }

  #createCall(request: CreateRequest, stream: boolean): ApiCall {
    checkEndpoint(this.endpoint);
    checkRequest(request);
    const body = encodeJson(stream ? { ...request, stream } : request);
    const model = request.model ?? request.agent;
    return { operation: "createInteraction", model, method: "POST", path: "interactions", body, once: true };
  }

  #call(verb: string, method: ApiCall["method"], id: string, rest = ""): ApiCall {
    checkEndpoint(this.endpoint);
    if (typeof id !== "string" || id === "")
      throw new TypeError(`${verb}(): the id must be a text; an interaction with store: false has none`);
    return { operation: `${verb}Interaction`, method, path: `interactions/${encodeURIComponent(id)}${rest}` };
  }

  /** Says what a 404 means here. */
  async #withId<T>(id: string, call: Promise<T>): Promise<T> {
    return await call.catch((error: unknown) => {
      if (!(error instanceof ApiStatusError) || error.status !== 404) throw error;
      const message = `There is no interaction ${id}: it was deleted or not stored, has expired, or belongs to another project.`;
      throw new ApiStatusError(message, error, { cause: error });
    });
  }
}

function checkEndpoint({ kind, baseUrl }: Endpoint): void {
  if (kind === "developer") return;
  const { host } = new URL(baseUrl);
  throw new ConfigurationError(
    `The Interactions API is on Google's Developer API only, and ${host} is ${kind === "vertex" ? "Vertex AI" : "a gateway"}: ` +
      'use geminiApi(), or endpoint({ kind: "developer", … }) for a host that is known to serve it.',
  );
}

function checkRequest(request: CreateRequest): void {
  const { store, model, agent, background, previous_interaction_id: previous, stream } = request;
  if (typeof store !== "boolean")
    throw new TypeError("store must be true or false: it decides whether Google keeps the interaction");
  if ((model === undefined) === (agent === undefined)) throw new TypeError("give either model or agent");
  if (stream !== undefined) throw new TypeError("there is no stream in a request: call stream()");
  if (!store && background === true) throw new TypeError("background requires store: true");
  if (!store && previous !== undefined) throw new TypeError("previous_interaction_id requires store: true");
}

/** An interaction with a status. */
function readInteraction(text: string, exchange: Exchange): Interaction {
  const value = parseJson(text);
  if (isObject(value) && isObject(value["error"])) throw readFailure(value, exchange.failure);
  if (!isObject(value) || typeof value["status"] !== "string")
    throw new ApiShapeError("The response is not an interaction.", "$", text);
  // It has the one member that is never absent.
  return value as unknown as Interaction;
}

/** Statuses with which an interaction is over. An unknown status may mean that it continues. */
const OVER: ReadonlySet<string> = new Set(
  "requires_action completed incomplete failed cancelled budget_exceeded requires_continuation".split(" "),
);

function isOver({ status }: Interaction): boolean {
  return OVER.has(status);
}

/** Connection failures, after which the interaction may continue. */
function isCut(error: unknown): boolean {
  if (error instanceof ApiStatusError) return error.retryable;
  return error instanceof ApiNetworkError || error instanceof ApiTimeoutError || error instanceof ApiShapeError;
}
