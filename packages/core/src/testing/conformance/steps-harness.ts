import { isRunSuspended, type Op, type Outcome, type Step, type Steps } from "../../durable/steps.ts";
import { firstDifference, type Json } from "../../internal/json.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { Content } from "../../wire/types/content.ts";

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

/** A name, what it needs, and what throws when the steps are not as the name says. */
export type NamedStepsCheck = readonly [
  name: string,
  needs: readonly (keyof StepsAbilities)[],
  check: (world: StepsWorld, can: StepsAbilities) => Promise<void>,
];

/** One check of a list. */
export function check(...named: NamedStepsCheck): NamedStepsCheck {
  return named;
}

/** A step with a name; nothing is left as `null`. */
export function stepOp(
  name: string,
  run: (step: Step<RunEvent>) => unknown,
  once?: true,
): Extract<Op<RunEvent>, { kind: "step" }> {
  return { kind: "step", name, ...(once && { once }), run: async (step) => (await run(step)) ?? null };
}

/** A program of one round, whose outcomes it gives back. */
export function oneRound(ops: () => readonly Op<RunEvent>[]): StepsProgram {
  return async (steps) => asJson(await steps.round(ops()));
}

/** Runs a program until it is through: one that was suspended is taken up again, after `meanwhile`. */
export async function through(
  world: StepsWorld,
  runId: string,
  program: StepsProgram,
  meanwhile: () => Promise<void> = shortly,
): Promise<unknown> {
  for (;;) {
    try {
      return await world.run(runId, program);
    } catch (error) {
      if (!isRunSuspended(error)) throw error;
      await meanwhile();
    }
  }
}

/** A promise to be resolved from elsewhere. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** Waits until a run has opened a gate. How it ends after that is for others to see, or nobody's business. @throws When it ends before. */
export async function reached({ opened }: { readonly opened: Promise<void> }, run: Promise<unknown>): Promise<void> {
  const early = run.then((result) => {
    throw new Error(`the run ended early, with ${JSON.stringify(result)}`);
  });
  await Promise.race([opened, early]);
}

/** A few milliseconds. */
export function shortly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** The outcome of a step that went well. */
export function ok(value: Json): Outcome {
  return { ok: true, value };
}

/** Outcomes, as what they are: JSON. */
export function asJson(outcomes: Outcome | readonly Outcome[] | undefined): Json {
  return outcomes as unknown as Json;
}

/** @throws {Error} When two values differ. @param what - Names the value that was found. */
export function same(found: unknown, expected: unknown, what: string): void {
  const path = firstDifference(found, expected);
  if (path === undefined) return;
  const where = path === "the root" ? "" : ` (first difference at ${path})`;
  throw new Error(
    `${what}: expected ${excerpt(JSON.stringify(expected))}, got ${excerpt(JSON.stringify(found))}${where}`,
  );
}

/** The beginning of a text that may be long. */
export function excerpt(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}… (${text.length} characters)`;
}
