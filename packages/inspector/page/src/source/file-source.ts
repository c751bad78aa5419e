import { HttpError } from "@pollux/core/serving";
import { googleListPrices } from "@pollux/core";
import { checkLog } from "../../../src/checks/check-log.ts";
import { compareBranches } from "../../../src/inspection/compare-branches.ts";
import { ExchangeFold } from "../../../src/inspection/exchange-fold.ts";
import { inlineMedia } from "../../../src/server/media-response.ts";
import type { CheckResult } from "../../../src/inspection/results.ts";
import { SessionFold } from "../../../src/inspection/session-fold.ts";
import { showSession } from "../../../src/inspection/show-session.ts";
import { NOTHING_OPEN, type SourceAbout } from "../../../src/inspection/source.ts";
import { summaryOf } from "../../../src/inspection/summary-of.ts";
import type { MediaRef } from "../../../src/inspection/turn-details.ts";
import { listSessions } from "../../../src/server/list-sessions.ts";
import { type ReadOnlySession, ReadOnlyStore } from "../../../src/server/read-only-store.ts";
import { readTotals } from "../../../src/server/read-totals.ts";
import { HttpSource } from "./http-source.ts";
import { type FileText, readFiles } from "./read-files.ts";

/** A session read from files. */
interface OpenFile {
  readonly fold: SessionFold;
  readonly exchanges: ExchangeFold;
}

/** The sessions of files dropped onto the page, answered like a server would. Nothing leaves the browser. */
export class FileSource extends HttpSource {
  readonly #files: readonly FileText[];
  readonly #usesListPrices: boolean;
  readonly #sessions: Map<string, OpenFile> = new Map();
  readonly #store: ReadOnlyStore;
  readonly #kept: ReadOnlyStore;

  /** @throws {HttpError} `not_readable` when the inspector can read none of the files. */
  constructor(files: readonly FileText[], usesListPrices: boolean = false) {
    super();
    this.#files = files;
    this.#usesListPrices = usesListPrices;
    const measures = usesListPrices ? { prices: googleListPrices } : {};
    const [listed, kept]: [ReadOnlySession[], ReadOnlySession[]] = [[], []];
    for (const { id, entries, exchanges: stored } of readFiles(files)) {
      const fold = SessionFold.of(id, entries, measures);
      const exchanges = new ExchangeFold(measures);
      exchanges.add(stored);
      fold.addExchanges(exchanges);
      this.#sessions.set(id, { fold, exchanges });
      const updatedAt = fold.overview().updatedAt ?? 0;
      listed.push({ summary: summaryOf(fold, updatedAt), load: async () => fold.entries });
      const summary = { id, length: exchanges.length, updatedAt };
      if (exchanges.rows.length > 0) kept.push({ summary, load: async () => exchanges.entries });
    }
    this.#store = new ReadOnlyStore(listed);
    this.#kept = new ReadOnlyStore(kept);
  }

  override withListPrices(isUsed: boolean): FileSource {
    return new FileSource(this.#files, isUsed);
  }

  override async about(): Promise<SourceAbout> {
    return {
      ...NOTHING_OPEN,
      title: this.#files.map(({ name }) => name).join(", "),
      listPrices: { asOf: googleListPrices.asOf, isUsed: this.#usesListPrices },
    };
  }

  override async media(session: string, { position, path }: MediaRef): Promise<string> {
    const media = inlineMedia(this.#open(session).fold.entries, position, path.join("/"));
    if (media === undefined) throw new HttpError(404, "not_found", "There are no media at this place.");
    // Ensures that a browser never treats it as a page or script.
    const type = /^(?:image\/(?!svg)|audio\/|video\/)/.test(media.mimeType)
      ? media.mimeType
      : "application/octet-stream";
    return URL.createObjectURL(new Blob([media.bytes], { type }));
  }

  override watch(): () => void {
    return () => {};
  }

  protected override async fetch(path: string, init: RequestInit): Promise<unknown> {
    if (init.method === "POST")
      throw new HttpError(
        403,
        "read_only",
        "A dropped file is read-only. Open it with pollux inspect --allow-actions.",
      );
    const [place = "", search] = path.split("?", 2);
    const query = new URLSearchParams(search);
    const [kind, id, ...rest] = place.split("/").slice(1).map(decodeURIComponent);
    if (kind === "totals") return await readTotals(this.#store, query);
    if (kind !== "sessions") throw new HttpError(404, "not_found", "A dropped file has no agents or evals.");
    if (id !== undefined) return this.#show(this.#open(id), rest, query);
    const isRunning = async (): Promise<boolean> => false;
    return await listSessions({ store: this.#store, exchanges: this.#kept, isRunning }, query);
  }

  #show(file: OpenFile, path: readonly string[], query: URLSearchParams): unknown {
    const { fold, exchanges } = file;
    switch (path[0]) {
      case undefined:
        return fold.overview({ exchanges: exchanges.rows.length });
      case "causes":
        return [];
      case "check":
        return { log: checkLog(fold), tools: [] } satisfies CheckResult;
      case "compare": {
        const [run, withRun] = [query.get("run") ?? undefined, query.get("withRun") ?? undefined];
        const parts = { runs: [run, withRun], isWhole: query.get("whole") === "true" } as const;
        return compareBranches(fold, this.#open(query.get("with") ?? "").fold, parts);
      }
    }
    const shown = showSession(file, path, query);
    if (shown !== undefined) return shown;
    throw new HttpError(403, "read_only", "A dropped file can't run anything. Open it with pollux inspect instead.");
  }

  #open(session: string): OpenFile {
    const file = this.#sessions.get(session);
    if (file === undefined) throw new HttpError(404, "not_found", "The file has no such session.");
    return file;
  }
}
