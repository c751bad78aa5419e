import type { Outcome } from "../durable/steps.ts";
import type { Json } from "../internal/json.ts";
import type { Compaction } from "../loop/turn/compaction.ts";
import type { GuardrailStop } from "../loop/guardrails.ts";
import type { Limits } from "../loop/limits.ts";
import type { StopReason } from "../loop/result.ts";
import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { Usage } from "../model/usage.ts";
import type { PendingCall } from "../tool/tool.ts";
import type { Content, JsonObject, Part } from "../wire/types/content.ts";
import type { Draft } from "./records.ts";

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
 * log = (history | steer)* (run (begin | step | answer | resume | steer | end)*)*
 * ```
 *
 * An `info` may stand anywhere.
 *
 * A run is over with its `end`; one that failed, was aborted, reached a limit or waits for an answer is opened again by
 * `resume`. A run without `end` was cut off by a crash.
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
  /** Something said to the run while it was going, or to the next one. */
  | (EntryBase & { readonly type: "steer"; readonly contents: readonly Content[] })
  /** What the application says about the session. A member that is `null` is taken back; one that is absent stays. */
  | (EntryBase & {
      readonly type: "info";
      readonly title?: string | null | undefined;
      readonly owner?: string | null | undefined;
      readonly metadata?: { readonly [name: string]: string } | null | undefined;
    })
  | EndEntry;

/** The kinds of entries this release knows; one that is missing here does not compile. */
const TYPES: { readonly [Type in SessionEntry["type"]]: true } = {
  history: true,
  run: true,
  begin: true,
  step: true,
  answer: true,
  resume: true,
  steer: true,
  info: true,
  end: true,
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
  if (!Object.hasOwn(TYPES, type)) return `its type "${type}" is unknown`;
  return undefined;
}

/** True for a run that can be resumed: with an answer, a higher limit, or as it is. */
export function isResumable({ stopReason }: Pick<EndEntry, "stopReason">): boolean {
  return ["failed", "aborted", "limit", "needs-approval", "needs-outcome"].includes(stopReason);
}
