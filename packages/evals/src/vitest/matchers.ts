import { expect } from "vitest";
import { describeCalls, describeExpected, findCalls } from "../scorers/calls.ts";
import type { ArgsMatcher } from "../scorers/match-args.ts";
import type { Trial } from "../trials/trial.ts";

/**
 * Matchers for tests of agents, of a `RunResult` or a {@link Trial}. Importing `@pollux/evals/vitest` registers them; `expect.extend(evalMatchers)`
 * does so for another `expect`.
 *
 * @example
 * ```ts
 * const result = await agent.run("Refund order 17");
 * expect(result).toHaveCalled("refund", { order: "17" });
 * expect(result).not.toHaveCalled("escalate");
 * ```
 */
export const evalMatchers: EvalMatchers = {
  toHaveCalled(received, name, args) {
    const calls = callsOf(received);
    const expected = args === undefined ? name : ([name, args] as const);
    const pass = findCalls(calls, expected).length > 0;
    return {
      pass,
      message: () => `${describeExpected(expected)} was ${pass ? "" : "not "}called${describeCalls(calls)}`,
    };
  },
};

expect.extend({ ...evalMatchers });

/** What `expect.extend()` takes. */
export interface EvalMatchers {
  /** @throws {TypeError} For anything but a result or a trial. */
  readonly toHaveCalled: (received: unknown, name: string, args?: ArgsMatcher) => MatcherResult;
}

/** What a matcher says. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

function callsOf(received: unknown): Trial["calls"] {
  const { calls, toolCalls = calls }: { readonly calls?: unknown; readonly toolCalls?: unknown } = {
    ...Object(received),
  };
  // The calls of a result or a trial.
  if (Array.isArray(toolCalls)) return toolCalls as Trial["calls"];
  throw new TypeError("toHaveCalled() is for the result of a run, or a trial: await agent.run() first");
}

declare global {
  // Uses chai's interface, which every version of vitest builds on: vitest's own had different type parameters in 3 and
  // in 5.
  namespace Chai {
    interface Assertion {
      /**
       * The agent called a tool. Every call that the model made counts, whatever its outcome.
       *
       * @param args - Some members of its arguments, which may be matchers or regular expressions; a schema; or a predicate. @defaultValue any
       */
      toHaveCalled(name: string, args?: ArgsMatcher): void;
    }
  }
}
