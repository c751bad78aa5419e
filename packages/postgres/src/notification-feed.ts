import type { Database, Row } from "./database.ts";
import type { PostgresClient } from "./pool.ts";

/** Least and most time before a connection is made again, in milliseconds. */
const BACKOFF_MS = { first: 100, most: 60_000 };

/** How long the probe may take: a notification that shows whether any arrive. */
const PROBE_MS = 5000;

/** Callbacks of a feed. */
export interface FeedListener {
  /** The text of a notification. */
  notified(payload: string): void;
  /** From now on notifications arrive; any before may have been missed. */
  up(): void;
}

/**
 * One connection that listens on a channel, made again whenever it breaks. It is `up` only after a notification from another connection
 * arrived: a pooler in between may accept LISTEN and deliver nothing.
 */
export class NotificationFeed {
  readonly #database: Database;
  readonly #channel: string;
  readonly #on: FeedListener;
  #client: PostgresClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Grows with each attempt; an attempt of another number is over. */
  #attempt = 0;
  #up = false;
  /** Ends the wait for the probe. */
  #probed: ((payload: string) => void) | undefined;

  constructor(database: Database, channel: string, on: FeedListener) {
    this.#database = database;
    this.#channel = channel;
    this.#on = on;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Begins to listen. */
  start(): void {
    void this.#connect(++this.#attempt);
  }

  /** Stops listening, and closes the connection. */
  stop(): void {
    this.#attempt++;
    clearTimeout(this.#timer);
    this.#drop();
  }

  /** Runs a query through the connection. @throws When it is broken, or does not answer in time. */
  async query(sql: string, values: readonly unknown[]): Promise<readonly Row[]> {
    if (this.#client === undefined) throw new Error("there is no connection");
    return await this.#database.queryThrough(this.#client, sql, values);
  }

  /** Closes the connection and makes another. */
  restart(): void {
    this.#fail(this.#attempt);
  }

  async #connect(attempt: number): Promise<void> {
    try {
      const client = await this.#database.connect();
      if (attempt !== this.#attempt) return client.release(true);
      this.#client = client;
      client.on("error", () => this.#fail(attempt));
      client.on("end", () => this.#fail(attempt));
      client.on("notification", ({ channel, payload = "" }) => {
        if (attempt !== this.#attempt || channel !== this.#channel) return;
        if (this.#probed === undefined) this.#on.notified(payload);
        else this.#probed(payload);
      });
      await this.#database.queryThrough(client, `listen "${this.#channel}"`);
      if (attempt !== this.#attempt) return;
      // A connection that only listens must not keep the process alive.
      client.unref?.();
      await this.#probe(attempt);
      if (attempt !== this.#attempt) return;
      this.#failures = 0;
      this.#up = true;
      this.#on.up();
    } catch {
      // The next query of the store says what is wrong with the database.
      this.#fail(attempt);
    }
  }

  async #probe(attempt: number): Promise<void> {
    const word = `probe ${crypto.randomUUID()}`;
    let timer: NodeJS.Timeout | undefined;
    const arrived = new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error("no notification arrived")), PROBE_MS).unref();
      this.#probed = (payload) => {
        if (payload === word) resolve();
      };
    });
    // Handled below, unless the query fails first.
    arrived.catch(() => {});
    try {
      await this.#database.query("select pg_notify($1::text, $2::text)::text", [this.#channel, word]);
      await arrived;
    } finally {
      clearTimeout(timer);
      if (attempt === this.#attempt) this.#probed = undefined;
    }
  }

  #fail(attempt: number): void {
    if (attempt !== this.#attempt) return;
    const next = ++this.#attempt;
    this.#drop();
    const wait = Math.min(BACKOFF_MS.first * 2 ** this.#failures++, BACKOFF_MS.most) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => void this.#connect(next), wait).unref();
  }

  #drop(): void {
    this.#up = false;
    this.#probed = undefined;
    const client = this.#client;
    this.#client = undefined;
    client?.release(true);
  }
}
