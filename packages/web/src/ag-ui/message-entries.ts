import {
  type Conversation,
  explainUntrusted,
  isWebUrl,
  type Message,
  type MessagePart,
  type QueuedMessage,
  type SaidPart,
  type TextPart,
  type ToolCallPart,
} from "@pollux/core/conversation";
import { type IsAnswerable, isLeftToUser, jobOf, othersAsked, questionsOf } from "../answerable.ts";
import { toolCallIdOf } from "../call-ids.ts";
import { splitData } from "../data-part.ts";
import { defined } from "../json.ts";
import { ENDED, isOver, turnsOf } from "../message-turns.ts";
import { mediaAddress, playableParts } from "../page-media.ts";
import type { AgUiOptions } from "./encode-message.ts";
import { resultIdOf } from "./ids.ts";
import type { AgUiActivities, AgUiActivity, AgUiContentPart, AgUiMessage, AgUiToolMessage } from "./messages.ts";
import { endingText } from "./run-end.ts";

/** A message as clients have it, made from a piece of a message of the assistant. */
export interface Entry {
  readonly message: AgUiMessage;
  readonly turn: number;
  /** More of its text may come. */
  readonly isOpen: boolean;
  /** Of its text. */
  readonly citations?: readonly Citation[] | undefined;
}

type Citation = AgUiActivities["pollux.sources"]["citations"][number];

/**
 * A conversation as AG-UI messages, the same that a client has after following the runs. Queued messages are at the
 * end.
 */
export function toAgUiMessages(
  conversation: Conversation,
  { isAnswerable }: Pick<AgUiOptions, "isAnswerable"> = {},
): readonly AgUiMessage[] {
  return [
    ...conversation.messages.flatMap((message) =>
      message.role === "user"
        ? [userMessage(message)]
        : messageEntries(message, isAnswerable).map(({ message: shown }) => shown),
    ),
    ...queuedMessages(conversation),
  ];
}

/** The entries of each turn, so that those of unchanged parts are the same objects. */
export type EntryCache = Map<
  string,
  { readonly parts: readonly MessagePart[]; readonly entries: readonly Entry[] } & Pick<
    Message,
    "untrusted" | "private"
  >
>;

/** The messages that clients have for one message of the assistant. */
export function messageEntries(
  message: Message,
  isAnswerable: IsAnswerable = isLeftToUser,
  cache?: EntryCache,
): readonly Entry[] {
  const turns = turnsOf(message);
  const { untrusted, private: isPrivate } = message;
  const entries = turns.flatMap(({ id = "turn:0", turn, parts: all }, index) => {
    const parts = playableParts(splitData(all).others, index < turns.length - 1 || message.state !== "streaming");
    const cached = cache?.get(id);
    const isMarked = cached?.untrusted === untrusted && cached?.private === isPrivate;
    if (cached !== undefined && isMarked && areSame(cached.parts, parts)) return cached.entries;
    const made = turnEntries(message.id, { id, turn, parts }).map((entry) => markEntry(entry, message));
    cache?.set(id, { parts, entries: made, untrusted, private: isPrivate });
    return made;
  });
  const turn = turns.at(-1)?.turn ?? 0;
  const add = (name: string, activity: AgUiActivity): Entry => ({
    message: { id: `${message.id}/${name}`, role: "activity", ...activity },
    turn,
    isOpen: false,
  });
  if (message.state === "waiting") return [...entries, ...waitingEntries(message, isAnswerable, add)];
  return isOver(message) ? [...entries, ...tailEntries(message, entries, add)] : entries;
}

/** Marks a text of the model with what it had read: untrusted content, private data. */
function markEntry(entry: Entry, { untrusted, private: isPrivate }: Message): Entry {
  const { message } = entry;
  const read = defined({ untrusted, private: isPrivate });
  if (message.role !== "assistant" || message.content === undefined || Object.keys(read).length === 0) return entry;
  return { ...entry, message: { ...message, metadata: { pollux: read } } };
}

function areSame(a: readonly MessagePart[], b: readonly MessagePart[]): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}

/**
 * One turn. Its calls are in one message with its first text, which only calls interrupt; the results of the calls follow it. Calls appear
 * once the answer is whole: they are not known before.
 */
