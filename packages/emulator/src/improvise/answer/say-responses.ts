import type { FunctionResponse, JsonObject } from "@pollux/core/wire";
import { type Fields, isFields } from "../../internal/json.ts";
import { firstCharacters, rawWords } from "../read/words.ts";
import { REMARK } from "./remark.ts";
import { grouped, isNamed, listed, momentIn, pairs, sayValue, short, tableOf, words } from "./say-values.ts";

/** A call and what came back. */
export interface AnsweredCall {
  readonly name: string;
  readonly args: JsonObject;
  readonly response: FunctionResponse["response"];
}

const MAX_SAID = 8;
const MAX_QUOTED_LINES = 8;
const MAX_QUOTED = 600;

/** Past tense of the verbs with which functions change something. */
const DONE: Readonly<Record<string, string>> = {
  add: "added",
  append: "appended",
  assign: "assigned",
  book: "booked",
  buy: "bought",
  cancel: "canceled",
  change: "changed",
  close: "closed",
  create: "created",
  delete: "deleted",
  edit: "edited",
  insert: "inserted",
  invite: "invited",
  make: "made",
  modify: "modified",
  move: "moved",
  notify: "notified",
  open: "opened",
  order: "ordered",
  pay: "paid",
  play: "played",
  post: "posted",
  publish: "published",
  put: "put",
  remove: "removed",
  rename: "renamed",
  reserve: "reserved",
  save: "saved",
  schedule: "scheduled",
  send: "sent",
  set: "set",
  start: "started",
  stop: "stopped",
  submit: "submitted",
  transfer: "transferred",
  turn: "turned",
  update: "updated",
  upload: "uploaded",
  write: "wrote",
};
const LOOKS =
  /^(?:get|fetch|list|read|search|find|lookup|look|show|query|run|execute|scale|roll|estimate|recommend|suggest|generate|pick|measure|track|compare|check|count|describe|calculate|compute|convert|current|ask|retrieve|translate|shift|web|call|is|has)$/;
/** Arguments whose answer shows what they were. */
const QUOTES = /^(?:glob|text|content|message|prompt|expression|sql|command|code|input|output|value|\w*_?id)$/;
const PLACES = /^(?:city|place|location|town|country|region|address)$/;

/** Puts calls and their responses into sentences. */
export function sayResponses(calls: readonly AnsweredCall[]): string {
  const said = calls.slice(0, MAX_SAID).map(sayOne);
  const more = calls.length - said.length;
  if (more > 0) said.push(`There are ${more} more results.`);
  return said.reduce(
    (text, next) => `${text}${text === "" ? "" : next.includes("\n") || text.includes("\n") ? "\n\n" : " "}${next}`,
    "",
  );
}

function sayOne({ name, args, response }: AnsweredCall): string {
  if (!isFields(response)) return sayScalar(name, args, response);
  if ("error" in response && response["error"] !== null && response["error"] !== undefined)
    return `${failureOf(name, args)}: ${sentence(messageOf(response["error"]))}`;
  const output = parsed(outputIn(name, response));
  return isDone(name) ? sayDone(name, args, output) : sayOutput(name, args, output);
}

/** Google's SDK says `output`, LangChain says `result`; the AI SDK and Genkit put a function's name beside its result. */
function outputIn(name: string, response: JsonObject): unknown {
  if ("output" in response) return response["output"];
  const keys = Object.keys(response);
  if (keys.length === 1 && keys[0] === "result") return response["result"];
  return keys.length === 2 && response["name"] === name && "content" in response ? response["content"] : response;
}

/** Libraries whose results are text send objects as JSON. */
function parsed(output: unknown): unknown {
  if (typeof output !== "string" || !output.startsWith("{")) return output;
  try {
    return JSON.parse(output);
  } catch {
    return output;
  }
}

function sayOutput(name: string, args: JsonObject, output: unknown): string {
  if (Array.isArray(output)) return sayList(name, args, output, output.length);
  if (!isFields(output)) return sayScalar(name, args, output);
  const entries = Object.entries(output);
  if (entries.length === 0) return nothing(name, args);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const [key, value] = only;
    if (Array.isArray(value)) return sayList(nounFor(key, name), args, value, value.length);
    if (!isFields(value)) return sayScalar(/^(?:result|value|output|answer)$/.test(key) ? name : key, args, value);
    return sayOutput(name, args, value);
  }
  const { columns, rows } = output;
  if (Array.isArray(rows)) return sayTable(Array.isArray(columns) ? columns.map(String) : [], rows);
  const text = longText(output);
  if (text !== undefined) return quoteText(subjectOf(args, output), text);
  const list = entries.find(([, value]) => Array.isArray(value));
  const total = ["total", "count", "found", "total_results"]
    .map((key) => output[key])
    .find((value) => typeof value === "number");
  if (list !== undefined && (total !== undefined || entries.every(([, value]) => !isFields(value))))
    // Which entry is a list was just asked.
    return sayList(
      nounFor(list[0], name),
      args,
      list[1] as readonly unknown[],
      typeof total === "number" ? total : undefined,
    );
  if (isFields(output["result"])) return sayFields(name, args, output["result"]);
  return sayFields(name, args, output);
}

