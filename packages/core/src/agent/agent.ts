import { passThrough } from "../durable/pass-through.ts";
import { Channel } from "../internal/channel.ts";
import { defaultLogger } from "../logging/default-logger.ts";
import type { Logger } from "../logging/logger.ts";
import type { RunEvent } from "../loop/events.ts";
import { checkLimits, DEFAULT_LIMITS, type Limits } from "../loop/limits.ts";
import type { LoopInput } from "../loop/loop-input.ts";
import type { RunResult } from "../loop/result.ts";
import { runLoop } from "../loop/run-loop.ts";
import { RunState } from "../loop/run-state.ts";
import { RunStream, type RunningLoop } from "../loop/run-stream.ts";
import { gemini } from "../model/gemini-model.ts";
import type { Model } from "../model/model.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { AskBuiltIn } from "../grounding/delegate.ts";
import type { BuiltInTool, Tool, ToolContext } from "../tool/tool.ts";
import type { Content } from "../wire/content.ts";
import type { AgentOptions, OutputOf, OutputSchema, RunOptions, TypedRunOptions } from "./agent-options.ts";
import { agentTool, type AgentToolOptions } from "./agent-tool.ts";
import { Chat, type ChatOptions } from "./chat.ts";
import { attachInner, innerSignal } from "./inner-run.ts";
import { mixTools } from "./mix-tools.ts";
import { planOutput } from "./output.ts";
import { contentsOf, type RunInput } from "./run-input.ts";
import { settingsOf } from "./settings-of.ts";

/**
 * A model with instructions and tools. Holds configuration only, so one agent serves any number of runs at the same time.
 */
export class Agent {
  readonly name: string;
  readonly model: Model;
  readonly #options: AgentOptions;
  readonly #settings: ModelSettings;
  readonly #logger: Logger;
  readonly #ask: AskBuiltIn = (builtIn, prompt, context) => this.#askBuiltIn(builtIn, prompt, context);

