import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type { TurnRow } from "../../../src/inspection/inspection.ts";

/** The requests of a turn, including those of agents inside its calls. */
export function exchangesOf(
  rows: readonly ExchangeRow[],
  runId: string,
  { turn, steps }: Pick<TurnRow, "turn" | "steps">,
): readonly ExchangeRow[] {
  const names = new Set(steps.map(({ name }) => name));
  // Runs inside calls, at any depth.
  const inner = new Set<string>();
  return rows.filter((row) => {
    if (row.parent !== undefined) {
      const isInner =
        (row.parent.runId === runId && names.has(row.parent.step)) ||
        inner.has(row.parent.runId) ||
        inner.has(row.runId);
      if (isInner) inner.add(row.runId);
      return isInner;
    }
    return row.runId === runId && (row.turn === turn || names.has(row.step));
  });
}

/** The status of an exchange, in a few words. */
export function endOf({ status, ended, error }: ExchangeRow): { readonly text: string; readonly isBad: boolean } {
  if (ended === "cancelled") return { text: status === undefined ? "cancelled" : `${status} cancelled`, isBad: true };
  if (status === undefined) return { text: "no answer", isBad: true };
  if (error !== undefined && status < 400) return { text: `${status} failed`, isBad: true };
  return { text: String(status), isBad: status >= 400 };
}

/** The step of an exchange, with its outer step and attempt. */
export function stepOf({ step, attempt, parent }: ExchangeRow): string {
  const where = parent === undefined ? step : `${parent.step} › ${step}`;
  return attempt > 1 ? `${where} attempt ${attempt}` : where;
}
