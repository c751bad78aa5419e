import { type Signal, signal } from "@preact/signals";
import type { SessionQuery, SessionRow } from "../../../src/inspection/inspection.ts";
import type { HttpSource } from "../source/http-source.ts";

const PAGE = 250;

/** The sessions that match a query, page by page. */
export class SessionList {
  readonly rows: Signal<readonly SessionRow[]> = signal([]);
  readonly error: Signal<Error | undefined> = signal(undefined);
  readonly isLoading: Signal<boolean> = signal(true);
  /** The last page was loaded. */
  readonly isWhole: Signal<boolean> = signal(false);
  /** The time that ages refer to. */
  readonly loadedAt: Signal<number> = signal(Date.now());
  readonly #source: HttpSource;
  #query: SessionQuery = {};
  #next: string | undefined;
  /** Number of the query, to drop answers to earlier ones. */
  #generation = 0;

  constructor(source: HttpSource) {
    this.#source = source;
  }

  /** Starts a new query; the old rows stay until its first page arrives. */
  async search(query: SessionQuery): Promise<void> {
    this.#query = query;
    this.#next = undefined;
    await this.#load(++this.#generation, true);
  }

  /** Loads the list again if it fits on one page: a longer one would lose the pages that somebody scrolled to. */
  async refresh(): Promise<void> {
    if (this.isWhole.value && this.rows.value.length <= PAGE) await this.search(this.#query);
  }

  async more(): Promise<void> {
    if (this.isLoading.value || this.isWhole.value || this.error.value !== undefined) return;
    await this.#load(this.#generation, false);
  }

  async #load(generation: number, isFirst: boolean): Promise<void> {
    this.isLoading.value = true;
    try {
      const page = await this.#source.sessions({ ...this.#query, after: this.#next, limit: PAGE });
      if (generation !== this.#generation) return;
      this.#next = page.next;
      this.isWhole.value = page.next === undefined;
      this.rows.value = isFirst ? page.sessions : [...this.rows.value, ...page.sessions];
      this.loadedAt.value = Date.now();
      this.error.value = undefined;
    } catch (error) {
      if (generation !== this.#generation) return;
      this.error.value = error instanceof Error ? error : new Error(String(error));
    }
    this.isLoading.value = false;
  }
}