function turnEntries(
  messageId: string,
  { id, turn, parts }: { readonly id: string; readonly turn: number; readonly parts: readonly MessagePart[] },
): readonly Entry[] {
  const base = `${messageId}/${id}`;
  const calls = parts.filter((part): part is ToolCallPart => part.type === "tool-call" && part.state !== "writing");
  const entries: Entry[] = [];
  const counts = { text: 0, thought: 0 };
  for (const part of parts) {
    if (part.type === "tool-call" || part.type === "turn") continue;
    if (part.type !== "text" && part.type !== "thought") {
      entries.push({ message: otherMessage(`${messageId}/${part.id}`, part, turn), turn, isOpen: false });
      continue;
    }
    const role = part.type === "text" ? "assistant" : "reasoning";
    const isOpen = part.streaming === true;
    const last = entries.at(-1);
    // Only calls were in between.
    const before = last?.message.role === role ? last : undefined;
    const count = before === undefined ? counts[part.type]++ : 0;
    const entryId =
      before?.message.id ?? (part.type === "text" && count === 0 ? base : `${base}/${part.type}:${count}`);
    const head = typeof before?.message.content === "string" ? before.message.content : "";
    const citations = [
      ...(before?.citations ?? []),
      ...(part.type === "text" ? cited(part, entryId, head.length) : []),
    ];
    const entry = { message: { id: entryId, role, content: `${head}${part.text}` }, turn, isOpen, citations } as const;
    entries.splice(before === undefined ? entries.length : -1, 1, entry);
  }
  if (calls.length > 0) addCalls(messageId, base, calls, entries, turn);
  return entries;
}

function addCalls(
  messageId: string,
  base: string,
  calls: readonly ToolCallPart[],
  entries: Entry[],
  turn: number,
): void {
  const toolCalls = calls.map(({ id, name, args }) => ({
    id: toolCallIdOf(messageId, id),
    type: "function" as const,
    function: { name, arguments: JSON.stringify(args) },
  }));
  const baseIndex = entries.findIndex(({ message }) => message.id === base);
  const at = baseIndex === -1 ? entries.length : baseIndex;
  const own = entries[at];
  const message: AgUiMessage = { ...(own?.message ?? { id: base, role: "assistant" }), toolCalls } as AgUiMessage;
  const results = calls.flatMap((call) => toolMessage(messageId, call) ?? []);
  const closed = results.map((result) => ({ message: result, turn, isOpen: false }));
  entries.splice(at, 1, { ...own, message, turn, isOpen: own?.isOpen === true }, ...closed);
}

/** The result of a call that has ended. */
function toolMessage(messageId: string, { id, state, output, failure }: ToolCallPart): AgUiToolMessage | undefined {
  const toolCallId = toolCallIdOf(messageId, id);
  const base = { id: resultIdOf(toolCallId), role: "tool" as const, toolCallId };
  if (!ENDED.has(state)) return undefined;
  if (state === "done")
    return { ...base, content: typeof output === "string" ? output : JSON.stringify(output ?? null) };
  const metadata = { pollux: { failure: failure?.kind ?? state } };
  return { ...base, content: failure?.message ?? "The call failed.", metadata };
}

/** Parts other than the model's text, thoughts and calls. */
type OtherPart = Exclude<MessagePart, { readonly type: "text" | "thought" | "tool-call" | "turn" }>;

function otherMessage(id: string, part: OtherPart, turn: number): AgUiMessage {
  const activity = (of: AgUiActivity): AgUiMessage => ({ id, role: "activity", ...of });
  switch (part.type) {
    case "steering":
      return { id, role: "user", content: userContent(part.parts) };
    case "media": {
      const { mimeType, data, name } = part;
      const link = mediaAddress(part);
      return activity({ activityType: "pollux.media", content: defined({ mimeType, data, link, name }) });
    }
    case "code": {
      const { language, code, outcome, output } = part;
      return activity({ activityType: "pollux.code", content: { code, ...defined({ language, outcome, output }) } });
    }
    case "server-tool": {
      const { name, args, state } = part;
      return activity({ activityType: "pollux.server-tool", content: { name, args, state } });
    }
    case "handoff":
      return activity({ activityType: "pollux.handoff", content: { agent: part.agent } });
    case "compaction":
      return activity({ activityType: "pollux.compaction", content: { turn } });
    case "interruption":
      return activity({ activityType: "pollux.interruption", content: { turn: part.turn } });
    default:
      // Also a kind that only a newer release of core knows.
      return activity({ activityType: "pollux.unknown", content: { keys: [...(part.keys ?? Object.keys(part))] } });
  }
}

