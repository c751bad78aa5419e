import { SessionConflictError } from "../errors/run-errors.ts";
import type { Json } from "../internal/json.ts";
import type { ListOptions, SessionStore, SessionSummary } from "./store.ts";

interface Log {
  /** As text, so that nobody can change what was stored. */
  readonly lines: string[];
  updatedAt: number;
}

/** Sessions in the memory of this process: for tests, and for chats that need not outlive it. */
export class MemoryStore implements SessionStore {
  readonly #logs: Map<string, Log> = new Map();

  async load(id: string, from = 0): Promise<readonly Json[]> {
    const lines = this.#logs.get(id)?.lines ?? [];
    return lines.slice(from).map((line): Json => JSON.parse(line) as Json);
  }

  async append(id: string, expectedLength: number, entries: readonly Json[]): Promise<void> {
    const log = this.#logs.get(id) ?? { lines: [], updatedAt: 0 };
    if (log.lines.length !== expectedLength) throw new SessionConflictError(id, expectedLength, log.lines.length);
    const added = entries.map((entry) => JSON.stringify(entry));
    if (added.length === 0) return;
    log.lines.push(...added);
    log.updatedAt = Date.now();
    this.#logs.set(id, log);
  }

  async list({ prefix = "", after = "", limit = 100 }: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const ids = [...this.#logs.keys()].filter((id) => id.startsWith(prefix) && (after === "" || id > after));
    // By code unit, as every store does.
    ids.sort((a, b) => (a < b ? -1 : 1));
    return ids.slice(0, limit).map((id) => {
      const log = this.#logs.get(id);
      return { id, length: log?.lines.length ?? 0, updatedAt: log?.updatedAt ?? 0 };
    });
  }

  async delete(id: string): Promise<void> {
    this.#logs.delete(id);
  }
}
