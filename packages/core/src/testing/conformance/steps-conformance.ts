import type { Steps } from "../../durable/steps.ts";
import type { Json } from "../../internal/json.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { Content } from "../../wire/types/content.ts";
import { DURABLE_CHECKS } from "./crash-checks.ts";
import { OUTSIDE_CHECKS } from "./external-checks.ts";
import { ROUND_CHECKS } from "./round-checks.ts";

/**
 * What a run does with its steps. Like the loop it may be called again from its start, over the outcomes that are recorded: it
 * makes the same rounds each time, and acts only inside of steps.
 */
export type StepsProgram = (
  steps: Steps<RunEvent>,
  run: {
    readonly signal: AbortSignal;
    /** What a child was begun with; `null` for other runs. */
    readonly input: Json;
  },
) => Promise<Json>;

/** Runs on steps that are to be checked, and what surrounds them. One for each check. */
export interface StepsWorld {
  /**
   * Runs a program as the run of this id: begun, or taken up where it was left. Settles as the program does, or rejects because
   * the run was ended. Unless it can wait in place, it rejects with `RunSuspended` and is called again when there may be an answer.
   */
  run(runId: string, program: StepsProgram): Promise<unknown>;
  /** Answers a wait, before it is asked for or later. */
  answer?(runId: string, name: string, value: Json): Promise<void>;
  /** Says something to a run that is going. */
  steer?(runId: string, contents: readonly Content[]): Promise<void>;
  /** Ends a run from outside. Its `run` settles in the end. */
  cancel?(runId: string): Promise<void>;
  /** Says what runs as a child of this agent's name. Called before the run that needs it. */
  child?(agent: string, program: StepsProgram): Promise<void> | void;
  /** As a crash: runs that are going in this process do nothing any more, and what is not recorded is gone. */
  reopen?(): Promise<void>;
  /** Called when the check is over, whether it passed or not. */
  close?(): Promise<void> | void;
}

/** What these steps can do; a text says why not, and the checks for it are left out with that reason. */
export interface StepsAbilities {
  /** What was done is known after a crash: needs `reopen`. */
  readonly durable: true | string;
  /** Failures are recorded too. */
  readonly keepsFailures: true | string;
  /** A value is as JSON has it already when the step has just run. */
  readonly plainValues: true | string;
  /** Two operations of one name are refused. */
  readonly refusesTwins: true | string;
  /** Waits are answered from outside: needs `answer`. */
  readonly waits: true | string;
  /** A wait without an answer does not suspend the run. */
  readonly waitsInPlace: true | string;
  /** Waits end with a time-out. */
  readonly timeouts: true | string;
  /** Needs `child`. */
  readonly children: true | string;
  /** Needs `steer`. */
  readonly steering: true | string;
  /** Needs `cancel`. */
  readonly cancel: true | string;
  /** The largest value in bytes, at most some megabytes. */
  readonly maxBytes: number | string;
}

/** Steps to be checked. */
export interface StepsHarness {
  readonly can: StepsAbilities;
  /** Called for each check; nothing has run in it yet. */
  open(): Promise<StepsWorld> | StepsWorld;
}

/** One thing that is checked. */
export interface StepsCheck {
  readonly name: string;
  /** Why it is left out; absent when it is not. Then `run` does nothing. */
  readonly skipped?: string | undefined;
  /** @throws {Error} Naming what is not as promised. */
  readonly run: () => Promise<void>;
}

/** A name, what it needs, and what throws when the steps are not as the name says. */
export type NamedStepsCheck = readonly [
  name: string,
  needs: readonly (keyof StepsAbilities)[],
  check: (world: StepsWorld, can: StepsAbilities) => Promise<void>,
];

/**
 * The promises of `Steps` as checks, for any test runner: rounds, failures, crashes, waits, children, steering. A check that hangs
 * has failed: give the runner a time limit.
 *
 * @example
 * describe.each(stepsConformance({ can, open: () => new MyWorld() }))("$name", ({ run, skipped }) => {
 *   test.skipIf(skipped !== undefined)("holds", run);
 * });
 */
export function stepsConformance(harness: StepsHarness): readonly StepsCheck[] {
  const { can } = harness;
  return [...ROUND_CHECKS, ...DURABLE_CHECKS, ...OUTSIDE_CHECKS].map(([name, needs, check]): StepsCheck => {
    const reasons = needs.flatMap((need) => {
      const able = can[need];
      return typeof able === "string" ? [`${need}: ${able}`] : [];
    });
    if (reasons.length > 0) return { name, skipped: reasons.join("; "), run: async () => {} };
    return {
      name,
      run: async () => {
        const world = await harness.open();
        try {
          await check(world, can);
        } finally {
          await world.close?.();
        }
      },
    };
  });
}
