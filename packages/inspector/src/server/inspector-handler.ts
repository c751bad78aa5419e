import { checkSite, checkSize, HttpError, readJson } from "@pollux/core/serving";
import { type Agent, googleListPrices, type Json, type Limits, type PriceTable, type SessionStore } from "@pollux/core";
import { readCauses } from "@pollux/core/exchanges";
import type { Rehearsal } from "@pollux/core/rehearsal";
import { redact } from "@pollux/core/wire";
import { ACTIONS, HARMLESS_ACTIONS, VIEWS } from "../actions/actions.ts";
import type { SourceAbout } from "../inspection/source.ts";
import type { CaseDraft, RunForCase } from "../evals/make-case.ts";
import { readEvals } from "../evals/read-evals.ts";
import { showSession } from "../inspection/show-session.ts";
import { describeAgents } from "../play/describe-agents.ts";
import type { Playground } from "../play/play.ts";
import { emulatedAnswers } from "../play/play-options.ts";
import { tryTool } from "../play/try-tool.ts";
import { Assets } from "./assets.ts";
import { checkHost } from "./check-host.ts";
import type { SessionCall } from "./handlers.ts";
import { PRIVATE, replyError, replyJson } from "./http.ts";
import { refusing } from "./library-error.ts";
import { LeaseWatch } from "./lease-watch.ts";
import { listSessions } from "./list-sessions.ts";
import { mediaResponse } from "./media-response.ts";
import { LIVE_PACE, type LivePace, liveResponse } from "./live.ts";
import { readTotals } from "./read-totals.ts";
import { type OpenSession, OpenSessions } from "./open-sessions.ts";

/** Options of {@link inspectorHandler}. */
export interface InspectorOptions {
  /** The sessions to show. */
  readonly store: SessionStore;
  /** The store that `keepExchanges` writes their exchanges to. */
  readonly exchanges?: SessionStore | undefined;
  /**
   * Decides who sees the sessions: whole conversations, and everything that tools returned. Called before anything is read; must not
   * read the body.
   *
   * @returns False for a 401; or a response to send instead.
   */
  readonly authorize: (request: Request) => boolean | Response | Promise<boolean | Response>;
  /** Where it is mounted. @defaultValue "/inspector" */
  readonly path?: string | undefined;
  /** Host names of the server besides those of this machine: `admin.example.com`. @defaultValue none */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Lets the page answer calls, send messages, stop and resume runs, and fork sessions. @defaultValue false: it only reads */
  readonly allowActions?: boolean | undefined;
  /** Agents for the actions, by name. */
  readonly agents?: Readonly<Record<string, Agent>> | undefined;
  /**
   * Who answers the runs that actions start: the agents' service, or the emulator, which costs nothing. Tools run for real.
   * @defaultValue "service"
   */
  readonly answers?: "service" | "emulator" | undefined;
  /** Loads the agents again after their code changed. @defaultValue the page can't reload them */
  readonly reloadAgents?: (() => Promise<Readonly<Record<string, Agent>>>) | undefined;
  /** Shows the cost of turns. Runs of agents with prices record their own cost. */
  readonly prices?: PriceTable | undefined;
  /** Limits of the agents' runs, to show the use of each; logs don't have them. */
  readonly limits?: Limits | undefined;
  /** Keys to remove from all answers, besides anything that looks like a key of Google's. */
  readonly secrets?: readonly string[] | undefined;
  /** Title of the page. @defaultValue "Sessions" */
  readonly title?: string | undefined;
  /** The folder that `pollux eval` writes its runs to, to show them. The sessions of their trials are in `store`. */
  readonly evals?: { readonly folder: string } | undefined;
  /** Turns a recorded run into a case of evals, with `allowActions`: the page shows the draft, then writes it. @defaultValue no cases */
  readonly makeCase?: ((run: RunForCase) => Promise<CaseDraft>) | undefined;
}

