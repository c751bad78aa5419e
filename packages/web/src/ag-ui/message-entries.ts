import {
  type Conversation,
  isWebUrl,
  type Message,
  type MessagePart,
  type QueuedMessage,
  type SaidPart,
  type TextPart,
  type ToolCallPart,
} from "@pollux/core/conversation";
import { type IsAnswerable, isLeftToUser, othersAsked, QUESTIONS } from "../answerable.ts";
import { toolCallIdOf } from "../call-ids.ts";
import { splitData } from "../data-part.ts";
import { mediaAddress } from "../media-address.ts";
import { playableParts } from "../playable.ts";
import { resultIdOf } from "./ids.ts";
import type { AgUiActivity, AgUiContentPart, AgUiMessage, AgUiToolMessage } from "./messages.ts";
import { endingText } from "./run-end.ts";

/** A message of a client, made from a piece of a message of the assistant. */
export interface Entry {
  readonly message: AgUiMessage;
  readonly turn: number;
  /** More of its text may come. */
  readonly isOpen: boolean;
}

/** What was made of a turn, so that the entries of unchanged parts are the same objects. */
export type EntryCache = Map<string, { readonly parts: readonly MessagePart[]; readonly entries: readonly Entry[] }>;

/** A message of the assistant as the messages that clients have of it. */
export function messageEntries(
  message: Message,
  isAnswerable: IsAnswerable = isLeftToUser,
  cache?: EntryCache,
): readonly Entry[] {
  const groups: { id: string; turn: number; parts: MessagePart[] }[] = [];
  for (const part of message.parts) {
    if (part.type === "turn") groups.push({ id: part.id, turn: part.turn, parts: [] });
    else if (groups.length === 0) groups.push({ id: "turn:0", turn: 0, parts: [part] });
    else groups.at(-1)?.parts.push(part);
  }
  const entries = groups.flatMap((group, index) => {
    const parts = playableParts(
      splitData(group.parts).others,
      index < groups.length - 1 || message.state !== "streaming",
    );
    const cached = cache?.get(group.id);
    if (cached !== undefined && isSame(cached.parts, parts)) return cached.entries;
    const made = turnEntries(message.id, { ...group, parts });
    cache?.set(group.id, { parts, entries: made });
    return made;
  });
  const turn = groups.at(-1)?.turn ?? 0;
  if (message.state === "waiting") return [...entries, ...waitingEntries(message, isAnswerable, turn)];
  return isOver(message) ? [...entries, ...tailEntries(message, turn)] : entries;
}

/** True when nothing is added to a message any more, unless its run is resumed. */
function isOver({ state }: Message): boolean {
  return state !== "streaming" && state !== "waiting";
}

function isSame(a: readonly MessagePart[], b: readonly MessagePart[]): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}

/**
 * One turn. Its calls, and all that it said before something other than a call came between, are one message; the results of the calls
 * follow it. Calls appear once the answer is whole, since until then it is not known what they are.
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
    if (last?.message.role === role) {
      // Nothing but a call stood between.
      const message = { ...last.message, content: `${last.message.content}${part.text}` };
      entries[entries.length - 1] = { message, turn, isOpen };
      continue;
    }
    const count = counts[part.type]++;
    const entryId = part.type === "text" && count === 0 ? base : `${base}/${part.type}:${count}`;
    entries.push({ message: { id: entryId, role, content: part.text }, turn, isOpen });
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
  const said = entries.findIndex(({ message }) => message.id === base);
  const at = said === -1 ? entries.length : said;
  const own = entries[at];
  const message: AgUiMessage = { ...(own?.message ?? { id: base, role: "assistant" }), toolCalls } as AgUiMessage;
  const results = calls.flatMap((call) => toolMessage(messageId, call) ?? []);
  const closed = results.map((result) => ({ message: result, turn, isOpen: false }));
  entries.splice(at, 1, { message, turn, isOpen: own?.isOpen === true }, ...closed);
}

/** The result of a call that has ended. */
function toolMessage(messageId: string, { id, state, output, failure }: ToolCallPart): AgUiToolMessage | undefined {
  const toolCallId = toolCallIdOf(messageId, id);
  const base = { id: resultIdOf(toolCallId), role: "tool" as const, toolCallId };
  switch (state) {
    case "done":
      return { ...base, content: typeof output === "string" ? output : JSON.stringify(output ?? null) };
    case "failed":
    case "denied":
    case "not-run":
    case "cancelled":
      return {
        ...base,
        content: failure?.message ?? "The call failed.",
        metadata: { pollux: { failure: failure?.kind ?? state } },
      };
    default:
      return undefined;
  }
}

