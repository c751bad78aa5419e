import { CRASH_CHECKS } from "./crash-checks.ts";
import { EXTERNAL_CHECKS } from "./external-checks.ts";
import { ROUND_CHECKS } from "./round-checks.ts";
import type { StepsHarness } from "./steps-harness.ts";

/** One thing that is checked. */
export interface StepsCheck {
  readonly name: string;
  /** Why it is left out; absent when it is not. Then `run` does nothing. */
  readonly skipped?: string | undefined;
  /** @throws {Error} Naming what is not as promised. */
  readonly run: () => Promise<void>;
}

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
  return [...ROUND_CHECKS, ...CRASH_CHECKS, ...EXTERNAL_CHECKS].map(([name, needs, check]): StepsCheck => {
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
