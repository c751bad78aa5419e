import { LOOP_VERSION, stepName } from "../../durable/run-log.ts";
import { type Outcome, valueLeft } from "../../durable/steps.ts";
import { RewindTargetError } from "../../errors/session-errors.ts";
import { asObject, isObject } from "../../internal/json.ts";
import type { Spent } from "../../loop/limits.ts";
import { closeOpenCalls } from "../../loop/transcript.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import type { Content } from "../../wire/types/content.ts";
import { foldInfo, type InfoFold, NO_INFO } from "../store/session-info.ts";
import { type EntryOfRun, type HistorySegment, isKnownType, type RunEntry, type SessionEntry } from "./entries.ts";
import {
  listReads,
  readGiven,
  splitHistory,
  findBadContents,
  findBadTurn,
  findCompaction,
  findDamagedEnd,
  isListOf,
  listForeign,
  listRunContents,
} from "./run-turns.ts";
import { addToRecord, beginRecord, type RunRecord } from "./run-record.ts";

/** A session's log, folded: what is known after reading its entries in order. */
export class SessionView {
  length = 0;
  /** History of the runs before the last, after the given contents. */
  readonly segments: HistorySegment[] = [];
  /** The last run; none after a rewind. */
  run: RunRecord | undefined;
  /** Starts of the runs that are part of the conversation. */
  readonly starts: RunStart[] = [];
  readonly runIds: Set<string> = new Set();
  /** What happened to the questions that are no longer open, by token. */
  readonly answered: Map<string, string> = new Map();
  readonly steering: SteeringLog = new SteeringLog();
  /** What replaces the first contents of the history in requests, as of the runs before the last. */
  compaction: Compaction | undefined;
  /** For the lists of a store; also the usage of ended runs. */
  info: InfoFold = NO_INFO;

  add(entry: SessionEntry): void {
    const position = this.length++;
    this.info = foldInfo(this.info, [entry]);
    switch (entry.type) {
      case "history":
        // An older entry has no record of what its contents bring.
        for (const part of entry.parts)
          this.segments.push(...(entry.loop === undefined ? readGiven(part.contents, part.origin) : [part]));
        return;
      case "run":
        this.runIds.add(entry.runId);
        this.#withdraw(entry.withdrawn, "another message came");
        if (this.run !== undefined) {
          this.segments.push(...buildSegments(this.run, entry.dropInterrupted !== true));
          this.compaction = this.lastCompaction();
        }
        this.starts.push({
          entry,
          position,
          segments: this.segments.length,
          steeringCursor: this.steering.cursor,
          compaction: this.compaction,
        });
        this.run = beginRecord(entry, { steeringCursor: this.steering.cursor, spentBefore: this.spent() });
        return;
      case "steer":
        this.steering.records.push({ ...entry, position });
        return;
      case "rewind":
        this.#withdraw(entry.withdrawn, "the conversation was taken back to before it");
        this.#rewind(entry.before);
        return;
      case "info":
        return;
      default: {
        // Ignores entries of a run that is over, whose writer did not know that, and types of a later release.
        if (!isKnownType(entry.type) || this.run?.entry.runId !== entry.runId) return;
        addToRecord(this.run, entry);
        if (entry.type === "step") this.steering.addStep(entry.outcome);
        else if ("token" in entry) this.answered.set(entry.token, describeAnswer(entry));
      }
    }
  }

  /** All contents, oldest first. Never ends on an open call: calls of a run that is not over count as cancelled. */
  history(): Content[] {
    // Only segments need what the last run has read.
    const last = this.run === undefined ? [] : listRunContents(this.run);
    return [...this.segments.flatMap(({ contents }) => contents), ...last];
  }

  allSegments(): readonly HistorySegment[] {
    return this.run === undefined ? this.segments : [...this.segments, ...buildSegments(this.run)];
  }

  /** As {@link compaction}, including the last run. */
  lastCompaction(): Compaction | undefined {
    const { run, segments, compaction } = this;
    if (run === undefined) return compaction;
    const { endpoint, family } = run.entry.origin;
    let isWhole = true;
    for (const { origin } of segments) isWhole &&= origin?.endpoint === endpoint && origin.family === family;
    return findCompaction(run, compaction, isWhole);
  }

