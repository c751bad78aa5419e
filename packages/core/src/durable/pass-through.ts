import type { Json } from "../internal/json.ts";
import { describeError, RunSuspended } from "./outcomes.ts";
import type { Op, Outcome, Step, Steps } from "./steps.ts";

/** What the pass-through needs of its run. */
export interface PassThroughOptions<Event> {
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Where live events go; absent when nobody reads them. */
  readonly emit?: ((event: Event) => void | Promise<void>) | undefined;
}

/**
 * Steps without durability: each operation runs here and now, once. The default of `agent.run`.
 *
 * Nobody can answer it from outside: a round with a `wait` does its other operations and then suspends the run.
 */
export function passThrough<Event>(options: PassThroughOptions<Event>): Steps<Event> {
  const { runId, signal, emit = ignore } = options;
  return {
    runId,
    round: async (ops) => {
      const outcomes: Promise<Outcome>[] = [];
      const waiting: string[] = [];
      for (const op of ops) {
        if (op.kind === "wait") waiting.push(op.name);
        outcomes.push(settle(op, { key: `${runId}/${op.name}`, attempt: 1, signal, emit }));
      }
      const [only] = outcomes;
      // Most rounds are one operation.
      const settled = outcomes.length === 1 && only !== undefined ? [await only] : await Promise.all(outcomes);
      // Whoever could answer has no way to reach this run again.
      if (waiting.length > 0) throw new RunSuspended(waiting);
      return settled;
    },
  };
}

async function settle<Event>(op: Op<Event>, step: Step<Event>): Promise<Outcome> {
  try {
    switch (op.kind) {
      case "step":
        // JSON by contract; the copy that a journal would make is spared here.
        return { ok: true, value: (await op.run(step)) as Json };
      case "wait":
        return { ok: true, value: null };
      case "child":
        throw new TypeError(`${op.name}: a run without a durable engine cannot start another run`);
    }
  } catch (error) {
    return { ok: false, error: describeError(error) };
  }
}

function ignore(): void {}
