import { isBadEnding } from "../../../src/inspection/endings.ts";
import type {
  FailedRequest,
  RunRow,
  SessionOverview,
  StepRow,
  SteeringRow,
  TurnRow,
} from "../../../src/inspection/inspection.ts";
import type { TurnFlag } from "../../../src/inspection/flags.ts";
import type { TurnProps } from "../session/session-model.ts";
import { type InnerExchanges, innerRows, type InnerTimelineRow } from "./inner-rows.ts";
import { commonLength, type TurnAxis, turnAxis } from "./turn-axis.ts";

/** A row of the timeline. */
export type TimelineRow =
  | { readonly kind: "earlier"; readonly turns: number }
  /** The number is absent while earlier runs are not loaded. */
  | { readonly kind: "run"; readonly run: RunRow; readonly number: number | undefined }
  | (TurnProps & {
      readonly kind: "turn";
      readonly isOpen: boolean;
      readonly bars: RowBars;
      /** The text that a search found in it. */
      readonly match?: string | undefined;
    })
  | (TurnProps & { readonly kind: "step"; readonly step: StepRow; readonly bars: RowBars })
  | (TurnProps & { readonly kind: "failed"; readonly request: FailedRequest })
  /** Another agent takes over with the turn. */
  | (TurnProps & { readonly kind: "lead" })
  | InnerTimelineRow
  | { readonly kind: "queued"; readonly steering: SteeringRow };

/** A turn's axis, and the length of the whole track. */
export interface RowBars {
  readonly axis: TurnAxis;
  readonly full: number;
}

/** Selects rows. */
export interface TimelineFilter {
  /** Words to find in the text, tools and problems of a turn. */
  readonly text: string;
  readonly flag?: TurnFlag | undefined;
  /** Ending of their runs. */
  readonly ending?: string | undefined;
  /** Turns with all words anywhere, by {@link foundKey}. */
  readonly found?: ReadonlyMap<string, string> | undefined;
}

export function foundKey({ runId }: { readonly runId: string }, { turn }: { readonly turn: number }): string {
  return `${runId} ${turn}`;
}

/** The words of a search, in lower case. */
export function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

const AXES = new WeakMap<TurnRow, TurnAxis>();

function axisOf(turn: TurnRow): TurnAxis {
  let axis = AXES.get(turn);
  if (axis === undefined) {
    axis = turnAxis(turn);
    AXES.set(turn, axis);
  }
  return axis;
}

/** The rows of a session, from top to bottom. */
export function timelineRows(
  { runs, queued, earlier }: SessionOverview,
  { text, flag, ending, found }: TimelineFilter,
  isOpen: (runId: string, turn: number) => boolean,
  inner: { readonly exchanges: InnerExchanges; readonly isToggled: (key: string) => boolean },
): readonly TimelineRow[] {
  const words = wordsOf(text);
  const isFiltered = words.length > 0 || flag !== undefined || ending !== undefined;
  const rows: TimelineRow[] = earlier === undefined ? [] : [{ kind: "earlier", turns: earlier.turns }];
  for (const [index, run] of runs.entries()) {
    if (ending !== undefined && run.ending !== ending) continue;
    const turns = isFiltered ? run.turns.filter((turn) => isFound(run, turn, words, flag, found)) : run.turns;
    if (isFiltered && turns.length === 0 && !(flag === undefined && hasWords(run.input, words))) continue;
    rows.push({ kind: "run", run, number: earlier === undefined ? index + 1 : undefined });
    const full = commonLength(run.turns.map(axisOf));
    let leader: string | undefined;
    for (const turn of turns) {
      if (turn.agent !== leader) rows.push({ kind: "lead", run, turn });
      leader = turn.agent;
      const bars = { axis: axisOf(turn), full };
      const isTurnOpen = isOpen(run.runId, turn.turn);
      const match = found?.get(foundKey(run, turn));
      rows.push({ kind: "turn", run, turn, isOpen: isTurnOpen, bars, match });
      if (!isTurnOpen) continue;
      for (const request of turn.failedRequests ?? []) rows.push({ kind: "failed", run, turn, request });
      // The log orders steps by their ends.
      for (const step of turn.steps.toSorted((a, b) => a.at - b.at)) {
        if (isListed(step)) rows.push({ kind: "step", run, turn, step, bars });
        rows.push(...innerRows({ run, turn }, step, inner.exchanges, inner.isToggled));
      }
    }
  }
  if (!isFiltered) for (const steering of queued) rows.push({ kind: "queued", steering });
  return rows;
}

/** Counts the turns with each flag. */
export function countFlags(runs: readonly RunRow[]): ReadonlyMap<TurnFlag, number> {
  return countEach(runs.flatMap(({ turns }) => turns.flatMap(({ flags }) => flags)));
}

/** Counts the bad endings of runs. */
export function countEndings(runs: readonly RunRow[]): ReadonlyMap<string, number> {
  return countEach(runs.map(({ ending }) => ending).filter(isBadEnding));
}

function countEach<Name>(names: readonly Name[]): ReadonlyMap<Name, number> {
  const counts = new Map<Name, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** False for steps that only record that there was nothing to do: the turn's entries have them. */
function isListed({ kind, state, detail }: StepRow): boolean {
  return ["model", "call", "wait", "compact"].includes(kind) || detail !== undefined || state !== "ok";
}

function isFound(
  run: RunRow,
  turn: TurnRow,
  words: readonly string[],
  flag: TurnFlag | undefined,
  found: TimelineFilter["found"],
): boolean {
  if (flag !== undefined && !turn.flags.includes(flag)) return false;
  if (words.length === 0 || found?.has(foundKey(run, turn)) === true) return true;
  const { text, steps, flags, finishReason, failedRequests = [] } = turn;
  const details = steps.map(({ label, detail }) => `${label ?? ""} ${detail ?? ""}`);
  const problems = failedRequests.map(({ said }) => said);
  return hasWords(
    [run.input, text, finishReason, `turn ${turn.number}`, ...flags, ...details, ...problems].join(" "),
    words,
  );
}

function hasWords(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}
