import type { ExternalOutcome, PendingQuestion } from "@pollux/core";
import type { PlanName } from "./plans.ts";

/** How a run ended, on any engine. */
export interface Ended {
  readonly status: "ended" | "failed" | "cancelled";
  readonly stopReason?: string | undefined;
  readonly text?: string | undefined;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string | undefined } | undefined;
}

/** A pending question of a run. */
export interface Asked {
  readonly callId: string;
  readonly question: PendingQuestion;
}

/** An answer to a question. */
export type Answered = { readonly approve: boolean } | { readonly outcome: ExternalOutcome };

/** The code of a worker. */
export interface WorkerOptions {
  /** @defaultValue "old"; "new" has another version of the loop. */
  readonly code?: "old" | "new" | undefined;
  /** New code runs beside the old code, as the engine's documentation recommends, instead of replacing it. @defaultValue false */
  readonly beside?: boolean | undefined;
}

/** An implementation that a case does not apply to, with the reason. */
export type Missing = { readonly [Case in string]?: string };

/** One implementation of the step contract with everything it needs, on this machine. Workers are processes. */
export interface EnginePlace {
  readonly name: string;
  /** Reasons why cases do not apply, by case name. */
  readonly missing: Missing;
  /** Remarks by case, for the table. */
  readonly notes: Missing;
  /** Resolves when the run is certain to execute. */
  start(run: string, plan: PlanName): Promise<void>;
  /** The run's pending questions. */
  pending(run: string): Promise<readonly Asked[]>;
  /** Resolves when the answer is stored, even without a worker. */
  answer(run: string, callId: string, answer: Answered): Promise<void>;
  /** Resolves when a worker with other code had enough time to pick up the run, and did not. Absent if it does. */
  leaves?(run: string): Promise<void>;
  /** Checks whether a wait of the run is over, if nothing else does. */
  wake?(run: string): void;
  cancel(run: string): Promise<Ended>;
  /** Waits for the end of the run. */
  report(run: string): Promise<Ended>;
  /** Starts the tiny program that does a step, sleeps, and does another. */
  nap(run: string, ms: number): Promise<void>;
  /** Starts a worker and waits until it works. */
  startWorker(name: string, options?: WorkerOptions): Promise<void>;
  /** Kills a worker without a warning. */
  killWorker(name: string): Promise<void>;
  /** Kills the engine or its database without a warning. Absent if there is none, or none that can be killed. */
  killEngine?(): Promise<void>;
  startEngine?(): Promise<void>;
  /** Ends the workers; the store stays. */
  stopWorkers(): Promise<void>;
  /** Ends everything and removes the store. */
  close(): Promise<void>;
}
