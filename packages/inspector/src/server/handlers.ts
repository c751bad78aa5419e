import type { Agent, Json, PriceTable, Session, SessionStore } from "@pollux/core";
import type { KeptCause } from "@pollux/core/exchanges";
import type { Rehearsal } from "@pollux/core/rehearsal";
import type { CaseDraft, RunForCase } from "../evals/make-case.ts";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import type { SessionFold } from "../inspection/session-fold.ts";

/** A request about one session, with everything a handler needs. */
export interface SessionCall {
  readonly id: string;
  readonly store: SessionStore;
  /** By name. */
  readonly agents: Readonly<Record<string, Agent>>;
  readonly prices?: PriceTable | undefined;
  /** Replaces the service in runs that start or resume here; absent to use the service. */
  readonly rehearsal?: Rehearsal | undefined;
  /** By session: the `context` of its runs here. */
  readonly contexts: Map<string, unknown>;
  /** Sessions with an active run in this process. */
  readonly going: Set<Pick<Session, "release">>;
  readonly makeCase?: ((run: RunForCase) => Promise<CaseDraft>) | undefined;
  readonly request: Request;
  readonly query: URLSearchParams;
  /** The session's log as it is now. @throws {HttpError} When there is no such session. */
  fold(): Promise<SessionFold>;
  /** Its kept exchanges as they are now; empty without any. */
  exchanges(): Promise<ExchangeFold>;
  /** Entries of another session's kept exchanges; empty without any. */
  exchangesOf(id: string): Promise<readonly Json[]>;
  /** The kept causes of errors in one of its runs, or in a run inside one; empty without any. */
  causes(runId: string): Promise<readonly KeptCause[]>;
}

/**
 * Acts on a session: `POST api/sessions/:id/<name>`. Returns JSON. Refuses by throwing an `HttpError`, or an error of the library,
 * whose message the page shows.
 */
export type ActionHandler = (call: SessionCall, body: Json) => Promise<object>;

/** Returns a view that `showSession` doesn't have, as JSON: `GET api/sessions/:id/<name>`. Refuses like an `ActionHandler`. */
export type ViewHandler = (call: SessionCall) => Promise<object>;
