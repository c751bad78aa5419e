import { HttpError } from "@pollux/core/serving";
import type { ListOptions, SessionStore, SessionSummary } from "@pollux/core";
import { addUpTotals, type Totals } from "../inspection/totals.ts";

const PAGE = 1000;
/** Most sessions that one request reads. */
const MOST = 100_000;

/**
 * Totals of the sessions whose last entry is in a time span, from `from` to before `to`, in milliseconds since the epoch. Reads pages of
 * summaries, and no log.
 *
 * @throws {HttpError} For an invalid time.
 */
export async function readTotals(store: Pick<SessionStore, "list">, query: URLSearchParams): Promise<Totals> {
  const from = readTime(query, "from") ?? 0;
  const to = readTime(query, "to");
  const agent = query.get("agent");
  const owner = query.get("owner") ?? undefined;
  const found: SessionSummary[] = [];
  let after: ListOptions["after"] = to === undefined ? undefined : { id: "", updatedAt: to };
  for (let looked = 0; looked < MOST; looked += PAGE) {
    const page = await store.list({ limit: PAGE, owner, after });
    for (const summary of page) if (summary.updatedAt >= from && hasAgent(summary, agent)) found.push(summary);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE || last.updatedAt < from) return addUpTotals(found);
    after = { id: last.id, updatedAt: last.updatedAt };
  }
  return addUpTotals(found, true);
}

function hasAgent({ totals = [] }: SessionSummary, agent: string | null): boolean {
  return agent === null || totals.some(({ kind, name }) => kind === "agent" && name === agent);
}

function readTime(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const time = Number(text);
  if (Number.isSafeInteger(time) && time >= 0) return time;
  throw new HttpError(400, "invalid", `${name} must be a time in milliseconds since the epoch.`);
}
