import { expect, test } from "vitest";
import { formatRun } from "../../src/report/format-run.ts";
import { first, worse } from "./sample-run.ts";

test("a table of cases and metrics, what broke, and the verdict at the end", () => {
  expect(formatRun(worse)).toMatchInlineSnapshot(`
    "support: 5 cases, 22 trials, live, recorded-tools, gemini-3.8-flash-002, tree 9f2c41a0 with changes, 41 s

      case    passed  95%      before    points  cost/trial
      refund  5 of 5  57–100%  15 of 15  0       0.0123
      policy  0 of 5  0–43%    15 of 15  −100    0.0123      broke
      curt    3 of 5  23–88%   12 of 15  −20     0.0123      flaky, 2 not judged
      hello   4 of 5  38–96%   14 of 15  −13     0.0123      flaky, 1 error
      crack   2 of 2  34–100%                    0.0123      new, 3 not tried

      metric      now     before  change (95%)
      passed      74%     93%     −19 (−31 to −8)               worse
      cost        0.0123  0.0125  −0.0002 (−0.0010 to +0.0006)
      durationMs  1.5 s   1.2 s   +0.3 s (+0.1 s to +0.5 s)     worse, not gated

      passed 74% (50–89% on cases like these), pass@2 78%, pass^2 58%
      cost 0.3100 (agent 0.2500, judges 0.0500, users 0.0100), not known for 1 trial without prices
      Recordings answered 97% of the calls.
      Live under a recording, and not fixed: googleSearch.
      New or changed, and not compared: crack.
      In the baseline, and not run: late.
      \`refund\` really ran, for allowEffects names it.

      policy broke: 0 of 5, was 15 of 15
        trials 1, 2, 3, 4, 5 failed: cites 0, no citation of <returns> & "more"

    Worse: 74% pass, 93% before; \`policy\` broke (0 of 5, was 15 of 15). 1 of 20 unchanged runs causes a false alarm.
    "
  `);
});

test("without a baseline, prices and trials, no column has nothing in it", () => {
  expect(formatRun(first)).toMatchInlineSnapshot(`
    "support (short): 2 cases, 10 trials, live, gemini-3.8-flash-002, tree 9f2c41a0, 41 s

      case    passed  95%
      refund  5 of 5  57–100%
      policy  0 of 5  0–43%

      passed 50% (0–100% on cases like these), pass@5 50%, pass^5 50%
      cost 0

      policy passed 0 of 5
        trials 1, 2, 3, 4, 5 failed: cites 0, no citation of <returns> & "more"

    50% pass. There is no baseline to compare with.
    "
  `);
  expect(formatRun({ ...first, cases: [] })).toMatchInlineSnapshot(`
    "support (short): 0 cases, 0 trials, gemini-3.8-flash-002, tree 9f2c41a0, 41 s

      cost 0

    50% pass. There is no baseline to compare with.
    "
  `);
});
