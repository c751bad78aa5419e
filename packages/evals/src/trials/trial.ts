import type { GuardrailAction, PendingCall, RunResult, ToolCall, Usage } from "@pollux/core";
import type { Conversation } from "@pollux/core/conversation";
import type { TrialResult } from "../report/eval-run.ts";
import type { World } from "../worlds/world.ts";

/** One execution of a case, for scorers. */
export interface Trial<Expected = unknown> {
  readonly caseId: string;
  /** From 1. */
  readonly number: number;
  /** The message, or the messages of a conversation. */
  readonly input: unknown;
  /** The typed output of the last run, or its text. */
  readonly output: unknown;
  /** Visible text of the last answer. */
  readonly text: string;
  readonly expected: Expected;
  /** Result of the last run; absent when it failed. */
  readonly result?: RunResult<unknown> | undefined;
  /** Results of all runs of the trial, oldest first. */
  readonly results: readonly RunResult<unknown>[];
  /** Function calls of all runs, oldest first. */
  readonly calls: readonly ToolCall[];
  /** Calls that needed approval, at once or later, oldest first. */
  readonly approvals: readonly PendingCall[];
  /** What guardrails did: stopped, replaced or answered something. */
  readonly guardrails: readonly GuardrailAction[];
  /** The trial as a person sees it. */
  readonly conversation: Conversation;
  /** Sum over all runs, without a simulated user's and judges'. */
  readonly usage: Usage;
  /** Cost of the same, in the unit of the agent's prices; absent without prices. */
  readonly cost?: number | undefined;
  /** Time of the agent alone. */
  readonly durationMs: number;
  /** Figures, as reports and gates have them: `turns`, `calls`, tokens and, when they are known, others. Of a fork, only what it added. */
  readonly metrics: TrialResult["metrics"];
  readonly world: World;
  /** Aborts the work of scorers. */
  readonly signal: AbortSignal;
}

/** A scorer's result: 0 to 1, or null when it cannot tell, which makes the trial invalid. */
export interface Score {
  /** Name of the metric, such as `called`; where a trial has several scores with one name, the metric is their mean. */
  readonly name: string;
  readonly score: number | null;
  /** Why, in a sentence, as `reason`; what it cost, as `cost`; and anything else that is JSON. */
  readonly metadata?: { readonly [name: string]: unknown } | undefined;
}

/**
 * Scores a trial. Any function fits, and autoevals' do by their shape. A boolean is 1 or 0 under the function's name. A score passes from
 * `threshold` on.
 */
export interface Scorer<Expected = unknown> {
  (trial: Trial<Expected>): Score | boolean | null | Promise<Score | boolean | null>;
  /** Name in reports. @defaultValue the function's name */
  readonly scorerName?: string | undefined;
  /** Awaited once before the first trial: a judge is compared with a person's labels, and has its `threshold` and `isAdvisory` only then. */
  readonly prepare?: ((given: PrepareScorer) => Promise<PreparedScorer>) | undefined;
  /** @defaultValue 1 */
  readonly threshold?: number | undefined;
  /** It reports and never fails a trial: a judge without calibration. @defaultValue false */
  readonly isAdvisory?: boolean | undefined;
  /** Identifies what it does, so that a changed one makes its cases new. @defaultValue its name and source text */
  readonly key?: string | undefined;
}

/** The result of preparing a scorer. */
export interface PreparedScorer {
  readonly cost?: number | undefined;
  /** A sentence about it, for the run's notes. */
  readonly note?: string | undefined;
}

/** What a scorer is prepared with. */
export interface PrepareScorer {
  /** Folder of the suite's file, for relative paths. */
  readonly folder: string;
  readonly signal: AbortSignal;
}
