import type { Effect } from "../effects.ts";
import type { Act } from "./acts.ts";

/** A store that several processes share; `url`: of a database server. */
export type SharedStore =
  | { readonly kind: "jsonl" | "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string; readonly schema: string };

/** What a session is like before two rivals act on it. */
export const BEGINNINGS = ["new", "running", "waiting", "stopped", "finished", "cut off"] as const;

export type Beginning = (typeof BEGINNINGS)[number];

/** Where a run waits to be let go: in a tool, in an answer of the model, or before or after an append. */
export type HoldPoint =
  | { readonly at: "look" | "save" | "pay" | "model" }
  | { readonly at: "append"; readonly number: number; readonly when: "before" | "after" };

/** A session that is brought into a state. */
export interface Preparation {
  readonly id: string;
  readonly beginning: Beginning;
  /** Whether its run asks for an approval. */
  readonly asks: boolean;
  readonly seed: number;
  readonly leaseMs?: number | undefined;
  readonly hold?: HoldPoint | undefined;
}

/** Something that a rival does with a session. */
export interface ActOrder {
  readonly id: string;
  readonly act: Act;
  /** Unique; of those acts that bring a message. */
  readonly message: string;
  readonly delayMs: number;
  readonly seed: number;
  readonly leaseMs?: number | undefined;
  /** Uses the session object that began, where this rival has one. */
  readonly sameObject: boolean;
}

/** How an act ended. */
export interface ActReport {
  readonly act: Act | "begin";
  /** Absent where it brought none. */
  readonly message?: string | undefined;
  /** Absent when it succeeded. */
  readonly error?: { readonly name: string; readonly code?: string | undefined; readonly message: string } | undefined;
}

/** What a rival leaves behind in a session, once nothing of it runs any more. */
export interface Remains {
  /** Of the run that it began. */
  readonly began: ActReport | undefined;
  readonly effects: readonly Effect[];
}

/** Someone who works on sessions beside others: two objects in one process, or two processes. */
export interface Rival {
  prepare(preparation: Preparation): Promise<void>;
  act(order: ActOrder): Promise<ActReport>;
  /** Resolves when nothing of it runs any more, except what is cut off. */
  settle(id: string): Promise<Remains>;
}
