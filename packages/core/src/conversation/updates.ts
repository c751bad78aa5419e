import { sameJson } from "../internal/json.ts";
import { addUsage, NO_USAGE } from "../model/usage.ts";
import type { PendingQuestion } from "../tool/tool.ts";
import type { JsonObject } from "../wire/types/content.ts";
import type {
  Conversation,
  ConversationChange,
  ConversationPosition,
  ConversationState,
  ConversationUpdate,
  LivePosition,
  Message,
  MessagePart,
  PendingQuestionView,
  ToolCallState,
} from "./conversation.ts";

/** A conversation without messages. */
export function emptyConversation(id: string): Conversation {
  return {
    id,
    messages: [],
    queued: [],
    state: "idle",
    pending: [],
    usage: NO_USAGE,
    cost: 0,
    position: { log: 0, live: [0, 0, 0, 0] },
  };
}

/**
 * The conversation after an update; the same object when it includes the update already. Modifies neither.
 *
 * @param conversation - Undefined before the first update, which is then a snapshot.
 */
export function applyUpdate(conversation: Conversation | undefined, update: ConversationUpdate): Conversation {
  if (update.type === "snapshot") {
    const isNew = conversation === undefined || isLater(update.conversation.position, conversation.position);
    return isNew ? update.conversation : conversation;
  }
  if (conversation === undefined) throw new TypeError("the first update must be a snapshot");
  if (!isLater(update.at, conversation.position)) return conversation;
  const changed = update.changes.reduce(applyChange, conversation);
  return { ...changed, position: latest(update.at, conversation.position) };
}

/** True when `a` includes something that `b` does not. */
function isLater(a: ConversationPosition, b: ConversationPosition): boolean {
  return a.log > b.log || isLiveLater(a.live, b.live);
}

/** As {@link isLater}, for places in what the log doesn't have yet. */
export function isLiveLater(a: LivePosition, b: LivePosition): boolean {
  const attempts = compareAttempts(a, b);
  return attempts > 0 || (attempts === 0 && (a[2] > b[2] || a[3] > b[3]));
}

function compareAttempts(a: LivePosition, b: LivePosition): number {
  return a[0] - b[0] || a[1] - b[1];
}

function latest(a: ConversationPosition, b: ConversationPosition): ConversationPosition {
  const attempts = compareAttempts(a.live, b.live);
  const [entries, attempt, said, seen] = a.live;
  const both: LivePosition = [entries, attempt, Math.max(said, b.live[2]), Math.max(seen, b.live[3])];
  return { log: Math.max(a.log, b.log), live: attempts === 0 ? both : attempts > 0 ? a.live : b.live };
}

function applyChange(conversation: Conversation, change: ConversationChange): Conversation {
  switch (change.type) {
    case "title":
      return { ...conversation, title: change.title };
    case "queue":
      return { ...conversation, queued: [...without(conversation.queued, [change.message.id]), change.message] };
    case "unqueue":
      return { ...conversation, queued: without(conversation.queued, change.ids) };
    case "message": {
      const messages = [...without(conversation.messages, [change.message.id]), change.message];
      return derive({ ...conversation, messages }, change.message.usage !== undefined);
    }
    case "take-back": {
      const messages = without(conversation.messages, change.ids);
      const gone = conversation.messages.filter(({ id }) => change.ids.includes(id));
      const takenBack = totalsOf(gone, conversation.takenBack);
      return { ...conversation, messages, state: "idle", pending: [], takenBack, ...totalsOf(messages, takenBack) };
    }
    default: {
      const index = conversation.messages.findLastIndex(({ id }) => id === change.messageId);
      const message = conversation.messages[index];
      if (message === undefined) return conversation;
      const changed = changeMessage(message, change);
      const next = { ...conversation, messages: conversation.messages.with(index, changed) };
      if (change.type === "text" || change.type === "sources") return next;
      return derive(next, changed.usage !== message.usage || changed.cost !== message.cost);
    }
  }
}

