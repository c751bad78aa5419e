import { valueLeft } from "../../durable/steps.ts";
import { cutText } from "../../internal/text.ts";
import type { Spent } from "../../loop/limits.ts";
import { addUsage, NO_USAGE } from "../../model/usage.ts";
import type { Content } from "../../wire/types/content.ts";
import { type EndEntry, isResumable, type RunEntry, type SessionEntry } from "../log/entries.ts";
import type { SessionInfo, TotalsRow } from "./store.ts";
import { type CountedRow, sumTotals, totalsOfEnd, totalsOfStep } from "./totals.ts";

/** Maximum length of a title that is made from a message, in characters. */
const TITLE_CHARACTERS = 80;

/** Combined usage of all runs of a session that have ended. `pricesAsOf` and `currency` are those of the last price list. */
export interface EndedRuns extends Omit<Spent, "wallTimeMs"> {
  /** However they ended. */
  readonly runs: number;
}

/** What is known about a session after some entries; the value never changes. */
export interface InfoFold {
  /** Absent before the first entry. */
  readonly info: SessionInfo | undefined;
  readonly firstWords: string | undefined;
  /** Ids of the runs up to the one whose message has the first words. */
  readonly opening: readonly string[];
  readonly title: string | undefined;
  readonly ended: EndedRuns;
  /** As {@link ended}, without the last run. */
  readonly before: EndedRuns;
  /** The last turn of the last run. */
  readonly lastTurn: number;
  readonly runId: string | undefined;
  readonly last: LastRun | undefined;
}

/** What the totals need when the last run ends. */
interface LastRun extends Pick<RunEntry, "agent" | "model"> {
  /** Totals of the runs before it. */
  readonly before: readonly TotalsRow[];
  /** Rows of its steps: a linked list, last step first. */
  readonly steps: Steps | undefined;
  /** Milliseconds that it had been active when it was last opened. */
  readonly activeMs: number;
  readonly openedAt: number;
}

interface Steps {
  readonly rows: readonly CountedRow[];
  readonly before: Steps | undefined;
}

/** The state of a run in progress. */
const RUNNING = { state: "running", ending: undefined, waitsFor: undefined } as const;

const NO_RUNS: EndedRuns = { runs: 0, turns: 0, toolCalls: 0, usage: NO_USAGE, cost: 0 };

export const NO_INFO: InfoFold = {
  info: undefined,
  firstWords: undefined,
  opening: [],
  title: undefined,
  ended: NO_RUNS,
  before: NO_RUNS,
  lastTurn: 0,
  runId: undefined,
  last: undefined,
};

/** A list's description of the session with this log, oldest entry first; `undefined` for an empty one. */
export function describeLog(entries: readonly SessionEntry[]): SessionInfo | undefined {
  return foldInfo(NO_INFO, entries).info;
}

/** What is known after more entries: a store gets it with the append that adds them. */
export function foldInfo(fold: InfoFold, entries: readonly SessionEntry[]): InfoFold {
  let known = fold;
  for (const entry of entries) {
    const info = known.info ?? { state: "idle", createdAt: entry.at, messages: 0, ...describeUsed(NO_RUNS) };
    const next = { ...known, info, ...findChanges(known, info, entry) };
    const title = next.title ?? next.firstWords;
    known = next.info.title === title ? next : { ...next, info: { ...next.info, title } };
  }
  return known;
}

