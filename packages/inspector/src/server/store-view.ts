import type { AppendOptions, Json, ListOptions, SessionRecords, SessionStore, SessionSummary } from "@pollux/core";
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
  readonly processes: SessionStore["processes"];
  readonly delete: SessionStore["delete"];
  readonly deleteSessions: SessionStore["deleteSessions"];
  readonly setLease: SessionStore["setLease"];
  readonly setDraft: SessionStore["setDraft"];
  readonly requestStop: SessionStore["requestStop"];
  readonly #store: SessionStore;
  readonly #options: StoreViewOptions;
  readonly #own: Set<string> = new Set();

  constructor(store: SessionStore, options: StoreViewOptions) {
    this.#store = store;
    this.#options = options;
    this.watch = store.watch?.bind(store);
    this.processes = store.processes;
    this.delete = store.delete.bind(store);
    this.deleteSessions = store.deleteSessions.bind(store);
    this.setLease = store.setLease.bind(store);
    this.setDraft = store.setDraft.bind(store);
    this.requestStop = store.requestStop.bind(store);
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

  #isHidden(id: string): boolean {
    const { only } = this.#options;
    return only !== undefined && id !== only && !this.#own.has(id);
  }
}
