import { HttpError } from "@pollux/core/serving";
import type { ListOptions, SessionStore, SessionSummary } from "@pollux/core";
import type { SessionPage, SessionRow, SessionState } from "../inspection/inspection.ts";
import { fieldsOf, listOf } from "../inspection/read-values.ts";
import { type EndingFilter, endingOf, isEnding, isOfEnding } from "../inspection/endings.ts";

/** Most sessions that one request reads before it answers with a shorter page. */
const MAX_LOOKED_AT = 20_000;
const BATCH = 500;
/** Most ids of kept exchanges that a list knows. */
const MAX_KEPT = 50_000;

/** Sources of a list. */
export interface Listed {
  readonly store: SessionStore;
  readonly exchanges: SessionStore | undefined;
  /** True for a session with an active run; only called if its last run has no end. */
  isRunning(id: string): Promise<boolean>;
}

/** @throws {HttpError} For a query that no page sends. */
export async function listSessions(listed: Listed, query: URLSearchParams): Promise<SessionPage> {
  const limit = readLimit(query.get("limit"));
  const state = readState(query.get("state"));
  const words = (query.get("search") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const owner = query.get("owner") ?? undefined;
  const filter: ListOptions = { owner, state: isState(state) ? STORED[state] : undefined };
  const kept = await keptIds(listed.exchanges);
  const rows: SessionRow[] = [];
  let after = readCursor(query.get("after"));
  for (let looked = 0; looked < MAX_LOOKED_AT;) {
    const size = words.length === 0 && state === undefined ? limit - rows.length : BATCH;
    const batch = await listed.store.list({ ...filter, limit: size, after });
    for (const summary of batch) {
      after = { id: summary.id, updatedAt: summary.updatedAt };
      looked++;
      if (!words.every((word) => textOf(summary).includes(word))) continue;
      const row = await rowOf(summary, kept, listed);
      if (state !== undefined && !isOfEnding(row, state)) continue;
      rows.push(row);
      if (rows.length === limit) return { sessions: rows, next: cursorOf(after) };
    }
    if (batch.length < size) return { sessions: rows };
  }
  return { sessions: rows, next: after && cursorOf(after) };
}

async function rowOf(summary: SessionSummary, kept: ReadonlySet<string>, listed: Listed): Promise<SessionRow> {
  const { id, title, updatedAt, owner, metadata, runMetadata, state = "idle", ending } = summary;
  const { turns, messages, totalTokens, cost = 0, unpriced, pricesAsOf, currency } = summary;
  const isRunning = state === "running" && (await listed.isRunning(id));
  const shown = state === "idle" ? "done" : state === "running" ? (isRunning ? "running" : "cut-off") : state;
  const agent = runMetadata?.["agent"];
  const known = { id, title, updatedAt, owner, metadata, turns, messages, totalTokens, unpriced, pricesAsOf, currency };
  return {
    ...known,
    state: shown,
    ending: endingOf(shown, ending),
    // A list reads no logs, so it only has costs that the runs recorded.
    cost: cost > 0 || pricesAsOf !== undefined ? cost : undefined,
    agent: typeof agent === "string" ? agent : undefined,
    hasExchanges: kept.has(id),
  };
}

/** The text that a search covers. */
function textOf(summary: SessionSummary): string {
  const { id, title = "", owner = "", metadata = {}, runMetadata = {} } = summary;
  // Agents, models and tools of its runs; a summary of an older release doesn't have them.
  const names = listOf(fieldsOf(summary)["totals"]).map((row) => fieldsOf(row)["name"]);
  return `${id}\n${title}\n${owner}\n${JSON.stringify([metadata, runMetadata, names])}`.toLowerCase();
}

/** The states that a store keeps: it doesn't know whether the process of a run died. */
const STORED: { readonly [State in SessionState]: NonNullable<SessionSummary["state"]> } = {
  running: "running",
  waiting: "waiting",
  "cut-off": "running",
  stopped: "stopped",
  done: "idle",
};

async function keptIds(exchanges: SessionStore | undefined): Promise<ReadonlySet<string>> {
  const sessions = await exchanges?.list({ order: "id", limit: MAX_KEPT });
  return new Set(sessions?.map(({ id }) => id));
}

function readLimit(text: string | null): number {
  const limit = Number(text ?? 100);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new HttpError(400, "invalid", "limit must be an integer from 1 to 1000.");
}

function readState(text: string | null): EndingFilter | undefined {
  if (text === null || text === "") return undefined;
  if (text === "problem" || isState(text) || isEnding(text)) return text;
  const known = Object.keys(STORED).join(", ");
  throw new HttpError(400, "invalid", `state must be one of ${known}, or "problem", or the ending of a run.`);
}

function isState(state: string | undefined): state is SessionState {
  return state !== undefined && Object.hasOwn(STORED, state);
}

function cursorOf(after: NonNullable<ListOptions["after"]>): string {
  return `${after.updatedAt}:${after.id}`;
}

function readCursor(text: string | null): ListOptions["after"] {
  if (text === null || text === "") return undefined;
  const [time = "", ...id] = text.split(":");
  const updatedAt = Number(time);
  if (!Number.isFinite(updatedAt)) throw new HttpError(400, "invalid", "after must be the next of a previous page.");
  return { updatedAt, id: id.join(":") };
}
