import { ToolFailure } from "@pollux/core";
import { recordsOf, type SqlDriver } from "./driver.ts";

/** Options of {@link ReadOnlySession}. */
export interface SessionOptions {
  readonly query: SqlDriver;
  readonly cancel: (() => void | Promise<void>) | undefined;
  readonly timeoutMs: number;
}

/** How much earlier the database's own limit expires, in milliseconds. */
const GRACE_MS = 1_000;

interface State {
  isStarted: boolean;
  isEnded: boolean;
  isLeft: boolean;
  stopping: Promise<void> | undefined;
}

/** Gives one task at a time access to a Postgres connection, each in a read-only transaction that is rolled back. */
export class ReadOnlySession {
  readonly #options: SessionOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * @throws {ToolFailure} If the time is up, or an earlier statement has not released the connection.
   * @throws The driver's errors. @throws The signal's reason, if it aborts.
   */
  async read<Value>(work: (query: SqlDriver) => Promise<Value>, signal: AbortSignal): Promise<Value> {
    signal.throwIfAborted();
    const limit = this.#options.timeoutMs + GRACE_MS;
    const state: State = { isStarted: false, isEnded: false, isLeft: false, stopping: undefined };
    const turn = this.#last.then(async () => {
      if (state.isLeft) throw new ToolFailure("cancelled before it started");
      state.isStarted = true;
      try {
        return await this.#transaction(work);
      } finally {
        state.isEnded = true;
        // A late cancellation would hit the next statement.
        await state.stopping;
      }
    });
    // The next one waits until this one settles.
    this.#last = turn.catch(() => {});
    let timer: ReturnType<typeof setTimeout> | undefined;
    let onAbort: (() => void) | undefined;
    const ended = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new ToolFailure(state.isStarted ? tooLong(this.#options.timeoutMs) : BUSY)),
        limit,
      );
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([turn, ended]);
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
      state.isLeft = true;
      if (state.isStarted && !state.isEnded) state.stopping = this.#stop();
    }
  }

  async #transaction<Value>(work: (query: SqlDriver) => Promise<Value>): Promise<Value> {
    const { query, timeoutMs } = this.#options;
    await query("BEGIN TRANSACTION READ ONLY", []);
    try {
      const [set] = recordsOf(
        await query(
          "SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true), " +
            "current_setting('transaction_read_only') AS read_only",
          [String(timeoutMs)],
        ),
      );
      if (set?.["read_only"] !== "on")
        throw new TypeError(
          "`query` of sqlTools() must use a dedicated connection outside any transaction; with a pool, check out one client",
        );
      return await work(query);
    } finally {
      await query("ROLLBACK", []);
      // Advisory locks are the only thing a query can acquire that a rollback doesn't release.
      await query("SELECT pg_advisory_unlock_all()", []);
    }
  }

  async #stop(): Promise<void> {
    try {
      await this.#options.cancel?.();
    } catch {
      // The statement runs until its own limit; calls that wait for the connection get an error that says so.
    }
  }
}

const BUSY = "the connection is busy with an earlier statement; try again later";

function tooLong(timeoutMs: number): string {
  return `the statement took longer than ${timeoutMs} ms; narrow it with WHERE, bound a recursion with LIMIT, or request less at once`;
}
