import type { Content, Json, RunEvent } from "@pollux/core";
import type { Op, Outcome, Step, Steps } from "@pollux/core/durable";
import { isRunSuspended } from "@pollux/core/durable";

/**
 * What a run does with its steps. Like the loop, it may be called again from the start and is given the recorded outcomes: it
 * makes the same rounds each time, and has effects only inside steps.
 */
export type StepsProgram = (
  steps: Steps<RunEvent>,
  run: {
    readonly signal: AbortSignal;
    /** A child's input; `null` for other runs. */
    readonly input: Json;
  },
) => Promise<Json>;

/** An environment that runs programs on the steps to check. One per check. */
export interface StepsWorld {
  /**
   * Starts or resumes the run with this id. Settles as the program does, or rejects because the run was cancelled. Unless it can
   * wait in place, it rejects with `RunSuspended`, and is called again when there may be an answer.
   */
  run(runId: string, program: StepsProgram): Promise<unknown>;
  /** Answers a wait, which may not have started yet. */
  answer?(runId: string, name: string, value: Json): Promise<void>;
  /** Sends a steering message to a running run. */
  steer?(runId: string, contents: readonly Content[]): Promise<void>;
  /** Cancels a run. Its `run` settles eventually. */
  cancel?(runId: string): Promise<void>;
  /** Sets the program for children of this agent name. Called before the run that needs it. */
  child?(agent: string, program: StepsProgram): Promise<void> | void;
  /** Simulates a crash: running runs of this process stop for good, and what is not recorded is lost. */
  reopen?(): Promise<void>;
  /** Called after the check, whether it passed or failed. */
  close?(): Promise<void> | void;
}

/** What these steps can do. A string says why not; checks that need it are skipped with that reason. */
export interface StepsAbilities {
  /** Outcomes survive a crash: needs `reopen`. */
  readonly durable: true | string;
  /** Failures are recorded as well. */
  readonly keepsFailures: true | string;
  /** A value is plain JSON even right after its step ran. */
  readonly plainValues: true | string;
  /** Two operations with one name are refused. */
  readonly refusesTwins: true | string;
  /** Waits are answered from outside: needs `answer`. */
  readonly waits: true | string;
  /** A wait without an answer does not suspend the run. */
  readonly waitsInPlace: true | string;
  /** Waits can time out. */
  readonly timeouts: true | string;
  /** Runs can start children: needs `child`. */
  readonly children: true | string;
  /** Messages reach a run: needs `steer`. */
  readonly steering: true | string;
  /** Runs can be cancelled: needs `cancel`. */
  readonly cancel: true | string;
  /** Size limit of a value in bytes, at most a few megabytes. */
  readonly maxBytes: number | string;
}

/** Steps to check. */
export interface StepsHarness {
  readonly can: StepsAbilities;
  /** Called for each check; returns an environment without runs. */
  open(): Promise<StepsWorld> | StepsWorld;
}

/** A name, what it needs, and a function that throws when the steps are not as the name says. */
export type NamedStepsCheck = readonly [
  name: string,
  needs: readonly (keyof StepsAbilities)[],
  check: (world: StepsWorld, can: StepsAbilities) => Promise<void>,
];

/** One check of a list. */
export function check(...named: NamedStepsCheck): NamedStepsCheck {
  return named;
}

/** A step; `undefined` becomes `null`. */
export function stepOp(
  name: string,
  run: (step: Step<RunEvent>) => unknown,
  once?: true,
): Extract<Op<RunEvent>, { kind: "step" }> {
  return {
    kind: "step",
    name,
    ...(once && { once }),
    run: async (step) => {
      if (once) await step.begin?.();
      return (await run(step)) ?? null;
    },
  };
}

/** A program of one round, which returns its outcomes. */
export function oneRound(ops: () => readonly Op<RunEvent>[]): StepsProgram {
  return async (steps) => asJson(await steps.round(ops()));
}

/** Runs a program to its end: a suspended one is resumed after a few milliseconds. */
export async function through(world: StepsWorld, runId: string, program: StepsProgram): Promise<unknown> {
  for (;;) {
    try {
      return await world.run(runId, program);
    } catch (error) {
      if (!isRunSuspended(error)) throw error;
      await shortly();
    }
  }
}

/** A promise that is resolved from elsewhere. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** Waits until a run has opened a gate. @throws When the run ends first. */
export async function reached({ opened }: { readonly opened: Promise<void> }, run: Promise<unknown>): Promise<void> {
  const early = run.then((result) => {
    throw new Error(`the run ended early, with ${JSON.stringify(result)}`);
  });
  await Promise.race([opened, early]);
}

/** True when a run is rejected. */
export function rejects(run: Promise<unknown>): Promise<boolean> {
  return run.then(
    () => false,
    () => true,
  );
}

/** Work of a step that only an abort ends. */
export function aborting({ signal }: Pick<Step<RunEvent>, "signal">, onAbort: () => void): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      onAbort();
      reject(signal.reason);
    });
  });
}

/** Waits a few milliseconds. */
export function shortly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** The outcome of a successful step. */
export function ok(value: Json): Outcome {
  return { ok: true, value };
}

/** A message of a person to a run. */
export function userText(text: string): Content {
  return { role: "user", parts: [{ text }] };
}

/** Outcomes as JSON, which they are. */
export function asJson(outcomes: Outcome | readonly Outcome[] | undefined): Json {
  return outcomes as unknown as Json;
}

/** @throws {Error} When two values differ. @param what - Names the value found. */
export function same(found: unknown, expected: unknown, what: string): void {
  const path = pathToDifference(found, expected);
  if (path === undefined) return;
  const where = path === "" ? "" : ` (first difference at ${path.replace(/^\./, "")})`;
  throw new Error(
    `${what}: expected ${excerpt(JSON.stringify(expected))}, got ${excerpt(JSON.stringify(found))}${where}`,
  );
}

/** Where two JSON values first differ; "" where they differ as a whole. Members that are `undefined` count as absent, in any order. */
function pathToDifference(a: unknown, b: unknown): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return "";
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const path = pathToDifference(memberOf(a, key), memberOf(b, key));
    if (path !== undefined) return `${Array.isArray(a) ? `[${key}]` : `.${key}`}${path}`;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function memberOf(value: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The start of a text that may be long. @param text - Absent for a value that JSON leaves out. */
export function excerpt(text: string = "undefined"): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}… (${text.length} characters)`;
}
