import { PGlite, type Results } from "@electric-sql/pglite";
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
  /** Clients that are checked out. */
  readonly clients: Set<PostgresClient> = new Set();
  readonly #db: PGlite;
  #turn: Promise<void> = Promise.resolve();

  constructor(db: PGlite) {
    this.#db = db;
  }

  static async create(): Promise<PglitePool> {
    return new PglitePool(await PGlite.create());
  }

  async query(text: string, values: unknown[] = []): Promise<QueryRows> {
    const done = await this.#takeTurn();
    try {
      return await this.#ask(text, values);
    } finally {
      done();
    }
  }

  async connect(): Promise<PostgresClient> {
    const endings: (() => void)[] = [];
    let endTransaction: (() => void) | undefined;
    const client: PostgresClient = {
      query: async (text, values = []) => {
        const [word = ""] = text.split(" ");
        const done = endTransaction === undefined ? await this.#takeTurn() : undefined;
        if (word === "begin") endTransaction = done;
        try {
          return await this.#ask(text, values);
        } finally {
          if (word === "commit" || word === "rollback") {
            endTransaction?.();
            endTransaction = undefined;
          }
          if (word !== "begin") done?.();
        }
      },
      release: () => {
        this.clients.delete(client);
        for (const end of endings) end();
      },
      on: (event: string, listener: unknown) => {
        if (event !== "notification") return;
        const told = listener as (message: { channel: string; payload: string }) => void;
        endings.push(this.#db.onNotification((channel, payload) => told({ channel, payload })));
      },
    };
    this.clients.add(client);
    return client;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#db.close();
  }

  /** @returns Ends the turn. */
  async #takeTurn(): Promise<() => void> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    return resolve;
  }

  async #ask(text: string, values: unknown[]): Promise<QueryRows> {
    this.sent.push(text);
    await this.before(text);
    const result: Results = await this.#db.query(text, values);
    await this.after(text);
    return result;
  }
}
