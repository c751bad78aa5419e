import type { Agent, Json, PriceTable, Session, SessionStore } from "@pollux/core";
import type { KeptCause } from "@pollux/core/exchanges";
import type { Rehearsal } from "@pollux/core/rehearsal";
import type { CaseDraft, RunForCase } from "../evals/make-case.ts";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import type { SessionFold } from "../inspection/session-fold.ts";

/** What a request about one session works on. */
export interface SessionCall {
  readonly id: string;
  readonly store: SessionStore;
  /** By name. */
  readonly agents: Readonly<Record<string, Agent>>;
  readonly prices?: PriceTable | undefined;
  /** Stands in for the service in runs that begin or go on here; absent when that answers. */
  readonly rehearsal?: Rehearsal | undefined;
  /** By session: what its runs here get as `context`. */
  readonly contexts: Map<string, unknown>;
  /** Whose runs go on in this process. */
  readonly going: Set<Pick<Session, "release">>;
  readonly makeCase?: ((run: RunForCase) => Promise<CaseDraft>) | undefined;
  readonly request: Request;
  readonly query: URLSearchParams;
  /** The session's log as it is now. @throws {HttpError} When there is no such session. */
  fold(): Promise<SessionFold>;
  /** What was kept of its requests as it is now; empty without any. */
  exchanges(): Promise<ExchangeFold>;
  /** Entries that were kept of another session's requests; empty without any. */
  exchangesOf(id: string): Promise<readonly Json[]>;
  /** What was kept of the causes in one of its runs, or in a run inside one; empty without any. */
  causes(runId: string): Promise<readonly KeptCause[]>;
}

/**
 * Does something with a session: `POST api/sessions/:id/<name>`. Returns JSON. Refuses by throwing an `HttpError`, or an error of the
 * library, whose message is shown.
 */
export type ActionHandler = (call: SessionCall, body: Json) => Promise<object>;

/** Shows something of a session that is not among the views of the model, as JSON: `GET api/sessions/:id/<name>`. Refuses likewise. */
export type ViewHandler = (call: SessionCall) => Promise<object>;
