import { HttpError } from "@pollux/core/serving";
import { ConfigurationError, type Logger, type Session, type SessionOptions } from "@pollux/core";
import type { Visitor } from "./authorize.ts";
import { CutOffRuns, sessionId } from "./chats.ts";
import { Draining } from "./draining.ts";
import { type OpenSession, OpenSessions } from "./open-sessions.ts";
import type { ChatHandlerOptions, Platform, ServingOptions } from "./options.ts";
import { PageLog } from "./page-log.ts";
import { checkPerRun } from "./per-run.ts";
import { Readers } from "./readers.ts";
import { Spending } from "./spending.ts";

/** Who asks for something, and how. */
export interface ChatCall<Context> {
  readonly request: Request;
  readonly visitor: Visitor<Context>;
  readonly platform: Platform;
}

/** Prints to the console, so that without a logger the reference that a client got is not lost. */
const CONSOLE: Pick<Logger, "error"> = {
  // oxlint-disable-next-line no-console -- the default of an option
  error: (facts, message) => console.error(message, facts),
};

/** What all requests to one handler share. */
export class Serving<Context, Options extends ServingOptions<Context> = ChatHandlerOptions<Context>> {
  readonly options: Options;
  readonly sessions: OpenSessions<Context>;
  readonly pages: PageLog;
  readonly spending: Spending | undefined;
  readonly cutOffRuns: CutOffRuns;
  readonly draining: Draining;
  readonly readers: Readers;
  /** How long a run without readers continues. */
  readonly abortAfterMs: number | undefined;
  readonly #streams: OpenStreams;
  /** References of logged errors, since one error may arrive from several places. */
  readonly #references: WeakMap<object, string> = new WeakMap();

  /** @param pages - How pages are served. Absent: none are. */
  constructor(options: Options, pages?: Pick<ChatHandlerOptions, "maxStreams" | "onDisconnect">) {
    const { agent, leaseMs, limits } = options;
    const log = new PageLog(options.store, pages !== undefined);
    const { store } = log;
    const { maxStreams = 100, onDisconnect } = pages ?? {};
    const spending = options.spending && new Spending(store, options.spending);
    this.options = options;
    this.spending = spending;
    this.pages = log;
    this.abortAfterMs = typeof onDisconnect === "object" ? onDisconnect.abortAfterMs : undefined;
    const make = (session: SessionOptions): Session<Context> => {
      const { id = "", owner } = session;
      log.open(id);
      const ownerBudget = spending && owner !== undefined ? () => spending.budgetOf(owner) : undefined;
      return agent.session({ ...session, agents: options.agents, store, leaseMs, limits, ownerBudget });
    };
    this.sessions = new OpenSessions(make, (id) => log.close(id));
    checkBounds(options);
    checkPerRun(options.perRun);
    this.cutOffRuns = new CutOffRuns(store);
    this.draining = new Draining(() => this.sessions.all);
    this.#streams = new OpenStreams(maxStreams);
    this.readers = new Readers(store);
  }

  /** Takes a conversation into use, until it is released. */
  open(chat: string, { owner, metadata }: Visitor<Context>): OpenSession<Context> {
    return this.sessions.take(sessionId(owner, chat), { owner, metadata });
  }

  /** The same for somebody who reads it. @throws {HttpError} When too many do. */
  openToRead(chat: string, visitor: Visitor<Context>): OpenSession<Context> {
    const leave = this.#streams.take(visitor.owner);
    try {
      const open = this.open(chat, visitor);
      const release = (): void => {
        open.release();
        leave();
      };
      return { ...open, release };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Does some work on a session, which is in use meanwhile. */
  async with<Result>(
    chat: string,
    visitor: Visitor<Context>,
    work: (session: Session<Context>) => Promise<Result>,
  ): Promise<Result> {
    const { session, release } = this.open(chat, visitor);
    try {
      return await work(session);
    } finally {
      release();
    }
  }

  /** Writes an error to the log, once. @returns The reference that finds the line. */
  log(error: unknown, facts: object): string {
    const key = typeof error === "object" && error !== null ? error : {};
    const known = this.#references.get(key);
    if (known !== undefined) return known;
    const reference = crypto.randomUUID();
    this.#references.set(key, reference);
    const { logger = CONSOLE } = this.options;
    logger.error({ err: error, reference, ...facts }, "a chat request failed");
    return reference;
  }
}

/** @throws {TypeError} For invalid limits, or limits on cost without prices. */
function checkBounds<Context>({ agent, agents, store, limits, spending }: ServingOptions<Context>): void {
  if (agents === undefined && limits === undefined && spending === undefined) return;
  try {
    agent.session({ store, agents, limits, ...(spending && { ownerBudget: () => ({ maxCost: 0, spent: 0 }) }) });
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new TypeError(cause.message.replace(/^ownerBudget/, "spending"), { cause });
  }
}

/** Limits how many answers of one owner are being read at once, in this process. */
class OpenStreams {
  readonly #most: number;
  readonly #open: Map<string, number> = new Map();

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts one in. @returns Called when it is over, once or more. @throws {HttpError} When it is one too many. */
  take(owner: string): () => void {
    const open = this.#open.get(owner) ?? 0;
    if (open >= this.#most)
      throw new HttpError(
        429,
        "too_many_streams",
        "Too many pages are reading your conversations. Close one and try again.",
        { "retry-after": "5" },
      );
    this.#open.set(owner, open + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.#open.get(owner) ?? 1) - 1;
      if (left > 0) this.#open.set(owner, left);
      else this.#open.delete(owner);
    };
  }
}