  steerOf(id: string): SteerRecord | undefined {
    return this.steering.records.find((steer) => steer.id === id);
  }

  /** True when a message with this id began or steered a run. */
  knowsMessage(id: string): boolean {
    return this.runIds.has(id) || this.steerOf(id) !== undefined;
  }

  spent(): Spent {
    return { ...this.info.ended, wallTimeMs: 0 };
  }

  #withdraw(tokens: readonly string[] = [], why: string): void {
    for (const token of tokens) this.answered.set(token, `was withdrawn: ${why}`);
  }

  #rewind(runId: string): void {
    const index = this.starts.findIndex(({ entry }) => entry.runId === runId);
    const start = this.starts[index];
    if (start === undefined) return;
    this.starts.length = index;
    this.segments.length = start.segments;
    this.compaction = start.compaction;
    this.run = undefined;
    this.steering.rewind(start);
  }
}

function describeAnswer({ value, by }: Extract<SessionEntry, { type: "answer" }>): string {
  if (!isObject(value) || !("withdrawn" in value))
    return `has already been answered${by === undefined ? "" : ` by ${by}`}`;
  const { withdrawn } = value;
  return `was withdrawn${typeof withdrawn === "string" && withdrawn !== "" ? `: ${withdrawn}` : ""}`;
}

/** The contents of a run by origin: `prepareTurn` may have chosen another model for a turn. */
function buildSegments(run: RunRecord, keepsInterrupted: boolean = true): readonly HistorySegment[] {
  const { entry } = run;
  const foreign = listForeign(run);
  const contents = listRunContents(run, keepsInterrupted);
  return splitHistory(contents, listReads(run, contents), (content) => foreign.get(content) ?? entry.origin);
}

/** @throws {TypeError} When the first `contents` contents would leave a call open; names the nearest places that do not. */
export function checkForkPoint(all: readonly Content[], contents: number): void {
  const isLegal = (at: number): boolean => closeOpenCalls(all.slice(0, at)).length === at;
  if (!Number.isInteger(contents) || contents < 0 || contents > all.length)
    throw new TypeError(`fork: contents must be an integer from 0 to ${all.length}, got ${contents}`);
  if (!isLegal(contents))
    throw new TypeError(
      `fork: a call is unanswered after ${contents} contents; cut at ${contents - 1} or ${contents + 1}`,
    );
}

export function takeSegments(segments: readonly HistorySegment[], count: number): HistorySegment[] {
  const kept: HistorySegment[] = [];
  let room = count;
  for (const segment of segments) {
    if (room <= 0) break;
    // The first content, with what the segment brings, is always kept.
    kept.push({ ...segment, contents: segment.contents.slice(0, room) });
    room -= segment.contents.length;
  }
  return kept;
}

/** A message sent to a session while a run was in progress. */
export interface SteerRecord extends Pick<
  Extract<SessionEntry, { readonly type: "steer" }>,
  "at" | "contents" | "read" | "id"
> {
  /** Its entry's place in the log. */
  readonly position: number;
}

/** The steering messages of a session's log, and how far its runs have read them. */
export class SteeringLog {
  records: SteerRecord[] = [];
  /** Messages before this place in the log are part of the history. */
  cursor = 0;

  /** Messages that no request has included yet. */
  get unread(): readonly SteerRecord[] {
    return this.after(this.cursor);
  }

  after(place: number): readonly SteerRecord[] {
    return this.records.filter(({ position }) => position >= place);
  }

  /** Adds a recorded step, whose request may have included messages. */
  addStep(outcome: Outcome): void {
    this.cursor = Math.max(this.cursor, valueLeft(outcome).steered?.upTo ?? 0);
  }

  /** Drops messages that came after the run began and that a run has read. */
  rewind(start: { readonly position: number; readonly steeringCursor: number }): void {
    this.records = this.records.filter(({ position }) => position < start.position || position >= this.cursor);
    this.cursor = start.steeringCursor;
  }
}

