import type { Session } from "@pollux/core";
import type { Conversation, Message } from "@pollux/core/conversation";
import type { ChatRequest, EncoderOptions, MessageEncoder } from "../chat-protocol.ts";
import { joinPieces, streamResponse } from "./event-stream.ts";
import { MessageFollower, type Sight } from "./follow-message.ts";
import type { GoingRun } from "./going-run.ts";
import { replyEmpty } from "./replies.ts";
import type { OpenSession } from "./open-sessions.ts";
import type { News } from "./page-log.ts";
import type { ChatCall, Serving } from "./serving.ts";
import { startRun, type StartOptions } from "./start-run.ts";

/** Waits shorter than this are not reported: they end before anybody has read about them. In milliseconds. */
const MIN_WAIT_MS = 1000;

/** A response that shows one message while it is written. */
export class ChatStream<Context> {
  readonly session: Session<Context>;
  /** What is shown. */
  readonly follower: MessageFollower;
  readonly #serving: Serving<Context>;
  readonly #call: ChatCall<Context>;
  readonly #open: OpenSession<Context>;
  readonly #left: AbortController = new AbortController();
  readonly #signal: AbortSignal;
  readonly #closed: () => void;
  /** Stops counting the client as a reader; undefined before it is counted. */
  #leaveReaders: (() => void) | undefined;
  /** The run that this response has started. */
  #run: GoingRun | undefined;
  #hasResumed = false;
  /** Everything was sent. */
  #isComplete = false;

