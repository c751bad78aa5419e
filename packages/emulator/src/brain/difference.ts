import { isFields } from "../internal/json.ts";

const MAX_SHOWN = 80;

/** The first place where two JSON values differ, in words; undefined where they are equal. Numbers compare by value, keys in any order. */
export function firstDifference(recorded: unknown, received: unknown, path = ""): string | undefined {
  if (Array.isArray(recorded) && Array.isArray(received)) {
    for (let index = 0; index < Math.max(recorded.length, received.length); index += 1) {
      const found = firstDifference(recorded[index], received[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isFields(recorded) && isFields(received)) {
    for (const key of new Set([...Object.keys(recorded), ...Object.keys(received)])) {
      const found = firstDifference(recorded[key], received[key], path === "" ? key : `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return Object.is(recorded, received)
    ? undefined
    : `${path === "" ? "the body" : path} was ${shown(recorded)} and is now ${shown(received)}`;
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? "absent";
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json;
}
