import { sameJson } from "../internal/json.ts";
import type { JsonObject } from "../wire/types/content.ts";
import type { ConversationChange, MessagePart } from "./conversation.ts";

/**
 * The changes that turn some parts of a message into others. Text that has grown is told by what is new.
 *
 * @param after - Id of the part before them in the message.
 */
export function partChanges(
  messageId: string,
  shown: readonly MessagePart[],
  target: readonly MessagePart[],
  after: string | undefined,
): readonly ConversationChange[] {
  const kept = keptParts(shown, target);
  const gone = shown.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
  const changes: ConversationChange[] = gone.length === 0 ? [] : [{ type: "remove", messageId, partIds: gone }];
  for (const [index, part] of target.entries()) {
    const old = kept.get(part.id);
    const last = target[index - 1]?.id ?? after;
    if (old !== undefined) changes.push(...fieldChanges(messageId, old, part));
    else changes.push({ type: "part", messageId, part, ...(last !== undefined && { after: last }) });
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
  if (old === part) return [];
  const changes: ConversationChange[] = [];
  const { set, unset } = changedFields(old, part);
  const [from, to] = "text" in old && "text" in part ? [old.text, part.text] : ["", ""];
  if (to.length > from.length && to.startsWith(from)) {
    changes.push({ type: "text", messageId, partId: part.id, offset: from.length, delta: to.slice(from.length) });
    delete set["text"];
  }
  if (Object.keys(set).length + unset.length > 0)
    changes.push({ type: "part-fields", messageId, partId: part.id, set, ...(unset.length > 0 && { unset }) });
  return changes;
}

/** The members of an object that are new or different, and the names of those that are gone. */
export function changedFields(
  old: object,
  next: object,
): { readonly set: Record<string, unknown>; readonly unset: readonly string[] } {
  // Any object can be read by its own keys.
  const [from, to] = [old as JsonObject, next as JsonObject];
  const set: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(to))
    if (value !== undefined && !sameJson(from[name], value)) set[name] = value;
  const unset = Object.keys(from).filter((name) => from[name] !== undefined && to[name] === undefined);
  return { set, unset };
}
