import { ConfigurationError } from "../errors/agent-error.ts";
import { checkNode } from "../internal/environment.ts";
import { defaultLogger } from "../logging/logger.ts";
import type { RunResult } from "../loop/result.ts";
import { RunStream } from "../loop/run-stream.ts";
import type { Cache } from "../model/resources/caches.ts";
import { gemini } from "../model/gemini-model.ts";
import type { Model, TokenCount } from "../model/model.ts";
import type { AnyTool, Approve, Tool } from "../tool/tool.ts";
import type { CallsOf, ToolCall } from "../tool/tool-call.ts";
import type {
  AgentOptions,
  AnyRunOptions,
  ContextFor,
  CountTokensOptions,
  OptionsArgument,
  OutputOf,
  OutputSchema,
  RunOptions,
  WrittenOf,
  SessionOptions,
} from "./options.ts";
import { buildFirstRequest, type CreateCacheOptions, describeHeld, headAsSent } from "./agent-head.ts";
import { agentTool, type AgentToolInput, type AgentToolOptions } from "./agent-tool.ts";
import { AgentRuns } from "./agent-runs.ts";
import { checkAgentOptions, readRunOptions } from "./read-options.ts";
import { planOutput } from "./output.ts";
import { buildContents, type RunInput } from "./run-input.ts";
import { Session } from "./session.ts";

/**
 * A model with instructions and tools. Holds only configuration, so one agent serves any number of concurrent runs.
 *
 * `Context` is the type of its runs' `context`; `Tools` types the calls in their results, and `Schema` their output. All are inferred.
 *
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", instructions: "Be brief.", tools: [getWeather] });
 * const { text } = await agent.run("What is the weather in Oslo?");
 * ```
 */
export class Agent<
  Context = unknown,
  Tools extends AnyTool<never> = AnyTool<Context>,
  Schema extends OutputSchema | undefined = undefined,
