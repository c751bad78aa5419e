import type { Json, ListOptions, SessionRecords, SessionStore, SessionSummary } from "@pollux/core";
import { SessionStoreError } from "@pollux/core/errors";

/** A read-only session. */
export interface ReadOnlySession {
  readonly summary: SessionSummary;
  load(): Promise<readonly Json[]>;
}

/** A read-only store of sessions from files that belong to no store. */
export class ReadOnlyStore implements SessionStore {
  readonly append: SessionStore["append"] = refuse;
  readonly delete: SessionStore["delete"] = refuse;
  readonly deleteSessions: SessionStore["deleteSessions"] = refuse;
  readonly setLease: SessionStore["setLease"] = refuse;
  readonly setDraft: SessionStore["setDraft"] = refuse;
  readonly requestStop: SessionStore["requestStop"] = refuse;
  readonly #sessions: ReadonlyMap<string, ReadOnlySession>;

  constructor(sessions: readonly ReadOnlySession[]) {
    this.#sessions = new Map(sessions.map((session) => [session.summary.id, session]));
  }

  async load(id: string, from: number = 0): Promise<readonly Json[]> {
    const entries = (await this.#sessions.get(id)?.load()) ?? [];
    return entries.slice(from);
  }

  async list({ after, limit = 100, order, prefix = "", owner, state }: ListOptions = {}): Promise<
    readonly SessionSummary[]
  > {
    const compare = (a: Key, b: Key): number => (order === "id" ? byId(a, b) : b.updatedAt - a.updatedAt || byId(b, a));
    return [...this.#sessions.values()]
      .map(({ summary }) => summary)
      .filter(
        (one) =>
          one.id.startsWith(prefix) &&
          (owner === undefined || one.owner === owner) &&
          (state === undefined || (one.state ?? "idle") === state) &&
          (after === undefined || compare(after, one) < 0),
      )
      .toSorted(compare)
      .slice(0, limit);
  }

  async records(): Promise<SessionRecords> {
    return {};
  }
}

async function refuse(id: unknown): Promise<never> {
  const session = typeof id === "string" ? id : "*";
  throw new SessionStoreError(session, "it comes from a file outside of a store, so it is read-only");
}

type Key = Pick<SessionSummary, "id" | "updatedAt">;

function byId(a: Key, b: Key): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
