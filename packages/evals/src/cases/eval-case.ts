import type { RunInput, Json } from "@pollux/core";
import type { Recording } from "@pollux/core/rehearsal";
import type { SimulatedUser } from "../users/simulated-user.ts";
import type { Scorer } from "../trials/trial.ts";

/** An input, with the expected answer. */
export interface EvalCase<Expected = unknown> {
  /** Unique in its suite; letters, digits, `.`, `_` and `-`. */
  readonly id: string;
  /** A message, messages sent one after another (`{ messages }`), or a simulated user. */
  readonly input: RunInput | { readonly messages: readonly RunInput[] } | SimulatedUser;
  readonly expected?: Expected | undefined;
  /** Scorers in addition to the suite's. */
  readonly scorers?: readonly Scorer<Expected>[] | undefined;
  /** Words by which filters select the case. */
  readonly tags?: readonly string[] | undefined;
  /** Passed to the case's runs, and shown on the page. */
  readonly metadata?: { readonly [name: string]: Json } | undefined;
  /** Cases in one cluster, such as cases from one customer, are not independent evidence. @defaultValue each case is its own */
  readonly cluster?: string | undefined;
}

/** A case that was recorded: made by `sessionCase()`. */
export interface SessionCase<Expected = unknown> extends Omit<EvalCase<Expected>, "input"> {
  readonly recording: Recording;
  /** The run that is made again. */
  readonly runId: string;
  /** In the world `fork`: the first turn to make. Without it the case cannot be forked. */
  readonly turn?: number | undefined;
  /** In the world `fork`: the number of turns to make. @defaultValue to the end of the run */
  readonly turns?: number | undefined;
}

/** Any case of a suite. */
export type AnyCase<Expected = unknown> = EvalCase<Expected> | SessionCase<Expected>;