  constructor(serving: Serving<Context>, chat: string, call: ChatCall<Context>) {
    this.#serving = serving;
    this.#call = call;
    this.#open = serving.openToRead(chat, call.visitor);
    this.#signal = AbortSignal.any([call.request.signal, this.#left.signal]);
    const { session, runs } = this.#open;
    this.session = session;
    this.follower = new MessageFollower(session, serving.pages.of(session.id), chat, this.#signal);
    this.#closed = serving.draining.add({ runs, leave: (reason) => this.#left.abort(reason) });
  }

  /**
   * The conversation as it is now; undefined when the client has left. Called before anything else.
   *
   * @throws {HttpError} When this process leaves its work to others; `start` and `untilBegun` throw it too.
   */
  async open(): Promise<Conversation | undefined> {
    this.#serving.draining.check();
    const conversation = await this.follower.open();
    this.#left.signal.throwIfAborted();
    return conversation;
  }

  /** The conversation, if its message waits for an answer. */
  get waiting(): Conversation | undefined {
    const { conversation, message } = this.follower.look() ?? {};
    return message?.state === "waiting" ? conversation : undefined;
  }

  /** Starts a run that writes the message. */
  async start(options: StartOptions): Promise<GoingRun> {
    const run = await startRun(this.#serving, this.#open, this.#call, options);
    this.#run = run;
    this.follower.attach(run);
    return run;
  }

  /**
   * Waits until the message is being written, or all is over.
   *
   * @returns False when all is over and there is no message.
   * @throws What kept the run from beginning.
   */
  async untilBegun(): Promise<boolean> {
    for (let sight = this.follower.look(); sight !== undefined; sight = await this.follower.next()) {
      const { message, isOver } = sight;
      if (message?.state === "streaming") return true;
      if (!isOver) continue;
      const failure = this.#run?.failure;
      // A message that waited for an answer still waits.
      if (failure !== undefined && (message === undefined || message.state === "waiting")) throw failure.error;
      return message !== undefined;
    }
    this.#left.signal.throwIfAborted();
    return true;
  }

  /** Counts the client as a reader once there is anything to be read. @returns Resolves when other processes know it. */
  async count({ message, isOver }: Partial<Sight> = this.follower.look() ?? {}): Promise<void> {
    const { readers } = this.#serving;
    if (this.#leaveReaders !== undefined || message?.runId === undefined || isOver === true) return;
    // A sight may come after the client has left.
    if (this.#left.signal.aborted) return;
    this.#leaveReaders = readers.enter(this.session.id, message.runId);
    await readers.written(this.session.id);
  }

  /** The response when no run is in progress: the protocol's own, or 204. */
  respondIdle(conversation: Conversation | undefined, request?: ChatRequest): Response {
    const { protocol } = this.#serving.options;
    const { end = "", headers } = protocol;
    this.close();
    const chunks = conversation && protocol.idle?.(conversation, request);
    if (chunks === undefined) return replyEmpty();
    return new Response(`${chunks.map((chunk) => protocol.write(chunk)).join("")}${end}`, { headers });
  }

  /** The response; 204 without a message to show, or when nobody waits for one. */
  respond(options: EncoderOptions | undefined): Response {
    const { request } = this.#call;
    if (options === undefined || request.signal.aborted) {
      this.close();
      return replyEmpty();
    }
    const { protocol, keepAliveMs, stallTimeoutMs } = this.#serving.options;
    void this.count();
    return streamResponse(this.#pieces(protocol.encoder(options)), {
      headers: protocol.headers,
      keepAliveMs,
      stallTimeoutMs,
      signal: this.#signal,
      onClose: () => this.close(),
    });
  }

  /** Ends the response: everything was sent, or the client has left. */
  close(): void {
    const wasLeft = this.#left.signal.aborted;
    this.#left.abort();
    this.#open.release();
    this.#leaveReaders?.();
    this.#closed();
    const { onDisconnect = "continue" } = this.#serving.options;
    if (onDisconnect === "abort" && !this.#isComplete && !wasLeft) this.#run?.abort();
  }

  /** Ends the response without aborting its run. */
  leave(): void {
    this.#run = undefined;
    this.close();
  }

  /** The response body, piece by piece. */
  async *#pieces(encoder: MessageEncoder<unknown>): AsyncGenerator<string, void> {
    const { protocol } = this.#serving.options;
    const { end = "" } = protocol;
    const write = (chunks: readonly unknown[]): Generator<string, void> =>
      joinPieces(chunks, (chunk) => protocol.write(chunk));
    const fail = (error: unknown): Generator<string, void> => {
      this.#serving.log(error, { session: this.session.id });
      return write(encoder.fail(error));
    };
    try {
      for (let sight = this.follower.look(); sight !== undefined; sight = await this.follower.next()) {
        const { conversation, message, isOver, changes } = sight;
        // A run may begin, or continue, long after the response.
        void this.count(sight);
        if (message !== undefined) yield* write(encoder.show(message, conversation, changes));
        yield* write(this.follower.takeNews().flatMap((news) => this.#chunkOf(news, message) ?? []));
        if (!isOver || (await this.#resumes(sight))) continue;
        this.#isComplete = true;
        const error = this.#run?.failure?.error ?? new Error("the message is gone from the store");
        yield* message === undefined ? fail(error) : write(encoder.finish(conversation));
        if (end !== "") yield end;
        return;
      }
    } catch (error) {
      this.#isComplete = true;
      yield* fail(error);
      if (end !== "") yield end;
    }
  }

  /** News as a chunk; undefined for a wait that is over or that belongs to another run. */
  #chunkOf(news: News, message: Message | undefined): unknown {
    const { protocol } = this.#serving.options;
    if (!("until" in news)) return protocol.data?.(news);
    const delayMs = Math.ceil(news.until - performance.now());
    return news.runId === message?.runId && delayMs >= MIN_WAIT_MS ? protocol.retry?.({ delayMs }) : undefined;
  }

  /** Resumes a run whose process has died; once, so that a run that fails at once is not retried forever. */
  async #resumes({ message }: Sight): Promise<boolean> {
    const { resumeCutOff = true } = this.#serving.options;
    if (message?.state !== "interrupted" || !resumeCutOff || this.#hasResumed) return false;
    this.#hasResumed = true;
    await this.start({});
    return true;
  }
}
