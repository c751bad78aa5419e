import type { ListOptions, SessionFilter, SessionInfo, SessionSummary } from "@pollux/core";
import { SessionDamagedError } from "@pollux/core/errors";
import type { Row } from "./database.ts";
import { endOfPrefix, hashesOf, hashOf, idOf, keyOf } from "./session-keys.ts";
import type { Tables } from "./tables.ts";

/** A statement and its values. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** The beginning of a key, as its index holds it. */
const START = "substring(key from 1 for 512)";

/** Rows for {@link summaryOf}. */
export function listStatement(tables: Tables, options: ListOptions): Statement {
  const values: unknown[] = [];
  const conditions = filterConditions(options, values);
  const { after, limit = 100, order = "recent" } = options;
  if (after !== undefined) {
    const key = bytesParameter(values, keyOf(after.id));
    if (order === "id") conditions.push(`(${START}, key) > (substring(${key} from 1 for 512), ${key})`);
    else conditions.push(`(updated_at, key) < (${parameter(values, after.updatedAt)}::bigint, ${key})`);
  }
  const most = parameter(values, Math.max(0, Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER)));
  return {
    sql: `select encode(key, 'hex') as key, length::text, updated_at::text, info from ${tables.sessions} s
      where ${conditions.join(" and ")}
      order by ${order === "id" ? `${START}, s.key` : "s.updated_at desc, s.key desc"} limit ${most}::bigint`,
    values,
  };
}

/** The first sessions of a filter after a number, as `number`; no rows when there are no more. */
export function numbersStatement(tables: Tables, filter: SessionFilter, behind: string, limit: number): Statement {
  const values: unknown[] = [];
  const conditions = filterConditions(filter, values);
  conditions.push(`number > ${parameter(values, behind)}::bigint`);
  return {
    sql: `select number::text from ${tables.sessions} s where ${conditions.join(" and ")}
      order by s.number limit ${parameter(values, limit)}::bigint`,
    values,
  };
}

/** Deletes those sessions of a filter that have these numbers, and returns their `hash`. */
export function deleteStatement(tables: Tables, filter: SessionFilter, numbers: readonly string[]): Statement {
  const values: unknown[] = [];
  const conditions = filterConditions(filter, values);
  conditions.push(`number = any(${parameter(values, numbers)}::bigint[])`);
  return {
    sql: `delete from ${tables.sessions} where ${conditions.join(" and ")} returning encode(hash, 'hex') as hash`,
    values,
  };
}

/** @throws {SessionDamagedError} When its summary is not JSON. */
export function summaryOf({ key, length, updated_at: updatedAt, info }: Row): SessionSummary {
  const id = idOf(key ?? "");
  return { ...parseInfo(id, info ?? "{}"), id, length: Number(length), updatedAt: Number(updatedAt) };
}

function filterConditions(
  { prefix, owner, metadata, state, updatedBefore }: SessionFilter,
  values: unknown[],
): string[] {
  const conditions = ["length > 0"];
  if (prefix !== undefined && prefix !== "") {
    const key = keyOf(prefix);
    const from = bytesParameter(values, key);
    conditions.push(`key >= ${from}`, `${START} >= substring(${from} from 1 for 512)`);
    const end = endOfPrefix(key);
    if (end !== undefined) {
      const until = bytesParameter(values, end);
      conditions.push(`key < ${until}`, `${START} <= substring(${until} from 1 for 512)`);
    }
  }
  if (owner !== undefined) conditions.push(`owner = ${bytesParameter(values, hashOf(owner))}`);
  if (state !== undefined) conditions.push(`state = ${parameter(values, state)}::text`);
  if (updatedBefore !== undefined)
    // Numeric: a limit may have a fraction, or be infinite.
    conditions.push(`updated_at < ${parameter(values, String(updatedBefore))}::numeric`);
  const pairs = hashesOf(metadata ?? {});
  if (pairs.length > 0) conditions.push(`metadata @> ${bytesArray(parameter(values, pairs))}`);
  return conditions;
}

/** SQL for the `bytea[]` of a parameter with texts in hexadecimal. */
export function bytesArray(texts: string): string {
  return `(select array_agg(decode(one, 'hex')) from unnest(${texts}::text[]) as t (one))`;
}

function parameter(values: unknown[], value: unknown): string {
  values.push(value);
  return `$${values.length}`;
}

function bytesParameter(values: unknown[], hex: string): string {
  return `decode(${parameter(values, hex)}::text, 'hex')`;
}

function parseInfo(id: string, text: string): Partial<SessionInfo> {
  try {
    // Written by this store, from an info.
    return JSON.parse(text) as Partial<SessionInfo>;
  } catch (error) {
    throw new SessionDamagedError(id, "its summary is not JSON", { cause: error });
  }
}
