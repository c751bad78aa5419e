import { type Json, present } from "../../internal/json.ts";
import {
  type Decide,
  decideAppend,
  decideDraft,
  decideLease,
  decideStop,
  type Standing,
  type Draft,
  type Lease,
  type SessionRecords,
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

interface StoredSession extends Omit<Standing, "length"> {
  /** Entries as text, so that what was stored cannot be changed. */
  readonly lines: string[];
  readonly updatedAt: number;
  readonly info?: SessionInfo | undefined;
  /** As text. */
  readonly draft?: string | null;
}

/**
 * Sessions in the memory of this process: for tests, and for chats that need not outlive it.
 *
 * @example
 * ```ts
 * const store = new MemoryStore();
 * await agent.session({ id: "chat-1", store }).send("My name is Ada.");
 * await agent.session({ id: "chat-1", store }).send("What is my name?");
 * ```
 */
export class MemoryStore implements SessionStore {
  readonly #sessions: Map<string, StoredSession> = new Map();
  readonly #watchers: Map<string, Set<() => void>> = new Map();

  async load(id: string, from = 0): Promise<readonly Json[]> {
    const lines = this.#sessions.get(id)?.lines ?? [];
    return lines.slice(from).map((line): Json => JSON.parse(line) as Json);
  }

  async append(id: string, expectedLength: number, entries: readonly Json[], options?: AppendOptions): Promise<void> {
    this.#change(id, decideAppend(id, expectedLength, entries, options));
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
    const read = typeof draft === "string" ? (JSON.parse(draft) as Draft) : undefined;
    return present({ lease, draft: read, stopToken });
  }

  async setLease(id: string, expected: Lease | undefined, next: Lease): Promise<boolean> {
    return this.#change(id, decideLease(expected, next));
  }

  async setDraft(id: string, token: number, draft: Draft | undefined): Promise<void> {
    this.#change(id, decideDraft(token, draft));
  }

  async requestStop(id: string, token: number): Promise<void> {
    this.#change(id, decideStop(token));
  }

  watch(id: string, onChange: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(onChange));
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0) this.#watchers.delete(id);
    };
  }

  #change(id: string, decide: Decide): boolean {
    const { lines, updatedAt, ...rest } = this.#sessions.get(id) ?? { lines: [], updatedAt: 0 };
    const change = decide({ ...rest, length: lines.length });
    if (change === undefined) return false;
    const { added = [], ...changed } = change;
    for (const line of added) lines.push(line);
    this.#sessions.set(id, { ...rest, ...changed, lines, updatedAt: added.length > 0 ? Date.now() : updatedAt });
    this.#changed(id);
    return true;
  }

  #summaries(): SessionSummary[] {
    return [...this.#sessions].flatMap(([id, { lines, updatedAt, info }]) =>
      lines.length > 0 ? [{ ...info, id, length: lines.length, updatedAt }] : [],
    );
  }

  #changed(id: string): void {
    for (const onChange of this.#watchers.get(id) ?? []) queueMicrotask(onChange);
  }
}
