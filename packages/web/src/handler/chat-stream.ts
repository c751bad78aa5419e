import type { Conversation } from "@pollux/core";
import type { EncoderOptions } from "../chat-protocol.ts";
import type { MessageEncoder } from "../message-encoder.ts";
import { streamResponse } from "./event-stream.ts";
import { MessageFollower, type Sight } from "./follow-message.ts";
import type { GoingRun } from "./going-run.ts";
import { replyEmpty } from "./http-error.ts";
import type { OpenSession } from "./open-sessions.ts";
import type { ChatCall, Serving } from "./serving.ts";
import { startRun, type StartOptions } from "./start-run.ts";

/** A response that shows one message while it is written. */
export class ChatStream<Context> {
  readonly #serving: Serving<Context>;
  readonly #call: ChatCall<Context>;
  readonly #open: OpenSession<Context>;
  readonly #follower: MessageFollower;
  readonly #left: AbortController = new AbortController();
  /** The run that this response has started. */
  #run: GoingRun | undefined;
  #hasResumed = false;
  /** All was sent. */
  #isComplete = false;

  constructor(serving: Serving<Context>, chat: string, call: ChatCall<Context>) {
    this.#serving = serving;
    this.#call = call;
    this.#open = serving.open(chat, call.visitor);
    const signal = AbortSignal.any([call.request.signal, this.#left.signal]);
    this.#follower = new MessageFollower(this.#open.session, chat, signal);
  }

  /** The conversation as it is now; undefined when the client has left. Called before anything else. */
  async open(): Promise<Conversation | undefined> {
    return await this.#follower.open();
  }

  /** See {@link MessageFollower.choose}. */
  choose(find: Parameters<MessageFollower["choose"]>[0]): void {
    this.#follower.choose(find);
  }

  /** Starts a run that writes the message. */
  async start(options: StartOptions): Promise<GoingRun> {
    const run = await startRun(this.#serving, this.#open, this.#call, options);
    this.#run = run;
    this.#follower.attach(run);
    return run;
  }

  /**
   * Waits until the message is being written, or all is over.
   *
   * @returns False when all is over and there is no message.
   * @throws What kept the run from beginning.
   */
  async untilBegun(): Promise<boolean> {
    for (let sight = this.#follower.look(); sight !== undefined; sight = await this.#follower.next()) {
      const { message, isOver } = sight;
      if (message?.state === "streaming") return true;
      if (!isOver) continue;
      const failure = this.#run?.failure;
      // What waits for an answer still does.
      if (failure !== undefined && (message === undefined || message.state === "waiting")) throw failure.error;
      return message !== undefined;
    }
    return true;
  }

  /** The response; 204 without a message to show, or when nobody waits for one. */
  respond(options: EncoderOptions | undefined): Response {
    const { request } = this.#call;
    if (options === undefined || request.signal.aborted) {
      this.close();
      return replyEmpty();
    }
    const { protocol, keepAliveMs } = this.#serving.options;
    return streamResponse(this.#pieces(protocol.encoder(options)), {
      headers: protocol.headers,
      keepAliveMs,
      signal: request.signal,
      onClose: () => this.close(),
    });
  }

  /** Nobody looks any more. */
  close(): void {
    this.#left.abort();
    this.#open.release();
    const { onDisconnect = "continue" } = this.#serving.options;
    if (onDisconnect === "abort" && !this.#isComplete) this.#run?.abort();
  }

  /** Nobody needs to look: the run goes on. */
  leave(): void {
    this.#run = undefined;
    this.close();
  }

  /** What is sent, piece by piece. */
  async *#pieces(encoder: MessageEncoder<unknown>): AsyncGenerator<string, void> {
    const { protocol } = this.#serving.options;
    const { end = "" } = protocol;
    const write = (chunks: readonly unknown[]): string => chunks.map((chunk) => protocol.write(chunk)).join("");
    const fail = (error: unknown): string => {
      this.#serving.log(error, { session: this.#open.session.id });
      return `${write(encoder.fail(error))}${end}`;
    };
    try {
      for (let sight = this.#follower.look(); sight !== undefined; sight = await this.#follower.next()) {
        const { conversation, message, isOver } = sight;
        const piece = message === undefined ? "" : write(encoder.show(message, conversation));
        if (piece !== "") yield piece;
        if (!isOver || (await this.#resumes(sight))) continue;
        this.#isComplete = true;
        const error = this.#run?.failure?.error ?? new Error("the message is gone from the store");
        yield message === undefined ? fail(error) : `${write(encoder.finish(conversation))}${end}`;
        return;
      }
    } catch (error) {
      this.#isComplete = true;
      yield fail(error);
    }
  }

  /** A run whose process has died goes on here; once, so that one which fails at once is not tried for ever. */
  async #resumes({ message }: Sight): Promise<boolean> {
    const { resumeCutOff = true } = this.#serving.options;
    if (message?.state !== "interrupted" || !resumeCutOff || this.#hasResumed) return false;
    this.#hasResumed = true;
    await this.start({ costSoFar: message.cost });
    return true;
  }
}
