import type { Effect } from "../effects.ts";
import type { Act } from "./acts.ts";

/** A store that several processes share; `url` for a database server. */
export type SharedStore =
  | { readonly kind: "jsonl" | "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string; readonly schema: string };

/** The state of a session before two rivals act on it. */
export const BEGINNINGS = ["new", "running", "waiting", "stopped", "finished", "cut off"] as const;

export type Beginning = (typeof BEGINNINGS)[number];

/** Where a run is held: in a tool, in an answer of the model, or before or after an append. */
export type HoldPoint =
  | { readonly at: "look" | "save" | "pay" | "model" }
  | { readonly at: "append"; readonly number: number; readonly when: "before" | "after" };

/** Brings a session into a state. */
export interface Preparation {
  readonly id: string;
  readonly beginning: Beginning;
  /** Whether its run needs an approval. */
  readonly asks: boolean;
  readonly seed: number;
  readonly leaseMs?: number | undefined;
  readonly hold?: HoldPoint | undefined;
}

/** An act of a rival on a session. */
export interface ActOrder {
  readonly id: string;
  readonly act: Act;
  /** Unique; for acts with a message. */
  readonly message: string;
  readonly delayMs: number;
  readonly seed: number;
  readonly leaseMs?: number | undefined;
  /** Uses the session object that started the run, if this rival has it. */
  readonly sameObject: boolean;
}

/** How an act ended. */
export interface ActReport {
  readonly act: Act | "begin";
  /** Absent for an act without a message. */
  readonly message?: string | undefined;
  /** Absent when it succeeded. */
  readonly error?: { readonly name: string; readonly code?: string | undefined; readonly message: string } | undefined;
}

/** The results of a rival's work on a session, once all of it has stopped. */
export interface Remains {
  /** The run that it started. */
  readonly began: ActReport | undefined;
  readonly effects: readonly Effect[];
}

/** A party that works on sessions in parallel to others: two objects in one process, or two processes. */
export interface Rival {
  prepare(preparation: Preparation): Promise<void>;
  act(order: ActOrder): Promise<ActReport>;
  /** Resolves when all of its work has stopped or is cut off. */
  settle(id: string): Promise<Remains>;
}