/** The beginning of a run that is part of the conversation, and the state before it. */
export interface RunStart {
  readonly entry: RunEntry;
  /** Its place in the log. */
  readonly position: number;
  /** How many segments the history had. */
  readonly segments: number;
  readonly steeringCursor: number;
  readonly compaction: Compaction | undefined;
}

/** The id of the message that began a run. */
export function userMessageId(runId: string): string {
  return `${runId}:user`;
}

/** The id of a run's answer. */
export function answerId(runId: string): string {
  return `${runId}:assistant`;
}

/**
 * Finds the run that a conversation is taken back to.
 *
 * @param messageId - Id of the message that began it, or of its answer. @defaultValue the last run
 * @throws {RewindTargetError} When the conversation has no such run.
 */
export function findStart(starts: readonly RunStart[], sessionId: string, messageId: string | undefined): RunStart {
  const found =
    messageId === undefined
      ? starts.at(-1)
      : starts.findLast(({ entry: { runId } }) => messageId === userMessageId(runId) || messageId === answerId(runId));
  if (found !== undefined) return found;
  const choices = starts.map(({ entry: { runId, input } }) =>
    input.length > 0 ? userMessageId(runId) : answerId(runId),
  );
  throw new RewindTargetError(sessionId, messageId, choices);
}

/** Finds what an entry depends on and the log has lost, before the entry is added: nothing may be written after it. */
export function findDamage(view: SessionView, entry: SessionEntry): string | undefined {
  switch (entry.type) {
    case "history":
      return entry.parts
        .map((part: unknown) => findBadContents(asObject(part)["contents"]))
        .find((problem) => problem !== undefined);
    case "run":
      return findBadContents(entry.input) ?? findDamagedEnd(view.run);
    case "steer":
      return findBadContents(entry.contents);
    case "rewind":
      return view.starts.some((start) => start.entry.runId === entry.before)
        ? undefined
        : `it goes back to before run ${entry.before}, which is not part of the conversation`;
    case "turn":
    case "job":
    case "answer": {
      const { run } = view;
      const { runId } = entry;
      if (!view.runIds.has(runId)) return noBeginning(runId);
      if (run?.entry.runId !== runId) return undefined;
      return entry.type === "turn" ? findBadTurn(entry, run) : findMisplaced(entry, run);
    }
    case "step": {
      const { runId, place, outcome, step } = entry;
      if (!view.runIds.has(runId)) return noBeginning(runId);
      if ((place.kind !== "route" && place.kind !== "reroute") || !outcome.ok) return undefined;
      return findBadReason(outcome.value, step);
    }
    case "begin":
    case "resume":
    case "end":
      if (!view.runIds.has(entry.runId)) return noBeginning(entry.runId);
      return "pending" in entry && entry.pending !== undefined ? findBadReason(entry.pending, "pending") : undefined;
    default:
      return undefined;
  }
}

/** Finds anything but a list of calls, and a held call without what the model had read, which the person who decides must see. */
function findBadReason(calls: unknown, name: string): string | undefined {
  const isRead = (call: unknown): boolean => {
    const { because } = asObject(call);
    return (
      isObject(call) &&
      (because === undefined || isListOf(asObject(because)["untrusted"], (one) => typeof one === "string"))
    );
  };
  return isListOf(calls, isRead) ? undefined : `its ${name} does not say what happens to its calls`;
}

function noBeginning(runId: string): string {
  return `run ${runId} has no beginning in the log`;
}

/** Finds an answer that a run would never read: the run reads it by its name, and what follows from it by its place. */
function findMisplaced(
  { step, place }: Extract<EntryOfRun, { type: "answer" | "job" }>,
  run: RunRecord,
): string | undefined {
  const isThere =
    place.kind === "wait" &&
    typeof place.callId === "string" &&
    // Another version of the loop may have other names.
    (run.entry.loop !== LOOP_VERSION || stepName(place) === step);
  return isThere ? undefined : `the answer ${step} is in the wrong place`;
}
