import type { Json, Tool } from "@pollux/core";
import type { SessionCheck } from "@pollux/core/doctor";
import type { KeptCause } from "@pollux/core/exchanges";
import type { BodyDifference } from "@pollux/core/rehearsal";
import type { MoneyFacts, Priced } from "./cost.ts";
import type { TurnRow } from "./inspection.ts";
import type { CallDetails } from "./turn-details.ts";

/** What was thrown in a run. */
export interface CauseView extends KeptCause {
  /** Of one in a run inside a call: that call, of the run that was asked about. */
  readonly outerCallId?: string | undefined;
}

/** What an action did; a fork has a result of its own. */
export interface ActionResult {
  /** One sentence for the person who did it. */
  readonly done: string;
  /** A run has begun, or goes on. */
  readonly runId?: string | undefined;
}

/** What a run would do with the code that is there now. */
export interface ReplayResult {
  /** Name of the agent; absent when it was rebuilt from what was kept, so that only its requests and calls are known. */
  readonly agent?: string | undefined;
  /** The run does what it did: no difference was found. */
  readonly isSame: boolean;
  /** Steps and results that differ, the first one first. */
  readonly differences: readonly string[];
  /** The first difference between a kept request, whose exchange is the `n`th, and the one that would be sent now. */
  readonly request?: (Pick<BodyDifference, "field" | "was" | "is"> & { readonly n: number }) | undefined;
  readonly stopReason?: string | undefined;
  readonly turns: number;
  /** The answer. */
  readonly text: string;
  /** What the replay could not take into account. */
  readonly notes: readonly string[];
}

/** Where a session is forked, and what is changed there. */
export interface ForkRequest {
  /** The run that is forked; what came after it is left out. */
  readonly runId: string;
  /** The first turn that is asked again. Without one, the fork begins after the run, with `message`. */
  readonly turn?: number | undefined;
  /** Instead of the message that began the run; then `turn` is 1. Without a turn, the next message. */
  readonly message?: string | undefined;
  /** What the model is told instead of the outcomes of calls of the turn before, by call id. */
  readonly results?: { readonly [callId: string]: Json } | undefined;
  readonly instructions?: string | undefined;
  /** Names of the functions that may be called. */
  readonly tools?: readonly string[] | undefined;
  /** Who answers: the service; or the emulator, with the recorded answers as long as they fit. */
  readonly answers: "service" | "emulator";
  /** Name of the agent that runs, with its tools; without one, calls get their recorded outcomes. */
  readonly agent?: string | undefined;
}

/** What became of a fork. */
export interface ForkResult {
  /** Id of the new session. */
  readonly id: string;
  /** Why it was not kept, but is shown once; absent for one that is in the store. */
  readonly why?: string | undefined;
  /** The run goes on: the comparison has what there is by now. */
  readonly isRunning: boolean;
  /** Why the run failed. */
  readonly error?: string | undefined;
  readonly notes: readonly string[];
  readonly comparison: BranchComparison;
}

/** A turn with all words of a search. */
export interface FoundTurn extends Pick<TurnRow, "number" | "turn"> {
  readonly runId: string;
  /** The first word, and what stands around it. */
  readonly text: string;
}

/** Two sessions that begin alike, side by side. */
export interface BranchComparison {
  /** Turns that are the same in both, from the beginning. */
  readonly sharedTurns: number;
  readonly left: BranchTotals;
  readonly right: BranchTotals;
  /** The turns after the shared ones, in order. */
  readonly rows: readonly BranchRow[];
  /** Turns that are left out. */
  readonly omitted: number;
  /** How the first requests of the last runs differ; absent where they were not asked for, or not kept. */
  readonly prompts?: PromptDifferences | undefined;
}

/** What two requests say before their contents. */
export interface PromptDifferences {
  readonly models: readonly [left: string, right: string];
  readonly instructions: readonly [left: string, right: string];
  /** Functions that only one of them declares, or that are declared in another way. */
  readonly tools: readonly { readonly name: string; readonly is: "only-left" | "only-right" | "changed" }[];
  /** Settings and choices that differ. */
  readonly settings: readonly {
    readonly name: string;
    readonly left?: Json | undefined;
    readonly right?: Json | undefined;
  }[];
}

/** A branch as a whole. The totals count what came after the shared turns. */
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

/** The same turn of both branches; one that only one of them has stands alone. */
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

/** What is wrong with a session, its tools and its requests. */
export interface CheckResult {
  readonly log: LogCheck;
  readonly tools: readonly ToolCheck[];
}

/** What the doctor found in a log. */
export interface LogCheck extends SessionCheck {
  /** Why a repair would change nothing. */
  readonly refused?: string | undefined;
  /** Entries after a repair. */
  readonly repairedLength: number;
}

/** One function as it is declared. */
export interface ToolCheck {
  readonly name: string;
  readonly description: string;
  /** Where the declaration is from. */
  readonly from: { readonly agent: string } | { readonly n: number };
  /** The declaration as it is sent. */
  readonly declaration: Json;
  /** What was changed in the author's schema; absent where only the request is known. */
  readonly changes?: Tool["schemaChanges"] | undefined;
  /** Why the service would refuse it. */
  readonly refusal?: Refusal | undefined;
}

/** What the service says about a request, by the emulator's rules. */
export interface RequestCheck {
  /** Absent for one that it takes. */
  readonly refusal?: Refusal | undefined;
  /** What the emulator can't know. */
  readonly notes: readonly string[];
}

/** Why a request is refused. */
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
