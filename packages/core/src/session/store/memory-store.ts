import { SessionConflictError } from "../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../errors/session-errors.ts";
import type { Json } from "../../internal/json.ts";
import { type Draft, isSameLease, type Lease, type SessionRecords } from "./records.ts";
import {
  type AppendOptions,
  checkDeleteFilter,
  type ListOptions,
  matchesFilter,
  takePage,
  type SessionFilter,
  type SessionInfo,
  type SessionStore,
  type SessionSummary,
} from "./store.ts";

interface StoredSession {
  /** Entries as text, so that what was stored cannot be changed. */
  readonly lines: string[];
  updatedAt: number;
  info?: SessionInfo | undefined;
  lease?: Lease;
  /** As text. */
  draft?: string | undefined;
  stopToken?: number;
}

/** Sessions in the memory of this process: for tests, and for chats that need not outlive it. */
export class MemoryStore implements SessionStore {
  readonly #sessions: Map<string, StoredSession> = new Map();
  readonly #watchers: Map<string, Set<() => void>> = new Map();

  async load(id: string, from = 0): Promise<readonly Json[]> {
    const lines = this.#sessions.get(id)?.lines ?? [];
    return lines.slice(from).map((line): Json => JSON.parse(line) as Json);
  }

  async append(
    id: string,
    expectedLength: number,
    entries: readonly Json[],
    { token, lease, info }: AppendOptions = {},
  ): Promise<void> {
    const found = this.#sessions.get(id);
    const holds = found?.lease?.held === true ? found.lease.token : undefined;
    if (token !== undefined && token !== holds) throw new SessionLeaseLostError(id, token);
    if (lease !== undefined && !isSameLease(found?.lease, lease.expected))
      throw new SessionLeaseLostError(id, lease.expected?.token);
    const length = found?.lines.length ?? 0;
    if (length !== expectedLength) throw new SessionConflictError(id, expectedLength, length);
    const added = entries.map((entry) => JSON.stringify(entry));
    if (added.length === 0 && lease === undefined) return;
    const session = this.#session(id);
    if (added.length > 0) {
      session.lines.push(...added);
      session.updatedAt = Date.now();
      session.info = info ?? session.info;
    }
    if (lease !== undefined) setLease(session, lease.next);
    this.#changed(id);
  }

  async list(options: ListOptions = {}): Promise<readonly SessionSummary[]> {
    return takePage(this.#summaries(), options);
  }

  async delete(id: string): Promise<void> {
    if (this.#sessions.delete(id)) this.#changed(id);
  }

  async deleteSessions(filter: SessionFilter): Promise<number> {
    checkDeleteFilter(filter);
    const found = this.#summaries().filter((one) => matchesFilter(one, filter));
    for (const { id } of found) await this.delete(id);
    return found.length;
  }

  async records(id: string): Promise<SessionRecords> {
    const { lease, draft, stopToken } = this.#sessions.get(id) ?? {};
    return {
      ...(lease !== undefined && { lease }),
      ...(draft !== undefined && { draft: JSON.parse(draft) as Draft }),
      ...(stopToken !== undefined && { stopToken }),
    };
  }

  async setLease(id: string, expected: Lease | undefined, next: Lease): Promise<boolean> {
    if (!isSameLease(this.#sessions.get(id)?.lease, expected)) return false;
    setLease(this.#session(id), next);
    this.#changed(id);
    return true;
  }

  async setDraft(id: string, token: number, draft: Draft | undefined): Promise<void> {
    const session = this.#sessions.get(id);
    if (session?.lease?.held !== true || session.lease.token !== token) return;
    session.draft = draft === undefined ? undefined : JSON.stringify(draft);
    this.#changed(id);
  }

  async requestStop(id: string, token: number): Promise<void> {
    const session = this.#sessions.get(id);
    if (session === undefined || token < (session.stopToken ?? 0)) return;
    session.stopToken = token;
    this.#changed(id);
  }

  watch(id: string, onChange: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(onChange));
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0) this.#watchers.delete(id);
    };
  }

  #session(id: string): StoredSession {
    const found = this.#sessions.get(id);
    if (found !== undefined) return found;
    const made: StoredSession = { lines: [], updatedAt: 0 };
    this.#sessions.set(id, made);
    return made;
  }

  #summaries(): SessionSummary[] {
    const found: SessionSummary[] = [];
    for (const [id, { lines, updatedAt, info }] of this.#sessions)
      if (lines.length > 0) found.push({ ...info, id, length: lines.length, updatedAt });
    return found;
  }

  #changed(id: string): void {
    for (const onChange of this.#watchers.get(id) ?? []) queueMicrotask(onChange);
  }
}

function setLease(session: StoredSession, lease: Lease): void {
  session.lease = lease;
  if (!lease.held) session.draft = undefined;
}
