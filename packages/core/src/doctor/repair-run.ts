import { closeOpenCalls, userText } from "../loop/transcript.ts";
import { classifyFinish } from "../model/response/fold.ts";
import { RESULT_NOT_RECORDED } from "../model/history/import-history.ts";
import { type EndEntry, ENTRY_VERSION, isResumable, type RunEntry } from "../session/log/entries.ts";
import { CUT_OFF, deriveOpen } from "../session/log/derive-open.ts";
import { addToRecord, beginRecord, type RunRecord } from "../session/log/run-record.ts";
import { checkedInput, findBadTurn, INPUT_GUARD, sumUpRun } from "../session/log/run-turns.ts";
import { resolveRefs, type StepRecord, type TurnRecord } from "../session/log/turn-record.ts";
import type { Content } from "../wire/types/content.ts";
import { isNameless } from "./entry-shape.ts";
import { pairCalls } from "./pair-calls.ts";
import { type Item, readModelStep, type Report, type RunGroup } from "./read-log.ts";

/** A run whose end refers only to steps in the log, and in which each call has exactly one response. */
export interface RepairedRun {
  readonly items: readonly Item[];
  readonly contents: readonly Content[];
  /** The end in effect; absent for an open run. */
  readonly end: Item<EndEntry> | undefined;
}

interface Place {
  readonly isLast: boolean;
  readonly first: boolean;
}

const NOT_RESUMED =
  "; it cannot be resumed, because steps with lost outcomes might run twice; a new message can be sent";

const DAMAGED = {
  name: "SessionDamagedError",
  message: "entries of this run were damaged and are lost",
  code: "session_damaged",
};

export function repairRun(group: RunGroup, place: Place, report: Report): RepairedRun {
  const record = beginRecord(group.run.entry);
  // Reports about jobs of earlier runs may be among them.
  const isOwn = (entry: Item["entry"]): boolean => "runId" in entry && entry.runId === group.run.entry.runId;
  for (const { entry } of group.items) if ("runId" in entry && isOwn(entry)) addToRecord(record, entry);
  const { outcomes, end: recordedEnd } = record;
  const unread = replaceUnchecked(group.run, outcomes, report);
  const closed = closeOpenCalls(unread.entry.input);
  const input = pairCalls(closed, place.first, (...change) => report(unread.position, ...change));
  const run = input === closed ? unread : { ...unread, entry: { ...unread.entry, input } };
  const { runId, at } = run.entry;
  const contents: Content[] = [...checkedInput({ entry: run.entry, outcomes })];
  const derived = deriveOpen({ ...record, turns: [] }, { cancelled: RESULT_NOT_RECORDED }).turns;
  /** Makes a turn refer only to what is in the log, with one response for each call. */
  const repair = <Turn extends TurnRecord>(position: number, turn: Turn): Turn => {
    let repaired = turn;
    // An answer with a call that the service could not read is never used.
    const isDamaged = (): boolean => resolveRefs(turn, outcomes).some(({ parts }) => parts.some(isNameless));
    const lost = findBadTurn(turn, record) ?? (isDamaged() ? "a turn refers to a damaged call" : undefined);
    if (lost !== undefined) {
      report(position, lost, "the turn is rebuilt from its steps; calls without an outcome count as cancelled");
      const known = derived.find((one) => one.turn === turn.turn);
      repaired = { ...turn, contents: known?.contents ?? [], steps: known?.steps ?? [], calls: known?.calls ?? [] };
    }
    // Contents that are only sent to convert the answer are not part of the history.
    if (repaired.phase !== undefined) return repaired;
    const added = resolveRefs(repaired, outcomes);
    const paired = pairCalls(added, place.first && contents.length === 0, (...change) => report(position, ...change));
    contents.push(...paired);
    return paired === added ? repaired : { ...repaired, contents: paired, calls: [] };
  };
  let last = 0;
  /** Turns that a later one follows, and that no entry closes. */
  const fill = (position: number, before: number): readonly Item[] =>
    derived.flatMap((turn): Item[] => {
      if (turn.turn <= last || turn.turn >= before) return [];
      const problem = `turn ${turn.turn} of run ${runId} has no entry`;
      report(position, problem, "it is rebuilt from its steps");
      return [{ position, entry: { v: ENTRY_VERSION, at, type: "turn", runId, ...repair(position, turn) } }];
    });
  const items = group.items.flatMap((item): readonly Item[] => {
    const { position, entry } = item;
    if (entry.type !== "turn" || entry.turn <= last) return [item];
    const missing = fill(position, entry.turn);
    last = entry.turn;
    const turn = repair(position, entry);
    return [...missing, turn === entry ? item : { position, entry: turn }];
  });
  const found = findEffectiveEnd(group, recordedEnd);
  if (found !== undefined) {
    const { position, entry } = found;
    const missing = fill(position, entry.open[0]?.turn ?? 0);
    const open = entry.open.map((turn) => repair(position, turn));
    const end = repairEnd(group, record, place, found, open, report);
    const endAt = items.findIndex((item) => item.position === position);
    // Nothing uses an answer, or the outcome of a job, that came after an end which is final now.
    const isVoid = (item: Item): boolean =>
      item.entry.type === "answer" || (item.entry.type === "job" && isOwn(item.entry));
    const later = items.slice(endAt + 1).filter((item) => end.entry.error !== DAMAGED || !isVoid(item));
    const all = placeTurns([...items.slice(0, endAt), ...missing, end, ...later], report);
    return { items: [run, ...all], contents, end };
  }
  const left = derived.filter(({ turn }) => turn > last);
  const open = left.map((turn) => repair(run.position, turn));
  // An end that is not in effect must not stay the last one.
  const isDamaged =
    recordedEnd !== undefined || open.some((turn, index) => turn !== left[index]) || hasGaps(group, record);
  const all = [run, ...placeTurns(items, report)];
  if (place.isLast && !isDamaged) return { items: all, contents, end: undefined };
  const isFinal = isDamaged && place.isLast;
  report(
    run.position,
    `run ${runId} has no end, and ${isDamaged ? "entries of it are lost" : "another run follows"}`,
    `its end is rebuilt from its steps; calls without an outcome count as cancelled${isFinal ? NOT_RESUMED : ""}`,
  );
  const before = group.items.at(-1) ?? run;
  const end: Item<EndEntry> = {
    position: before.position,
    entry: {
      v: ENTRY_VERSION,
      at: before.entry.at,
      type: "end",
      runId,
      stopReason: isFinal ? "damaged" : "aborted",
      open,
      ...sumUpRun(record, open),
      error: isFinal ? DAMAGED : CUT_OFF,
    },
  };
  return { items: [...all, end], contents, end };
}

