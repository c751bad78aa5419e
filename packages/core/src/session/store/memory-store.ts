import { type Json, present } from "../../internal/json.ts";
import {
  checkDeleteFilter,
  type Decide,
  DecidingStore,
  type Draft,
  type ListOptions,
  matchesFilter,
  type SessionFilter,
  type SessionInfo,
  type SessionRecords,
  type SessionStore,
  type SessionSummary,
  type Standing,
  takePage,
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
export class MemoryStore extends DecidingStore implements SessionStore {
  readonly #sessions: Map<string, StoredSession> = new Map();
  readonly #watchers: Map<string, Set<() => void>> = new Map();

  async load(id: string, from = 0): Promise<readonly Json[]> {
    const lines = this.#sessions.get(id)?.lines ?? [];
    return lines.slice(from).map((line): Json => JSON.parse(line) as Json);
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

  watch(id: string, onChange: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(onChange));
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0) this.#watchers.delete(id);
    };
  }

  protected async change(id: string, _what: string, decide: Decide): Promise<boolean> {
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
