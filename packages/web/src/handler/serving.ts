import type { Session } from "@pollux/core";
import type { Visitor } from "./authorize.ts";
import { sessionId } from "./chats.ts";
import { CutOffRuns } from "./cut-off-runs.ts";
import { type OpenSession, OpenSessions } from "./open-sessions.ts";
import type { ChatHandlerOptions, Platform } from "./options.ts";
import { Spending } from "./spending.ts";

/** Who asks for something, and how. */
export interface ChatCall<Context> {
  readonly request: Request;
  readonly visitor: Visitor<Context>;
  readonly platform: Platform;
}

/** What all requests to one handler share. */
export class Serving<Context> {
  readonly options: ChatHandlerOptions<Context>;
  readonly sessions: OpenSessions<Context>;
  readonly spending: Spending | undefined;
  readonly cutOffRuns: CutOffRuns;
  readonly #report: (error: unknown, reference: string, facts: object) => void;
  /** References of errors that the log has, since one may be met in several places. */
  readonly #references: WeakMap<object, string> = new WeakMap();

  constructor(
    options: ChatHandlerOptions<Context>,
    report: (error: unknown, reference: string, facts: object) => void,
  ) {
    const { agent, store, leaseMs, spending } = options;
    this.options = options;
    this.sessions = new OpenSessions((session) => agent.session({ ...session, store, leaseMs }));
    this.spending = spending === undefined ? undefined : new Spending(store, spending);
    this.cutOffRuns = new CutOffRuns(store);
    this.#report = report;
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
    this.#report(error, reference, facts);
    return reference;
  }
}
