import type { AppendOptions, Lease, SessionInfo } from "@pollux/core";
import { SessionConflictError, SessionLeaseLostError } from "@pollux/core/errors";
import type { Row } from "./database.ts";
import { bytesArray, type Statement } from "./list-sessions.ts";
import { hashesOf, hashOf, keyOf, readableId } from "./session-keys.ts";
import type { Tables } from "./tables.ts";

/** An append in the form in which it is stored. */
export interface Append extends AppendOptions {
  readonly id: string;
  readonly expectedLength: number;
  /** Entries as JSON. */
  readonly texts: readonly string[];
}

/** Whatever the server's default is: an append that was acknowledged survives a crash of the machine. */
const SYNCED = `case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', true) end`;

/** The opposite, for changes that need not survive a crash: no wait for the disk. */
const NOT_SYNCED = `set_config('synchronous_commit', 'off', true)`;

/** Values of a statement, each with its cast. */
class Parameters {
  readonly values: unknown[] = [];

  text(value: string | undefined): string {
    return this.#add(value ?? null, "text");
  }

  texts(value: readonly string[]): string {
    return this.#add(value, "text[]");
  }

  number(value: number): string {
    return this.#add(value, "bigint");
  }

  boolean(value: boolean): string {
    return this.#add(value, "boolean");
  }

  bytes(hex: string | undefined): string {
    return `decode(${this.text(hex)}, 'hex')`;
  }

