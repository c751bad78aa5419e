import type { Scenario } from "./scenario.ts";
import type { Count } from "./server.ts";

/** What a sample did: its own report, and what the service counted. */
export interface Done {
  readonly runs: number;
  readonly executed: number;
  readonly wrongTexts: number;
  readonly count: Count;
}

/**
 * Whether a sample did all of the work: each run made one request per turn, sent the whole history each time, executed each call
 * once and ended with the right text.
 *
 * @returns What is missing, or `undefined`.
 */
export function missingWork(scenario: Scenario, unary: boolean, done: Done): string | undefined {
  const { runs, count } = done;
  const turns = scenario.kind === "turns" ? scenario.turns : 0;
  const responses = (runs * turns * (turns + 1)) / 2;
  const rows: readonly (readonly [what: string, found: number, expected: number])[] = [
    ["runs with a wrong text", done.wrongTexts, 0],
    ["tool executions", done.executed, runs * turns],
    ["requests", count.requests, runs * (turns + 1)],
    ["streamed requests", count.streamed, unary ? 0 : count.requests],
    ["function responses sent", count.responses, responses],
    ["whole results sent", count.results, responses],
  ];
  const wrong = rows.find(([, found, expected]) => found !== expected);
  return wrong === undefined ? undefined : `${wrong[0]}: ${wrong[1]} instead of ${wrong[2]}`;
}
