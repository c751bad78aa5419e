import { type CallRoute, type NumberedCall, numberCalls } from "../durable/run-log.ts";
import type { Compaction } from "../loop/turn/compaction.ts";
import type { Cost } from "../model/usage.ts";
import type { EndEntry, RunEntry, SessionEntry } from "../session/log/entries.ts";
import { PlacedSteps, type RunRecord } from "../session/log/run-record.ts";
import { findCompaction, listTurns } from "../session/log/run-turns.ts";
import { SessionView } from "../session/log/session-view.ts";
import type { EndedRuns } from "../session/store/session-info.ts";
import { readResponse, resolveRefs } from "../session/log/turn-record.ts";
import type { OutsideAnswer } from "../tool/pending-call.ts";
import type { PendingQuestion } from "../tool/tool.ts";
import type { UntrustedReason } from "../tool/reads.ts";
import type { Content, FunctionCall } from "../wire/types/content.ts";

/** The contents of a session's log, in reading order. */
export interface SessionOutline {
  /** Contents from before the first run. */
  readonly histories: readonly HistoryOutline[];
  /** In order, including runs that were taken back. */
  readonly runs: readonly RunOutline[];
  /** Steering messages that no request has included yet. */
  readonly unread: readonly Content[];
  /** Usage of all ended runs. */
  readonly totals: SessionTotals;
}

/** An imported history, or the beginning of another session. */
export interface HistoryOutline {
  /** Id of the other session. */
  readonly from: string | undefined;
  readonly contents: readonly Content[];
}

/** One run of a session. */
export interface RunOutline extends Pick<RunEntry, "at" | "model" | "input"> {
  /** Whether the session was taken back to before it. */
  readonly isTakenBack: boolean;
  /** The contents after its input. */
  readonly added: readonly AddedContent[];
  /** What replaces the first contents of the history in requests since then. */
  readonly compaction: Compaction | undefined;
  /** How it ended; `undefined` for a run that was interrupted or is still running. */
  readonly end: EndEntry | undefined;
}

/** A content that a run added. */
export interface AddedContent {
  readonly content: Content;
  /** Whether it is a steering message. */
  readonly isSteering: boolean;
  /** The questions that its calls raised and that were answered from outside. */
  readonly questions: readonly AnsweredQuestion[];
  /** Its calls that needed approval, or were denied, because of what the model had read. */
  readonly held: readonly HeldCall[];
}

/** A call that needed approval, or was denied, because of what the model had read. */
export interface HeldCall {
  readonly call: FunctionCall;
  readonly because: UntrustedReason;
}

/** A question about a call, and its answer. */
export interface AnsweredQuestion {
  /** Name of the function. */
  readonly name: string;
  readonly question: PendingQuestion;
  readonly answer: OutsideAnswer;
  /** The person who answered, if known. */
  readonly by: string | undefined;
}

/** Usage of ended runs. */
export interface SessionTotals extends Cost, Pick<EndedRuns, "runs" | "turns" | "toolCalls" | "usage"> {}

/**
 * Outlines a session, to be shown: its messages, questions and answers, how each run ended and what it used.
 *
 * @param entries - The whole log of an undamaged session.
 */
export function outlineSession(entries: readonly SessionEntry[]): SessionOutline {
  const { view, runs } = readRuns(entries);
  return {
    histories: entries.flatMap((entry) =>
      entry.type === "history"
        ? [{ from: entry.from?.session, contents: entry.parts.flatMap(({ contents }) => contents) }]
        : [],
    ),
    runs: runs.map((run) => outlineRun(run, !view.starts.some(({ entry }) => entry === run.entry))),
    unread: view.steering.unread.flatMap(({ contents }) => contents),
    totals: view.info.ended,
  };
}

/** The history in a session's log, in wire format. @param entries - The whole log of an undamaged session. */
export function sessionHistory(entries: readonly SessionEntry[]): readonly Content[] {
  return readRuns(entries).view.history();
}

function readRuns(entries: Iterable<SessionEntry>): { view: SessionView; runs: readonly RunRecord[] } {
  const view = new SessionView();
  const runs: RunRecord[] = [];
  for (const entry of entries) {
    view.add(entry);
    if (entry.type === "run" && view.run !== undefined) runs.push(view.run);
  }
  return { view, runs };
}

function outlineRun(record: RunRecord, isTakenBack: boolean): RunOutline {
  const { entry, outcomes, end } = record;
  const steps = new PlacedSteps(record);
  const added = listTurns(record).flatMap((turn): readonly AddedContent[] => {
    if (turn.phase !== undefined) return [];
    return turn.contents.flatMap((ref) => {
      // A call that has not ended may still end.
      const known =
        end === undefined && "calls" in ref ? { calls: ref.calls.filter((one) => typeof one === "string") } : ref;
      const calls = numberCalls(turn.turn, "model" in ref ? readResponse(ref, outcomes) : undefined);
      return resolveRefs({ ...turn, contents: [known] }, outcomes).map((content) => ({
        content,
        isSteering: "steered" in ref,
        questions: listQuestions(record, steps, calls),
        held: listHeld(steps, calls),
      }));
    });
  });
  const { at, model, input } = entry;
  return { at, model, isTakenBack, input, added, compaction: findCompaction(record), end };
}

/** The calls of an answer that were held, by what was decided about them. */
function listHeld(steps: PlacedSteps, calls: readonly NumberedCall[]): readonly HeldCall[] {
  return calls.flatMap(({ turn, callId, call }, index): readonly HeldCall[] => {
    let because: UntrustedReason | undefined;
    for (const { place, value } of steps.inTurn(turn)) {
      // Such steps record this type.
      const routes = value as readonly CallRoute[];
      if (place.kind === "route") because = routes[index]?.because ?? because;
      if (place.kind === "reroute" && place.callId === callId) because = routes[0]?.because ?? because;
    }
    return because === undefined ? [] : [{ call, because }];
  });
}

function listQuestions(
  { outcomes }: RunRecord,
  steps: PlacedSteps,
  calls: readonly NumberedCall[],
): readonly AnsweredQuestion[] {
  return calls.flatMap(({ callId, call: { name } }) =>
    [...outcomes.values()].flatMap(({ place, by }): readonly AnsweredQuestion[] => {
      if (place.kind !== "wait" || place.callId !== callId) return [];
      const answer = steps.findGiven(place);
      if (typeof answer !== "object") return [];
      return [{ name, question: place.question, answer, by }];
    }),
  );
}
