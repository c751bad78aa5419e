import { sameJson } from "../internal/json.ts";
import type { JsonObject } from "../wire/types/content.ts";
import type { ConversationChange, Message, MessagePart } from "./conversation.ts";

/** The changes that turn a message as it is shown into the message as it is. */
export function messageChanges(shown: Message, next: Message): readonly ConversationChange[] {
  const { parts, sources, ...fields } = next;
  const { parts: oldParts, sources: oldSources, ...oldFields } = shown;
  const messageId = next.id;
  const changes: ConversationChange[] = [];
  const changed = changedFields(oldFields, fields);
  if (changed !== undefined) changes.push({ type: "message-fields", messageId, ...changed });
  const from = sources === oldSources ? sources.length : sameLength(oldSources, sources, sameJson);
  if (from < Math.max(sources.length, oldSources.length))
    changes.push({ type: "sources", messageId, from, sources: sources.slice(from) });
  return [...changes, ...partChanges(messageId, oldParts, parts)];
}

/** Text that has grown is told by what is new. */
function partChanges(
  messageId: string,
  shown: readonly MessagePart[],
  target: readonly MessagePart[],
): readonly ConversationChange[] {
  // What came before is the same, as a rule.
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
  const changed = changedFields(hasGrown ? { ...old, text: to } : old, part);
  return [
    ...(hasGrown
      ? [{ type: "text", messageId, partId, offset: from.length, delta: to.slice(from.length) } as const]
      : []),
    ...(changed === undefined ? [] : [{ type: "part-fields", messageId, partId, ...changed } as const]),
  ];
}

/** The members of an object that are new or different, and the names of those that are gone; undefined when there are none. */
function changedFields(
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

/** How many of the first members are the same. */
function sameLength<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): number {
  const length = Math.min(a.length, b.length);
  // Both have one at each of these places.
  for (let index = 0; index < length; index++) if (!isSame(a[index] as T, b[index] as T)) return index;
  return length;
}
