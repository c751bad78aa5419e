import type { AnyTool, Approval, ExternalOutcome, RunInput } from "@pollux/core";
import type { Conversation, ConversationChange, Message } from "@pollux/core/conversation";
import type { DataPart } from "./data-part.ts";

/** What a chat page and the server say to each other: how a request is read, and what an answer looks like on the wire. */
export interface ChatProtocol<Chunk = unknown> {
  /** Headers of every stream; `content-type` is among them. */
  readonly headers: { readonly [name: string]: string };
  /** What follows the last chunk of a stream. @defaultValue nothing */
  readonly end?: string | undefined;
  /**
   * How an error of a request for a stream is written, unless the client accepts JSON: `"text"` for clients that show the body as it is.
   * Its code is in the header `pollux-error` in any case. @defaultValue "json"
   */
  readonly errors?: "json" | "text" | undefined;
  /**
   * Reads the body of a request, which nobody has checked.
   *
   * @throws {BadRequestError} When it cannot be used.
   */
  read(body: unknown): ChatRequest;
  /** An encoder for one stream. */
  encoder(options: EncoderOptions): MessageEncoder<Chunk>;
  /** A transient part, for current readers. @defaultValue not sent */
  data?(part: DataPart): Chunk;
  /** Tells current readers that a request to the model waits. @defaultValue not sent */
  retry?(wait: RetryWait): Chunk;
  /** One chunk as it is sent. */
  write(chunk: Chunk): string;
  /**
   * The response when no run is in progress: to a client that follows the conversation; or to `request`, whose message is
   * kept until someone else has answered. @defaultValue nothing: the response is 204
   */
  idle?(conversation: Conversation, request?: ChatRequest): readonly Chunk[] | undefined;
  /** The messages of a conversation as the client has them. JSON. */
  messages(conversation: Conversation): unknown;
}

/** The model's service is busy, or its rate limit is reached: the request is sent again automatically. */
export interface RetryWait {
  /** Milliseconds until then. */
  readonly delayMs: number;
}

/**
 * Tells a client, in its protocol, what has changed in one message of the assistant since the last call.
 *
 * Its total output is a function of the message alone, not of its history: showing a stored message to a new encoder
 * gives a client the same as following the run that wrote it.
 */
export interface MessageEncoder<Chunk> {
  /**
   * What is new. The objects of a conversation are immutable and shared between its versions, so a part that is the same object is unchanged.
   *
   * @param message - The same message in every call, as it is now.
   * @param conversation - The conversation that contains it.
   * @param changes - What one update changed since the last call, where that is known: more of a text then needs no comparing of texts.
   */
  show(message: Message, conversation: Conversation, changes?: readonly ConversationChange[]): readonly Chunk[];
  /** Closes open parts: the run has ended, or none is in progress. Call it once, last. */
  finish(conversation: Conversation): readonly Chunk[];
  /** Something outside the message went wrong. Its text is safe to show to anyone. Call it once, last, instead of `finish`. */
  fail(error: unknown): readonly Chunk[];
}

/** Facts about an encoder's stream. */
export interface EncoderOptions {
  /** The message as the client already has it: only later changes are sent. Absent when it has nothing. */
  readonly known?: Message | undefined;
  /** The request that is answered; absent when the client only follows. */
  readonly request?: ChatRequest | undefined;
}

/**
 * The parts of a request's body that are used: the new user message, and answers to calls. Everything else is for
 * display.
 */
export interface ChatRequest {
  /** The conversation, as the client names it. */
  readonly id: string;
  readonly message?: ChatMessage | undefined;
  /**
   * The conversation has a message with this id, and goes back to before it, because it was edited or needs a new
   * answer. An unknown id is sent like any other message. Absent: a new message.
   */
  readonly revision?: ChatRevision | undefined;
  /**
   * Id of the message that the client shows before this one. If that is the answer being written, or the message it answers, the
   * client has left that answer to send something else. @defaultValue unknown
   */
  readonly after?: string | undefined;
  /** Answers to calls that wait for one; any other is ignored. */
  readonly answers?: readonly ChatAnswer[] | undefined;
  /** Tools that the client executes, in this run only. */
  readonly tools?: readonly AnyTool[] | undefined;
  /** Anything else the client sends along, by name. Unchecked. */
  readonly body?: { readonly [name: string]: unknown } | undefined;
  /** The client's id for the run, if its protocol has one. */
  readonly runId?: string | undefined;
}

/** What happens to a message that the conversation has. */
export type ChatRevision =
  /** It replaces the message with its id. Unchanged, it is the same message. */
  | { readonly kind: "edit" }
  | {
      readonly kind: "regenerate";
      /**
       * The answer to regenerate, which identifies a request that is sent twice. @defaultValue the answer to the
       * message
       */
      readonly answerId?: string | undefined;
    };

/** A message of the user. */
export interface ChatMessage {
  /** The same message sent twice under one id runs once. Absent: it is new each time. */
  readonly id?: string | undefined;
  readonly input: RunInput;
  /** The page's own data about it: a plain JSON object of at most 4,096 characters. */
  readonly metadata?: { readonly [name: string]: unknown } | undefined;
}

/** An answer to a call. It is refused when the call no longer asks what the client has shown. */
export interface ChatAnswer {
  /** The message with the call. Absent where the client cannot know it: then the last one. */
  readonly messageId?: string | undefined;
  /** The call's id in the conversation, such as `call:3.0`. */
  readonly callId: string;
  /** The question that was shown: see `PendingCall`. */
  readonly token?: string | undefined;
  /** The arguments that were shown, where the protocol has no place for the token. */
  readonly input?: unknown;
  readonly approval?: Approval | undefined;
  readonly outcome?: ExternalOutcome | undefined;
}

/** A request that cannot be used. Its message is sent to the client and says what to do. */
export class BadRequestError extends Error {
  override readonly name = "BadRequestError";
  readonly code: string = "bad_request";
}
