import type { Json, Tool } from "@pollux/core";
import type { SessionCheck } from "@pollux/core/doctor";
import type { KeptCause } from "@pollux/core/exchanges";
import type { BodyDifference } from "@pollux/core/rehearsal";
import type { MoneyFacts, Priced } from "./cost.ts";
import type { TurnRow } from "./inspection.ts";
import type { CallDetails } from "./turn-details.ts";

/** An error thrown in a run. */
export interface CauseView extends KeptCause {
  /** For an error in a run inside a call: that call, in the requested run. */
  readonly outerCallId?: string | undefined;
}

/** The result of an action, except forks. */
export interface ActionResult {
  /** One sentence for the person who did it. */
  readonly done: string;
  /** The run that started or continues. */
  readonly runId?: string | undefined;
}

/** What a run would do with the current code. */
export interface ReplayResult {
  /** Name of the agent; absent for one rebuilt from the log and the kept requests, which knows only requests and calls. */
  readonly agent?: string | undefined;
  /** The run does the same again: the replay found no difference. */
  readonly isSame: boolean;
  /** Steps and results that differ, the first one first. */
  readonly differences: readonly string[];
  /** The first difference between a kept request, that of exchange `n`, and the one the agent would send now. */
  readonly request?: (Pick<BodyDifference, "field" | "was" | "is"> & { readonly n: number }) | undefined;
  readonly stopReason?: string | undefined;
  readonly turns: number;
  /** The answer. */
  readonly text: string;
  /** What the replay could not take into account. */
  readonly notes: readonly string[];
}

/** Where to fork a session, and what to change there. */
export interface ForkRequest {
  /** The run to fork; the fork leaves out later runs. */
  readonly runId: string;
  /** The first turn to request again. Without one, the fork starts after the run, with `message`. */
  readonly turn?: number | undefined;
  /** Replaces the message that started the run; then `turn` is 1. Without a turn, the next message. */
  readonly message?: string | undefined;
  /** Replaces outcomes of calls of the previous turn, by call id. */
  readonly results?: { readonly [callId: string]: Json } | undefined;
  readonly instructions?: string | undefined;
  /** Names of the functions that the model may call. */
  readonly tools?: readonly string[] | undefined;
  /** Who answers: the service; or the emulator, with the recorded answers as long as they fit. */
  readonly answers: "service" | "emulator";
  /** Name of the agent that runs, with its tools; without one, calls get their recorded outcomes. */
  readonly agent?: string | undefined;
}

/** The result of a fork. */
export interface ForkResult {
  /** Id of the new session. */
  readonly id: string;
  /** Why the fork was not stored, and is only shown once; absent for one in the store. */
  readonly why?: string | undefined;
  /** The run is still active: the comparison has its turns so far. */
  readonly isRunning: boolean;
  /** Why the run failed. */
  readonly error?: string | undefined;
  readonly notes: readonly string[];
  readonly comparison: BranchComparison;
}

/** A turn that contains all words of a search. */
export interface FoundTurn extends Pick<TurnRow, "number" | "turn"> {
  readonly runId: string;
  /** The first word with the text around it. */
  readonly text: string;
}

/** Two sessions with the same beginning, side by side. */
export interface BranchComparison {
  /** Turns that are the same in both, from the beginning. */
  readonly sharedTurns: number;
  readonly left: BranchTotals;
  readonly right: BranchTotals;
  /** The turns after the shared ones, in order. */
  readonly rows: readonly BranchRow[];
  /** Turns that are left out. */
  readonly omitted: number;
  /** How the first requests of the last runs differ; absent if not asked for, or not kept. */
  readonly prompts?: PromptDifferences | undefined;
}

/** Differences of two requests before their contents. */
export interface PromptDifferences {
  readonly models: readonly [left: string, right: string];
  readonly instructions: readonly [left: string, right: string];
  /** Functions that only one of them declares, or that they declare differently. */
  readonly tools: readonly { readonly name: string; readonly is: "only-left" | "only-right" | "changed" }[];
  /** Settings and choices that differ. */
  readonly settings: readonly {
    readonly name: string;
    readonly left?: Json | undefined;
    readonly right?: Json | undefined;
  }[];
}

/** A branch as a whole. Totals count the turns after the shared ones. */
export interface BranchTotals extends Priced, Pick<MoneyFacts, "currency"> {
  readonly stopReason?: string | undefined;
  readonly turns: number;
  readonly toolCalls: number;
  /** Time of its turns. */
  readonly ms: number;
  readonly tokens: number;
  /** The last answer. */
  readonly text: string;
}

/** The same turn in both branches, or a turn that only one of them has. */
export interface BranchRow {
  readonly isSame: boolean;
  readonly left?: BranchTurn | undefined;
  readonly right?: BranchTurn | undefined;
}

/** One turn of a branch, with all of its text. */
export interface BranchTurn extends Priced, Pick<TurnRow, "number" | "turn" | "text" | "usage"> {
  readonly runId: string;
  /** The message that began the run, in its first turn. */
  readonly message?: string | undefined;
  readonly calls: readonly BranchCall[];
  /** Absent for one that has not ended. */
  readonly ms?: number | undefined;
}

export type BranchCall = Pick<CallDetails, "callId" | "name" | "args" | "response">;

/** Problems of a session and its tools. */
export interface CheckResult {
  readonly log: LogCheck;
  readonly tools: readonly ToolCheck[];
}

/** The doctor's findings in a log. */
export interface LogCheck extends SessionCheck {
  /** Why a repair would change nothing. */
  readonly refused?: string | undefined;
  /** Entries after a repair. */
  readonly repairedLength: number;
}

/** One declared function. */
export interface ToolCheck {
  readonly name: string;
  readonly description: string;
  /** Where the declaration comes from. */
  readonly from: { readonly agent: string } | { readonly n: number };
  /** The declaration as requests send it. */
  readonly declaration: Json;
  /** Changes to the author's schema; absent if only the request is known. */
  readonly changes?: Tool["schemaChanges"] | undefined;
  /** Why the service would refuse it. */
  readonly refusal?: Refusal | undefined;
}

/** The service's verdict on a request, by the emulator's rules. */
export interface RequestCheck {
  /** Absent for an accepted request. */
  readonly refusal?: Refusal | undefined;
  /** What the emulator can't know. */
  readonly notes: readonly string[];
}

/** Why the service refuses a request. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  /** Id of the rule in the emulator's README. */
  readonly rule?: string | undefined;
  readonly fields: readonly { readonly field?: string | undefined; readonly description: string }[];
}

/** Files that belong together, and what to do with them. */
export interface TakenFiles {
  readonly files: readonly TakenFile[];
  readonly notes: readonly string[];
}

/** A text to save. */
export interface TakenFile {
  readonly name: string;
  readonly text: string;
}
