import { ConfigurationError, type Logger, type Session, type SessionOptions } from "@pollux/core";
import type { Visitor } from "./authorize.ts";
import { sessionId } from "./chats.ts";
import { CutOffRuns } from "./cut-off-runs.ts";
import { Draining } from "./draining.ts";
import { type OpenSession, OpenSessions } from "./open-sessions.ts";
import { OpenStreams } from "./open-streams.ts";
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

/** Prints to the console: whoever has no logger must not lose the reference that a client was given. */
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
  readonly streams: OpenStreams;
  readonly readers: Readers;
  /** References of errors that the log has, since one may be met in several places. */
  readonly #references: WeakMap<object, string> = new WeakMap();

  /** @param maxStreams - Of one owner, that are read at once. */
  constructor(options: Options, maxStreams: number = Infinity) {
    const { agent, leaseMs, limits } = options;
    const pages = new PageLog(options.store);
    const { store } = pages;
    const spending = options.spending && new Spending(store, options.spending);
    this.options = options;
    this.spending = spending;
    this.pages = pages;
    const make = (session: SessionOptions): Session<Context> => {
      const { id = "", owner } = session;
      pages.open(id, owner);
      const ownerBudget = spending && owner !== undefined ? () => spending.budgetOf(owner) : undefined;
      return agent.session({ ...session, store, leaseMs, limits, ownerBudget });
    };
    this.sessions = new OpenSessions(make, (id) => pages.close(id));
    checkBounds(options);
    checkPerRun(options.perRun);
    this.cutOffRuns = new CutOffRuns(store);
    this.draining = new Draining(() => this.sessions.all);
    this.streams = new OpenStreams(maxStreams);
    this.readers = new Readers(store);
  }

  /** To be released. */
  open(chat: string, { owner, metadata }: Visitor<Context>): OpenSession<Context> {
    return this.sessions.take(sessionId(owner, chat), { owner, metadata });
  }

  /** Works on a session that is in use meanwhile. */
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

  /** Writes an error to the log, once. @returns What finds the line. */
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

/** @throws {TypeError} For limits that are none, or are of money without prices. */
function checkBounds<Context>({ agent, store, limits, spending }: ServingOptions<Context>): void {
  if (limits === undefined && spending === undefined) return;
  try {
    agent.session({ store, limits, ...(spending && { ownerBudget: () => ({ maxCost: 0, spent: 0 }) }) });
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new TypeError(cause.message.replace(/^ownerBudget/, "spending"), { cause });
  }
}
