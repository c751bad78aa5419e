import { isFields } from "../internal/json.ts";
import { sameText } from "./same-text.ts";

/** A place where two JSON values differ. */
export interface Difference {
  /** Such as `contents[0].parts[0].text`; empty for the whole value. */
  readonly path: string;
  /** Undefined if there was no value. */
  readonly recorded: unknown;
  /** Undefined if there is no value now. */
  readonly received: unknown;
}

const MAX_FOUND = 100;
const MAX_SHOWN = 80;
/** Characters shown before the position where two long texts diverge. */
const LEAD = 20;

/**
 * The places where two JSON values differ, in order, at most 100. Numbers compare by value, keys in any order; values redacted
 * from a recording match anything.
 */
export function differencesOf(recorded: unknown, received: unknown): readonly Difference[] {
  const found: Difference[] = [];
  compare(recorded, received, "", found);
  return found;
}

function compare(recorded: unknown, received: unknown, path: string, found: Difference[]): void {
  if (found.length >= MAX_FOUND) return;
  if (Array.isArray(recorded) && Array.isArray(received)) {
    for (let index = 0; index < Math.max(recorded.length, received.length); index += 1)
      compare(recorded[index], received[index], `${path}[${index}]`, found);
  } else if (isFields(recorded) && isFields(received)) {
    const names = new Map(Object.keys(received).map((name) => [nameIn(recorded, name), name]));
    for (const name of new Set([...Object.keys(recorded), ...names.keys()]))
      compare(recorded[name], received[names.get(name) ?? name], path === "" ? name : `${path}.${name}`, found);
  } else if (!isSame(recorded, received)) found.push({ path, recorded, received });
}

/** The recorded field that corresponds to a received one: the same name, or a name that was partly redacted. */
function nameIn(recorded: Readonly<Record<string, unknown>>, name: string): string {
  if (Object.hasOwn(recorded, name)) return name;
  return Object.keys(recorded).find((other) => sameText(other, name)) ?? name;
}

function isSame(recorded: unknown, received: unknown): boolean {
  if (Object.is(recorded, received)) return true;
  if (typeof recorded !== "string") return false;
  return (typeof received === "string" || typeof received === "number") && sameText(recorded, String(received));
}

/** Names the place, the recorded value and the received one; shows long texts only around the point where they diverge. */
export function describeDifference({ path, recorded, received }: Difference): string {
  const where = path === "" ? "the body" : path;
  if (typeof recorded === "string" && typeof received === "string") {
    const from = Math.max(0, divergenceOf(recorded, received) - LEAD);
    return `${where} was ${shownText(recorded, from)} and is now ${shownText(received, from)}`;
  }
  return `${where} was ${shown(recorded)} and is now ${shown(received)}`;
}

function divergenceOf(a: string, b: string): number {
  if (Math.max(a.length, b.length) <= MAX_SHOWN) return 0;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

function shownText(text: string, from: number): string {
  const end = from + MAX_SHOWN;
  return `${from > 0 ? "…" : ""}${JSON.stringify(text.slice(from, end))}${text.length > end ? "…" : ""}`;
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? "absent";
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json;
}
