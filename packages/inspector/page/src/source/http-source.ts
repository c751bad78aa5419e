import { HttpError } from "@pollux/core/serving";
import type { EvalSuiteRuns } from "../../../src/evals/read-evals.ts";
import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type {
  SessionOverview,
  SessionPage,
  SessionQuery,
  RunRow,
  TurnRow,
} from "../../../src/inspection/inspection.ts";
import type { SourceAbout, SourceChange } from "../../../src/inspection/source.ts";
import type { Playground } from "../../../src/play/play.ts";
import { fieldsOf, parseJson } from "../../../src/inspection/read-values.ts";
import type { Totals } from "../../../src/inspection/totals.ts";
import type { MediaRef, TurnDetails } from "../../../src/inspection/turn-details.ts";

/** The sessions of the server that serves the page. Each method throws a {@link HttpError}, such as `not_found`. */
export class HttpSource {
  readonly #base: string;
  readonly #usesListPrices: boolean;

  /** @param base - Address of the API, relative to the page. */
  constructor(base: string = "api", usesListPrices: boolean = false) {
    this.#base = base;
    this.#usesListPrices = usesListPrices;
  }

  /** A copy with or without Google's list prices for runs without prices. Writes nothing. */
  withListPrices(isUsed: boolean): HttpSource {
    return new HttpSource(this.#base, isUsed);
  }

  async about(): Promise<SourceAbout> {
    return await this.#get("/about");
  }

  async sessions(query: SessionQuery): Promise<SessionPage> {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
    return await this.#get(`/sessions?${params.toString()}`);
  }

  /**
   * @param known - An overview to update: only later changes are fetched.
   * @param isWhole - Otherwise, it may have only the end of a long session: see `EarlierRow`.
   */
  async overview(session: string, known?: SessionOverview, isWhole: boolean = false): Promise<SessionOverview> {
    if (isWhole) return await this.#get(pathOf(session));
    const first = `${pathOf(session)}?tail=1`;
    if (known === undefined) return await this.#get(first);
    const { earlier, length } = known;
    const tail = earlier === undefined ? "" : `&tail=${earlier.entries}`;
    const next = await this.#get<SessionOverview>(`${pathOf(session)}?since=${length}${tail}`);
    // A session that was deleted and started over is loaded from scratch.
    if (next.length < length) return await this.#get(first);
    return mergeOverview(known, next);
  }

  async turn(session: string, runId: string, turn: number): Promise<TurnDetails> {
    return await this.view(session, `turns/${encodeURIComponent(runId)}/${turn}`);
  }

  /** @param from - Index of the first row to load: rows never change. */
  async exchanges(session: string, from: number = 0): Promise<readonly ExchangeRow[]> {
    return await this.view(session, "exchanges", { from: String(from) });
  }

  /** An address of inline media, for an image or a download. */
  async media(session: string, { position, path }: MediaRef): Promise<string> {
    const params = new URLSearchParams({ position: String(position), path: path.join("/") });
    return `${this.#base}${this.#priced(`${pathOf(session)}/media?${params.toString()}`)}`;
  }

  /** Calls back after each change, and `onLost` whenever the connection is lost. @returns A function that stops it. */
  watch(session: string, onChange: (change: SourceChange) => void, onLost: () => void = () => {}): () => void {
    const events = new EventSource(`${this.#base}${pathOf(session)}/live`);
    events.addEventListener("error", onLost);
    events.addEventListener("changed", ({ data }: MessageEvent<string>) => {
      // The server has the same release as the page.
      onChange(JSON.parse(data) as SourceChange);
    });
    events.addEventListener("gone", () => {
      events.close();
      onChange({ length: 0, exchanges: 0, state: "done" });
    });
    return () => events.close();
  }

  /**
   * A view of a session: see `showSession` and the handlers in `actions/actions.ts`. The server has the same release as the page, so
   * views and results of actions have the types of their handlers.
   */
  async view<T>(session: string, name: string, query: { readonly [name: string]: string } = {}): Promise<T> {
    return await this.#get(`${pathOf(session)}/${name}?${new URLSearchParams(query).toString()}`);
  }

  /** @param query - `from` and `to` in milliseconds since the epoch, `owner`, `agent`: see `readTotals`. */
  async totals(query: URLSearchParams): Promise<Totals> {
    return await this.#get(`/totals?${query.toString()}`);
  }

  async evals(suite: string, query: string): Promise<readonly EvalSuiteRuns[]> {
    return await this.#get(`/evals/${encodeURIComponent(suite)}?${query}`);
  }

  async play(): Promise<Playground> {
    return await this.#get("/play");
  }

  /** Acts on a session: see the handlers in `actions`. */
  async act<T>(session: string, action: string, body: object): Promise<T> {
    return await this.post(`${pathOf(session)}/${encodeURIComponent(action)}`, body);
  }

  /** Acts without a session, such as `/play/tool`. */
  async post<T>(path: string, body: object): Promise<T> {
    const headers = { "content-type": "application/json" };
    // Has the type of its handler.
    return (await this.fetch(path, { method: "POST", headers, body: JSON.stringify(body) })) as T;
  }

  async #get<T>(path: string): Promise<T> {
    // Has the type of its handler.
    return (await this.fetch(this.#priced(path), {})) as T;
  }

  #priced(path: string): string {
    return this.#usesListPrices ? `${path}${path.includes("?") ? "&" : "?"}prices=google` : path;
  }

  /** The JSON at a path below the address of the API. @throws {HttpError} */
  protected async fetch(path: string, init: RequestInit): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(`${this.#base}${path}`, init);
    } catch {
      throw new HttpError(
        503,
        "unreachable",
        "The inspector's server doesn't answer. Restart it, then open its address, which may be new.",
      );
    }
    const value = parseJson(await response.text());
    if (response.ok && value !== undefined) return value;
    throw errorIn(value, response.status);
  }
}

function pathOf(session: string): string {
  return `/sessions/${encodeURIComponent(session)}`;
}

function errorIn(value: unknown, status: number): HttpError {
  const { code, message } = fieldsOf(fieldsOf(value)["error"]);
  if (typeof code === "string" && typeof message === "string") return new HttpError(status, code, message);
  if (status === 401)
    return new HttpError(
      status,
      "unauthorized",
      "The address has no valid token. Open the one that pollux inspect printed.",
    );
  return new HttpError(status, "failed", `The inspector's server answered with status ${status}.`);
}

/** Updates an overview with a later one that only has the changes. */
export function mergeOverview(known: SessionOverview, next: SessionOverview): SessionOverview {
  if (next.since === undefined) return next;
  const { since, ...rest } = next;
  const runs = new Map<string, RunRow>(known.runs.map((run) => [run.runId, run]));
  for (const run of next.runs) {
    const turns = new Map<number, TurnRow>((runs.get(run.runId)?.turns ?? []).map((turn) => [turn.turn, turn]));
    for (const turn of run.turns) turns.set(turn.turn, turn);
    runs.set(run.runId, { ...run, turns: [...turns.values()] });
  }
  return { ...rest, runs: [...runs.values()] };
}