function without<T extends { readonly id: string }>(list: readonly T[], ids: readonly string[]): readonly T[] {
  return list.filter(({ id }) => !ids.includes(id));
}

type ChangeInside = Extract<ConversationChange, { messageId: string }>;

/** The message after a change inside it. */
export function changeMessage(message: Message, change: ChangeInside): Message {
  switch (change.type) {
    case "message-fields":
      return changeFields(message, change.set, change.unset);
    case "sources":
      return { ...message, sources: [...message.sources.slice(0, change.from), ...change.sources] };
    case "part": {
      const parts = without(message.parts, [change.part.id]);
      const before = change.after === undefined ? -1 : parts.findLastIndex(({ id }) => id === change.after);
      const at = change.after !== undefined && before === -1 ? parts.length : before + 1;
      return { ...message, parts: parts.toSpliced(at, 0, change.part) };
    }
    case "remove":
      return { ...message, parts: without(message.parts, change.partIds) };
    case "text":
    case "part-fields": {
      const index = message.parts.findLastIndex(({ id }) => id === change.partId);
      const part = message.parts[index];
      if (part === undefined) return message;
      return { ...message, parts: message.parts.with(index, changePart(part, change)) };
    }
  }
}

function changePart(part: MessagePart, change: Extract<ChangeInside, { partId: string }>): MessagePart {
  if (change.type === "part-fields") return changeFields(part, change.set, change.unset);
  if (part.type !== "text" && part.type !== "thought") return part;
  const { offset, delta } = change;
  const known = part.text.length - offset;
  // Known text stays; a text that begins after its end belongs to another attempt.
  return known < 0 ? part : { ...part, text: part.text + delta.slice(known) };
}

function changeFields<T extends object>(value: T, set: object, unset: readonly string[] = []): T {
  const kept = Object.entries(value).filter(([name]) => !unset.includes(name));
  // Updates are made for values of this type.
  return { ...Object.fromEntries(kept), ...set } as T;
}

/** Derives the state and the pending questions from the messages and, if asked to, the totals. */
function derive(conversation: Conversation, withTotals: boolean): Conversation {
  const last = conversation.messages.at(-1);
  const pending = last === undefined ? [] : pendingOf(last);
  const derived = { ...conversation, state: findState(last), pending };
  return withTotals ? { ...derived, ...totalsOf(conversation.messages, conversation.takenBack) } : derived;
}

type Totals = Pick<Conversation, "usage" | "cost">;

function totalsOf(messages: readonly Message[], before?: Totals): Totals {
  let { usage, cost } = before ?? { usage: NO_USAGE, cost: 0 };
  for (const message of messages) {
    if (message.usage !== undefined) usage = addUsage(usage, message.usage);
    cost += message.cost ?? 0;
  }
  return { usage, cost };
}

function findState(last: Message | undefined): ConversationState {
  switch (last?.state) {
    case "streaming":
      return "running";
    case "waiting":
      return pendingOf(last).length > 0 ? "waiting" : "stopped";
    case "interrupted":
      return "cut-off";
    default:
      return last?.stopReason === "failed" || last?.stopReason === "aborted" || last?.stopReason === "limit"
        ? "stopped"
        : "idle";
  }
}

/** The question of each state that waits for an answer. */
export const QUESTION_OF: { readonly [State in ToolCallState]?: PendingQuestion } = {
  "pending-approval": "approval",
  "pending-output": "outcome",
  "pending-outcome": "unknown-outcome",
  "pending-job": "job",
};

function pendingOf({ id: messageId, parts }: Message): readonly PendingQuestionView[] {
  return parts.flatMap((part): readonly PendingQuestionView[] => {
    const question = part.type === "tool-call" ? QUESTION_OF[part.state] : undefined;
    if (part.type !== "tool-call" || part.asks === undefined || question === undefined) return [];
    return [{ callId: part.id, question, messageId, name: part.name, args: part.args, ...part.asks }];
  });
}

