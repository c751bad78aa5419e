import type { LostUsage } from "../../durable/closed-turn.ts";
import type { GuardrailAction, StepPlace } from "../../durable/run-log.ts";
import type { Outcome, StepError } from "../../durable/steps.ts";
import { isObject, isTooDeep, type Json, MAX_LEVELS } from "../../internal/json.ts";
import type { RecordedEnding } from "../../loop/recall-run.ts";
import type { StopReason } from "../../loop/result.ts";
import type { HistoryOrigin } from "../../model/history/import-history.ts";
import type { ReadSource } from "../../tool/reads.ts";
import type { RunIdentity } from "../../tool/run-context.ts";
import type { Content } from "../../wire/types/content.ts";
import type { Draft, EndReason } from "../store/store.ts";
import type { TurnRecord } from "./turn-record.ts";

/** Version of the entries this release reads and writes. */
export const ENTRY_VERSION = 3;

/** Contents of one origin. */
export interface HistorySegment {
  /** Absent when they never came from a model. */
  readonly origin?: HistoryOrigin | undefined;
  readonly contents: readonly Content[];
  /** What the first content brings into the history; absent for nothing. */
  readonly read?: readonly ReadSource[] | undefined;
}

interface EntryBase {
  readonly v: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Which operation of its run an entry is about. */
export interface StepKey {
  /** Its name: an opaque key. */
  readonly step: string;
  readonly place: StepPlace;
}

/** A run begins. */
export interface RunEntry extends EntryBase, Omit<RunIdentity, "sessionId"> {
  readonly type: "run";
  /** Version of the loop that began it. */
  readonly loop: number;
  /** Id of the model. */
  readonly model: string;
  /** Where its answers come from: their thought signatures are valid only there. */
  readonly origin: HistoryOrigin;
  readonly input: readonly Content[];
  /** What the input brings into the history; absent for nothing. */
  readonly read?: readonly ReadSource[] | undefined;
  /** Its answer has a schema: in every request, or in a last request that converts the answer. */
  readonly output?: "native" | "converted" | undefined;
  /** Guardrails check the input: it becomes part of the history only once a step records their decision. */
  readonly guarded?: true | undefined;
  /** The unfinished answer of the run before does not become part of the history. */
  readonly dropInterrupted?: true | undefined;
  /** Tokens of the previous run's questions that can no longer be answered. */
  readonly withdrawn?: readonly string[] | undefined;
}

/** How a run ended, and what it used. With `unpriced`, its cost is only the known part. */
export interface EndEntry extends EntryBase, Omit<RecordedEnding, "stopReason"> {
  readonly type: "end";
  readonly runId: string;
  readonly stopReason: EndReason;
  /** The turns after the last one that has an entry. Void once the run is resumed. */
  readonly open: readonly TurnRecord[];
  readonly turns: number;
  readonly toolCalls: number;
  /** Usage of broken answers before the run failed: part of the totals, also after the run is resumed. */
  readonly lost?: LostUsage | undefined;
  /** The answer that was unfinished when the run ended. Part of the history unless the run is resumed. */
  readonly interrupted?: InterruptedAnswer | undefined;
  readonly error?: Omit<StepError, "lost"> | undefined;
}

/** The known part of an answer that was never finished, as its guardrails passed it. */
export interface InterruptedAnswer extends Pick<Draft, "step" | "place" | "attempt" | "parts" | "truncated"> {
  /** What guardrails did with it. */
  readonly checked?: readonly GuardrailAction[] | undefined;
}

/** A report about a job. */
export interface JobEntry extends EntryBase, StepKey {
  readonly type: "job";
  readonly runId: string;
  readonly callId: string;
  /** Absent when it was reported before the start of the job was recorded. */
  readonly jobId?: string | undefined;
  readonly progress?: Json | undefined;
  readonly outcome?: { readonly [member: string]: Json | undefined } | undefined;
}

/** A closed turn: the next one has begun. Precedes that turn's first entry. */
export interface TurnEntry extends EntryBase, TurnRecord {
  readonly type: "turn";
  readonly runId: string;
}

/**
 * One line of a session's log.
 *
 * ```text
 * log = (history | steer)* (run (begin | step | answer | turn | resume | steer | end)* (rewind | steer)*)*
 * ```
 *
 * An `info` may stand anywhere, and a `job` anywhere after the step that started it.
 *
 * A run is over with its `end`; `resume` reopens one that failed, was aborted, reached a limit or waits for an answer. A run
 * without `end` was cut off by a crash. A run before a `rewind` is never reopened.
 */
export type SessionEntry =
  /** Contents from before the session: a fork's, or given by the caller. */
  | (EntryBase & {
      readonly type: "history";
      readonly parts: readonly HistorySegment[];
      /** Version of the loop that wrote it. */
      readonly loop?: number | undefined;
      readonly from?: { readonly session: string; readonly contents: number } | undefined;
    })
  | RunEntry
  /** A step that must not happen twice is about to run. */
  | (EntryBase & StepKey & { readonly type: "begin"; readonly runId: string })
  /** A step ended. */
  | (EntryBase & StepKey & { readonly type: "step"; readonly runId: string; readonly outcome: Outcome })
  /** An external answer that a run waits for. */
  | (EntryBase &
      StepKey & {
        readonly type: "answer";
        readonly runId: string;
        readonly value: Json;
        /** The question's token. */
        readonly token: string;
        /** The person who answered, as the application names them. */
        readonly by?: string | undefined;
      })
  /**
   * The state of a job that a call started: its last `progress`, or its `outcome`, which is the answer to the call's wait at that place.
   * The outcome of an abandoned job has `withdrawn` and, if it was cancelled, `cancelled`: true, or why cancelling failed.
   */
  | JobEntry
  | TurnEntry
  | (EntryBase & { readonly type: "resume"; readonly runId: string })
  /**
   * The conversation goes back to before a run: that run and everything after it are no longer part of it. Their usage still counts, and
   * steering messages that no run has read stay queued.
   */
  | (EntryBase & {
      readonly type: "rewind";
      readonly before: string;
      /** Tokens of the questions that were withdrawn with it. */
      readonly withdrawn?: readonly string[] | undefined;
    })
  /** A message to the run in progress, or to the next one. */
  | (EntryBase & {
      readonly type: "steer";
      readonly contents: readonly Content[];
      /** What the contents bring into the history; absent for nothing. */
      readonly read?: readonly ReadSource[] | undefined;
      /** Id of the message: a message is stored once per id. */
      readonly id?: string | undefined;
    })
  /** The application's description of the session. A member that is `null` is removed; an absent one stays. */
  | (EntryBase & {
      readonly type: "info";
      readonly title?: string | null | undefined;
      readonly owner?: string | null | undefined;
      readonly metadata?: { readonly [name: string]: string } | null | undefined;
    })
  | EndEntry;

/** An entry of one run, after its beginning. */
export type EntryOfRun = Extract<
  SessionEntry,
  { readonly type: "begin" | "step" | "answer" | "job" | "turn" | "resume" | "end" }
>;

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number";
const list: Check = (value) => Array.isArray(value);
const object: Check = isObject;
const place: Check = (value) => isObject(value) && text(value["kind"]) && number(value["turn"]);
const present: Check = (value) => value !== undefined;
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** The entry types this release knows, and the members that readers rely on. Leaving one out does not compile. */
const MEMBERS: { readonly [Type in SessionEntry["type"]]: Readonly<Record<string, Check>> } = {
  history: { parts: list, loop: optional(number) },
  run: {
    runId: text,
    loop: number,
    agent: text,
    model: text,
    origin: object,
    input: list,
    read: optional(list),
    output: optional(text),
    withdrawn: optional(list),
  },
  begin: { runId: text, step: text, place: place },
  step: { runId: text, step: text, place: place, outcome: object },
  answer: { runId: text, step: text, place: place, value: present, token: text, by: optional(text) },
  job: { runId: text, callId: text, step: text, place: place, jobId: optional(text), outcome: optional(object) },
  turn: { runId: text, turn: number, contents: list, steps: list, calls: list },
  resume: { runId: text },
  rewind: { before: text, withdrawn: optional(list) },
  steer: { contents: list, read: optional(list), id: optional(text) },
  info: { metadata: (value) => value === null || optional(object)(value) },
  end: {
    runId: text,
    stopReason: text,
    open: list,
    turns: number,
    toolCalls: number,
    usage: object,
    cost: optional(number),
    unpriced: optional(text),
    pricesAsOf: optional(text),
    currency: optional(text),
    lost: optional(object),
    pending: optional(list),
    interrupted: optional(object),
    error: optional(object),
    reached: optional(object),
  },
};

/** True for a type of entries that this release knows. */
export function isKnownType(type: string): type is SessionEntry["type"] {
  return Object.hasOwn(MEMBERS, type);
}

/** The values in an entry were bounded when they arrived; the entry adds a few levels around them. */
const MAX_ENTRY_LEVELS = MAX_LEVELS + 20;

/** Why this release cannot read a stored value as an entry, or why recursive code could not follow it; undefined if neither. */
export function checkEntryHeader(value: unknown): string | undefined {
  if (!isObject(value)) return "it is not a JSON object";
  const { v, type } = value;
  if (typeof v !== "number" || typeof type !== "string") return "it has no version and type";
  if (v !== ENTRY_VERSION)
    return v > ENTRY_VERSION
      ? `it has version ${v}, written by a newer release; this one reads version ${ENTRY_VERSION}`
      : `it has version ${v}, from before the first release; only version ${ENTRY_VERSION} is read`;
  return isTooDeep(value, MAX_ENTRY_LEVELS) ? `it nests more than ${MAX_ENTRY_LEVELS} levels` : undefined;
}

/** What is wrong with the members of an entry whose header was checked. The values inside them are not checked. */
export function checkEntryMembers(entry: SessionEntry): string | undefined {
  // Any object, until it is checked.
  const members = entry as unknown as Readonly<Record<string, unknown>>;
  if (!number(members["at"])) return "its at is missing";
  const { type } = entry;
  // A later release may write entries of other types, which this one ignores.
  const checks = isKnownType(type) ? MEMBERS[type] : {};
  for (const name in checks)
    if (checks[name]?.(members[name]) === false)
      return members[name] === undefined ? `its ${name} is missing` : `its ${name} is malformed`;
  return undefined;
}

/** True for a run that can be resumed: with an answer, a higher limit, or unchanged. */
export function isResumable({ stopReason }: Pick<EndEntry, "stopReason">): boolean {
  return ["failed", "aborted", "limit", "needs-approval", "needs-outcome"].includes(stopReason);
}

/** Whether a run gave a result. */
export function hasResult(end: EndEntry | undefined): end is EndEntry & { readonly stopReason: StopReason } {
  return end !== undefined && !["failed", "aborted", "damaged"].includes(end.stopReason);
}
