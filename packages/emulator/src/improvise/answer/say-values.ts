import { type Fields, isFields } from "../../internal/json.ts";
import { firstCharacters, rawWords } from "../../internal/words.ts";

const MAX_ITEMS = 6;
const MAX_PAIRS = 8;
const MAX_TEXT = 200;

/** Names that say nothing about their value. */
const PLAIN =
  /^(?:result|value|output|answer|text|message|status|summary|description|conditions?|sky|weather|name|title|state|content|data|time|forecast|label|reply|price|amount)$/i;
const UNITS: ReadonlyMap<string, string> = new Map(
  Object.entries({ celsius: " °C", fahrenheit: " °F", percent: "%", kmh: " km/h", km: " km", mm: " mm" }),
);
const AMOUNTS = /^(?:amount|price|total|result|value)$/;
/** Fields that nobody asks about. */
const BESIDE = /^(?:kind|type|object|encoding|mime_?type|duration_ms|updated|created)$/i;
/** Fields that name an object. */
const NAMES = ["name", "title", "path", "text", "label", "table", "url", "uri", "id"];

/** A value in a few words: a text as it is, the fields of an object as a list. */
export function sayValue(value: unknown, label = ""): string {
  if (Array.isArray(value)) return listed(value);
  if (isFields(value)) return pairs(value).join(", ");
  const name = words(label);
  if (typeof value === "boolean") return name === "" ? (value ? "yes" : "no") : `${value ? "" : "no "}${name}`;
  if (typeof value === "number") {
    const unit = UNITS.get(name.split(" ").at(-1) ?? "");
    if (unit !== undefined) return `${name.split(" ").slice(0, -1).join(" ")} ${grouped(value)}${unit}`.trimStart();
    if (isUnit(name)) return `${grouped(value)} ${value === 1 ? name.slice(0, -1) : name}`;
  }
  const text = typeof value === "number" ? grouped(value) : short(value);
  return name === "" || PLAIN.test(name) ? text : `${name} ${text}`;
}

/** Whether a name is the unit of a number: `euros`, `lines`, `celsius`. */
export function isUnit(name: string): boolean {
  return UNITS.has(name) || /[^s]s$/.test(name);
}

/** The fields of an object, such as `-3 °C`, `332 lines` and `no rain`; nested objects two levels deep. */
export function pairs(fields: Fields, known: ReadonlySet<string> = new Set(), depth = 0): string[] {
  const moment = momentIn(fields);
  if (moment !== undefined) return [moment];
  const { currency } = fields;
  const found = Object.entries(fields).flatMap(([key, value]): string[] => {
    // An amount includes its currency.
    if (typeof currency === "string" && AMOUNTS.test(key)) return [`${sayValue(value)} ${currency}`];
    if (key === "currency") return [];
    if (value === null || value === undefined || value === "" || BESIDE.test(key)) return [];
    if (Array.isArray(value)) return value.length === 0 ? [] : [`${words(key)} ${listed(value)}`];
    if (isFields(value)) return depth > 1 ? [`${words(key)} ${nameOf(value)}`] : pairs(value, known, depth + 1);
    // Lists and objects have been handled above.
    return known.has(`${value as string | number | boolean}`.toLowerCase()) ? [] : [sayValue(value, key)];
  });
  return found.length > MAX_PAIRS ? [...found.slice(0, MAX_PAIRS), "and more"] : found;
}

/** A moment with its weekday and zone, such as `Monday, 2026-11-23 01:59 (Asia/Tokyo)`; undefined for anything else. */
export function momentIn(value: unknown): string | undefined {
  const { time, zone, weekday } = isFields(value) ? value : {};
  const found = typeof time === "string" ? /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(time) : null;
  if (found === null || typeof zone !== "string") return undefined;
  return `${typeof weekday === "string" ? `${weekday}, ` : ""}${found[1]} ${found[2]} (${zone})`;
}

/** The first items of a list, and how many more there are. */
export function listed(items: readonly unknown[], total: number = items.length): string {
  if (items.length === 0) return "nothing";
  const names = items.slice(0, MAX_ITEMS).map(nameOf);
  const more = Math.max(total, items.length) - names.length;
  return more > 0 ? `${names.join(", ")} and ${grouped(more)} more` : enumerated(names);
}

/** `a, b and c`. */
export function enumerated(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** A value on one line, cut if it is long. */
export function short(value: unknown, max: number = MAX_TEXT): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  const line = firstCharacters(text, max * 4)
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length > max ? `${firstCharacters(line, max).trimEnd()}…` : line;
}

/** A large number with separators, any other number with at most six digits after the point. */
export function grouped(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) >= 10_000) return value.toLocaleString("en-US");
  return String(Number.isFinite(value) ? Math.round(value * 1e6) / 1e6 : value);
}

/** The words of an identifier. */
export function words(key: string): string {
  return rawWords(key.slice(0, 100)).join(" ");
}

function nameOf(item: unknown): string {
  if (Array.isArray(item))
    return item
      .slice(0, 3)
      .map((one) => short(one, 40))
      .join(" ");
  if (!isFields(item)) return short(item, 80);
  const moment = momentIn(item);
  if (moment !== undefined) return moment;
  const key = NAMES.find((name) => typeof item[name] === "string" || typeof item[name] === "number");
  return short(key === undefined ? pairs(item).slice(0, 3).join(" ") : item[key], 80);
}