/** The changes that turn the shown message into the next one. */
export function messageChanges(shown: Message, next: Message): readonly ConversationChange[] {
  const { parts, sources, ...fields } = next;
  const { parts: oldParts, sources: oldSources, ...oldFields } = shown;
  const messageId = next.id;
  const changes: ConversationChange[] = [];
  const changed = diffFields(oldFields, fields);
  if (changed !== undefined) changes.push({ type: "message-fields", messageId, ...changed });
  const from = sources === oldSources ? sources.length : sameLength(oldSources, sources, sameJson);
  if (from < Math.max(sources.length, oldSources.length))
    changes.push({ type: "sources", messageId, from, sources: sources.slice(from) });
  return [...changes, ...partChanges(messageId, oldParts, parts)];
}

/** A text that has grown changes only by its new end. */
function partChanges(
  messageId: string,
  shown: readonly MessagePart[],
  target: readonly MessagePart[],
): readonly ConversationChange[] {
  // The earlier parts are usually the same.
  const from = sameLength(shown, target, Object.is);
  const kept = keptParts(shown.slice(from), target.slice(from));
  const gone = shown.slice(from).flatMap(({ id }) => (kept.has(id) ? [] : [id]));
  const changes: ConversationChange[] = gone.length === 0 ? [] : [{ type: "remove", messageId, partIds: gone }];
  for (let index = from; index < target.length; index++) {
    const part = target[index] as MessagePart;
    const old = kept.get(part.id);
    const after = target[index - 1]?.id;
    if (old === undefined) changes.push({ type: "part", messageId, part, ...(after !== undefined && { after }) });
    else if (old !== part) changes.push(...fieldChanges(messageId, old, part));
  }
  return changes;
}

/** The shown parts that stay where they are. */
function keptParts(shown: readonly MessagePart[], target: readonly MessagePart[]): ReadonlyMap<string, MessagePart> {
  const places = new Map(target.map(({ id }, index) => [id, index]));
  const kept = new Map<string, MessagePart>();
  let last = -1;
  for (const part of shown) {
    const place = places.get(part.id) ?? -1;
    if (place <= last || target[place]?.type !== part.type) continue;
    kept.set(part.id, part);
    last = place;
  }
  return kept;
}

function fieldChanges(messageId: string, old: MessagePart, part: MessagePart): readonly ConversationChange[] {
  const partId = part.id;
  const [from, to] = "text" in old && "text" in part ? [old.text, part.text] : ["", ""];
  const hasGrown = to.length > from.length && to.startsWith(from);
  const changed = diffFields(hasGrown ? { ...old, text: to } : old, part);
  return [
    ...(hasGrown
      ? [{ type: "text", messageId, partId, offset: from.length, delta: to.slice(from.length) } as const]
      : []),
    ...(changed === undefined ? [] : [{ type: "part-fields", messageId, partId, ...changed } as const]),
  ];
}

/** The members of an object that are new or different, and the names of the removed ones; undefined when there are none. */
function diffFields(
  old: object,
  next: object,
): { readonly set: JsonObject; readonly unset?: readonly string[] } | undefined {
  // Any object can be read by its own keys.
  const [from, to] = [old as JsonObject, next as JsonObject];
  const set = Object.entries(to).filter(([name, value]) => value !== undefined && !sameJson(from[name], value));
  const unset = Object.keys(from).filter((name) => from[name] !== undefined && to[name] === undefined);
  if (set.length + unset.length === 0) return undefined;
  return { set: Object.fromEntries(set), ...(unset.length > 0 && { unset }) };
}

function sameLength<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): number {
  const length = Math.min(a.length, b.length);
  // Both lists have a member at each of these indexes.
  for (let index = 0; index < length; index++) if (!isSame(a[index] as T, b[index] as T)) return index;
  return length;
}
