import type { RunRow, SessionOverview, TurnRow } from "./inspection.ts";

/** An overview, brought up to date by a later one that has only what changed since. */
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
