import { ToolError } from "@pollux/core";
import { recordsOf, type SqlConnection, type SqlDriver } from "./driver.ts";

/** Options of {@link ReadOnlySession}. */
export interface SessionOptions {
  readonly connect: () => SqlConnection | Promise<SqlConnection>;
  /** Whether {@link connect} opens another connection each time. */
  readonly reconnects: boolean;
  readonly timeoutMs: number;
}

/** How much earlier the database's own limit expires, in milliseconds. */
const GRACE_MS = 1_000;

interface State {
  /** Set once the connection is open. */
  connection: SqlConnection | undefined;
  isStarted: boolean;
  isEnded: boolean;
  isLeft: boolean;
  stopping: Promise<void> | undefined;
  /** Lets the next task start before this one has ended. */
  giveUp: () => void;
}

/**
 * Gives one task at a time access to a Postgres connection, each in a read-only transaction that is rolled back. A connection counts as lost
 * when a transaction fails to begin or end.
 */
export class ReadOnlySession {
  readonly #options: SessionOptions;
  #last: Promise<unknown> = Promise.resolve();
  #open: Promise<SqlConnection> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * @throws {ToolError} If the time is up, an earlier statement has not released the connection, or the connection is lost.
   * @throws The driver's errors. @throws The signal's reason, if it aborts.
   */
  async read<Value>(work: (query: SqlDriver) => Promise<Value>, signal: AbortSignal): Promise<Value> {
    signal.throwIfAborted();
    const limit = this.#options.timeoutMs + GRACE_MS;
    let giveUp = (): void => {};
    const givenUp = new Promise<void>((resolve) => (giveUp = resolve));
    const state: State = {
      connection: undefined,
      isStarted: false,
      isEnded: false,
      isLeft: false,
      stopping: undefined,
      giveUp,
    };
    const turn = this.#last.then(async () => {
      if (state.isLeft) throw new ToolError("cancelled before it started");
      state.isStarted = true;
      try {
        return await this.#transaction(work, state);
      } finally {
        state.isEnded = true;
        // A late cancellation would hit the next statement.
        await state.stopping;
      }
    });
    // The next task waits until this one settles.
    this.#last = Promise.race([turn.catch(() => {}), givenUp]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let onAbort: (() => void) | undefined;
    let isLate = false;
    const ended = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        isLate = true;
        reject(new ToolError(state.isStarted ? tooLong(this.#options.timeoutMs) : BUSY));
      }, limit);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([turn, ended]);
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
      state.isLeft = true;
      if (state.isStarted && !state.isEnded) {
        state.stopping = this.#stop(state);
        // The database itself would have stopped the statement by now: the connection does not answer.
        if (isLate && this.#options.reconnects) {
          this.#drop(this.#open);
          state.giveUp();
        }
      }
    }
  }

  async #transaction<Value>(work: (query: SqlDriver) => Promise<Value>, state: State): Promise<Value> {
    const { connect, reconnects } = this.#options;
    const isKept = this.#open !== undefined;
    const opened = (this.#open ??= (async () => await connect())());
    let connection: SqlConnection;
    try {
      connection = await opened;
      if (this.#open !== opened) throw new Error("the connection was opened too late");
      state.connection = connection;
      await connection.query("BEGIN TRANSACTION READ ONLY", []);
    } catch (error) {
      this.#drop(opened);
      // The connection was lost since the last call, and no statement of this one has run.
      if (isKept && reconnects && !state.isLeft) return await this.#transaction(work, state);
      throw new ToolError(UNREACHABLE, { cause: error });
    }
    const outcome = await this.#limited(connection.query, work).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    try {
      await connection.query("ROLLBACK", []);
      // Advisory locks are the only thing a query can acquire that a rollback doesn't release.
      await connection.query("SELECT pg_advisory_unlock_all()", []);
    } catch (error) {
      this.#drop(opened);
      throw new ToolError(LOST, { cause: "error" in outcome ? outcome.error : error });
    }
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  async #limited<Value>(query: SqlDriver, work: (query: SqlDriver) => Promise<Value>): Promise<Value> {
    const [set] = recordsOf(
      await query(
        "SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true), " +
          "current_setting('transaction_read_only') AS read_only",
        [String(this.#options.timeoutMs)],
      ),
    );
    if (set?.["read_only"] !== "on")
      throw new TypeError(
        "`query` of sqlTools() must use a dedicated connection outside any transaction; with a pool, check out one client",
      );
    return await work(query);
  }

  /** Drops a connection, so that the next task opens another. */
  #drop(opened: Promise<SqlConnection> | undefined): void {
    if (opened === undefined || this.#open !== opened) return;
    this.#open = undefined;
    void opened.then((connection) => connection.close?.()).catch(() => {});
  }

  async #stop({ connection }: State): Promise<void> {
    try {
      await connection?.cancel?.();
    } catch {
      // The statement runs until its own limit; calls that wait for the connection get an error that says so.
    }
  }
}

const UNREACHABLE = "the database cannot be reached now; try again later, or continue without it";
const LOST = "the connection to the database was lost during this statement; other statements may work";
const BUSY = "the connection is busy with an earlier statement; try again later";

function tooLong(timeoutMs: number): string {
  return `the statement took longer than ${timeoutMs} ms; narrow it with WHERE, bound a recursion with LIMIT, or request less at once`;
}