  /**
   * @throws {ConfigurationError} When there is no API key, or a setting cannot work on the model.
   * @throws {ToolDefinitionError} When two tools have one name.
   */
  constructor(options: AgentOptions) {
    this.name = options.name ?? "agent";
    this.#options = options;
    this.#logger = options.logger ?? defaultLogger();
    this.model =
      typeof options.model === "string"
        ? gemini(options.model, { endpoint: options.endpoint, logger: this.#logger })
        : options.model;
    this.#settings = settingsOf(options);
    this.model.check(this.#settings);
    if (options.limits !== undefined) checkLimits(options.limits);
    mixTools(options.tools ?? [], this.model.capabilities, this.#ask); // throws now what it would throw at the first run
  }

  /**
   * Runs until the model stops, and gives the result. Drains {@link Agent.stream}.
   *
   * @throws {AgentError} When a request fails for good; `runSoFar(error)` has what was done by then.
   * @throws The signal's own reason when it aborts.
   */
  run(input: RunInput, options?: RunOptions & { readonly output?: undefined }): Promise<RunResult>;
  run<Schema extends OutputSchema>(
    input: RunInput,
    options: TypedRunOptions<Schema>,
  ): Promise<RunResult<OutputOf<Schema>>>;
  async run(
    input: RunInput,
    options: RunOptions & { readonly output?: OutputSchema | undefined } = {},
  ): Promise<RunResult<unknown>> {
    return await this.#stream(input, options).result();
  }

  /** A run to watch: `for await` its events, then take its `result()`. Nothing happens until it is read. */
  stream(input: RunInput, options?: RunOptions & { readonly output?: undefined }): RunStream;
  stream<Schema extends OutputSchema>(input: RunInput, options: TypedRunOptions<Schema>): RunStream<OutputOf<Schema>>;
  stream(
    input: RunInput,
    options: RunOptions & { readonly output?: OutputSchema | undefined } = {},
  ): RunStream<unknown> {
    return this.#stream(input, options);
  }

  /** A conversation in memory: each message goes on from the last. */
  chat(options: ChatOptions = {}): Chat {
    return new Chat((input, runOptions, conversation) => this.#stream(input, runOptions, conversation), options);
  }

  /** This agent as a tool of another one. */
  asTool(options: AgentToolOptions): Tool {
    return agentTool(this, options);
  }

  #stream(
    input: RunInput,
    options: RunOptions & { readonly output?: OutputSchema | undefined },
    conversation: object = {},
  ): RunStream<unknown> {
    const contents = contentsOf(input);
    const settings = { ...this.#settings, ...settingsOf(options) };
    this.model.check(settings);
    const limits = { ...DEFAULT_LIMITS, ...this.#options.limits, ...options.limits };
    checkLimits(limits);
    return new RunStream((observed) => this.#open({ contents, options, settings, limits, conversation, observed }));
  }

  #open(run: OpenRun): RunningLoop {
    const { options, contents } = run;
    const abort = new AbortController();
    const stopListening = follow(options.signal, abort);
    const live = run.observed ? new Channel<RunEvent>() : undefined;
    const runId = options.runId ?? crypto.randomUUID();
    const state = new RunState(runId, contents, this.#options.concurrency ?? 8);
    const mixed = mixTools(options.tools ?? this.#options.tools ?? [], this.model.capabilities, this.#ask);
    const input: LoopInput = {
      model: this.model,
      steps: passThrough<RunEvent>({
        runId,
        signal: abort.signal,
        emit: live === undefined ? undefined : (event) => live.send(event),
      }),
      live,
      signal: abort.signal,
      given: contents.length - 1,
      conversation: run.conversation,
      instructions: options.instructions ?? this.#options.instructions,
      toolset: mixed.toolset,
      settings: run.settings,
      toolChoice: options.toolChoice ?? this.#options.toolChoice ?? "auto",
      output:
        options.output === undefined
          ? undefined
          : planOutput(options.output, {
              modelId: this.model.id,
              capabilities: this.model.capabilities,
              hasFunctions: mixed.toolset.functions.length > 0,
              hasBuiltIns: mixed.delegates || mixed.toolset.builtIns.length > 0,
            }),
      limits: run.limits,
      stopWhen: options.stopWhen ?? this.#options.stopWhen ?? [],
      hooks: options.hooks ?? this.#options.hooks ?? {},
      maxRepeats: this.#options.maxRepeats ?? 3,
      maxRestarts: this.#options.maxRestarts ?? 2,
      logger: this.#logger,
      now: Date.now,
    };
    return {
      events: runLoop(input, state),
      soFar: () => state.soFar(),
      release: () => {
        stopListening();
        live?.close();
        abort.abort(RUN_OVER);
      },
    };
  }

  /** A built-in tool's own request, for models that cannot take it beside functions: the same loop, this one tool. */
  async #askBuiltIn(builtIn: BuiltInTool, prompt: string, context: ToolContext): Promise<RunResult<unknown>> {
    const contents = contentsOf(prompt);
    const options: RunOptions = {
      tools: [builtIn],
      instructions: "",
      signal: innerSignal(context.signal),
      hooks: {},
      stopWhen: [],
    };
    const run = new RunStream<unknown>((observed) =>
      this.#open({ contents, options, settings: this.#settings, limits: DEFAULT_LIMITS, conversation: {}, observed }),
    );
    return await attachInner(run.result(), context);
  }
}

/** One run about to be opened. */
interface OpenRun {
  readonly contents: readonly Content[];
  readonly options: RunOptions & { readonly output?: OutputSchema | undefined };
  readonly settings: ModelSettings;
  readonly limits: Limits;
  readonly conversation: object;
  readonly observed: boolean;
}

/** Aborts tools and requests that are still busy when a run ends; nobody waits for them any more. */
const RUN_OVER = new DOMException("the run is over", "AbortError");

/** Aborts `target` with the signal's reason; the function that is given back stops listening. */
function follow(signal: AbortSignal | undefined, target: AbortController): () => void {
  if (signal === undefined) return () => {};
  const onAbort = (): void => target.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return () => signal.removeEventListener("abort", onAbort);
}
