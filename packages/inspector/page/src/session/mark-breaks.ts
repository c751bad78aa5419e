import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type { RunRow } from "../../../src/inspection/inspection.ts";

/**
 * The runs, with a flag on each turn that paid for a broken prefix: a run's log knows of breaks within the run; what a run changed against the
 * one before it is seen in the kept requests.
 */
export function markBreaks(runs: readonly RunRow[], exchanges: readonly ExchangeRow[]): readonly RunRow[] {
  const broken = new Set(
    exchanges.flatMap(({ runId, turn, parent, brokenAt }) =>
      brokenAt === undefined || parent !== undefined ? [] : [`${runId} ${turn}`],
    ),
  );
  if (broken.size === 0) return runs;
  return runs.map((run) => {
    const isPaid = ({ turn, flags }: RunRow["turns"][number]): boolean =>
      broken.has(`${run.runId} ${turn}`) && !flags.includes("prefix-break");
    if (!run.turns.some(isPaid)) return run;
    const turns = run.turns.map((turn) =>
      isPaid(turn) ? { ...turn, flags: [...turn.flags, "prefix-break" as const] } : turn,
    );
    return { ...run, turns };
  });
}