> {
  /** Never set: an agent that needs a context does not fit where none is given. */
  declare readonly "~context"?: ((context: ContextFor<Context, Tools>) => void) | undefined;
  readonly name: string;
  readonly model: Model;
  readonly #runs: AgentRuns;

  /**
   * A missing API key fails the first run, so that a program without one can be built and tested.
   *
   * @throws {ConfigurationError} When the model does not support a setting.
   * @throws {TypeError} For an option that does not exist.
   * @throws {ToolDefinitionError} When two tools have the same name.
   */
  constructor(given: AgentOptions<Context, Tools, Schema>) {
    // Only the methods that start runs type the context; the code below never reads it.
    const options = given as AgentOptions;
    checkAgentOptions(options);
    checkNode();
    this.name = options.name ?? "agent";
    const logger = options.logger ?? defaultLogger();
    this.model =
      typeof options.model === "string" ? gemini(options.model, { endpoint: options.endpoint, logger }) : options.model;
    this.#runs = new AgentRuns(options, this.model, logger);
    // Fails here instead of in the first run.
    this.#runs.head(this.#runs.plan({}));
  }

  /** The agent's tools, for code that shows or checks agents. Omits tools of a function that takes the run: each run may get others. */
  get tools(): readonly AnyTool[] {
    return this.#runs.tools(undefined);
  }

  /** The given options that decide what runs do: for code that shows agents, or runs them with changes. */
  get options(): Pick<AgentOptions, "instructions" | "tools" | "settings" | "limits" | "hooks"> {
    const { instructions, tools, settings, limits, hooks } = this.#runs.options;
    return { instructions, tools, settings, limits, hooks };
  }

  /**
   * Runs until the model stops, and returns the result. Drains {@link Agent.stream}.
   *
   * @throws {AgentError} When a request fails after all retries; `runSoFar(error)` has the work done before.
   * @throws The signal's reason when it aborts.
   */
  async run<Own extends OutputSchema | undefined = Schema>(
    input: RunInput,
    ...options: OptionsArgument<RunOptions<Own, ContextFor<Context, Tools>>, ContextFor<Context, Tools>>
  ): Promise<RunResult<OutputOf<Own>, CallsOf<Tools>>> {
    return await this.stream<Own>(input, ...options).result();
  }

  /** Streams a run: `for await` its events, then await its `result()`. Nothing happens until it is read. */
  stream<Own extends OutputSchema | undefined = Schema>(
    input: RunInput,
    ...options: OptionsArgument<RunOptions<Own, ContextFor<Context, Tools>>, ContextFor<Context, Tools>>
  ): RunStream<OutputOf<Own>, CallsOf<Tools>, WrittenOf<Own>> {
    const [given] = options;
    return this.#stream(input, given === undefined ? {} : readRunOptions(given, "run"));
  }

  /**
   * Puts the instructions, tools and these contents into an explicit cache. Runs that get it as `cachedContent` pay the lower
   * rate for them, and the tools stay callable.
   *
   * @param input - Beginning of every run with the cache, such as a long document. @defaultValue nothing
   * @throws {ConfigurationError} When the model or the endpoint has no explicit caches; nothing is sent.
   * @throws {ApiStatusError} When the service refuses, for example below its minimum token count.
   * @see https://ai.google.dev/gemini-api/docs/caching
   */
  async createCache(input?: RunInput, options: CreateCacheOptions<ContextFor<Context, Tools>> = {}): Promise<Cache> {
    if (this.model.createCache === undefined)
      throw new ConfigurationError(`${this.model.id} does not support explicit caches: use a model made by gemini().`);
    const { signal, context, ...life } = options;
    const plan = this.#runs.plan({ context, signal });
    const head = await this.#runs.headAlone({ ...plan, settings: { ...plan.settings, cachedContent: undefined } });
    const request = buildFirstRequest(
      { ...head, toolChoice: "auto" },
      input === undefined ? [] : buildContents(input, this.model),
      undefined,
    );
    return { ...(await this.model.createCache({ ...life, request }, { signal })), holds: describeHeld(head) };
  }

  /**
   * Counts the tokens of a run's first request, including instructions and tools, without sending it.
   *
   * @throws {ApiStatusError} When the endpoint cannot count tokens, like some gateways.
   */
  async countTokens(input: RunInput, given: CountTokensOptions<ContextFor<Context, Tools>> = {}): Promise<TokenCount> {
    const options = readRunOptions(given, "run");
    if (this.model.countTokens === undefined)
      throw new ConfigurationError(`${this.model.id} cannot count tokens: use a model made by gemini().`);
    const plan = this.#runs.plan(options);
    const head = await this.#runs.headAlone(plan);
    const output = plan.output && planOutput(plan.output, this.model, head);
    const sent = { ...head, ...headAsSent(head) };
    return await this.model.countTokens(buildFirstRequest(sent, buildContents(input, this.model), output), {
      signal: options.signal,
    });
  }

  /** This agent as a tool of another one, whose runs pass it their context. */
  asTool<Own extends OutputSchema | undefined = Schema, const Name extends string = string>(
    options: AgentToolOptions<ContextFor<Context, Tools>, Name> & { readonly output?: Own },
  ): Tool<AgentToolInput, Own extends undefined ? string : OutputOf<Own>, ContextFor<Context, Tools>, Name>;
  asTool(
    given: AgentToolOptions<ContextFor<Context, Tools>>,
  ): Tool<AgentToolInput, unknown, ContextFor<Context, Tools>> {
    // As in the constructor.
    const options = given as AgentToolOptions;
    const { name, model } = this;
    return agentTool(
      { name, model, own: this.#runs.options, stream: (input, run) => this.#stream(input, run) },
      options,
    );
  }

  /** @internal */
  get runs(): AgentRuns {
    return this.#runs;
  }

  /** A conversation: each message continues from the last. With a store, it survives a crash, and any process can continue it. */
  session(options: SessionOptions = {}): Session<ContextFor<Context, Tools>, CallsOf<Tools>, Schema> {
    // The session checks whether these are options.
    const others: unknown = (options as SessionOptions | null)?.agents ?? [];
    if (!Array.isArray(others) || !others.every((one): one is Agent => one instanceof Agent))
      throw new TypeError("agents must be a list of agents: agents: [billing]");
    return new Session(this.#runs.sessionHost(others.map(({ runs }) => runs)), options);
  }

  /** The options' schema validates the output, and the tools validate their calls, which makes the types true. */
  #stream<Output, Calls extends ToolCall, Written>(
    input: RunInput,
    options: AnyRunOptions,
  ): RunStream<Output, Calls, Written> {
    const contents = buildContents(input, this.model);
    const plan = this.#runs.plan(options);
    return new RunStream(
      (emitters) => this.#runs.open(plan, { contents, emitters, options, conversation: {} }),
      this.#runs.callersContext(),
    );
  }
}

/** The function that decides on calls that need approval; on an engine, also for the runs inside the agent's runs. */
export function ownApprove(agent: Agent): Approve | undefined {
  return agent.runs.options.approve;
}