function sayFields(name: string, args: JsonObject, fields: Fields): string {
  const moment = momentIn(fields);
  if (moment !== undefined) return `It is ${moment}.`;
  const { expression } = args;
  const { result, rounded, duration, calendar_days: days } = fields;
  if (typeof expression === "string" && (typeof result === "string" || typeof result === "number"))
    return sentence(`${expression} ${rounded === true ? "is about" : "="} ${fewDigits(result)}`);
  if (typeof duration === "string" && typeof days === "number")
    return `It is ${longest(duration)}: ${grouped(days)} days by the calendar.`;
  const known = new Set(Object.values(args).flatMap((value) => (typeof value === "string" ? value.toLowerCase() : [])));
  // Six eggs are news, though it was asked for six servings.
  const news = Object.entries(fields).filter(([key, value]) => typeof value !== "number" || value !== args[key]);
  const said = pairs(Object.fromEntries(news), known);
  const about = aboutArgs(args);
  if (said.length === 0) return nothing(name, args);
  const noun = nounOf(name);
  const subject = typeof args["path"] === "string" ? args["path"] : `${noun === "" ? "result" : noun}${about}`;
  return sentence(`${capital(subject, typeof args["path"] === "string")}: ${said.join(", ")}`);
}

/** A number, with its unit if it has one, to eight digits. */
function fewDigits(result: string | number): string {
  return String(result).replace(/-?\d+\.\d{7,}/, (digits) => String(Number(Number(digits).toPrecision(8))));
}

/** The three greatest units of a duration: nobody counts an age in seconds. */
function longest(duration: string): string {
  return duration.split(", ").slice(0, 3).join(", ");
}

function sayScalar(name: string, args: JsonObject, given: unknown): string {
  // Another agent's answer is quoted without its remark.
  const value = typeof given === "string" ? given.replaceAll(REMARK, "").trim() : given;
  if (value === null || value === undefined || value === "") return nothing(name, args);
  if (typeof args["expression"] === "string") return sentence(`${args["expression"]} = ${sayValue(value)}`);
  if (typeof value === "string") {
    const text = value.trim();
    if (text.includes("\n")) return quoteText(subjectOf(args, {}), text);
    if (/\s/.test(text) && (/^\p{Lu}/u.test(text) || /[.!?](?:\s|$)/.test(text))) return sentence(short(text, 1_000));
  }
  if (typeof value === "boolean")
    return `${capital(nounOf(name) || "The answer")}${aboutArgs(args)}: ${value ? "yes" : "no"}.`;
  if (name.startsWith("ask")) return sentence(`You answered: ${sayValue(value)}`);
  const noun = nounOf(name);
  return sentence(
    `The ${/^(?:add|sum|subtract|multiply|divide)$/.test(name) || noun === "" ? "result" : noun}${aboutArgs(args)} is ${sayValue(value)}`,
  );
}

function sayList(name: string, args: JsonObject, items: readonly unknown[], total: number | undefined): string {
  const moments = items.map((item) => (isFields(item) ? momentIn(item) : undefined));
  if (items.length > 0 && !moments.includes(undefined)) return `It is ${listed(moments)}.`;
  const noun = nounOf(name) || "results";
  if (items.length === 0) return `I found no ${noun}${aboutArgs(args)}.`;
  const count = total ?? items.length;
  if (items.every(isFields) && items.length < 4 && !items.every(isNamed) && count <= items.length)
    return sentence(items.map((item) => sayRecord(item)).join("; "));
  const plural =
    count === 1
      ? noun
          .replace(/(?<=[^s])s$/, "")
          .replace(/entrie$/, "entry")
          .replace(/matche$/, "match")
      : noun;
  return sentence(`I found ${grouped(count)} ${plural}${aboutArgs(args)}: ${listed(items, count)}`);
}

function sayRecord(item: Fields): string {
  const said = pairs(item);
  return capital(said.join(", "), true);
}

function sayTable(columns: readonly string[], rows: readonly unknown[]): string {
  const [first] = rows;
  const names = columns.length > 0 ? columns : isFields(first) ? Object.keys(first) : [];
  if (first === undefined) return "The query returned no rows.";
  const single = Array.isArray(first) ? first : isFields(first) ? Object.values(first) : [first];
  if (rows.length === 1 && single.length === 1)
    return sentence(`The ${words(names[0] ?? "") || "result"} is ${sayValue(single[0])}`);
  const table = tableOf(names, rows);
  if (table === undefined) return sentence(`I found ${grouped(rows.length)} rows: ${listed(rows)}`);
  return `The query returned ${grouped(rows.length)} row${rows.length === 1 ? "" : "s"}:\n\n${table}`;
}