/** Parts of a handler that tests replace. */
export interface InspectorParts {
  readonly assets?: Assets | undefined;
  readonly pace?: LivePace | undefined;
  /** Entries to read at first from a long log. */
  readonly tail?: number | undefined;
  /** Collects the sessions with an active run in this process. */
  readonly going?: SessionCall["going"] | undefined;
}

/**
 * Serves the inspector: a page that shows sessions down to the bytes. Works in any server that uses `Request` and `Response`, on
 * Node, Bun and Deno.
 *
 * It is read-only unless `allowActions` is set. It answers only under the host names of this machine and of `allowedHosts`, and
 * refuses requests from pages of other sites.
 *
 * @throws {TypeError} For an option that cannot work.
 *
 * @example
 * ```ts
 * const inspector = inspectorHandler({ store, authorize: (request) => isAdmin(request) });
 * app.all("/inspector/*", (context) => inspector(context.req.raw));
 * ```
 */
export function inspectorHandler(
  options: InspectorOptions,
  parts: InspectorParts = {},
): (request: Request) => Promise<Response> {
  const handler = new Handler(options, parts);
  return (request) => handler.handle(request);
}

class Handler {
  readonly #options: InspectorOptions;
  readonly #path: string;
  readonly #secrets: readonly string[];
  readonly #assets: Assets;
  readonly #pace: LivePace;
  readonly #going: SessionCall["going"];
  readonly #contexts: Map<string, unknown> = new Map();
  readonly #rehearsal: Rehearsal | undefined;
  #agents: Readonly<Record<string, Agent>>;
  readonly #leases: LeaseWatch;
  readonly #sessions: OpenSessions;
  /** The same with Google's list prices, which the page may request if no prices were given. */
  readonly #listPriced: OpenSessions | undefined;