  #add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

/** Appends, and changes lease and info, in one statement; returns no row when the session is not as the append expects it. */
export function appendStatement(tables: Tables, append: Append): Statement {
  const { id, expectedLength, texts, token, lease, info } = append;
  const p = new Parameters();
  const set: Record<string, string> = { ...(lease !== undefined && leaseColumns(p, lease.next)) };
  if (texts.length > 0) Object.assign(set, infoColumns(p, info));
  const conditions = [`s.length = ${p.number(expectedLength)}`];
  if (token !== undefined) conditions.push(`s.lease_held and s.lease_token = ${p.number(token)}`);
  if (lease !== undefined) conditions.push(isLease(p, lease.expected));
  const isNew = expectedLength === 0 && token === undefined && lease?.expected === undefined;
  const entries = p.texts(texts);
  return {
    sql: `with written as (
        ${changeSession(tables, p, { id, set, added: texts.length, conditions, isNew })}
        returning s.number, ${SYNCED}
      ), kept as (
        insert into ${tables.entries} (session, position, entry)
        select number, (${p.number(expectedLength)} + n - 1)::integer, entry
        from written, unnest(${entries}) with ordinality as e (entry, n)
      )${lease?.next.held === false ? dropDraft(tables) : ""}
      select number::text from written`,
    values: p.values,
  };
}

/**
 * Changes a lease; returns no row when it is not the expected one. A renewal doesn't wait for the disk, and sends its own
 * notification.
 */
export function leaseStatement(
  tables: Tables,
  id: string,
  expected: Lease | undefined,
  next: Lease,
  payload: string,
): Statement {
  const p = new Parameters();
  const set = leaseColumns(p, next);
  const conditions = [isLease(p, expected)];
  const change = changeSession(tables, p, { id, set, added: 0, conditions, isNew: expected === undefined });
  const returned = isRenewal(expected, next)
    ? `${NOT_SYNCED}, pg_notify(${p.text(tables.channel)}, ${p.text(payload)})`
    : SYNCED;
  return {
    sql: `with written as (
        ${change} returning s.number, ${returned}
      )${next.held ? "" : dropDraft(tables)}
      select number::text from written`,
    values: p.values,
  };
}

/** True for the change of a lease that happens all the time, and no longer matters a minute later. */
export function isRenewal(expected: Lease | undefined, next: Lease): boolean {
  return expected?.held === true && next.held && expected.token === next.token;
}

/** Replaces or removes the draft while the lease is held under a token, and notifies; returns no row otherwise. */
export function draftStatement(
  tables: Tables,
  id: string,
  token: number,
  draft: string | undefined,
  payload: string,
): Statement {
  const p = new Parameters();
  const held = `s.hash = ${p.bytes(hashOf(id))} and s.lease_held and s.lease_token = ${p.number(token)}`;
  const returning = `returning ${NOT_SYNCED}, pg_notify(${p.text(tables.channel)}, ${p.text(payload)})`;
  const sql =
    draft === undefined
      ? `delete from ${tables.drafts} d using ${tables.sessions} s where d.session = s.number and ${held} ${returning}`
      : `insert into ${tables.drafts} as d (session, term, draft)
          select s.number, s.releases, ${p.text(draft)} from ${tables.sessions} s where ${held}
          on conflict (session) do update set term = excluded.term, draft = excluded.draft where d.term <= excluded.term
          ${returning}`;
  return { sql: `with written as (${sql}) select 1::text from written`, values: p.values };
}

/** The row that {@link refusalOf} looks at. */
export function standingStatement(tables: Tables, id: string): Statement {
  return {
    sql: `select length::text, lease from ${tables.sessions} where hash = decode($1::text, 'hex')`,
    values: [hashOf(id)],
  };
}

/** Why a session as it stands refuses an append; `undefined` when it does not. */
export function refusalOf(
  { id, expectedLength, token, lease }: Pick<Append, "id" | "expectedLength" | "token" | "lease">,
  row: Row | undefined,
): Error | undefined {
  const { length, lease: found } = standingOf(row);
  if (token !== undefined && (found?.held !== true || found.token !== token))
    return new SessionLeaseLostError(id, token);
  if (lease !== undefined && !isSame(found, lease.expected))
    return new SessionLeaseLostError(id, lease.expected?.token);
  return length === expectedLength ? undefined : new SessionConflictError(id, expectedLength, length);
}

/** Length and lease of a row of {@link standingStatement}. */
export function standingOf(row: Row | undefined): { readonly length: number; readonly lease: Lease | undefined } {
  const lease = row?.["lease"] ?? undefined;
  // Written by this store, from a lease.
  return {
    length: Number(row?.["length"] ?? 0),
    lease: lease === undefined ? undefined : (JSON.parse(lease) as Lease),
  };
}

interface SessionChange {
  readonly id: string;
  /** New values by column. */
  readonly set: Readonly<Record<string, string>>;
  readonly added: number;
  /** Conditions on `s`, the session as it is. */
  readonly conditions: readonly string[];
  /** The session need not exist. */
  readonly isNew: boolean;
}

/** Everything but `returning`. Waits for other writers of the session, and sees their result. */
function changeSession(tables: Tables, p: Parameters, change: SessionChange): string {
  const { id, set, added, conditions, isNew } = change;
  const grown =
    added === 0 ? set : { ...set, length: `s.length + ${added}`, updated_at: `greatest(s.updated_at, ${NOW})` };
  const hash = p.bytes(hashOf(id));
  const columns = Object.entries(grown).map(([column, value]) => `${column} = ${value}`);
  if (!isNew)
    return `update ${tables.sessions} as s set ${columns.join(", ")} where s.hash = ${hash} and ${conditions.join(" and ")}`;
  const first = added === 0 ? set : { ...set, length: `${added}`, updated_at: NOW };
  const inserted: Record<string, string> = { ...first, hash, key: p.bytes(keyOf(id)), id: p.text(readableId(id)) };
  // A new row has never been released.
  if ("releases" in inserted) inserted["releases"] = "1";
  return `insert into ${tables.sessions} as s (${Object.keys(inserted).join(", ")})
    values (${Object.values(inserted).join(", ")})
    on conflict (hash) do update set ${columns.join(", ")} where ${conditions.join(" and ")}`;
}

const NOW = "floor(extract(epoch from clock_timestamp()) * 1000)::bigint";

function leaseColumns(p: Parameters, lease: Lease): Record<string, string> {
  return {
    lease: p.text(JSON.stringify(lease)),
    lease_token: p.number(lease.token),
    lease_beat: p.number(lease.beat),
    lease_held: p.boolean(lease.held),
    // Drafts of an earlier term are not seen any more, even one that is being written right now.
    ...(!lease.held && { releases: "s.releases + 1" }),
  };
}

function infoColumns(p: Parameters, info: SessionInfo | undefined): Record<string, string> {
  if (info === undefined) return {};
  const { owner, metadata, state } = info;
  const pairs = hashesOf(metadata ?? {});
  return {
    info: p.text(JSON.stringify(info)),
    owner: p.bytes(owner === undefined ? undefined : hashOf(owner)),
    state: p.text(state),
    metadata: pairs.length === 0 ? "null" : bytesArray(p.texts(pairs)),
  };
}

function isLease(p: Parameters, expected: Lease | undefined): string {
  if (expected === undefined) return "s.lease is null";
  const { token, beat, held } = expected;
  return `s.lease_token = ${p.number(token)} and s.lease_beat = ${p.number(beat)} and s.lease_held = ${p.boolean(held)}`;
}

function isSame(a: Lease | undefined, b: Lease | undefined): boolean {
  return a?.token === b?.token && a?.beat === b?.beat && a?.held === b?.held;
}

function dropDraft(tables: Tables): string {
  return `, dropped as (delete from ${tables.drafts} d using written where d.session = written.number)`;
}
