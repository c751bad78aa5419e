import { isObject } from "../../internal/json.ts";
import type { Spent } from "../../loop/limits.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import { closeOpenCalls } from "../../loop/transcript.ts";
import type { HistoryOrigin } from "../../model/history/import-history.ts";
import type { Content } from "../../wire/types/content.ts";
import { foldInfo, type InfoFold, NO_INFO } from "../store/session-info.ts";
import { isKnownType, type SessionEntry } from "./entries.ts";
import type { RunStart } from "./rewind.ts";
import { addToRecord, beginRecord, type RunRecord } from "./run-record.ts";
import { findCompaction, listForeign, listRunContents } from "./run-turns.ts";
import { type SteerRecord, SteeringLog } from "./steering.ts";

export interface HistorySegment {
  /** Absent when it never came from a model. */
  readonly origin?: HistoryOrigin | undefined;
  readonly contents: readonly Content[];
}

/** A session's log, folded: what is known after reading its entries in order. */
export class SessionView {
  length = 0;
  /** Of the runs before the last, and of what was given. */
  readonly segments: HistorySegment[] = [];
  /** The last run; none after a rewind. */
  run: RunRecord | undefined;
  /** Of the runs that are part of the conversation. */
  readonly starts: RunStart[] = [];
  readonly runIds: Set<string> = new Set();
  /** What became of questions that have an answer, by token. */
  readonly answered: Map<string, string> = new Map();
  readonly steering: SteeringLog = new SteeringLog();
  /** What is sent in place of the first contents of the history, as of the runs before the last. */
  compaction: Compaction | undefined;
  /** For the lists of a store; also what the runs that ended have used. */
  info: InfoFold = NO_INFO;

  add(entry: SessionEntry): void {
    const position = this.length++;
    this.info = foldInfo(this.info, [entry]);
    switch (entry.type) {
      case "history":
        this.segments.push(...entry.parts);
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
        // One of a run that is over was written by a process that did not know; the run's end stands. A later release may write others.
        if (!isKnownType(entry.type) || this.run?.entry.runId !== entry.runId) return;
        addToRecord(this.run, entry);
        if ("outcome" in entry) this.steering.addStep(entry.outcome);
        else if ("token" in entry) this.answered.set(entry.token, describeAnswer(entry));
      }
    }
  }

  /** All contents, oldest first. Never ends on an open call: those of a run that is not over count as cancelled. */
  history(): Content[] {
    const contents = this.segments.flatMap((segment) => [...segment.contents]);
    if (this.run !== undefined) contents.push(...listRunContents(this.run));
    return contents;
  }

  allSegments(): readonly HistorySegment[] {
    return this.run === undefined ? this.segments : [...this.segments, ...buildSegments(this.run)];
  }

  /** As {@link compaction}, with the last run. */
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

  /** True when a message with this id began a run, or steered one. */
  isSaid(id: string): boolean {
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
    return `has been answered${by === undefined ? "" : ` by ${by}`} already`;
  const { withdrawn } = value;
  return `was withdrawn${typeof withdrawn === "string" && withdrawn !== "" ? `: ${withdrawn}` : ""}`;
}

/** The contents of a run by where they come from: `prepareTurn` may have chosen another model for a turn. */
function buildSegments(run: RunRecord, keepsInterrupted: boolean = true): readonly HistorySegment[] {
  const { entry } = run;
  const foreign = listForeign(run);
  const contents = listRunContents(run, keepsInterrupted);
  if (foreign.size === 0) return [{ origin: entry.origin, contents }];
  return contents.map((content) => ({ origin: foreign.get(content) ?? entry.origin, contents: [content] }));
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
    kept.push({ ...segment, contents: segment.contents.slice(0, room) });
    room -= segment.contents.length;
  }
  return kept;
}