/** What is neither said by the model in words nor a call. */
type OtherPart = Exclude<MessagePart, { readonly type: "text" | "thought" | "tool-call" | "turn" }>;

function otherMessage(id: string, part: OtherPart, turn: number): AgUiMessage {
  const activity = (of: AgUiActivity): AgUiMessage => ({ id, role: "activity", ...of });
  switch (part.type) {
    case "steering":
      return { id, role: "user", content: userContent(part.parts) };
    case "media": {
      const { mimeType, data, name } = part;
      const url = mediaAddress(part);
      return activity({ activityType: "pollux.media", content: defined({ mimeType, data, url, name }) });
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
      // Also a kind of a newer release of core.
      return activity({ activityType: "pollux.unknown", content: { keys: [...(part.keys ?? Object.keys(part))] } });
  }
}

/** What stands behind a message that has ended. */
function tailEntries(message: Message, turn: number): readonly Entry[] {
  const { id, state, sources, searchEntryPoints, stopReason, limit, limitScope, guardrail } = message;
  const entries: Entry[] = [];
  const add = (name: string, activity: AgUiActivity): void => {
    entries.push({ message: { id: `${id}/${name}`, role: "activity", ...activity }, turn, isOpen: false });
  };
  if (sources.length + searchEntryPoints.length > 0) {
    const content = {
      sources: sources.map(({ number, kind, uri, title, pageNumber, mediaId }) => ({
        number,
        kind,
        ...defined({ url: uri !== undefined && isWebUrl(uri) ? uri : undefined, title, pageNumber, mediaId }),
      })),
      citations: citationsOf(message),
      searchEntryPoints,
    };
    add("sources", { activityType: "pollux.sources", content });
  }
  if (state === "stopped" || state === "failed" || state === "interrupted") {
    const why = { ...defined({ stopReason, limit, limitScope, guardrail }), message: endingText(message) };
    add("ending", { activityType: "pollux.ending", content: { state, ...why } });
  }
  return entries;
}

/** What somebody other than the user is asked. */
function waitingEntries({ id, parts }: Message, isAnswerable: IsAnswerable, turn: number): readonly Entry[] {
  const calls = parts.flatMap((part) => {
    const question = part.type === "tool-call" ? QUESTIONS[part.state] : undefined;
    if (part.type !== "tool-call" || question === undefined || isAnswerable(part)) return [];
    const { name: toolName, asks: { token = "", approvedBy } = {} } = part;
    return [{ toolCallId: toolCallIdOf(id, part.id), toolName, question, token, ...defined({ approvedBy }) }];
  });
  if (calls.length === 0) return [];
  const activity = { activityType: "pollux.waiting", content: { calls } } as const;
  return [{ message: { id: `${id}/waiting`, role: "activity", ...activity }, turn, isOpen: false }];
}

/** Citations by the messages that clients have. */
function citationsOf(
  message: Message,
): readonly { messageId: string; start: number; end: number; sources: number[] }[] {
  let place = { id: `${message.id}/turn:0`, length: 0 };
  let [step, count] = [place.id, 0];
  let isBroken = false;
  return message.parts.flatMap((part) => {
    if (part.type === "tool-call") return [];
    if (part.type === "turn") {
      step = `${message.id}/${part.id}`;
      [count, isBroken] = [0, true];
      return [];
    }
    if (part.type !== "text") {
      isBroken = true;
      return [];
    }
    if (isBroken || count === 0) {
      place = { id: count === 0 ? step : `${step}/text:${count}`, length: 0 };
      [count, isBroken] = [count + 1, false];
    }
    const before = place.length;
    place = { ...place, length: before + part.text.length };
    return cited(part, place.id, before);
  });
}

function cited({ citations = [] }: TextPart, messageId: string, before: number): ReturnType<typeof citationsOf> {
  return citations.map(({ start, end, sources }) => ({
    messageId,
    start: before + start,
    end: before + end,
    sources: [...sources],
  }));
}

/** What the user said, as a client has it. */
export function userMessage({ id, parts }: Message | QueuedMessage): AgUiMessage {
  // A message of the user has nothing but what a person can say.
  return { id, role: "user", content: userContent(parts as readonly SaidPart[]) };
}

/** What was said and not read yet, at the end. */
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

/** The members that are set. */
function defined<Members extends object>(members: Members): { [Name in keyof Members]?: NonNullable<Members[Name]> } {
  // Only what is undefined is left out.
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Members]?: NonNullable<Members[Name]>;
  };
}