/** Replaces a message whose check is lost, although the model read it: what the model read is unknown. */
function replaceUnchecked(run: Item<RunEntry>, outcomes: RunRecord["outcomes"], report: Report): Item<RunEntry> {
  const { guarded, ...entry } = run.entry;
  if (guarded !== true || outcomes.has(INPUT_GUARD)) return run;
  if (![...outcomes.values()].some(({ place }) => place.kind === "model")) return run;
  const problem = `the guardrails' check of the message of run ${entry.runId} is lost`;
  report(run.position, problem, "a note takes the place of the message");
  return { ...run, entry: { ...entry, input: [userText("(this message was lost)")] } };
}

/** Moves turns that precede their steps, and the turns that follow them, to after the last step. */
function placeTurns(items: readonly Item[], report: Report): readonly Item[] {
  const outcomes = new Map<string, StepRecord>();
  const early = items.find(({ entry }) => {
    if (entry.type === "step") outcomes.set(entry.step, entry);
    return entry.type === "turn" && findBadTurn(entry, { outcomes }) !== undefined;
  });
  if (early === undefined) return items;
  report(early.position, "it refers to steps that come after it", "it is moved after them");
  const from = items.indexOf(early);
  const isLate = ({ entry }: Item, index: number): boolean => entry.type === "turn" && index >= from;
  const kept = items.filter((item, index) => !isLate(item, index));
  return kept.toSpliced(kept.findLastIndex(({ entry }) => entry.type === "step") + 1, 0, ...items.filter(isLate));
}

/** An end in effect, with these turns; final if lost entries make resuming unsafe. */
function repairEnd(
  group: RunGroup,
  record: RunRecord,
  place: Place,
  { position, entry: found }: Item<EndEntry>,
  open: readonly TurnRecord[],
  report: Report,
): Item<EndEntry> {
  const isChanged = open.some((turn, index) => turn !== found.open[index]);
  const entry = isChanged ? { ...found, open } : found;
  if (!place.isLast || !isResumable(entry) || !(isChanged || hasGaps(group, record, entry))) return { position, entry };
  const problem = `run ${entry.runId} ended with "${entry.stopReason}", and entries of it are lost`;
  report(position, problem, `it is final${NOT_RESUMED}`);
  const { pending: _, ...rest } = entry;
  return { position, entry: { ...rest, stopReason: "damaged", error: DAMAGED } };
}

/** True when entries that resuming the run may depend on are not in the log. */
function hasGaps({ items, lost }: RunGroup, record: RunRecord, end?: EndEntry): boolean {
  if (lost.some(({ type }) => !["steer", "end", "turn"].includes(type ?? ""))) return true;
  if (end !== undefined && !isResumable(end)) return false;
  // The step that started the job is damaged.
  if (end?.pending?.some(({ question, callId }) => question === "job" && !record.jobs.has(callId)) === true)
    return true;
  return hasStrayRoutes(items) || hasMissingTurns(record);
}

/** True when the model's answer of a turn is lost, or the whole turn. */
function hasMissingTurns({ outcomes, begun }: RunRecord): boolean {
  const answered = new Set<number>();
  const turns = new Set<number>();
  for (const { place } of [...outcomes.values(), ...begun.values()]) {
    // Checks of a message and summaries come before the model's answer.
    if (place.kind === "compact" || (place.kind === "guard" && place.side === "input")) continue;
    turns.add(place.turn);
    if (place.kind === "model" && place.attempt === 0) answered.add(place.turn);
  }
  for (let turn = Math.max(0, ...turns); turn > 0; turn--) turns.add(turn);
  return [...turns].some((turn) => !answered.has(turn));
}

/** True when the run executed calls of an answer with which it would have ended: the finish reason was changed. */
function hasStrayRoutes(items: RunGroup["items"]): boolean {
  let ends = false;
  for (const { entry } of items) {
    if (entry.type !== "step") continue;
    const { kind } = entry.place;
    const value = readModelStep(entry);
    if (kind === "model" && value !== undefined)
      ends = !["complete", "truncated"].includes(classifyFinish(value.response.finishReason));
    if ((kind === "route" || kind === "call") && ends) return true;
  }
  return false;
}

/** The run's end, unless the run continued after it in entries that are lost. */
function findEffectiveEnd({ items, lost }: RunGroup, inEffect: EndEntry | undefined): Item<EndEntry> | undefined {
  // Not the same object: later answers changed its pending questions.
  const end = items.findLast((item): item is Item<EndEntry> => item.entry.type === "end");
  if (inEffect === undefined || end === undefined) return undefined;
  const continued = items.some((item) => item.position > end.position && item.entry.type === "step");
  return continued && lost.some((line) => line.position > end.position) ? undefined : end;
}
