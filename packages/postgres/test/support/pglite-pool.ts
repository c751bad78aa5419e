import type { PGlite, Results } from "@electric-sql/pglite";
import type { PostgresClient, PostgresPool, QueryRows } from "../../src/index.ts";

/** A `Pool` over PGlite, which has one session: its clients take turns, a transaction at a time. */
export class PglitePool implements PostgresPool {
  readonly options: { max?: number | undefined } = {};
  /** Statements that were sent, in order. */
  readonly sent: string[] = [];
  /** Called before each statement; what it throws is the statement's error. */
  before: (sql: string) => Promise<void> | void = () => {};
  /** Called after each statement that succeeded; what it throws is reported in place of its result. */
  after: (sql: string) => Promise<void> | void = () => {};
  /** Clients that are checked out, each with what ends its connection. */
  readonly clients: Map<PostgresClient, () => void> = new Map();
  /** Notifications are dropped, as a pooler may. */
  muted: boolean = false;
  readonly #db: PGlite;
  #turn: Promise<void> = Promise.resolve();

  constructor(db: PGlite) {
    this.#db = db;
  }

  async query(text: string, values: unknown[] = []): Promise<QueryRows> {
    this.sent.push(text);
    await this.before(text);
    const done = await this.#takeTurn();
    const result = await this.#ask(text, values).finally(done);
    await this.after(text);
    return result;
  }

  async connect(): Promise<PostgresClient> {
    const endings: (() => void)[] = [];
    const ended: (() => void)[] = [];
    let endTransaction: (() => void) | undefined;
    const client: PostgresClient = {
      query: async (text, values = []) => {
        this.sent.push(text);
        await this.before(text);
        const [word = ""] = text.split(" ");
        const done = endTransaction === undefined ? await this.#takeTurn() : undefined;
        if (word === "begin") endTransaction = done;
        const result = await this.#ask(text, values).finally(() => {
          if (word === "commit" || word === "rollback") {
            endTransaction?.();
            endTransaction = undefined;
          }
          if (word !== "begin") done?.();
        });
        await this.after(text);
        return result;
      },
      release: () => {
        this.clients.delete(client);
        for (const end of endings) end();
      },
      on: (event: string, listener: unknown) => {
        // By the contract of `on`.
        if (event === "end") ended.push(listener as () => void);
        if (event !== "notification") return;
        const told = listener as (message: { channel: string; payload: string }) => void;
        const tell = (channel: string, payload: string): void => {
          if (!this.muted) told({ channel, payload });
        };
        endings.push(this.#db.onNotification(tell));
      },
    };
    this.clients.set(client, () => {
      for (const tell of ended) tell();
    });
    return client;
  }

  /** Forgets what a test has set and seen. */
  reset(): void {
    this.before = () => {};
    this.after = () => {};
    this.muted = false;
    this.sent.length = 0;
    delete this.options.max;
  }

  /** @returns Ends the turn. */
  async #takeTurn(): Promise<() => void> {
    const before = this.#turn;
    let end = (): void => {};
    this.#turn = new Promise((resolve) => (end = resolve));
    await before;
    return end;
  }

  async #ask(text: string, values: unknown[]): Promise<QueryRows> {
    const result: Results = await this.#db.query(text, values);
    return result;
  }
}
