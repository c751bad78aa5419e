import type { Outcome } from "../../durable/steps.ts";
import { isObject, type Json } from "../../internal/json.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import type { GuardrailStop } from "../../loop/guardrails.ts";
import type { Limits } from "../../loop/limits.ts";
import type { StopReason } from "../../loop/result.ts";
import type { HistoryOrigin } from "../../model/history/import-history.ts";
import type { Usage } from "../../model/usage.ts";
import type { PendingCall } from "../../tool/tool.ts";
import type { Content, JsonObject, Part } from "../../wire/types/content.ts";
import type { Draft } from "../store/records.ts";

/** Version of the entries this release writes. It reads this one and all earlier ones. */
export const ENTRY_VERSION = 2;

/** A content of a run, told without saying twice what a step already says. */
export type ContentRef =
  | Content
  /** What the model said in that step. */
  | { readonly model: string }
  /** The responses to the calls of one turn: by step, or in full where no step left it. */
  | { readonly calls: readonly (string | Part)[] }
  /** The media that follow the responses of these steps. */
  | { readonly after: readonly string[] };

interface EntryBase {
  readonly v: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A run begins. */
export interface RunEntry extends EntryBase {
  readonly type: "run";
  readonly runId: string;
  /** Version of the loop that began it. */
  readonly loop: number;
  /** Id of the model. */
  readonly model: string;
  /** Where its answers come from: their signatures mean something only there. */
  readonly origin: HistoryOrigin;
  readonly input: readonly Content[];
  /** What the caller said about the run. */
  readonly metadata?: JsonObject | undefined;
  /** Guardrails check the input: it is part of the history only once a step says what they made of it. */
  readonly guarded?: true | undefined;
  /** What was left unfinished by the run before does not become part of the history. */
  readonly dropInterrupted?: true | undefined;
}

/** How a run ended, or that it failed or was aborted. */
export interface EndEntry extends EntryBase {
  readonly type: "end";
  readonly runId: string;
  readonly stopReason: StopReason | "failed" | "aborted";
  /** All the run added after its input, but for an unfinished answer. Ends on no open call. */
  readonly added: readonly ContentRef[];
  readonly turns: number;
  readonly toolCalls: number;
  readonly usage: Usage;
  /** What it cost, in the unit of the price table; absent without one. */
  readonly cost?: number | undefined;
  /** What is sent from then on in place of the first contents of the session's history. */
  readonly compaction?: Compaction | undefined;
  readonly limit?: keyof Limits | undefined;
  readonly guardrail?: GuardrailStop | undefined;
  readonly pending?: readonly PendingCall[] | undefined;
  /** What the model had said when the run ended in the middle of its answer. Part of the history unless the run is resumed. */
  readonly interrupted?: InterruptedAnswer | undefined;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string | undefined } | undefined;
}

/** An answer that was never finished, as far as it is known. */
export type InterruptedAnswer = Pick<Draft, "step" | "attempt" | "parts" | "truncated">;

/**
 * One line of a session's log.
 *
 * ```text
 * log = (history | steer)* (run (begin | step | answer | resume | steer | end)* (rewind | steer)*)*
 * ```
 *
 * An `info` may stand anywhere.
 *
 * A run is over with its `end`; one that failed, was aborted, reached a limit or waits for an answer is opened again by
 * `resume`. A run without `end` was cut off by a crash. A run before a `rewind` is never opened again.
 */
