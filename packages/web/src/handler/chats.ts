import { HttpError } from "@pollux/core/serving";
import type { Lease, SessionStore, SessionSummary } from "@pollux/core";
import { isRecord } from "../json.ts";
import { noSuchChat } from "./replies.ts";

/**
 * Where a conversation of an owner is in the store: conversations of two owners never collide, whatever ids their
 * clients choose.
 */
export function sessionId(owner: string, chat: string): string {
  return `${ownerPrefix(owner)}${chat}`;
}

/** What the ids of an owner's conversations begin with in the store. */
export function ownerPrefix(owner: string): string {
  return `${encodeURIComponent(owner)}/`;
}

/**
 * The store's summary of a conversation. @returns Undefined when there is none. @throws {HttpError} When it is not the
 * owner's.
 */
export async function findChat(store: SessionStore, owner: string, chat: string): Promise<SessionSummary | undefined> {
  const found = await findSession(store, sessionId(owner, chat));
  // The application may have stored it for somebody else, or for nobody.
  if (found !== undefined && found.owner !== owner) throw noSuchChat();
  return found;
}

/** The store's summary of a session; undefined when there is none. */
export async function findSession(store: SessionStore, id: string): Promise<SessionSummary | undefined> {
  // Of all ids that begin with it, the id itself is the first.
  const [found] = await store.list({ prefix: id, order: "id", limit: 1 });
  return found?.id === id ? found : undefined;
}

/** One page of an owner's conversations, the most recent first. */
export async function listChats(
  store: SessionStore,
  owner: string,
  query: URLSearchParams,
  runs: CutOffRuns,
): Promise<object> {
  const limit = readLimit(query.get("limit"));
  const prefix = ownerPrefix(owner);
  const after = readCursor(query.get("after"), prefix);
  const found = await store.list({ owner, prefix, after, limit: limit + 1 });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const standings = await Promise.all(page.map((one) => runs.standingOf(one)));
  return {
    chats: page.map(({ id, title, createdAt, updatedAt, messages }, index) => ({
      id: id.slice(prefix.length),
      title,
      ...standings[index],
      createdAt,
      updatedAt,
      messages,
    })),
    ...(found.length > limit && last && { next: `${last.updatedAt}~${last.id.slice(prefix.length)}` }),
  };
}

const MAX_PAGE = 100;

/** How many a page of a list has. @throws {HttpError} */
export function readLimit(text: string | null): number {
  const limit = text === null ? 50 : Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new HttpError(400, "bad_limit", `limit must be an integer from 1 to ${MAX_PAGE}.`);
  return limit;
}

function readCursor(
  text: string | null,
  prefix: string,
): { readonly id: string; readonly updatedAt: number } | undefined {
  if (text === null) return undefined;
  const [, time, chat] = /^([^~]+)~(.*)$/s.exec(text) ?? [];
  const updatedAt = Number(time);
  if (!Number.isFinite(updatedAt) || chat === undefined)
    throw new HttpError(400, "bad_cursor", "after must be the `next` of the previous page.");
  return { id: `${prefix}${chat}`, updatedAt };
}

const MAX_TITLE = 200;

/** The title in a body; null stands for the first words of the conversation. @throws {HttpError} */
export function readTitle(body: unknown): string | null {
  const { title } = isRecord(body) ? body : {};
  if (title === null) return null;
  if (typeof title !== "string" || title.trim() === "" || title.length > MAX_TITLE)
    throw new HttpError(400, "bad_title", `title must be a string of 1 to ${MAX_TITLE} characters, or null.`);
  return title.trim();
}

/** Most sessions that are remembered, so that nothing grows without bound. */
const MAX_SEEN = 10_000;

interface RunStanding extends Pick<SessionSummary, "ending" | "waitsFor"> {
  readonly state: SessionSummary["state"] | "cut-off";
}

/**
 * Distinguishes active runs from runs whose process has died, without reading their logs: the store may know about
 * processes, and a lease that was not renewed for its whole duration has expired.
 */
export class CutOffRuns {
  readonly #store: SessionStore;
  /** Leases of runs that seem to be going, and since when they have not changed, on the monotonic clock. */
  readonly #seen: Map<string, { readonly lease: Lease; readonly since: number }> = new Map();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /** How the last run of a session stands now, given how a list has just shown it. */
  async standingOf({ id, length, state, ending, waitsFor }: SessionSummary): Promise<RunStanding> {
    if (state !== "running") return { state, ending, waitsFor };
    const { lease } = await this.#store.records(id);
    if (this.#isHeld(id, lease)) return { state };
    // It may have ended since it was listed.
    const now = await findSession(this.#store, id);
    if (now === undefined || now.length === length) return { state: "cut-off" };
    return { state: now.state, ending: now.ending, waitsFor: now.waitsFor };
  }

  #isHeld(id: string, lease: Lease | undefined): boolean {
    const isGone = lease?.process !== undefined && this.#store.processes?.isGone(lease.process) === true;
    const seen = this.#seen.get(id);
    this.#seen.delete(id);
    if (lease?.held !== true || isGone) return false;
    const isSame = seen?.lease.token === lease.token && seen.lease.beat === lease.beat;
    const since = isSame ? seen.since : performance.now();
    this.#seen.set(id, { lease, since });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_SEEN && oldest !== undefined) this.#seen.delete(oldest);
    return performance.now() - since < lease.durationMs;
  }
}
