import type { ExternalOutcome, PendingQuestion } from "@pollux/core";
import type { PlanName } from "./plans.ts";

/** How a run ended, whatever it ran on. */
export interface Ended {
  readonly status: "ended" | "failed" | "cancelled";
  readonly stopReason?: string | undefined;
  readonly text?: string | undefined;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string | undefined } | undefined;
}

/** A question of a run to somebody outside. */
export interface Asked {
  readonly callId: string;
  readonly question: PendingQuestion;
}

/** An answer to a question. */
export type Answered = { readonly approve: boolean } | { readonly outcome: ExternalOutcome };

/** Which code a worker runs. */
export interface WorkerOptions {
  /** @defaultValue "old"; "new" has another version of the loop. */
  readonly code?: "old" | "new" | undefined;
  /** New code stands beside the old one as the engine's documentation wants it, and not in its place. @defaultValue false */
  readonly beside?: boolean | undefined;
}

/** What a case cannot be tried on, with the reason. */
export type Missing = { readonly [Case in string]?: string };

/** One implementation of the step contract with all that it needs, on this machine. Workers are processes. */
export interface EnginePlace {
  readonly name: string;
  /** Reasons why cases do not apply, by their names. */
  readonly missing: Missing;
  /** What is special about it, by case: shown in the table. */
  readonly notes: Missing;
  /** Resolves when it is certain that the run will be carried out. */
  start(run: string, plan: PlanName): Promise<void>;
  /** What it waits for now. */
  pending(run: string): Promise<readonly Asked[]>;
  /** Resolves when the answer will count, also while no worker is there. */
  answer(run: string, callId: string, answer: Answered): Promise<void>;
  /** Resolves when a worker of other code has been there long enough to take the run up, and has left it. Absent where it takes it. */
  leaves?(run: string): Promise<void>;
  /** Looks whether a wait of the run is over, where nothing else does. */
  wake?(run: string): void;
  cancel(run: string): Promise<Ended>;
  /** How the run ended; waits for that. */
  report(run: string): Promise<Ended>;
  /** Starts the tiny program that does a step, sleeps, and does another. */
  nap(run: string, ms: number): Promise<void>;
  /** Starts a worker and waits until it works. */
  startWorker(name: string, options?: WorkerOptions): Promise<void>;
  /** Kills a worker without a word. */
  killWorker(name: string): Promise<void>;
  /** Kills the engine or its database without a word. Absent where there is none, or none that can be. */
  killEngine?(): Promise<void>;
  startEngine?(): Promise<void>;
  /** Ends the workers; what is stored stays. */
  stopWorkers(): Promise<void>;
  /** Ends all and removes what was stored. */
  close(): Promise<void>;
}
