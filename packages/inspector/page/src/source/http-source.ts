import type { Json } from "@pollux/core";
import type { ExchangeDetails, ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type { SessionOverview, SessionPage, SessionQuery } from "../../../src/inspection/inspection.ts";
import { mergeOverview } from "../../../src/inspection/merge-overview.ts";
import type { CacheEstimate } from "../../../src/inspection/prefix-cost.ts";
import { type Source, type SourceAbout, type SourceChange, SourceError } from "../../../src/inspection/source.ts";
import type { Totals } from "../../../src/inspection/totals.ts";
import type { MediaRef, TurnDetails } from "../../../src/inspection/turn-details.ts";

/** The sessions of the server that serves the page. */
export class HttpSource implements Source {
  readonly #base: string;
  readonly #usesListPrices: boolean;

  /** @param base - Address of the API, relative to the page. */
  constructor(base: string = "api", usesListPrices: boolean = false) {
    this.#base = base;
    this.#usesListPrices = usesListPrices;
  }

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

  async overview(session: string, known?: SessionOverview, isWhole: boolean = false): Promise<SessionOverview> {
    if (isWhole) return await this.#get(pathOf(session));
    const first = `${pathOf(session)}?tail=1`;
    if (known === undefined) return await this.#get(first);
    const { earlier, length } = known;
    const tail = earlier === undefined ? "" : `&tail=${earlier.entries}`;
    const next = await this.#get<SessionOverview>(`${pathOf(session)}?since=${length}${tail}`);
    // A session that was deleted and begun again has nothing in common with the one that is known.
    if (next.length < length) return await this.#get(first);
    return mergeOverview(known, next);
  }

  async turn(session: string, runId: string, turn: number): Promise<TurnDetails> {
    return await this.#get(`${pathOf(session)}/turns/${encodeURIComponent(runId)}/${turn}`);
  }

  async exchanges(session: string, from: number = 0): Promise<readonly ExchangeRow[]> {
    return await this.#get(`${pathOf(session)}/exchanges${from > 0 ? `?from=${from}` : ""}`);
  }

  async exchange(session: string, n: number): Promise<ExchangeDetails> {
    return await this.#get(`${pathOf(session)}/exchanges/${n}`);
  }

  async cacheEstimate(session: string): Promise<CacheEstimate | undefined> {
    return (await this.#get<CacheEstimate | null>(`${pathOf(session)}/cache-estimate`)) ?? undefined;
  }

  async log(session: string): Promise<readonly Json[]> {
    return await this.#get(`${pathOf(session)}/log`);
  }

  async media(session: string, { position, path }: MediaRef): Promise<string> {
    const params = new URLSearchParams({ position: String(position), path: path.join("/") });
    return this.address(session, `media?${params.toString()}`);
  }

  /** An address of something that the server has of a session, for a link. */
  address(session: string, view: string): string {
    return `${this.#base}${this.#priced(`${pathOf(session)}/${view}`)}`;
  }

  watch(session: string, onChange: (change: SourceChange) => void): () => void {
    const events = new EventSource(`${this.#base}${pathOf(session)}/live`);
    events.addEventListener("changed", ({ data }: MessageEvent<string>) => {
      // The server is of the same release as the page.
      onChange(JSON.parse(data) as SourceChange);
    });
    events.addEventListener("gone", () => {
      events.close();
      onChange({ length: 0, exchanges: 0, state: "done" });
    });
    return () => events.close();
  }

  async view(session: string, name: string, query: { readonly [name: string]: string } = {}): Promise<Json> {
    return await this.#get(`${pathOf(session)}/${name}?${new URLSearchParams(query).toString()}`);
  }

  async totals(query: URLSearchParams): Promise<Totals> {
    return await this.#get(`/totals?${query.toString()}`);
  }

  async evals(suite: string, query: string): Promise<Json> {
    return await this.#get(`/evals/${encodeURIComponent(suite)}?${query}`);
  }

  async play(): Promise<Json> {
    return await this.#get("/play");
  }

  async playWith(action: string, body: Json): Promise<Json> {
    return await this.#post(`/play/${action}`, body);
  }

  async act(session: string, action: string, body: Json): Promise<Json> {
    return await this.#post(`${pathOf(session)}/${encodeURIComponent(action)}`, body);
  }

  async #post(path: string, body: Json): Promise<Json> {
    return await this.#fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  async #get<T>(path: string): Promise<T> {
    return await this.#fetch<T>(this.#priced(path), {});
  }

  #priced(path: string): string {
    return this.#usesListPrices ? `${path}${path.includes("?") ? "&" : "?"}prices=google` : path;
  }

  async #fetch<T>(path: string, init: RequestInit): Promise<T> {
    let response: Response;
    try {
      response = await fetch(`${this.#base}${path}`, init);
    } catch {
      throw new SourceError(
        "unreachable",
        "The inspector's server doesn't answer. Start it again, then reload the page.",
      );
    }
    const text = await response.text();
    const value: unknown = parse(text);
    // The server is of the same release as the page.
    if (response.ok && value !== undefined) return value as T;
    throw errorIn(value, response.status);
  }
}

function pathOf(session: string): string {
  return `/sessions/${encodeURIComponent(session)}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorIn(value: unknown, status: number): SourceError {
  // Checked below, member by member.
  const { error } = (value ?? {}) as { readonly error?: { readonly code?: unknown; readonly message?: unknown } };
  const { code, message } = error ?? {};
  if (typeof code === "string" && typeof message === "string") return new SourceError(code, message);
  if (status === 401)
    return new SourceError("unauthorized", "The address has no valid token. Open the one that pollux inspect printed.");
  return new SourceError("failed", `The inspector's server answered with status ${status}.`);
}
