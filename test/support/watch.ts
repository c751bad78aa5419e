import {
  type Agent,
  type Content,
  type RunEvent,
  type RunInput,
  type RunOptions,
  type RunResult,
  runSoFar,
} from "@pollux/core";
import { assertGrammar, shapeOf } from "@pollux/core/testing";
import { expect } from "vitest";
import { eventsOf } from "../../packages/core/test/helpers/faces.ts";
import { inMadeUpTime } from "./made-up-time.ts";

/** The course of a run, from either face. */
export interface Watched {
  /** Absent when the run threw. */
  readonly result: RunResult | undefined;
  readonly error: unknown;
  /** The history afterward, also of a failed run. */
  readonly contents: readonly Content[];
  /** Empty if the run was not read event by event. */
  readonly events: readonly RunEvent[];
  /** Expects these types of events in this order, counting consecutive deltas once; expects nothing without events. */
  saw(types: string): void;
}

/**
 * Runs an agent through one of its faces to any end, {@link inMadeUpTime}. Checks the order of events against its grammar.
 */
export async function watch(
  face: string,
  agent: Agent,
  input: RunInput,
  { takeSilence, ...options }: RunOptions & { readonly takeSilence?: (() => boolean) | undefined } = {},
): Promise<Watched> {
  const { events, result, error } = await inMadeUpTime(takeSilence, () =>
    face === "run" ? endOf(agent.run(input, options)) : eventsOf(agent, input, options),
  );
  if (face !== "run") assertGrammar(events, { complete: result !== undefined });
  return {
    result,
    error,
    events,
    contents: result?.contents ?? runSoFar(error)?.contents ?? [],
    saw: (types) => {
      if (face !== "run") expect(shapeOf(events).join(" ")).toBe(types.trim().replaceAll(/\s+/g, " "));
    },
  };
}

function endOf(running: Promise<RunResult>): Promise<Awaited<ReturnType<typeof eventsOf>>> {
  return running.then(
    (result) => ({ events: [], result }),
    (error: unknown) => ({ events: [], error }),
  );
}
