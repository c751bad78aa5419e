import type { Database, Row } from "./database.ts";
import { NotificationFeed } from "./notification-feed.ts";
import type { Tables } from "./tables.ts";

/** One in this many looks is taken even while notifications arrive: their connection may have broken silently. */
const LOOKS_WITHOUT_FEED = 30;

/** How long the connection is kept when nobody watches any more, in milliseconds. */
const LINGER_MS = 10_000;

/** How changes are watched. */
export interface WatchSettings {
  /** Whether to keep a connection for LISTEN. */
  readonly listen: boolean;
  /** Milliseconds between looks without one. */
  readonly pollMs: number;
}

interface Watched {
  readonly callbacks: Set<() => void>;
  /** What the last look found. */
  seen: string | undefined;
}

/**
 * Tells watchers of changes to sessions, by hash: at once where notifications arrive, otherwise by polling. All watchers share one
 * connection and one query.
 */
export class ChangeWatch {
  /** Marks the notifications of this object, which notifies its own watchers directly. */
  readonly sender: string = crypto.randomUUID().slice(0, 8);
  readonly #database: Database;
  readonly #tables: Tables;
  readonly #settings: WatchSettings;
  readonly #watched: Map<string, Watched> = new Map();
  readonly #feed: NotificationFeed;
  #feeding = false;
  #timer: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #skipped = 0;
  #untold: Set<string> = new Set();
  #telling: Promise<void> | undefined;

  constructor(database: Database, tables: Tables, settings: WatchSettings) {
    this.#database = database;
    this.#tables = tables;
    this.#settings = settings;
    this.#feed = new NotificationFeed(database, tables.channel, {
      notified: (payload) => this.#notified(payload),
      // A look that is under way may have read the rows before notifications arrived.
      up: () => void (this.#looking === undefined ? this.#look() : this.#looking.then(() => this.#look())),
    });
  }

  /** @returns A function that stops watching. */
  watch(hash: string, onChange: () => void): () => void {
    const found = this.#watched.get(hash) ?? { callbacks: new Set(), seen: undefined };
    this.#watched.set(hash, found);
    // Each has its own entry: the same function may watch twice. A notification may be on its way when watching ends.
    const callback = (): void => {
      if (found.callbacks.has(callback)) onChange();
    };
    found.callbacks.add(callback);
    this.#start();
    return () => {
      found.callbacks.delete(callback);
      if (found.callbacks.size === 0 && this.#watched.get(hash) === found) this.#watched.delete(hash);
      if (this.#watched.size === 0) this.#rest();
    };
  }

  /** Text of the notification of a change made here. */
  payload(hash: string): string {
    return `${hash} ${this.sender}`;
  }

  /** Tells watchers of this object. */
  changedHere(hash: string): void {
    for (const callback of this.#watched.get(hash)?.callbacks ?? []) queueMicrotask(callback);
  }

  /**
   * Notifies other processes of committed changes; changes that arrive while it is busy go out together. Not part of
   * the transaction that made them: Postgres lets transactions that notify commit one after the other, each with its
   * wait for the disk.
   */
  async tell(hashes: readonly string[]): Promise<void> {
    for (const hash of hashes) this.#untold.add(hash);
    while (this.#untold.size > 0) {
      this.#telling ??= this.#tellAll().finally(() => (this.#telling = undefined));
      await this.#telling;
    }
    await this.#telling;
  }

  close(): void {
    this.#watched.clear();
    this.#stop();
  }

  #start(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    if (this.#database.closed) return;
    if (this.#settings.listen && !this.#feeding) {
      this.#feeding = true;
      this.#feed.start();
    }
    this.#timer ??= setInterval(() => this.#tick(), this.#settings.pollMs).unref();
  }

  /** Stops polling; the connection is kept for a while, since a watcher may come soon. */
  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#stop(), LINGER_MS).unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    clearTimeout(this.#idle);
    if (this.#feeding) this.#feed.stop();
    this.#feeding = false;
  }

  #tick(): void {
    this.#skipped = this.#feed.up ? this.#skipped + 1 : LOOKS_WITHOUT_FEED;
    if (this.#skipped < LOOKS_WITHOUT_FEED) return;
    this.#skipped = 0;
    if (this.#looking === undefined) void this.#look();
  }

  #notified(payload: string): void {
    const [hash = "", sender] = payload.split(" ");
    if (sender !== this.sender) this.changedHere(hash);
  }

  async #look(): Promise<void> {
    const looking = this.#compare();
    this.#looking = looking;
    await looking;
    if (this.#looking === looking) this.#looking = undefined;
  }

  /** Notifies of every session that has changed since the last check. Never rejects. */
  async #compare(): Promise<void> {
    try {
      const before = new Map(this.#watched);
      const found = new Map((await this.#rows([...before.keys()])).map(({ hash, state }) => [hash, state]));
      for (const [hash, watched] of before) {
        const state = found.get(hash) ?? "";
        const isKnown = watched.seen === state;
        watched.seen = state;
        if (!isKnown) for (const callback of watched.callbacks) queueMicrotask(callback);
      }
    } catch {
      // The next look finds the change.
      if (this.#feed.up) this.#feed.restart();
    }
  }

  async #rows(hashes: readonly string[]): Promise<readonly Row[]> {
    const { sessions, drafts } = this.#tables;
    // Each change leaves the number of its transaction in the row.
    const sql = `select encode(s.hash, 'hex') as hash, s.xmin::text || coalesce(' ' || d.xmin::text, '') as state
        from unnest($1::text[]) as t (one) join ${sessions} s on s.hash = decode(one, 'hex')
        left join ${drafts} d on d.session = s.number`;
    // Through the connection that listens, which may have broken silently.
    return await (this.#feed.up ? this.#feed.query(sql, [hashes]) : this.#database.query(sql, [hashes]));
  }

  async #tellAll(): Promise<void> {
    const payloads = [...this.#untold].map((hash) => this.payload(hash));
    this.#untold = new Set();
    try {
      await this.#database.query("select count(pg_notify($1::text, one))::text from unnest($2::text[]) as t (one)", [
        this.#tables.channel,
        payloads,
      ]);
    } catch {
      // A hint: a process that misses it finds the change at its next look.
    }
  }
}
