import { isRunSuspended } from "../../durable/outcomes.ts";
import type { Op, Outcome, Step } from "../../durable/steps.ts";
import type { Json } from "../../internal/json.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { StepsProgram, StepsWorld } from "./steps-conformance.ts";

/** A step with a name; nothing is left as `null`. */
export function stepOp(
  name: string,
  run: (step: Step<RunEvent>) => unknown,
  once?: true,
): Extract<Op<RunEvent>, { kind: "step" }> {
  return { kind: "step", name, ...(once && { once }), run: async (step) => (await run(step)) ?? null };
}

/** A program of one round, whose outcomes it gives back. */
export function roundOf(ops: () => readonly Op<RunEvent>[]): StepsProgram {
  // Outcomes are JSON.
  return async (steps) => (await steps.round(ops())) as unknown as Json;
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
