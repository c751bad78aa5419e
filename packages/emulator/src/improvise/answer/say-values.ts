import { type Fields, isFields } from "../../internal/json.ts";
import { firstCharacters, rawWords } from "../read/words.ts";

const MAX_ITEMS = 6;
const MAX_LISTED = 1_000;
const MAX_PAIRS = 8;
const MAX_ROWS = 5;
const MAX_COLUMNS = 6;
const MAX_TEXT = 200;

/** Names that say nothing about their value. */
const PLAIN =
  /^(?:result|value|output|answer|text|message|status|summary|description|condition|conditions|sky|weather|name|title|state|content|data|time|forecast|duration|label|info|details|response|reply|price|amount)$/i;
const UNITS: ReadonlyMap<string, string> = new Map([
  ["celsius", " °C"],
  ["c", " °C"],
  ["fahrenheit", " °F"],
  ["f", " °F"],
  ["percent", "%"],
  ["percentage", "%"],
  ["kmh", " km/h"],
  ["km", " km"],
  ["mm", " mm"],
]);
const MEASURES =
  /^(?:grams|kilos|liters|litres|cups|spoons|meters|metres|miles|seconds|minutes|hours|days|bytes|pieces)$/;
/** What a person does not ask for. */
const BESIDE = /^(?:kind|type|object|encoding|mime_?type|duration_ms|updated|created)$/i;
/** What an object is called by. */
const NAMES = ["name", "title", "path", "text", "label", "summary", "table", "url", "uri", "time", "id"];

/** A value in a few words: a text as it is, the fields of an object as a list. */
export function sayValue(value: unknown, label = ""): string {
  if (Array.isArray(value)) return listed(value);
  if (isFields(value)) return pairs(value).join(", ");
  return scalar(value, label);
}

/** The fields of an object, such as `-3 °C`, `332 lines` and `no rain`; nested objects one level deep. */
export function pairs(fields: Fields, said: ReadonlySet<string> = new Set(), depth = 0): string[] {
  const moment = momentIn(fields);
  if (moment !== undefined) return [moment];
  const found = Object.entries(fields).flatMap(([key, value]): string[] => {
    if (value === null || value === undefined || value === "" || BESIDE.test(key)) return [];
    // An amount is said with its currency.
    if (key === "currency" && amountIn(fields) !== undefined) return [];
    if (key === amountIn(fields)) return [`${scalar(value, key)} ${fields["currency"] as string}`];
    if (Array.isArray(value)) return value.length === 0 ? [] : [`${words(key)} ${listed(value)}`];
    if (isFields(value)) return depth > 1 ? [`${words(key)} ${nameOf(value)}`] : pairs(value, said, depth + 1);
    return said.has(`${value as string | number | boolean}`.toLowerCase()) ? [] : [scalar(value, key)];
  });
  return found.length > MAX_PAIRS ? [...found.slice(0, MAX_PAIRS), "and more"] : found;
}

/** A moment with its weekday and zone, such as `Monday, 2026-11-23 01:59 (Asia/Tokyo)`; undefined for any other object. */
export function momentIn({ time, zone, weekday }: Fields): string | undefined {
  const found = typeof time === "string" ? /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(time) : null;
  if (found === null || typeof zone !== "string") return undefined;
  return `${typeof weekday === "string" ? `${weekday}, ` : ""}${found[1]} ${found[2]} (${zone})`;
}

/** The first items of a list, and how many more there are. */
export function listed(items: readonly unknown[], total: number = items.length): string {
  // Hidden files come last.
  const all = items.slice(0, MAX_LISTED).map(nameOf);
  const names = [...all.filter((name) => !name.startsWith(".")), ...all.filter((name) => name.startsWith("."))].slice(
    0,
    MAX_ITEMS,
  );
  const more = Math.max(total, items.length) - names.length;
  if (more > 0) return `${names.join(", ")} and ${grouped(more)} more`;
  return names.length < 2 ? (names[0] ?? "nothing") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Rows as a Markdown table; undefined if they are no table. */
export function tableOf(columns: readonly string[], rows: readonly unknown[]): string | undefined {
  const cells = rows.map((row) =>
    Array.isArray(row) ? row : isFields(row) ? columns.map((column) => row[column]) : undefined,
  );
  const first = cells.slice(0, MAX_ROWS);
  if (columns.length === 0 || first.length === 0 || first.includes(undefined)) return undefined;
  const shown = columns.slice(0, MAX_COLUMNS);
  const line = (values: readonly unknown[]): string =>
    `| ${values.map((value) => short(value === null ? "" : value, 40).replaceAll("|", "\\|")).join(" | ")} |`;
  const lines = [line(shown), `| ${shown.map(() => "---").join(" | ")} |`];
  for (const row of first) lines.push(line((row ?? []).slice(0, MAX_COLUMNS)));
  return lines.join("\n");
}

/** A value on one line, cut if it is long. */
export function short(value: unknown, max: number = MAX_TEXT): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  const line = firstCharacters(text, max * 4)
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length > max ? `${firstCharacters(line, max).trimEnd()}…` : line;
}

/** A whole number with separators, any other number with at most six digits after the point. */
export function grouped(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) >= 10_000) return value.toLocaleString("en-US");
  return String(Math.round(value * 1e6) / 1e6);
}

/** The words of an identifier. */
export function words(key: string): string {
  return rawWords(key.slice(0, 100)).join(" ");
}

/** The field that a currency beside it belongs to. */
function amountIn(fields: Fields): string | undefined {
  if (typeof fields["currency"] !== "string") return undefined;
  return ["amount", "price", "total", "result", "value"].find((key) => typeof fields[key] === "number");
}

function scalar(value: unknown, key: string): string {
  const label = words(key);
  const last = label.split(" ").at(-1) ?? "";
  if (typeof value === "boolean") return label === "" ? (value ? "yes" : "no") : `${value ? "" : "no "}${label}`;
  if (typeof value === "number") {
    const unit = UNITS.get(last);
    const rest = label.split(" ").slice(0, -1).join(" ");
    if (unit !== undefined) return `${rest === "" ? "" : `${rest} `}${grouped(value)}${unit}`;
    if (rest !== "" && MEASURES.test(last)) return `${rest} ${grouped(value)} ${last}`;
    if (/[^s]s$/.test(last) && Number.isInteger(value))
      return `${grouped(value)} ${value === 1 ? label.slice(0, -1) : label}`;
    return label === "" || PLAIN.test(label) ? grouped(value) : `${label} ${grouped(value)}`;
  }
  return label === "" || PLAIN.test(label) ? short(value) : `${label} ${short(value)}`;
}

/** Whether an object has a name to list it by. */
export function isNamed(item: Fields): boolean {
  return NAMES.slice(0, -2).some((name) => typeof item[name] === "string");
}

function nameOf(item: unknown): string {
  const moment = isFields(item) ? momentIn(item) : undefined;
  if (moment !== undefined) return moment;
  if (!isFields(item))
    return Array.isArray(item)
      ? item
          .slice(0, 3)
          .map((one) => short(one, 40))
          .join(" ")
      : short(item, 80);
  const key = NAMES.find((name) => typeof item[name] === "string" || typeof item[name] === "number");
  return short(key === undefined ? pairs(item).slice(0, 3).join(" ") : item[key], 80);
}
