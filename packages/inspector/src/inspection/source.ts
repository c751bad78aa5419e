import type { Json } from "@pollux/core";
import type { EvalSuiteRuns } from "../evals/read-evals.ts";
import type { Playground } from "../play/play.ts";
import type { CacheEstimate } from "./prefix-cost.ts";
import type { ExchangeDetails, ExchangeRow } from "./exchange-details.ts";
import type { SessionOverview, SessionPage, SessionQuery, SessionState } from "./inspection.ts";
import type { Totals } from "./totals.ts";
import type { MediaRef, TurnDetails } from "./turn-details.ts";

/** Where the page's data come from: a server, or a file that was dropped onto it. */
export interface Source {
  /** The same source with Google's list prices for what no run has priced, or without. Nothing is written. */
  withListPrices(isUsed: boolean): Source;
  about(): Promise<SourceAbout>;
  sessions(query: SessionQuery): Promise<SessionPage>;
  /**
   * @param known - An overview to bring up to date: only what changed since is fetched.
   * @param isWhole - Otherwise it may have the end of a long session only: see `EarlierRow`. @defaultValue false
   * @throws {SourceError} `not-found` for a session that is not there.
   */
  overview(session: string, known?: SessionOverview, isWhole?: boolean): Promise<SessionOverview>;
  turn(session: string, runId: string, turn: number): Promise<TurnDetails>;
  /** @param from - Leaves out those before this index: rows never change. @defaultValue 0 */
  exchanges(session: string, from?: number): Promise<readonly ExchangeRow[]>;
  exchange(session: string, n: number): Promise<ExchangeDetails>;
  /** What an explicit cache of the instructions and tools would have cost; undefined where prices or requests are not known. */
  cacheEstimate(session: string): Promise<CacheEstimate | undefined>;
  /** The log as it is stored, one entry for each line. */
  log(session: string): Promise<readonly Json[]>;
  /** An address of inline media, for an image or a download. */
  media(session: string, ref: MediaRef): Promise<string>;
  /** Calls back after each change. @returns Ends it. */
  watch(session: string, onChange: (change: SourceChange) => void): () => void;
  /**
   * What is checked, compared or taken away: see the handlers in `take-away/views.ts`. A server is of the same release as the page, so
   * each view, and what becomes of an action, is of the type that the handler says.
   *
   * @throws {SourceError}
   */
  view<T>(session: string, name: string, query?: { readonly [name: string]: string }): Promise<T>;
  /** @param query - `from` and `to` in milliseconds since the epoch, `owner`, `agent`: see `readTotals`. */
  totals(query: URLSearchParams): Promise<Totals>;
  /** Runs of evals: see `readEvals`. @throws {SourceError} */
  evals(suite: string, query: string): Promise<readonly EvalSuiteRuns[]>;
  /** What can be played with: a `Playground`. @throws {SourceError} */
  play(): Promise<Playground>;
  /** Does something of the playground that needs no session. @throws {SourceError} */
  playWith<T>(action: "tool" | "reload", body: object): Promise<T>;
  /** Does something with a session: see the handlers in `actions`. @throws {SourceError} */
  act<T>(session: string, action: string, body: object): Promise<T>;
}

/** What a source can do. */
export interface SourceAbout {
  /** What is open: a path, or a name. */
  readonly title: string;
  /** `POST` works. */
  readonly actions: readonly string[];
  readonly isLive: boolean;
  /** Names of the agents that can run. */
  readonly agents: readonly string[];
  /** Who answers runs that actions begin. */
  readonly answers: "service" | "emulator";
  /** Google's list prices, where no others were given: their day, and whether they are used. */
  readonly listPrices?: { readonly asOf: string; readonly isUsed: boolean } | undefined;
  /** There are runs of evals to show. */
  readonly hasEvals: boolean;
}

/** A session has changed. */
export interface SourceChange {
  readonly length: number;
  readonly exchanges: number;
  readonly state: SessionState;
  /** Text of the answer that is being made; absent when none is. */
  readonly draft?: { readonly step: string; readonly attempt: number; readonly text: string } | undefined;
}

/** Why a source could not do what was asked. */
export class SourceError extends Error {
  override readonly name: string = "SourceError";
  /** Such as `not-found`, `forbidden`, `invalid`, `unreachable`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