export type SessionEntry =
  /** Contents that were there before: of a fork, or given by the caller. */
  | (EntryBase & {
      readonly type: "history";
      readonly parts: readonly { readonly origin?: HistoryOrigin | undefined; readonly contents: readonly Content[] }[];
      readonly from?: { readonly session: string; readonly contents: number } | undefined;
    })
  | RunEntry
  /** A step that must not happen twice is about to be run. */
  | (EntryBase & { readonly type: "begin"; readonly runId: string; readonly step: string })
  /** A step ended. */
  | (EntryBase & { readonly type: "step"; readonly runId: string; readonly step: string; readonly outcome: Outcome })
  /** An external answer to what a run waits for. */
  | (EntryBase & { readonly type: "answer"; readonly runId: string; readonly step: string; readonly value: Json })
  | (EntryBase & { readonly type: "resume"; readonly runId: string })
  /**
   * The conversation goes back to before a run: that run and all that followed are no longer part of it. What they used still counts,
   * and what was said to the session and heard by no run is still to be heard.
   */
  | (EntryBase & { readonly type: "rewind"; readonly before: string })
  /** Something said to the run while it was going, or to the next one. */
  | (EntryBase & {
      readonly type: "steer";
      readonly contents: readonly Content[];
      /** Of the message: the same one is stored once. */
      readonly id?: string | undefined;
    })
  /** What the application says about the session. A member that is `null` is taken back; one that is absent stays. */
  | (EntryBase & {
      readonly type: "info";
      readonly title?: string | null | undefined;
      readonly owner?: string | null | undefined;
      readonly metadata?: { readonly [name: string]: string } | null | undefined;
    })
  | EndEntry;

/** What a member is; with a question mark, when it is there. */
type Kind = "text" | "number" | "list" | "object" | "value" | "text?" | "list?" | "object?" | "number?";

/** The kinds of entries this release knows, and the members that readers rely on. One that is missing here does not compile. */
const MEMBERS: { readonly [Type in SessionEntry["type"]]: Readonly<Record<string, Kind>> } = {
  history: { parts: "list" },
  run: { runId: "text", loop: "number", model: "text", origin: "object", input: "list" },
  begin: { runId: "text", step: "text" },
  step: { runId: "text", step: "text", outcome: "object" },
  answer: { runId: "text", step: "text", value: "value" },
  resume: { runId: "text" },
  rewind: { before: "text" },
  steer: { contents: "list", id: "text?" },
  info: { metadata: "object?" },
  end: {
    runId: "text",
    stopReason: "text",
    added: "list",
    turns: "number",
    toolCalls: "number",
    usage: "object",
    cost: "number?",
    compaction: "object?",
    pending: "list?",
    interrupted: "object?",
    error: "object?",
  },
};

/**
 * Checks that a stored value is an entry this release can read.
 *
 * @returns What is wrong with it, or `undefined`.
 */
export function checkEntryHeader(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is not a JSON object";
  const { v, type } = value as { readonly v?: unknown; readonly type?: unknown };
  if (typeof v !== "number" || typeof type !== "string") return "it has no version and type";
  if (v > ENTRY_VERSION)
    return `it has version ${v}, written by a newer release; this one reads up to ${ENTRY_VERSION}`;
  if (!Object.hasOwn(MEMBERS, type)) return `its type "${type}" is unknown`;
  return undefined;
}

/**
 * Checks the members of an entry whose header was checked, but not what is in them.
 *
 * @returns What is wrong with them, or `undefined`.
 */
export function checkEntryMembers(entry: SessionEntry): string | undefined {
  // Any object, until it is checked.
  const members = entry as unknown as Readonly<Record<string, unknown>>;
  if (!isKind("number", members["at"])) return "its at is missing";
  const kinds = MEMBERS[entry.type];
  for (const name in kinds) {
    const kind = kinds[name] ?? "value";
    if (!isKind(kind, members[name]))
      return members[name] === undefined ? `its ${name} is missing` : `its ${name} is not as it was written`;
  }
  return undefined;
}

function isKind(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "list":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "value":
      return value !== undefined;
    case "text?":
      return value === undefined || typeof value === "string";
    case "number?":
      return value === undefined || typeof value === "number";
    case "list?":
      return value === undefined || Array.isArray(value);
    case "object?":
      return value === undefined || value === null || isObject(value);
  }
}

/** True for a run that can be resumed: with an answer, a higher limit, or as it is. */
export function isResumable({ stopReason }: Pick<EndEntry, "stopReason">): boolean {
  return ["failed", "aborted", "limit", "needs-approval", "needs-outcome"].includes(stopReason);
}
