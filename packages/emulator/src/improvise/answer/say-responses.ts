import type { FunctionResponse, JsonObject } from "@pollux/core/wire";
import { type Fields, isFields } from "../../internal/json.ts";
import { firstCharacters, rawWords } from "../../internal/words.ts";
import { EFFECTS } from "../choose/declared.ts";
import { grouped, isUnit, listed, momentIn, pairs, sayValue, short } from "./say-values.ts";
import { REMARK } from "./talk.ts";

/** A call and its response. */
export interface AnsweredCall {
  readonly name: string;
  readonly args: JsonObject;
  readonly response: FunctionResponse["response"];
}

const MAX_RESULTS = 8;
const MAX_QUOTED_LINES = 8;
const MAX_QUOTED = 600;

/** Verbs of functions that look something up. */
const LOOKS =
  /^(?:get|fetch|list|read|search|find|look|show|query|run|execute|roll|check|count|describe|calculate|compute|convert|current|ask|retrieve|translate|use|draw)$/;
const SUMS = /^(?:add|sum|subtract|multiply|divide)$/;
/** Arguments that the answer itself makes clear. */
const QUOTES = /^(?:glob|text|task|content|message|prompt|sql|command|code|input|value)$/;
const PLACES = /^(?:city|place|location|town|country|region|address|path|file|filename)$/;
/** Arguments that name the target of an action. */
const TARGETS = ["to", "email", "recipient", "path", "room", "restaurant", "title", "text"];

/** Puts calls and their responses into sentences. */
export function sayResponses(calls: readonly AnsweredCall[]): string {
  const sentences = calls.slice(0, MAX_RESULTS).map(sayOne);
  if (calls.length > MAX_RESULTS) sentences.push(`There are ${calls.length - MAX_RESULTS} more results.`);
  return sentences.reduce((text, next) => `${text}${/\n/.test(text + next) ? "\n\n" : " "}${next}`);
}

function sayOne({ name, args, response }: AnsweredCall): string {
  if (!isFields(response)) return sayScalar(name, args, response);
  if (response["error"] !== null && response["error"] !== undefined) {
    const { message = response["error"] } = isFields(response["error"]) ? response["error"] : {};
    return sentence(`${failureOf(name, args)}: ${short(message, 300)}`);
  }
  const output = parsed(outputIn(name, response));
  return isDone(name) ? sayDone(name, args) : sayOutput(name, args, output);
}

/** Google's SDK uses `output`, LangChain uses `result`; the AI SDK and Genkit put a function's name beside its result. */
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
  if (Array.isArray(output)) return sayList(name, args, output);
  if (!isFields(output)) return sayScalar(name, args, output);
  const { rows } = output;
  if (Array.isArray(rows)) return sayList("rows", args, rows);
  const entries = Object.entries(output);
  const [[key, value] = ["", undefined], ...more] = entries;
  // An order of 120 euros, but a rate of 1.08.
  const isMeasure =
    typeof value === "number" && isUnit(key) && !["", key].includes(nounOf(name).split(" ").at(-1) ?? "");
  if (more.length === 0 && !Array.isArray(value) && !isFields(value) && !isMeasure)
    return sayScalar(/^(?:result|value|output|answer|)$/.test(key) ? name : key, args, value);
  const text =
    ["text", "content", "body", "markdown"].map((one) => output[one]).find(isLong) ??
    output["stdout"] ??
    output["output"];
  if (typeof text === "string" && text !== "") return quoteText(subjectOf(args, output), text);
  const [listKey = "", list] = entries.find(([, one]) => Array.isArray(one)) ?? [];
  if (Array.isArray(list) && !entries.some(([, one]) => isFields(one))) {
    const total = [output["total"], output["count"]].find((one) => typeof one === "number");
    return sayList(/^(?:output|result|data)$/.test(listKey) ? name : listKey, args, list, total);
  }
  return sayFields(name, args, output);
}

function isLong(value: unknown): value is string {
  return typeof value === "string" && value.trim().includes("\n");
}

function sayFields(name: string, args: JsonObject, fields: Fields): string {
  const { expression, path } = args;
  const { result, text } = fields;
  if (typeof expression === "string" && result !== undefined) {
    const few = sayValue(result).replace(/-?\d+\.\d{7,}/, (digits) => String(Number(Number(digits).toPrecision(8))));
    return sentence(`${expression} ${fields["rounded"] === true ? "is about" : "="} ${few}`);
  }
  if (typeof text === "string" && typeof path === "string") return quoteText(path, text);
  const known = new Set(Object.values(args).flatMap((value) => (typeof value === "string" ? value.toLowerCase() : [])));
  // Six eggs are news even if the call had six servings.
  const news = Object.entries(fields).filter(([key, value]) => typeof value !== "number" || value !== args[key]);
  const moment = momentIn(fields);
  if (moment !== undefined) return `It is ${moment}.`;
  const values = pairs(Object.fromEntries(news), known);
  if (values.length === 0) return nothing(name, args);
  const subject = typeof path === "string" ? path : capital(`${nounOf(name) || "result"}${aboutArgs(args)}`);
  return sentence(`${subject}: ${values.join(", ")}`);
}