function sayDone(name: string, args: JsonObject, output: unknown): string {
  const [verb = "", ...rest] = rawWords(name);
  const past = verb === "write" && rest.at(-1) !== "file" ? "saved" : (DONE[verb] ?? "did");
  const [first = ""] = rest;
  const object = /^(?:to|from|in|on)$/.test(first)
    ? `it ${first} the ${rest.slice(1).join(" ")}`
    : `the ${rest.join(" ")}`;
  const path = args["path"] ?? args["file"];
  if (typeof path === "string" && rest.at(-1) === "file") return sentence(`Done: I ${past} ${path}`);
  const target = ["to", "email", "recipient", "path", "city", "room", "restaurant", "name", "title", "text", "id"]
    .map((key) => args[key])
    .find((value) => typeof value === "string" && value !== "");
  const place = target === args["city"] ? " in " : ": ";
  const about = typeof target !== "string" ? "" : `${verb === "send" ? " to " : place}${short(target, 80)}`;
  const id = isFields(output) ? (output["id"] ?? output["number"] ?? output["reference"]) : undefined;
  const hasId = (typeof id === "string" || typeof id === "number") && target !== args["text"] && target !== id;
  const reference = hasId ? ` (${short(id, 40)})` : "";
  return sentence(`Done: I ${past} ${object}${reference}${about}`);
}

function isDone(name: string): boolean {
  const [verb = "", ...rest] = rawWords(name);
  // `add` alone is arithmetic, and `open_page` only looks.
  return Object.hasOwn(DONE, verb) && rest.length > 0 && verb !== "open";
}

function quoteText(subject: string, text: string): string {
  const lines = firstCharacters(text, MAX_QUOTED).trimEnd().split("\n");
  const shown = lines.slice(0, MAX_QUOTED_LINES);
  const isCut = lines.length > shown.length || text.length > MAX_QUOTED;
  if (shown.length === 1 && !isCut) return sentence(`${subject} says: ${shown[0]}`);
  return `${subject} ${isCut ? "begins" : "says"}:\n\n${shown.map((line) => `> ${line}`.trimEnd()).join("\n")}${isCut ? "\n> …" : ""}`;
}

function longText(output: Fields): string | undefined {
  for (const key of ["text", "content", "body", "stdout", "markdown", "output"]) {
    const value = output[key];
    if (
      typeof value === "string" &&
      value.trim() !== "" &&
      ("path" in output || "url" in output || "stdout" in output || "exit_code" in output || /\n/.test(value.trim()))
    )
      return value;
  }
  return undefined;
}

function subjectOf(args: JsonObject, output: Fields): string {
  const found = [args["path"], output["path"], args["url"], args["command"], output["title"]].find(
    (value) => typeof value === "string" && value !== "",
  );
  return typeof found === "string" ? short(found, 100) : "The answer";
}

function nothing(name: string, args: JsonObject): string {
  return sentence(`Nothing came back for the ${nounOf(name) || "call"}${aboutArgs(args)}`);
}

/** `in Oslo`, `of README.md`: which of several results a sentence is about. */
function aboutArgs(args: JsonObject): string {
  for (const [key, value] of Object.entries(args)) {
    if (typeof value !== "string" || value === "" || value.length > 80 || value.includes("\n")) continue;
    if (PLACES.test(key)) return ` in ${value}`;
    if (/^(?:path|file|filename)$/.test(key)) return ` in ${value}`;
    if (/^(?:query|pattern|q|topic|term|symbol|id|url|name|question)$/.test(key)) return ` for ${value}`;
  }
  // What a function's only argument is called says less than that it is the only one.
  const [[key, value] = [], ...more] = Object.entries(args);
  const isShort = typeof value === "string" && /^[^\n]{1,40}$/.test(value);
  if (key !== undefined && isShort && more.length === 0 && !QUOTES.test(key)) return ` for ${value}`;
  return "";
}

/** What a function is about: `get_weather` is about the weather. */
function nounOf(name: string): string {
  const all = rawWords(name.slice(0, 100));
  const rest = all.filter((word, index) => !(index < all.length - 1 && LOOKS.test(word)));
  const noun = rest.join(" ");
  return LOOKS.test(noun) ? "" : noun;
}

/** What a list is called by: its own key, unless that says nothing. */
function nounFor(key: string, name: string): string {
  return /^(?:output|result|data|value|rows)$/.test(key) ? name : key;
}

function failureOf(name: string, args: JsonObject): string {
  const [verb = "", ...rest] = rawWords(name.slice(0, 100));
  const isVerb = Object.hasOwn(DONE, verb) || (LOOKS.test(verb) && !/^(?:current|web|call|is|has)$/.test(verb));
  if (!isVerb || rest.length === 0) return `${name} failed${aboutArgs(args)}`;
  const path = args["path"];
  if (typeof path === "string" && rest.at(-1) === "file") return `I could not ${verb} ${path}`;
  return `I could not ${verb} the ${rest.join(" ")}${aboutArgs(args)}`;
}

function messageOf(error: unknown): string {
  if (isFields(error) && typeof error["message"] === "string") return short(error["message"], 300);
  return short(error, 300);
}

function capital(text: string, keep = false): string {
  return keep ? text : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
