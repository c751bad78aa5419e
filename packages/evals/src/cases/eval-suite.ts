import type { Approve, Json, Model, SessionOptions } from "@pollux/core";
import type { Scorer } from "../trials/trial.ts";
import type { World } from "../worlds/world.ts";
import type { AnyCase } from "./eval-case.ts";

/** Argument of a suite's `agent` function, which is called for each trial, and once before them, to see where its model is. */
export interface AgentWorld {
  /** Milliseconds since the epoch: the recorded time where there is one. */
  readonly now: () => number;
  /** Returns numbers from 0 up to 1, the same for the same case and trial. */
  readonly random: () => number;
  /** Which of the suite's `variants`; absent without any. */
  readonly variant?: string | undefined;
}

/** A metric that a gate may watch: `passed`, the name of a scorer, or a figure of the trial. */
export type Metric = "passed" | "cost" | "durationMs" | "turns" | "calls" | (string & {});

/** When a comparison is red. */
export interface GateOptions {
  /** Metrics that fail a build when they get worse; Holm's correction covers all of them. @defaultValue ["passed"] */
  readonly metrics?: readonly Metric[] | undefined;
  /** What the suite may cost, agent, judges and simulated users together, in the unit of the prices. @defaultValue none */
  readonly budget?: number | undefined;
  /** Share of trials that may fail with an error before the run is incomplete. @defaultValue 0.05 */
  readonly errors?: number | undefined;
  /** Chance that an unchanged agent is called worse. @defaultValue 0.05 */
  readonly level?: number | undefined;
}

/** Answers in a tool's place: its return value is the output, an error that it throws is the failure. */
export type StandIn = (args: never, call: { readonly name: string; readonly callId: string }) => unknown;

/** An `Agent`, of any context, tools and output. */
export interface TestedAgent {
  readonly name: string;
  readonly model: Model;
  session(options: SessionOptions): object;
}

/** Cases, and how they are tried and scored. */
export interface EvalSuiteOptions<Expected = unknown> {
  /** The agent under test, or a function that makes it for a trial. */
  readonly agent: TestedAgent | ((world: AgentWorld) => TestedAgent | Promise<TestedAgent>);
  readonly data:
    | readonly AnyCase<Expected>[]
    | (() => readonly AnyCase<Expected>[] | Promise<readonly AnyCase<Expected>[]>);
  readonly scorers?: readonly Scorer<Expected>[] | undefined;
  /** Number of trials of each case. @defaultValue 5 */
  readonly trials?: number | undefined;
  /** Number of trials of each case in a run that becomes the baseline. @defaultValue three times `trials` */
  readonly baselineTrials?: number | undefined;
  /** @defaultValue recorded tools for recorded cases, live for the others */
  readonly world?: World | undefined;
  /** Answers calls of tools with effects, by tool name; they never run unless `allowEffects` names them. */
  readonly standIn?: { readonly [tool: string]: StandIn } | undefined;
  /** Tools with effects, or with none declared, that really run. */
  readonly allowEffects?: readonly string[] | undefined;
  /**
   * What happens to a call that the recording doesn't have: the trial is invalid, its stand-in answers, or it runs.
   * @defaultValue "fail"
   */
  readonly unknownCall?: "fail" | "stand-in" | "run" | undefined;
  /** By tool name: whether a call with other arguments is the recorded call. @defaultValue equal JSON */
  readonly match?: { readonly [tool: string]: (recorded: unknown, args: unknown) => boolean } | undefined;
  /** Decides about calls that need approval; without it, a trial with such a call is invalid. */
  readonly approve?: Approve | undefined;
  /** Removes from a text what must not be kept; required with recorded cases. */
  readonly scrub?: ((text: string) => string) | undefined;
  /** Versions that are tried side by side, each given to `agent` as `variant`. @defaultValue none */
  readonly variants?: readonly string[] | undefined;
  readonly gate?: GateOptions | undefined;
  /** Trials at the same time. @defaultValue 4 */
  readonly concurrency?: number | undefined;
  /** The `context` of each run. */
  readonly context?: unknown;
  /** Facts by which filters select cases, shown with the suite. */
  readonly metadata?: { readonly [name: string]: Json } | undefined;
}

/** Made by `defineEval()`. */
export interface EvalSuite<Expected = unknown> extends EvalSuiteOptions<Expected> {
  readonly kind: "eval-suite";
  readonly name: string;
}
