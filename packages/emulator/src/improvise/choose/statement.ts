import type { FunctionResponse } from "@pollux/core/wire";
import { type Fields, isFields } from "../../internal/json.ts";
import type { Clause } from "../read/clauses.ts";
import { wordsOf } from "../read/words.ts";

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

const MOMENTS = /(?:^|_)(?:created|updated|date|time|placed|ordered|at|on)(?:_|$)/i;
const AMOUNTS = /(?:^|_)(?:total|amount|price|sum|cost|value|revenue)(?:_|$)/i;
const PLACES = /(?:^|_)(?:city|town|country|place|location|region)$/i;

/** A statement that answers a question about the tables that responses describe; undefined if they describe none. */
export function statementFor(responses: readonly FunctionResponse[], clause: Clause): string | undefined {
  const tables = responses.flatMap(({ response }) => tablesIn(response));
  const meant = tables.find(({ name }) => [...wordsOf(name)].some((word) => clause.said.has(word))) ?? tables[0];
  if (meant === undefined) return undefined;
  const { text, material } = clause;
  const from = `FROM ${quoted(meant.name)}${conditionFor(meant, text, material.names)}`;
  if (/\bhow many\b|\bcount\b|\bnumber of\b/i.test(text)) return `SELECT COUNT(*) AS count ${from}`;
  const amount = meant.columns.find((column) => AMOUNTS.test(column));
  if (amount !== undefined && /\baverage\b/i.test(text)) return `SELECT AVG(${quoted(amount)}) AS average ${from}`;
  if (amount !== undefined && /\b(?:total|sum|revenue|how much)\b/i.test(text))
    return `SELECT SUM(${quoted(amount)}) AS total ${from}`;
  const order = orderFor(meant, amount, text);
  return `SELECT * ${from}${order ?? " LIMIT 10"}`;
}

/** `customers in Oslo` are those whose city is Oslo. */
function conditionFor({ columns }: Table, text: string, names: readonly string[]): string {
  const place = columns.find((column) => PLACES.test(column));
  const name = names.find((one) => new RegExp(String.raw`\b(?:in|from) ${literal(one)}(?!\p{L})`, "u").test(text));
  return place === undefined || name === undefined ? "" : ` WHERE ${quoted(place)} = '${name.replaceAll("'", "''")}'`;
}

/** The newest, the biggest: one row, or as many as the request says. */
function orderFor({ columns }: Table, amount: string | undefined, text: string): string | undefined {
  const moment = columns.find((column) => MOMENTS.test(column)) ?? columns.find((column) => /^id$/i.test(column));
  const [, count = "1"] =
    /\b(?:newest|latest|last|most recent|oldest|biggest|largest|smallest)\s+(\d{1,3})\b/i.exec(text) ?? [];
  const by = (column: string | undefined, direction: string): string | undefined =>
    column === undefined ? undefined : ` ORDER BY ${quoted(column)} ${direction} LIMIT ${count}`;
  if (/\b(?:newest|latest|last|most recent)\b/i.test(text)) return by(moment, "DESC");
  if (/\boldest\b/i.test(text)) return by(moment, "ASC");
  if (/\b(?:biggest|largest|most expensive)\b/i.test(text)) return by(amount, "DESC");
  if (/\b(?:smallest|cheapest)\b/i.test(text)) return by(amount, "ASC");
  return undefined;
}

function tablesIn(value: unknown): Table[] {
  if (!isFields(value)) return [];
  const tables = value["tables"];
  if (!Array.isArray(tables)) return Object.values(value).flatMap(tablesIn).slice(0, 100);
  return tables.flatMap((table: unknown) => {
    const name = nameOf(table, "table");
    const columns: readonly unknown[] = isFields(table) && Array.isArray(table["columns"]) ? table["columns"] : [];
    return name === undefined ? [] : [{ name, columns: columns.flatMap((column) => nameOf(column, "column") ?? []) }];
  });
}

function nameOf(value: unknown, key: keyof Fields): string | undefined {
  const name = isFields(value) ? (value[key] ?? value["name"]) : value;
  return typeof name === "string" ? name : undefined;
}

function quoted(name: string): string {
  return /^\w+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