function sayScalar(name: string, args: JsonObject, given: unknown): string {
  // Another agent's answer is quoted without its remark.
  const value = typeof given === "string" ? given.replaceAll(REMARK, "").trim() : given;
  if (value === null || value === undefined || value === "") return nothing(name, args);
  if (typeof args["expression"] === "string") return sentence(`${args["expression"]} = ${sayValue(value)}`);
  if (isLong(value)) return quoteText(subjectOf(args, {}), value);
  if (name.startsWith("ask")) return sentence(`You answered: ${sayValue(value)}`);
  if (typeof args["path"] === "string") return sentence(`${args["path"]} says: ${sayValue(value)}`);
  if (typeof value === "string" && /\s/.test(value)) return sentence(capital(short(value, 1_000)));
  const noun = SUMS.test(name) ? "result" : nounOf(name) || "result";
  const about = SUMS.test(name) ? "" : aboutArgs(args);
  if (typeof value === "boolean" || isUnit(noun)) return sentence(`${capital(noun)}${about}: ${sayValue(value)}`);
  return sentence(`The ${noun}${about} is ${sayValue(value)}`);
}

function sayList(name: string, args: JsonObject, items: readonly unknown[], total?: unknown): string {
  const noun = nounOf(name) || "results";
  const moments = items.flatMap((item) => momentIn(item) ?? []);
  if (items.length > 0 && moments.length === items.length) return `It is ${listed(moments)}.`;
  if (items.length === 0) return `I found no ${noun}${aboutArgs(args)}.`;
  const count = typeof total === "number" ? total : items.length;
  const one = noun.replace(/ies$/, "y").replace(/(?<=[^s])s$/, "");
  return sentence(`I found ${grouped(count)} ${count === 1 ? one : noun}${aboutArgs(args)}: ${listed(items, count)}`);
}

function isDone(name: string): boolean {
  const [verb = "", ...rest] = rawWords(name);
  // `add` alone is arithmetic.
  return EFFECTS.has(verb) && rest.length > 0;
}

function sayDone(name: string, args: JsonObject): string {
  const [verb = "", ...rest] = rawWords(name);
  const past = verb === "write" && rest.at(-1) !== "file" ? "saved" : EFFECTS.get(verb);
  const { path, city } = args;
  if (typeof path === "string" && rest.at(-1) === "file") return sentence(`Done: I ${past} ${path}`);
  const object = rest[0] === "to" ? `it to the ${rest.slice(1).join(" ")}` : `the ${rest.join(" ")}`;
  const target = TARGETS.map((key) => args[key]).find((value) => typeof value === "string" && value !== "");
  const about = typeof target === "string" ? `${verb === "send" ? " to " : ": "}${short(target, 80)}` : "";
  return sentence(`Done: I ${past} ${object}${typeof city === "string" ? ` in ${city}` : about}`);
}

function quoteText(subject: string, text: string): string {
  const lines = firstCharacters(text, MAX_QUOTED).trimEnd().split("\n");
  const shown = lines.slice(0, MAX_QUOTED_LINES);
  const isCut = lines.length > shown.length || text.length > MAX_QUOTED;
  if (shown.length === 1 && !isCut) return sentence(`${subject} says: ${shown[0]}`);
  const quoted = shown.map((line) => `> ${line}`.trimEnd()).join("\n");
  return `${subject} ${isCut ? "begins" : "says"}:\n\n${quoted}${isCut ? "\n> …" : ""}`;
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

/** `in Oslo`, `in README.md`, `for 17`: tells several results of a function apart. */
function aboutArgs(args: JsonObject): string {
  const given = Object.entries(args).flatMap(([key, value]) =>
    typeof value === "string" && /^[^\n]{1,80}$/.test(value) ? [{ key, value }] : [],
  );
  const place = given.find(({ key }) => PLACES.test(key));
  if (place !== undefined) return ` in ${place.value}`;
  // A single argument is clear without its name.
  const [only] = given;
  return only === undefined || Object.keys(args).length > 1 || QUOTES.test(only.key) ? "" : ` for ${only.value}`;
}

/** The subject of a function: the weather for `get_weather`. */
function nounOf(name: string): string {
  const all = rawWords(name.slice(0, 100));
  return all.filter((word) => !LOOKS.test(word) && word !== "up").join(" ");
}

function failureOf(name: string, args: JsonObject): string {
  const [first = "", ...others] = rawWords(name.slice(0, 100));
  // As in `look_up_order`.
  const [verb, rest] = others[0] === "up" ? [`${first} up`, others.slice(1)] : [first, others];
  if (rest.length === 0 || !(EFFECTS.has(first) || LOOKS.test(first))) return `${name} failed${aboutArgs(args)}`;
  if (typeof args["path"] === "string" && rest.at(-1) === "file") return `I could not ${verb} ${args["path"]}`;
  return `I could not ${verb} the ${rest.join(" ")}${aboutArgs(args)}`;
}

function capital(text: string): string {
  if (!/^\p{Ll}+(?:\s|$)/u.test(text)) return text;
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
