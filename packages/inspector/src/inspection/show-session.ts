import { HttpError } from "@pollux/core/serving";
import { TAKE_AWAYS, takeAway } from "../take-away/take-away.ts";
import type { ExchangeFold } from "./exchange-fold.ts";
import { readTurn } from "./read-turn.ts";
import { searchSession } from "./search-session.ts";
import type { SessionFold } from "./session-fold.ts";

/**
 * Views of a session that need nothing but its log and its kept exchanges: no store, agents or network, so they work in a browser.
 *
 * @param path - Segments below the session's own, such as `["turns", "run-1", "3"]`.
 * @returns Undefined for a view that needs more.
 * @throws {HttpError} When the session has no such turn, exchange or file.
 */
export function showSession(
  { fold, exchanges }: { readonly fold: SessionFold; readonly exchanges: ExchangeFold },
  [view = "", first = "", second = ""]: readonly string[],
  query: URLSearchParams,
): unknown {
  switch (view) {
    case "turns":
      return readTurn(fold, first, Number(second)) ?? missing("turn");
    case "log":
      return fold.entries;
    case "exchanges": {
      if (first === "") return exchanges.rows.slice(numberIn(query.get("from")) ?? 0);
      return exchanges.details(numberIn(first) ?? Number.NaN) ?? missing("exchange");
    }
    case "cache-estimate":
      return exchanges.cacheEstimate() ?? null;
    case "search":
      return searchSession(fold, query.get("q") ?? "");
  }
  const kind = TAKE_AWAYS.find((one) => view === `take-${one}`);
  if (kind === undefined) return undefined;
  const parameters = { n: numberIn(query.get("n")), run: query.get("run") ?? undefined };
  return takeAway(kind, { fold, exchanges }, parameters) ?? missing("file");
}

function numberIn(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function missing(what: string): never {
  throw new HttpError(404, "not_found", `There is no such ${what} in this session.`);
}
