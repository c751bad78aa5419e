import { ConfigurationError } from "../errors/agent-error.ts";
import { defaultLogger } from "../logging/logger.ts";
import type { Compaction } from "../loop/turn/compaction.ts";
import type { RunResult } from "../loop/result.ts";
import { RunStream } from "../loop/run-stream.ts";
import type { Cache } from "../model/resources/caches.ts";
import { gemini } from "../model/gemini-model.ts";
import type { Model, TokenCount } from "../model/model.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { Tool } from "../tool/tool.ts";
import {
  type AgentOptions,
  type AnyRunOptions,
  type CountTokensOptions,
  type OutputOf,
  type OutputSchema,
  pickSettings,
  type RunOptions,
} from "./options.ts";
import { buildFirstRequest, type CreateCacheOptions, describeHeld, omitCached } from "./agent-cache.ts";
import { agentTool, type AgentToolInput, type AgentToolOptions } from "./agent-tool.ts";
import { AgentRuns } from "./agent-runs.ts";
import { Chat, type ChatOptions } from "./chat.ts";
import { buildContents, type RunInput } from "./run-input.ts";
import { Session, type SessionOptions } from "./session.ts";

/**
 * A model with instructions and tools. Holds configuration only, so one agent serves any number of runs at the same time.
 */
export class Agent {
  readonly name: string;
  readonly model: Model;
  readonly #settings: ModelSettings;
  readonly #runs: AgentRuns;
  readonly #isNamed: boolean;

  /**
   * @throws {ConfigurationError} When there is no API key, or a setting cannot work on the model.
   * @throws {ToolDefinitionError} When two tools have one name.
   */
  constructor(options: AgentOptions) {
    this.name = options.name ?? "agent";
    this.#isNamed = options.name !== undefined;
    const logger = options.logger ?? defaultLogger();
    this.model =
      typeof options.model === "string"
        ? gemini(options.model, { endpoint: options.endpoint, traffic: options.traffic, logger })
        : options.model;
    this.#settings = pickSettings(options);
    this.#runs = new AgentRuns(options, this.model, this.#settings, logger);
    // Throws now what it would throw at the first run.
    this.#runs.prepare({});
    this.#runs.buildHead({}, this.#settings);
  }

  /**
   * Runs until the model stops, and gives the result. Drains {@link Agent.stream}.
   *
   * @throws {AgentError} When a request fails for good; `runSoFar(error)` has what was done by then.
   * @throws The signal's own reason when it aborts.
   */
  async run<Schema extends OutputSchema | undefined = undefined>(
    input: RunInput,
    options: RunOptions<Schema> = {},
  ): Promise<RunResult<OutputOf<Schema>>> {
    return await this.stream(input, options).result();
  }

  /** A run to watch: `for await` its events, then take its `result()`. Nothing happens until it is read. */
  stream<Schema extends OutputSchema | undefined = undefined>(
    input: RunInput,
    options: RunOptions<Schema> = {},
  ): RunStream<OutputOf<Schema>> {
    return this.#stream(input, options);
  }

  /** A conversation in memory: each message goes on from the last. */
  chat(options: ChatOptions = {}): Chat {
    return new Chat((input, runOptions, conversation) => this.#stream(input, runOptions, conversation), options);
  }

  /**
   * Puts instructions, tools and these contents into an explicit cache. Runs with `cachedContent` set to what this gives
   * pay the lower rate for them, and the tools stay callable.
   *
   * @param input - What every run with the cache begins with, such as a long document. @defaultValue nothing
   * @throws {ConfigurationError} When the model or the endpoint has no explicit caches; nothing is sent then.
   * @throws {ApiStatusError} When the service refuses, such as for fewer tokens than it caches.
   * @see https://ai.google.dev/gemini-api/docs/caching
   */
  async createCache(input?: RunInput, options: CreateCacheOptions = {}): Promise<Cache> {
    if (this.model.createCache === undefined)
      throw new ConfigurationError(`${this.model.id} does not support explicit caches: use a model made by gemini().`);
    const { head } = this.#runs.buildHead({}, { ...this.#settings, cachedContent: undefined });
    const { signal, ...life } = options;
    const request = buildFirstRequest(
      { ...head, toolChoice: "auto" },
      input === undefined ? [] : buildContents(input, this.model),
      undefined,
    );
    return { ...(await this.model.createCache({ ...life, request }, { signal })), holds: describeHeld(head) };
  }

  /**
   * Counts what a run's first request would hold, instructions and tools included, without making it.
   *
   * @throws {ApiStatusError} When the endpoint does not count, as some gateways.
   */
  async countTokens(input: RunInput, options: CountTokensOptions = {}): Promise<TokenCount> {
    if (this.model.countTokens === undefined)
      throw new ConfigurationError(`${this.model.id} cannot count tokens: use a model made by gemini().`);
    const settings = { ...this.#settings, ...pickSettings(options) };
    this.model.check(settings);
    const { head, mixed } = this.#runs.buildHead(options, settings);
    const output = options.output === undefined ? undefined : this.#runs.planOutput(options.output, mixed);
    const sent = { ...head, ...omitCached(head, Date.now()) };
    return await this.model.countTokens(buildFirstRequest(sent, buildContents(input, this.model), output), {
      signal: options.signal,
    });
  }

  /** This agent as a tool of another one. */
  asTool(options: AgentToolOptions & { readonly output?: undefined }): Tool<AgentToolInput, string>;
  asTool<Schema extends OutputSchema>(
    options: AgentToolOptions & { readonly output: Schema },
  ): Tool<AgentToolInput, OutputOf<Schema>>;
  asTool(options: AgentToolOptions): Tool<AgentToolInput> {
    const { name, model } = this;
    return agentTool(
      {
        name,
        model,
        isNamed: this.#isNamed,
        stream: (input, run) => this.#stream(input, run),
        nestedRunOptions: (parent) => this.#runs.nestedRunOptions(parent),
      },
      options,
    );
  }

  /** A conversation that is kept in a store, and can be resumed after a crash, in any process. */
  session(options: SessionOptions = {}): Session {
    return new Session(this.#runs.sessionHost(), options);
  }

  /** The output is checked against the schema of the options. */
  #stream<Output>(
    input: RunInput,
    options: AnyRunOptions,
    chat: { readonly key: object; readonly compaction: Compaction | undefined } = { key: {}, compaction: undefined },
  ): RunStream<Output> {
    const contents = buildContents(input, this.model);
    const prepared = this.#runs.prepare(options);
    const { key: conversation, compaction } = chat;
    return new RunStream((emitters) =>
      this.#runs.open({ contents, options, ...prepared, conversation, compaction, emitters }),
    );
  }
}
