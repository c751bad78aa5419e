import type { Compaction } from "../loop/turn/compaction.ts";
import type { RunResult } from "../loop/result.ts";
import type { RunStream } from "../loop/run-stream.ts";
import { type ContentInput, readContents } from "../model/history/import-history.ts";
import { checkContentsDepth } from "../model/request/contents-size.ts";
import { addUsage, NO_USAGE, type Usage } from "../model/usage.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { Content } from "../wire/types/content.ts";
import { checkOptions, type OptionNames } from "../internal/option-names.ts";
import { readRunOptions } from "./check-options.ts";
import type { AnyRunOptions, OptionsArgument, OutputOf, OutputSchema, RunOptions, WrittenOf } from "./options.ts";
import { buildContents, type RunInput } from "./run-input.ts";

/** Options of a chat. */
export interface ChatOptions {
  /** Earlier contents, oldest first, such as `contents` of an earlier result. */
  readonly history?: readonly ContentInput[] | undefined;
  /** Whether an answer that was cut off in the middle stays in the history, as far as it was shown. @defaultValue true */
  readonly keepInterrupted?: boolean | undefined;
}

const CHAT: OptionNames<ChatOptions> = { history: true, keepInterrupted: true };

/** Starts a run of the chat's agent. */
export type StartRun = <Output, Calls extends ToolCall, Written>(
  input: readonly Content[],
  options: AnyRunOptions,
  chat: { readonly conversation: object; readonly compaction: Compaction | undefined },
) => RunStream<Output, Calls, Written>;

/**
 * A conversation in memory. One message at a time: the next can be sent once the last run has ended, however it ended.
 *
 * A run that fails or is aborted leaves what it had done in the history, with its open calls answered as cancelled, so the
 * conversation can always continue.
 */
export class Chat<Context = unknown, Calls extends ToolCall = ToolCall> {
  /** Never set. */
  declare readonly "~context"?: ((context: Context) => void) | undefined;
  readonly #start: StartRun;
  readonly #key = {};
  #compaction: Compaction | undefined;
  #history: readonly Content[];
  readonly #keepsInterrupted: boolean;
  #usage: Usage = NO_USAGE;
  #running: RunStream<unknown> | undefined;

  /** @internal */
  constructor(start: StartRun, options: ChatOptions) {
    checkOptions("chat()", options, CHAT, { "use history": "messages" });
    this.#start = start;
    this.#history = readContents(options.history ?? []);
    checkContentsDepth(this.#history);
    this.#keepsInterrupted = options.keepInterrupted ?? true;
  }

  /** All contents so far, oldest first, as they are sent. */
  get history(): readonly Content[] {
    this.#settle();
    return this.#history;
  }

  /** Sum over all runs of the chat. */
  get usage(): Usage {
    this.#settle();
    return this.#usage;
  }

  /** Sends a message and returns the result of its run. */
  async send<Schema extends OutputSchema | undefined = undefined>(
    input: RunInput,
    ...options: OptionsArgument<RunOptions<Schema, Context>, Context>
  ): Promise<RunResult<OutputOf<Schema>, Calls>> {
    return await this.stream<Schema>(input, ...options).result();
  }

  /** Sends a message and streams its run. */
  stream<Schema extends OutputSchema | undefined = undefined>(
    input: RunInput,
    ...options: OptionsArgument<RunOptions<Schema, Context>, Context>
  ): RunStream<OutputOf<Schema>, Calls, WrittenOf<Schema>> {
    this.#settle();
    if (this.#running !== undefined)
      throw new TypeError("the chat is still running: wait for the last run or abort it");
    const run = this.#start<OutputOf<Schema>, Calls, WrittenOf<Schema>>(
      [...this.#history, ...buildContents(input)],
      readRunOptions(options[0], "run"),
      { conversation: this.#key, compaction: this.#compaction },
    );
    this.#running = run;
    return run;
  }

  /** Adopts what the last run did, once it has ended. */
  #settle(): void {
    const run = this.#running;
    if (run?.isOver !== true) return;
    this.#running = undefined;
    if (run.soFar === undefined) return;
    const { contents, interrupted } = run.soFar;
    this.#history = interrupted !== undefined && !this.#keepsInterrupted ? contents.slice(0, -1) : contents;
    this.#compaction = run.soFar.compaction;
    this.#usage = addUsage(this.#usage, run.soFar.usage);
  }
}
