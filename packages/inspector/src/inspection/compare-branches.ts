import { callsIn } from "./answer-calls.ts";
import { addPriced, currencyOf } from "./cost.ts";
import { shorten } from "./part-view.ts";
import { fieldsOf, listOf, textIn, textOf } from "./read-values.ts";
import type { BranchCall, BranchComparison, BranchRow, BranchTotals, BranchTurn } from "./results.ts";
import type { RunFold } from "./run-fold.ts";
import type { SessionFold } from "./session-fold.ts";
import { lastResponse, outcomeOfCall, stepsOf } from "./turn-step.ts";

/** Most turns in a comparison. */
const MAX_ROWS = 200;
/** Most characters of a text in it. */
const MAX_TEXT = 20_000;

/** Which parts of two sessions to compare. */
export interface ComparedParts {
  /** A run of each, instead of all of them. Undefined or empty for all. */
  readonly runs?: readonly [left: string | undefined, right: string | undefined] | undefined;
  /** Compares all turns, including the equal ones at the beginning. */
  readonly isWhole?: boolean | undefined;
}

/** Two sessions that begin alike, side by side: run by run and turn by turn, as one is the fork of the other. */
export function compareBranches(
  left: SessionFold,
  right: SessionFold,
  { runs: [first, second] = [undefined, undefined], isWhole = false }: ComparedParts = {},
): BranchComparison {
  const [old, now] = [turnsOf(left, first), turnsOf(right, second)];
  let sharedTurns = 0;
  const most = isWhole ? 0 : Math.min(old.length, now.length);
  while (sharedTurns < most && isSame(old[sharedTurns], now[sharedTurns])) sharedTurns++;
  const pairs = pairTurns(old.slice(sharedTurns), now.slice(sharedTurns));
  return {
    sharedTurns,
    left: totalsOf(left, old, sharedTurns, first),
    right: totalsOf(right, now, sharedTurns, second),
    rows: pairs.slice(0, MAX_ROWS).map(rowOf),
    omitted: Math.max(0, pairs.length - MAX_ROWS),
  };
}

/** A turn, reduced to the values that a comparison looks at. */
interface Turn {
  readonly run: number;
  readonly view: BranchTurn;
}

interface Pair {
  readonly left?: Turn | undefined;
  readonly right?: Turn | undefined;
}

/** @param only - Id of a run. */
function turnsOf(fold: SessionFold, only: string | undefined): readonly Turn[] {
  return runsOf(fold, only).flatMap((run, index) =>
    [...run.turns.keys()].map((turn, place) => ({ run: index, view: viewOf(fold, run, turn, place === 0) })),
  );
}

function runsOf(fold: SessionFold, only: string = ""): readonly RunFold[] {
  return only === "" ? fold.runs : fold.runs.filter(({ runId }) => runId === only);
}

function viewOf(fold: SessionFold, run: RunFold, number: number, isFirst: boolean): BranchTurn {
  const turn = run.turns.get(number);
  const row = turn?.row();
  const steps = turn === undefined ? [] : stepsOf(fold, turn);
  const answer = lastResponse(steps);
  return {
    runId: run.runId,
    number: row?.number ?? 0,
    turn: number,
    message: isFirst ? textIn(listOf(run.entry["input"])).slice(0, MAX_TEXT) : undefined,
    text: allTextIn(answer["content"]),
    calls: callsIn(answer).map(({ call }, index): BranchCall => {
      const callId = `call:${number}.${index}`;
      const outcome = outcomeOfCall(callId, steps);
      const response = outcome === undefined ? undefined : shorten(outcome);
      return { callId, name: textOf(call["name"]) ?? "", args: shorten(call["args"] ?? {}), response };
    }),
    usage: row?.usage ?? {},
    ms: row?.endedAt === undefined ? undefined : row.endedAt - row.startedAt,
    ...(row && addPriced([row])),
  };
}

function allTextIn(content: unknown): string {
  const texts = listOf(fieldsOf(content)["parts"]).map((part) => {
    const { text, thought } = fieldsOf(part);
    return thought === true ? "" : (textOf(text) ?? "");
  });
  return texts.join("").slice(0, MAX_TEXT);
}

/** Pairs the same turns of the same runs; turns of a run that only one branch has stand alone. */
function pairTurns(left: readonly Turn[], right: readonly Turn[]): readonly Pair[] {
  const runs = [...new Set([...left, ...right].map(({ run }) => run))].toSorted((a, b) => a - b);
  return runs.flatMap((run) => {
    const [old, now] = [left, right].map((turns) => turns.filter((turn) => turn.run === run));
    const numbers = new Set([...(old ?? []), ...(now ?? [])].map(({ view }) => view.turn));
    return [...numbers]
      .toSorted((a, b) => a - b)
      .map((number): Pair => {
        const find = (turns: readonly Turn[] = []): Turn | undefined => turns.find(({ view }) => view.turn === number);
        return { left: find(old), right: find(now) };
      });
  });
}

function rowOf({ left, right }: Pair): BranchRow {
  return { isSame: isSame(left, right), left: left?.view, right: right?.view };
}

/** Forks differ in run ids and times, and runs of one session in their turns' places. */
function isSame(left: Turn | undefined, right: Turn | undefined): boolean {
  if (left === undefined || right === undefined || left.run !== right.run) return false;
  const [some, other] = [left, right].map(({ view }) => ({ ...view, runId: "", number: 0, ms: 0 }));
  return JSON.stringify(some) === JSON.stringify(other);
}

function totalsOf(fold: SessionFold, turns: readonly Turn[], shared: number, only: string | undefined): BranchTotals {
  const own = turns.slice(shared).map(({ view }) => view);
  const runs = runsOf(fold, only);
  return {
    stopReason: textOf(runs.at(-1)?.end?.["stopReason"]),
    turns: own.length,
    toolCalls: own.reduce((sum, { calls }) => sum + calls.length, 0),
    ms: own.reduce((sum, { ms = 0 }) => sum + ms, 0),
    tokens: own.reduce((sum, { usage }) => sum + (usage.totalTokens ?? 0), 0),
    currency: currencyOf(runs.map((run) => ({ ...run.cost, currency: run.currency }))),
    // Costs outside of turns are never shared.
    ...addPriced([...own, ...runs.flatMap((run) => run.otherCosts())]),
    text: turns.at(-1)?.view.text ?? "",
  };
}