type AddActivity = (name: string, activity: AgUiActivity) => Entry;

/** What follows a message that has ended. */
function tailEntries(message: Message, written: readonly Entry[], add: AddActivity): readonly Entry[] {
  const { state, sources, searchEntryPoints, stopReason, limit, limitScope, guardrail } = message;
  const entries: Entry[] = [];
  if (sources.length + searchEntryPoints.length > 0) {
    const content = {
      sources: sources.map(({ number, kind, uri, title, pageNumber, mediaId }) => ({
        number,
        kind,
        ...defined({ url: uri !== undefined && isWebUrl(uri) ? uri : undefined, title, pageNumber, mediaId }),
      })),
      citations: written.flatMap(({ citations = [] }) => citations),
      searchEntryPoints,
    };
    entries.push(add("sources", { activityType: "pollux.sources", content }));
  }
  if (state === "stopped" || state === "failed" || state === "interrupted") {
    const why = { ...defined({ stopReason, limit, limitScope, guardrail }), message: endingText(message) };
    entries.push(add("ending", { activityType: "pollux.ending", content: { state, ...why } }));
  }
  return entries;
}

/** The questions to somebody other than the user, and the jobs that the run waits for. */
function waitingEntries(message: Message, isAnswerable: IsAnswerable, add: AddActivity): readonly Entry[] {
  const questions = questionsOf(message).filter(({ call, question }) => question === "job" || !isAnswerable(call));
  const calls = questions.map(({ call, question }) => {
    const { id, name: toolName, asks: { token = "", approvedBy, because } = {} } = call;
    const why = because && explainUntrusted(because, call);
    const toolCallId = toolCallIdOf(message.id, id);
    return { toolCallId, toolName, question, token, ...defined({ approvedBy, because: why }), ...jobOf(call) };
  });
  return calls.length === 0 ? [] : [add("waiting", { activityType: "pollux.waiting", content: { calls } })];
}

/** The citations of a text. @param before - How much of the message comes before it. */
function cited({ citations = [] }: TextPart, messageId: string, before: number): readonly Citation[] {
  return citations.map(({ start, end, sources }) => ({
    messageId,
    start: before + start,
    end: before + end,
    sources: [...sources],
  }));
}

/** A message of the user, as a client has it. */
export function userMessage({ id, parts }: Message | QueuedMessage): AgUiMessage {
  // A user message has only parts that a person can send.
  return { id, role: "user", content: userContent(parts as readonly SaidPart[]) };
}

/** Queued messages, which are at the end. */
export function queuedMessages(conversation: Conversation): readonly AgUiMessage[] {
  const metadata = { pollux: { queued: true, ...defined({ waitsFor: othersAsked(conversation) }) } };
  return conversation.queued.map((one) => ({ ...userMessage(one), metadata }));
}

function userContent(parts: readonly SaidPart[]): string | readonly AgUiContentPart[] {
  if (parts.every((part) => part.type === "text") && parts.length <= 1) return parts[0]?.text ?? "";
  return parts.flatMap((part): readonly AgUiContentPart[] => {
    if (part.type === "text") return [{ type: "text", text: part.text }];
    if (part.type !== "media") return [];
    const { mimeType = "application/octet-stream", data, name } = part;
    const kind = mimeType.split("/")[0];
    const type = kind === "image" || kind === "audio" || kind === "video" ? kind : "document";
    const source =
      data === undefined
        ? ({ type: "url", value: mediaAddress(part) ?? "", mimeType } as const)
        : ({ type: "data", value: data, mimeType } as const);
    return [{ type, source, ...(name !== undefined && { metadata: { filename: name } }) }];
  });
}