  constructor(
    options: InspectorOptions,
    { assets = new Assets(), pace = LIVE_PACE, going = new Set(), tail }: InspectorParts,
  ) {
    const { store, exchanges, path = "/inspector", prices, limits, authorize, secrets = [], agents = {} } = options;
    if (typeof authorize !== "function")
      throw new TypeError("inspectorHandler needs authorize: sessions contain whole conversations");
    if (!/^(?:\/[\w.~-]+)*\/?$/.test(path))
      throw new TypeError(`path must be a path such as "/inspector", got "${path}"`);
    if (exchanges !== undefined && exchanges === store)
      throw new TypeError("exchanges must be the store that keepExchanges writes to, not the one of the sessions");
    this.#options = options;
    this.#agents = agents;
    this.#rehearsal = options.answers === "emulator" ? emulatedAnswers() : undefined;
    this.#path = path.replace(/\/$/, "");
    this.#secrets = [...secrets];
    this.#assets = assets;
    this.#pace = pace;
    this.#going = going;
    const measures = { prices, limits: limits && { ...limits } };
    this.#leases = new LeaseWatch(store);
    const from = { store, exchanges, leases: this.#leases, tail };
    this.#sessions = new OpenSessions({ ...from, measures });
    if (prices === undefined)
      this.#listPriced = new OpenSessions({ ...from, measures: { ...measures, prices: googleListPrices } });
  }

  async handle(request: Request): Promise<Response> {
    try {
      checkSize(request);
      checkHost(request, this.#options.allowedHosts ?? []);
      checkSite(request, { canBeOpened: true });
      // Plain JavaScript may return anything.
      const allowed: unknown = await this.#options.authorize(request);
      if (allowed instanceof Response) return allowed;
      if (allowed !== true) throw new HttpError(401, "unauthorized", "You are not allowed to see these sessions.");
      const response = await this.#route(request);
      if (request.method !== "HEAD") return response;
      await response.body?.cancel();
      return new Response(undefined, { status: response.status, headers: response.headers });
    } catch (error) {
      if (error instanceof HttpError) return replyError(error, this.#secrets);
      const message = error instanceof Error ? error.message : String(error);
      return replyError(new HttpError(500, "failed", `That failed: ${message}`), this.#secrets);
    }
  }

  async #route(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === this.#path)
      return new Response(undefined, { status: 308, headers: { ...PRIVATE, location: `${this.#path}/${url.search}` } });
    if (!url.pathname.startsWith(`${this.#path}/`)) throw nothingHere();
    const segments = url.pathname.slice(this.#path.length + 1).split("/");
    if (segments[0] !== "api") {
      onlyWith(request, "GET");
      return await this.#assets.serve(segments.map(decode).join("/"), request);
    }
    const [, kind, id, view, ...rest] = segments.map(decode);
    if (kind === "about" && id === undefined) return this.#json(request, this.#about(url.searchParams));
    const { evals } = this.#options;
    if (kind === "evals" && evals !== undefined && view === undefined)
      return this.#json(request, await readEvals(evals.folder, id ?? "", url.searchParams));
    if (kind === "totals" && id === undefined)
      return this.#json(request, await readTotals(this.#options.store, url.searchParams));
    if (kind === "play" && view === undefined) return await this.#play(request, id ?? "");
    if (kind !== "sessions") throw nothingHere();
    if (id === undefined || id === "") {
      onlyWith(request, "GET");
      const { store, exchanges } = this.#options;
      const isRunning = async (one: string): Promise<boolean> => this.#leases.isHeld(one, await store.records(one));
      return this.#json(request, await listSessions({ store, exchanges, isRunning }, url.searchParams));
    }
    if (id.length > 1024) throw new HttpError(400, "invalid", "The id of a session has at most 1024 characters.");
    if (request.method === "POST") return await this.#act(request, id, view ?? "", url.searchParams);
    onlyWith(request, "GET");
    return await this.#show(request, id, view, rest, url.searchParams);
  }

  async #show(
    request: Request,
    id: string,
    view: string | undefined,
    rest: readonly string[],
    query: URLSearchParams,
  ): Promise<Response> {
    if (view === "live") return await this.#live(request, id);
    const isWhole = !(view === "turns" || view === "media" || query.has("tail"));
    let session = await this.#open(id, query, isWhole);
    if (!isWhole && isBefore(session, view, rest, query)) session = await this.#open(id, query);
    const { fold, exchanges } = session;
    switch (view) {
      case undefined:
      case "": {
        // A page that has another part of the log gets everything.
        const isKnown = Number(query.get("tail") ?? 0) === (fold.before?.entries ?? 0);
        const since = isKnown ? Number(query.get("since") ?? 0) : 0;
        const beside = { isRunning: session.isRunning(), exchanges: exchanges.rows.length };
        return this.#json(request, fold.overview(beside, Number.isInteger(since) && since > 0 ? since : 0));
      }
      case "media":
        return mediaResponse(fold.entries, query);
      default: {
        const shown = showSession(session, [view, ...rest], query);
        if (shown !== undefined) return this.#json(request, shown);
        const show = Object.hasOwn(VIEWS, view) ? VIEWS[view] : undefined;
        if (show === undefined) throw nothingHere();
        return this.#json(request, await refusing(show)(this.#call(request, id, query)));
      }
    }
  }

  async #act(request: Request, id: string, action: string, query: URLSearchParams): Promise<Response> {
    const harmless = Object.hasOwn(HARMLESS_ACTIONS, action) ? HARMLESS_ACTIONS[action] : undefined;
    const act = harmless ?? (Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined);
    if (act === undefined) throw new HttpError(404, "not_found", "There is no such action.");
    if (harmless === undefined) this.#checkAllowed();
    // What JSON.parse returns is JSON.
    const body = (await readJson(request)) as Json;
    return replyJson(await refusing(act)(this.#call(request, id, query), body), this.#secrets);
  }

  /** The playground: its agents, and actions without a session. */
  async #play(request: Request, action: string): Promise<Response> {
    this.#checkAllowed();
    const { answers = "service", reloadAgents } = this.#options;
    if (action === "") {
      const agents = describeAgents(this.#agents);
      return this.#json(request, { agents, answers, canReload: reloadAgents !== undefined } satisfies Playground);
    }
    if (request.method !== "POST" || (action !== "tool" && action !== "reload")) throw nothingHere();
    // What JSON.parse returns is JSON.
    const body = (await readJson(request)) as Json;
    const done = refusing(async () => {
      if (action === "tool")
        return await tryTool(this.#agents, body, { rehearsal: this.#rehearsal, signal: request.signal });
      if (reloadAgents === undefined) throw new HttpError(404, "not_found", "These agents can't be reloaded.");
      this.#agents = await reloadAgents();
      return {};
    });
    return replyJson(await done(), this.#secrets);
  }

  /** @throws {HttpError} If the inspector is read-only. */
  #checkAllowed(): void {
    if (this.#options.allowActions === true) return;
    throw new HttpError(
      403,
      "read_only",
      "The inspector is read-only. Start it with --allow-actions, or mount it with allowActions: true.",
    );
  }

  #call(request: Request, id: string, query: URLSearchParams): SessionCall {
    const { store, exchanges, prices, makeCase } = this.#options;
    return {
      id,
      store,
      agents: this.#agents,
      prices,
      rehearsal: this.#rehearsal,
      contexts: this.#contexts,
      makeCase,
      going: this.#going,
      request,
      query,
      fold: async () => (await this.#open(id, query)).fold,
      exchanges: async () => (await this.#open(id, query)).exchanges,
      exchangesOf: async (other) => (await exchanges?.load(other)) ?? [],
      causes: async (runId) => (exchanges === undefined ? [] : await readCauses(exchanges, id, runId)),
    };
  }

  async #live(request: Request, id: string): Promise<Response> {
    await this.#open(id, undefined, false);
    const { store } = this.#options;
    const watch =
      store.watch === undefined ? undefined : (onChange: () => void) => store.watch?.(id, onChange) ?? (() => {});
    const session = { open: () => this.#sessions.open(id, false), watch };
    return liveResponse(session, request.signal, (text) => redact(text, this.#secrets), this.#pace);
  }

  async #open(id: string, query?: URLSearchParams, isWhole: boolean = true): Promise<OpenSession> {
    const session = await this.#sessionsFor(query).open(id, isWhole);
    if (session === undefined) throw new HttpError(404, "not_found", "There is no such session.");
    return session;
  }

  #sessionsFor(query: URLSearchParams | undefined): OpenSessions {
    return (query?.get("prices") === "google" ? this.#listPriced : undefined) ?? this.#sessions;
  }

  #about(query: URLSearchParams): SourceAbout {
    const { title = "Sessions", answers = "service", allowActions, makeCase } = this.#options;
    const isUsed = this.#sessionsFor(query) === this.#listPriced;
    const names = Object.keys(ACTIONS).filter((name) => name !== "make-case" || makeCase !== undefined);
    return {
      title,
      actions: allowActions === true ? names : [],
      isLive: true,
      agents: Object.keys(this.#agents),
      answers,
      ...(this.#listPriced !== undefined && { listPrices: { asOf: googleListPrices.asOf, isUsed } }),
      hasEvals: this.#options.evals !== undefined,
    };
  }

  #json(request: Request, value: unknown): Response {
    onlyWith(request, "GET");
    return replyJson(value, this.#secrets);
  }
}

/** True for a view of the unread part of the log. */
function isBefore(
  { fold }: OpenSession,
  view: string | undefined,
  rest: readonly string[],
  query: URLSearchParams,
): boolean {
  if (fold.before === undefined || view === undefined || view === "") return false;
  if (view === "media") return Number(query.get("position")) < fold.before.entries;
  return fold.run(rest[0] ?? "")?.turns.has(Number(rest[1])) !== true;
}

/** @throws {HttpError} */
function onlyWith({ method }: Request, allowed: "GET"): void {
  if (method !== allowed && method !== "HEAD")
    throw new HttpError(405, "method_not_allowed", `Only ${allowed} can be used here.`);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw nothingHere();
  }
}

function nothingHere(): HttpError {
  return new HttpError(404, "not_found", "There is nothing here.");
}