function findChanges(
  fold: InfoFold,
  info: SessionInfo,
  entry: SessionEntry,
): Partial<InfoFold> & { readonly info?: SessionInfo } {
  const { last } = fold;
  switch (entry.type) {
    case "info": {
      const { title, owner, metadata } = entry;
      return {
        ...(title !== undefined && { title: title ?? undefined }),
        info: {
          ...info,
          ...(owner !== undefined && { owner: owner ?? undefined }),
          ...(metadata !== undefined && { metadata: metadata ?? undefined }),
        },
      };
    }
    case "history":
      return { firstWords: fold.firstWords ?? firstWordsOf(entry.parts.flatMap(({ contents }) => [...contents])) };
    case "steer":
      return { firstWords: fold.firstWords ?? firstWordsOf(entry.contents) };
    case "run": {
      // The run before may have been cut off.
      const cutOff = fold.ended.runs === fold.before.runs ? fold.lastTurn : 0;
      const ended = { ...fold.ended, turns: fold.ended.turns + cutOff };
      return {
        firstWords: fold.firstWords ?? firstWordsOf(entry.input),
        opening: fold.firstWords === undefined ? [...fold.opening, entry.runId] : fold.opening,
        runId: entry.runId,
        ended,
        before: ended,
        lastTurn: 0,
        last: {
          agent: entry.agent,
          model: entry.model,
          before: info.totals ?? [],
          steps: undefined,
          activeMs: 0,
          openedAt: entry.at,
        },
        info: {
          ...info,
          ...RUNNING,
          turns: ended.turns,
          messages: info.messages + (entry.input.length > 0 ? 1 : 0),
          runMetadata: entry.metadata,
        },
      };
    }
    case "rewind": {
      const first = fold.opening.indexOf(entry.before);
      return {
        ...(first >= 0 && { firstWords: undefined, opening: fold.opening.slice(0, first) }),
        runId: undefined,
        info: { ...info, ...RUNNING, state: "idle" },
      };
    }
    case "step": {
      const { place, outcome } = entry;
      if (entry.runId !== fold.runId || info.state !== "running") return {};
      // Every turn has one of these.
      const isOfTurn = outcome.ok && (place.kind === "model" || place.kind === "guard" || place.kind === "compact");
      // The cost of a request, or of the runs inside a call or a summary.
      const { cost = 0, nested = [] } = valueLeft(outcome);
      return {
        lastTurn: isOfTurn ? Math.max(fold.lastTurn, place.turn) : fold.lastTurn,
        info: { ...info, cost: nested.reduce((sum, run) => sum + (run.cost ?? 0), info.cost + cost) },
        last: last && { ...last, steps: { rows: totalsOfStep(place, outcome, last.model), before: last.steps } },
      };
    }
    case "resume": {
      if (entry.runId !== fold.runId) return {};
      const { pricesAsOf, currency, usage } = fold.ended;
      const context = { ...fold.before.usage, contextTokens: usage.contextTokens };
      const ended = { ...fold.before, usage: context, pricesAsOf, currency };
      return {
        ended,
        info: { ...info, ...describeUsed(ended), cost: info.cost, ...RUNNING },
        last: last && { ...last, openedAt: entry.at },
      };
    }
    case "end": {
      if (entry.runId !== fold.runId) return {};
      const ended = addRun({ ...fold.before, pricesAsOf: fold.ended.pricesAsOf, currency: fold.ended.currency }, entry);
      const state = entry.pending !== undefined ? "waiting" : isResumable(entry) ? "stopped" : "idle";
      const waitsFor = entry.pending?.every(({ question }) => question === "job") === true ? "job" : undefined;
      const activeMs = last === undefined ? 0 : last.activeMs + entry.at - last.openedAt;
      const totals =
        last && sumTotals([...last.before, ...rowsOf(last.steps), ...totalsOfEnd(entry, last.agent, activeMs)]);
      return {
        ended,
        info: { ...info, ...describeUsed(ended), state, ending: entry.stopReason, waitsFor, totals },
        last: last && isResumable(entry) ? { ...last, activeMs } : undefined,
      };
    }
    default:
      return {};
  }
}

/** The rows of all steps, in their order. */
function rowsOf(last: Steps | undefined): readonly CountedRow[] {
  const found: (readonly CountedRow[])[] = [];
  for (let step = last; step !== undefined; step = step.before) found.push(step.rows);
  return found.toReversed().flat();
}

function addRun(before: EndedRuns, end: EndEntry): EndedRuns {
  return {
    runs: before.runs + 1,
    turns: before.turns + end.turns,
    toolCalls: before.toolCalls + end.toolCalls,
    usage: addUsage(before.usage, end.usage),
    cost: before.cost + (end.cost ?? 0),
    unpriced: before.unpriced ?? end.unpriced,
    pricesAsOf: end.pricesAsOf ?? before.pricesAsOf,
    currency: end.currency ?? before.currency,
  };
}

function describeUsed(ended: EndedRuns) {
  const { turns, usage, cost, unpriced, pricesAsOf, currency } = ended;
  const priced = { ...(pricesAsOf !== undefined && { pricesAsOf }), ...(currency !== undefined && { currency }) };
  return { turns, totalTokens: usage.totalTokens, cost, unpriced, ...priced };
}

function firstWordsOf(contents: readonly Content[]): string | undefined {
  for (const { role, parts } of contents) {
    if (role === "model") continue;
    const text = parts
      .map((part) => part.text ?? "")
      .join(" ")
      .replaceAll(/\s+/g, " ")
      .trim();
    if (text === "") continue;
    if (text.length <= TITLE_CHARACTERS) return text;
    const cut = cutText(text, TITLE_CHARACTERS);
    const lastSpace = cut.lastIndexOf(" ");
    return `${lastSpace > TITLE_CHARACTERS / 2 ? cut.slice(0, lastSpace) : cut}…`;
  }
  return undefined;
}
