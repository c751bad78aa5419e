import type {
  AppendOptions,
  Json,
  Lease,
  ListOptions,
  ProcessKnowledge,
  SessionRecords,
  SessionStore,
  SessionSummary,
} from "@pollux/core";
import { SessionDamagedError } from "@pollux/core/errors";
import type { LogLine } from "@pollux/core/doctor";
import { unreadableEntry } from "../inspection/session-fold.ts";

/** Options of {@link StoreView}. */
export interface StoreViewOptions {
  /** Shows one session, and those begun through this view whose ids begin with its id. */
  readonly only?: string | undefined;
  /** Reads the log of a session that the store can't read. */
  readonly lines?: ((id: string) => Promise<readonly LogLine[] | undefined>) | undefined;
}

/** A store as the inspector sees it: also logs that are damaged, or one session of several. Writes go through to the store. */
export class StoreView implements SessionStore {
  readonly watch: SessionStore["watch"];
  readonly processes: ProcessKnowledge | undefined;
  readonly #store: SessionStore;
  readonly #options: StoreViewOptions;
  readonly #own: Set<string> = new Set();

  constructor(store: SessionStore, options: StoreViewOptions) {
    this.#store = store;
    this.#options = options;
    this.watch = store.watch === undefined ? undefined : (id, onChange) => store.watch?.(id, onChange) ?? (() => {});
    this.processes = store.processes;
  }

  async load(id: string, from: number = 0): Promise<readonly Json[]> {
    if (this.#isHidden(id)) return [];
    try {
      return await this.#store.load(id, from);
    } catch (error) {
      if (!(error instanceof SessionDamagedError)) throw error;
      const lines = await this.#options.lines?.(id);
      if (lines === undefined) throw error;
      return lines.slice(from).map((line) => ("value" in line ? (line.value as Json) : unreadableEntry(line)));
    }
  }

  async list(options: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const { only } = this.#options;
    if (only === undefined) return await this.#store.list(options);
    const found = await this.#store.list({ ...options, prefix: only, limit: Infinity });
    return found.filter(({ id }) => !this.#isHidden(id)).slice(0, options.limit);
  }

  async records(id: string): Promise<SessionRecords> {
    return this.#isHidden(id) ? {} : await this.#store.records(id);
  }

  async append(id: string, expectedLength: number, entries: readonly Json[], options?: AppendOptions): Promise<void> {
    await this.#store.append(id, expectedLength, entries, options);
    if (expectedLength === 0) this.#own.add(id);
  }

  delete(id: string): Promise<void> {
    return this.#store.delete(id);
  }

  deleteSessions(filter: Parameters<SessionStore["deleteSessions"]>[0]): Promise<number> {
    return this.#store.deleteSessions(filter);
  }

  setLease(id: string, expected: Lease | undefined, next: Lease): Promise<boolean> {
    return this.#store.setLease(id, expected, next);
  }

  setDraft(...args: Parameters<SessionStore["setDraft"]>): Promise<void> {
    return this.#store.setDraft(...args);
  }

  requestStop(id: string, token: number): Promise<void> {
    return this.#store.requestStop(id, token);
  }

  #isHidden(id: string): boolean {
    const { only } = this.#options;
    return only !== undefined && id !== only && !this.#own.has(id);
  }
}
