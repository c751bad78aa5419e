import { isObject, type Json } from "../internal/json.ts";
import type { ModelStepValue } from "../durable/run-log.ts";
import type { Content } from "../wire/content.ts";
import type { ContentRef, SessionEntry } from "./entries.ts";

/** An entry of a run with other contents in the places where the model's may stand; the same object when all are the same. */
export function mapModelContents<Entry extends SessionEntry>(
  entry: Entry,
  change: (content: Content) => Content,
): Entry {
  // Each case gives back the kind of entry it was given.
  return mapEntry(entry, change) as Entry;
}

function mapEntry(entry: SessionEntry, change: (content: Content) => Content): SessionEntry {
  switch (entry.type) {
    case "run": {
      const input = mapSame(entry.input, change);
      return input === entry.input ? entry : { ...entry, input };
    }
    case "end": {
      const added = mapSame(entry.added, (ref): ContentRef => ("role" in ref ? change(ref) : ref));
      return added === entry.added ? entry : { ...entry, added };
    }
    case "step": {
      const { outcome } = entry;
      const left: unknown = outcome.ok ? outcome.value : undefined;
      if (!isModelStep(left)) return entry;
      const { response } = left;
      const content = change(response.content);
      if (content === response.content) return entry;
      const value: ModelStepValue = { ...left, response: { ...response, content } };
      // JSON as it was, in other types.
      return { ...entry, outcome: { ok: true, value: value as unknown as Json } };
    }
    default:
      return entry;
  }
}

/** True for what a model step left. */
export function isModelStep(value: unknown): value is ModelStepValue {
  return isObject(value) && isObject(value["response"]) && isObject(value["response"]["content"]);
}

function mapSame<Member>(list: readonly Member[], change: (member: Member) => Member): readonly Member[] {
  const changed = list.map(change);
  return changed.every((member, i) => member === list[i]) ? list : changed;
}
