import { googleListPrices, type Json, type SessionEntry, type SessionSummary } from "@pollux/core";
import { describeLog } from "@pollux/core/doctor";
import type { ExchangeDetails, ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import { addPriced } from "../../../src/inspection/cost.ts";
import { isOfEnding } from "../../../src/inspection/endings.ts";
import { ExchangeFold } from "../../../src/inspection/exchange-fold.ts";
import type { SessionOverview, SessionPage, SessionQuery, SessionRow } from "../../../src/inspection/inspection.ts";
import { inlineMedia } from "../../../src/inspection/media.ts";
import type { CacheEstimate } from "../../../src/inspection/prefix-cost.ts";
import { readTurn } from "../../../src/inspection/read-turn.ts";
import { SessionFold } from "../../../src/inspection/session-fold.ts";
import { type Source, type SourceAbout, SourceError } from "../../../src/inspection/source.ts";
import { addUpTotals, type Totals } from "../../../src/inspection/totals.ts";
import type { MediaRef, TurnDetails } from "../../../src/inspection/turn-details.ts";
import { type FileText, readFiles } from "./read-files.ts";
import { viewOfFile } from "./view-of-file.ts";

/** A session that was read from files. */
interface OpenFile {
  readonly fold: SessionFold;
  readonly exchanges: ExchangeFold;
}

/** Sessions of files that were dropped onto the page. Nothing leaves the browser. */
export class FileSource implements Source {
  readonly #title: string;
  readonly #files: readonly FileText[];
  readonly #usesListPrices: boolean;
  readonly #sessions: Map<string, OpenFile> = new Map();

  /** @throws {SourceError} `not-readable` when none of the files is one that the inspector knows. */
  constructor(files: readonly FileText[], usesListPrices: boolean = false) {
    this.#files = files;
    this.#usesListPrices = usesListPrices;
    const measures = usesListPrices ? { prices: googleListPrices } : {};
    this.#title = files.map(({ name }) => name).join(", ");
    for (const { id, entries, exchanges } of readFiles(files)) {
      const fold = new SessionFold(id, measures);
      for (const entry of entries) fold.add(entry);
      const kept = new ExchangeFold(measures);
      kept.add(exchanges);
      fold.addExchanges(kept);
      this.#sessions.set(id, { fold, exchanges: kept });
    }
  }

  async about(): Promise<SourceAbout> {
    const listPrices = { asOf: googleListPrices.asOf, isUsed: this.#usesListPrices };
    return {
      title: this.#title,
      actions: [],
      isLive: false,
      agents: [],
      answers: "service",
      hasPrices: false,
      hasEvals: false,
      listPrices,
    };
  }

  withListPrices(isUsed: boolean): FileSource {
    return new FileSource(this.#files, isUsed);
  }

  async sessions({ search = "", state }: SessionQuery): Promise<SessionPage> {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...this.#sessions.values()].map((file) => rowOf(file));
    const isFound = (row: SessionRow): boolean => {
      const text = JSON.stringify([row.id, row.title, row.agent, row.metadata, this.#names(row.id)]).toLowerCase();
      return (state === undefined || isOfEnding(row, state)) && words.every((word) => text.includes(word));
    };
    return { sessions: rows.filter(isFound).toSorted((a, b) => b.updatedAt - a.updatedAt) };
  }

  async overview(session: string): Promise<SessionOverview> {
    const { fold, exchanges } = this.#open(session);
    return fold.overview({ exchanges: exchanges.rows.length });
  }

  async turn(session: string, runId: string, turn: number): Promise<TurnDetails> {
    const details = readTurn(this.#open(session).fold, runId, turn);
    if (details === undefined) throw new SourceError("not-found", "There is no such turn in this session.");
    return details;
  }

  async exchanges(session: string, from: number = 0): Promise<readonly ExchangeRow[]> {
    return this.#open(session).exchanges.rows.slice(from);
  }

  async exchange(session: string, n: number): Promise<ExchangeDetails> {
    const details = this.#open(session).exchanges.details(n);
    if (details === undefined) throw new SourceError("not-found", "There is no such exchange in this session.");
    return details;
  }

  async cacheEstimate(session: string): Promise<CacheEstimate | undefined> {
    return this.#open(session).exchanges.cacheEstimate();
  }

  async log(session: string): Promise<readonly Json[]> {
    return this.#open(session).fold.entries;
  }

  async media(session: string, { position, path }: MediaRef): Promise<string> {
    const media = inlineMedia(this.#open(session).fold.entries, position, path.join("/"));
    if (media === undefined) throw new SourceError("not-found", "There are no media at this place.");
    // Whatever the file says, a browser never treats it as a page or a script.
    const type = /^(?:image\/(?!svg)|audio\/|video\/)/.test(media.mimeType)
      ? media.mimeType
      : "application/octet-stream";
    return URL.createObjectURL(new Blob([media.bytes], { type }));
  }

  watch(): () => void {
    return () => {};
  }

  async view(session: string, name: string, query: { readonly [name: string]: string } = {}): Promise<Json> {
    return viewOfFile(this.#open(session), name, query, (id) => this.#sessions.get(id)?.fold);
  }

  async totals(query: URLSearchParams): Promise<Totals> {
    const all = [...this.#sessions.values()].map(({ fold: { id, entries, length } }): SessionSummary => {
      // Entries that the fold could read.
      const log = entries as unknown as readonly SessionEntry[];
      return { ...describeLog(log), id, length, updatedAt: log.at(-1)?.at ?? 0 };
    });
    const from = Number(query.get("from") ?? 0);
    const to = Number(query.get("to") ?? Infinity);
    return addUpTotals(all.filter(({ updatedAt }) => updatedAt >= from && updatedAt < to));
  }

  async evals(): Promise<Json> {
    throw new SourceError("not-found", "A dropped file has no evals.");
  }

  async play(): Promise<Json> {
    throw new SourceError("not-found", "A dropped file has no agents.");
  }

  async playWith(): Promise<Json> {
    return await this.play();
  }

  async act(): Promise<Json> {
    throw new SourceError("read-only", "A dropped file is read-only. Open it with pollux inspect --allow-actions.");
  }

  /** Models and tools of a session. */
  #names(session: string): readonly string[] {
    const runs = this.#open(session).fold.overview().runs;
    const labels = runs.flatMap(({ turns }) => turns.flatMap(({ steps }) => steps.map(({ label }) => label ?? "")));
    return [...new Set([...runs.map(({ model }) => model), ...labels])];
  }

  #open(session: string): OpenFile {
    const file = this.#sessions.get(session);
    if (file === undefined) throw new SourceError("not-found", "The file has no such session.");
    return file;
  }
}

function rowOf({ fold, exchanges }: OpenFile): SessionRow {
  const {
    id,
    title,
    state,
    ending,
    createdAt,
    updatedAt = 0,
    length,
    runs,
    usage,
    pricesAsOf,
    currency,
    ...priced
  } = fold.overview();
  const agent = runs.at(-1)?.agent;
  return {
    id,
    ...(title !== undefined && { title }),
    state,
    ...(ending !== undefined && { ending }),
    ...(createdAt !== undefined && { createdAt }),
    updatedAt,
    length,
    turns: runs.reduce((sum, run) => sum + run.turns.length, 0),
    messages: runs.length,
    totalTokens: usage.totalTokens,
    ...addPriced([priced]),
    ...(pricesAsOf !== undefined && { pricesAsOf }),
    ...(currency !== undefined && { currency }),
    ...(agent !== undefined && { agent }),
    hasExchanges: exchanges.rows.length > 0,
  };
}
