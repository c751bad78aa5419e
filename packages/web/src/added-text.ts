import type {
  ConversationChange,
  ConversationUpdate,
  Message,
  MessagePart,
  TextPart,
  ThoughtPart,
} from "@pollux/core/conversation";
import type { ShownData } from "./data-part.ts";

/** More of the text that a message ends with. */
export interface AddedText {
  readonly type: (TextPart | ThoughtPart)["type"];
  readonly delta: string;
}

/**
 * What an update added to the last text of a message, when that is all it changed. Only lengths are compared: reading a text that
 * grows in pieces takes time proportional to its whole length.
 *
 * @param before - The message before the update.
 */
export function addedText(
  before: Message | undefined,
  message: Message,
  changes: readonly ConversationChange[] = [],
): AddedText | undefined {
  const last = lastText(message);
  const known = before && lastText(before);
  if (last === undefined || known?.id !== last.id || before?.parts.length !== message.parts.length) return undefined;
  let delta = "";
  for (const change of changes) {
    if (change.type !== "text" || change.messageId !== message.id || change.partId !== last.id) return undefined;
    delta += change.delta;
  }
  // Data may have replaced other data meanwhile.
  if (!hasSameData(before, message)) return undefined;
  // An update may begin with text that was already there.
  const added = last.text.length - known.text.length;
  return added > 0 && added <= delta.length ? { type: last.type, delta: delta.slice(delta.length - added) } : undefined;
}

function hasSameData(before: Message, { parts }: Message): boolean {
  const known = before.parts as readonly (MessagePart | ShownData)[];
  const now = parts as readonly (MessagePart | ShownData)[];
  return known.every((one, index) => {
    const next = now[index];
    return one.type !== "data" || (next?.type === "data" && next.part === one.part);
  });
}

/** The text or thought that a message ends with, calls and data aside. */
function lastText({ parts }: Message): TextPart | ThoughtPart | undefined {
  const last = parts.findLast(({ type }) => type !== "tool-call" && (type as ShownData["type"]) !== "data");
  return last?.type === "text" || last?.type === "thought" ? last : undefined;
}

/** What an update changed; undefined when it is the whole conversation. */
export function changesOf(update: ConversationUpdate): readonly ConversationChange[] | undefined {
  return update.type === "changes" ? update.changes : undefined;
}
