import type { Content, RunEvent } from "@pollux/core";
import type { Conversation, Message } from "@pollux/core/conversation";
import { encodeRun } from "../encode-run.ts";
import { EVENT_STREAM_HEADERS, streamResponse, writeEvent } from "../handler/event-stream.ts";
import { AgUiEncoder, type AgUiOptions } from "./encode-message.ts";
import { type AgUiEvent, dataEvent } from "./events.ts";
import type { AgUiMessage } from "./messages.ts";
import { waitingOutcome } from "./run-end.ts";

/** Options of {@link toAgUiEvents}. */
export interface AgUiEventsOptions extends AgUiOptions {
  /** `threadId` of the request. */
  readonly threadId: string;
  /** `runId` of the request. */
  readonly runId: string;
  /**
   * What the client shows before the answer: the conversation, or the `messages` of its request. To take something
   * back, clients need a snapshot of all messages.
   */
  readonly before: Conversation | readonly AgUiMessage[];
  /** With a conversation: the run's input, which is not part of it yet. Not needed for a continued run. */
  readonly input?: string | readonly Content[] | undefined;
  /** The signal of the run: tells a run that was aborted from one that failed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A run as events of AG-UI. Reading them runs the run; leaving early ends it. An error of the run becomes its last event, with a text
 * that is safe to show to anyone.
 *
 * It only sees the run's events. For runs that continue without a reader, or that clients can follow or stop, use
 * `chatHandler`.
 */
export function toAgUiEvents(
  run: AsyncIterable<RunEvent>,
  { before, input, signal, ...options }: AgUiEventsOptions,
): AsyncGenerator<AgUiEvent, void, void> {
  const [conversation, messages] = isConversation(before) ? [before] : [undefined, before];
  const encoder = (known?: Message): AgUiEncoder => new AgUiEncoder({ ...options, before: messages, known });
  return encodeRun<AgUiEvent>(run, { conversation, input, signal }, { encoder, data: dataEvent });
}

function isConversation(before: AgUiEventsOptions["before"]): before is Conversation {
  return !Array.isArray(before);
}

/**
 * The snapshot for a client that opens a conversation without a current run: all messages, the shared state, and the
 * calls that wait for an answer.
 */
export function toAgUiSnapshot(
  conversation: Conversation,
  { threadId = conversation.id, runId = "connect", ...options }: AgUiSnapshotOptions = {},
): readonly AgUiEvent[] {
  const last = conversation.messages.at(-1);
  const known = last?.role === "model" ? last : NOTHING;
  const encoder = new AgUiEncoder({ ...options, threadId, runId, known });
  const outcome = known.state === "waiting" ? waitingOutcome(known, options) : ({ type: "success" } as const);
  return [...encoder.show(known, conversation), { type: "RUN_FINISHED", threadId, runId, outcome }];
}

/** Options of {@link toAgUiSnapshot}. */
export interface AgUiSnapshotOptions extends AgUiOptions {
  /** @defaultValue the id of the conversation */
  readonly threadId?: string | undefined;
  /** @defaultValue "connect" */
  readonly runId?: string | undefined;
}

/** Stands for the answer, where a conversation ends with a message of the user. */
const NOTHING: Message = {
  id: "",
  role: "model",
  state: "complete",
  parts: [],
  sources: [],
  searchEntryPoints: [],
};

/** Events as the response to a request of a client. */
export function agUiResponse(
  events: AsyncIterable<AgUiEvent>,
  { headers = {}, keepAliveMs }: AgUiResponseOptions = {},
): Response {
  const pieces = writeAll(events);
  return streamResponse(pieces, {
    headers: { ...EVENT_STREAM_HEADERS, ...headers },
    keepAliveMs,
    // The creator of the events handles their errors.
    onClose: () => void pieces.return().catch(() => {}),
  });
}

/** Options of {@link agUiResponse}. */
export interface AgUiResponseOptions {
  /** In addition to the protocol's. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** A comment is sent before the stream has been silent for this long, in milliseconds. @defaultValue 8_000 */
  readonly keepAliveMs?: number | undefined;
}

async function* writeAll(events: AsyncIterable<AgUiEvent>): AsyncGenerator<string, void, void> {
  for await (const event of events) yield writeEvent(event);
}
