import { expect, test } from "vitest";
import { markdownReport } from "../../src/report/markdown-report.ts";
import { first, worse } from "./sample-run.ts";

test("the verdict, what changed and why, what stays unseen, the cost and the flaky cases", () => {
  expect(markdownReport(worse)).toMatchInlineSnapshot(`
    "<!-- pollux eval support -->
    ### Evals of support: worse

    Worse: 74% pass, 93% before; \`policy\` broke (0 of 5, was 15 of 15). 1 of 20 unchanged runs causes a false alarm.

    | metric | now | before | change (95%) |  |
    | --- | --- | --- | --- | --- |
    | passed | 74% | 93% | −19 (−31 to −8) | worse |
    | cost | 0.0123 | 0.0125 | −0.0002 (−0.0010 to +0.0006) |  |
    | durationMs | 1.5 s | 1.2 s | +0.3 s (+0.1 s to +0.5 s) | worse, not gated |

    **Changes**

    | case | passed | 95% | before | points | cost/trial |  |
    | --- | --- | --- | --- | --- | --- | --- |
    | \`policy\` | 0 of 5 | 0–43% | 15 of 15 | −100 | 0.0123 | broke |
    | \`curt\` | 3 of 5 | 23–88% | 12 of 15 | −20 | 0.0123 | flaky, 2 not judged |
    | \`hello\` | 4 of 5 | 38–96% | 14 of 15 | −13 | 0.0123 | flaky, 1 error |
    | \`crack\` | 2 of 2 | 34–100% |  |  | 0.0123 | new, 3 not tried |

    **Why**

    - \`policy\` broke: 0 of 5, was 15 of 15
      - trials 1, 2, 3, 4, 5 failed: cites 0, no citation of \\<returns\\> \\& "more"

    **What stays unseen**

    - A drop below 15 points may stay unseen.
    - Recordings answered 97% of the calls.
    - Live under a recording, and not fixed: googleSearch.
    - New or changed, and not compared: crack.
    - In the baseline, and not run: late.
    - \\\`refund\\\` really ran, for allowEffects names it.

    **Cost** 0.3100 (agent 0.2500, judges 0.0500, users 0.0100), not known for 1 trial without prices

    **Flaky** \`curt\`, \`hello\`

    <details><summary>5 cases, 22 trials, live, recorded-tools, gemini-3.8-flash-002, tree 9f2c41a0 with changes, 41 s</summary>

    | case | passed | 95% | before | points | cost/trial |  |
    | --- | --- | --- | --- | --- | --- | --- |
    | \`refund\` | 5 of 5 | 57–100% | 15 of 15 | 0 | 0.0123 |  |
    | \`policy\` | 0 of 5 | 0–43% | 15 of 15 | −100 | 0.0123 | broke |
    | \`curt\` | 3 of 5 | 23–88% | 12 of 15 | −20 | 0.0123 | flaky, 2 not judged |
    | \`hello\` | 4 of 5 | 38–96% | 14 of 15 | −13 | 0.0123 | flaky, 1 error |
    | \`crack\` | 2 of 2 | 34–100% |  |  | 0.0123 | new, 3 not tried |

    passed 74% (50–89% on cases like these), pass@2 78%, pass^2 58%

    </details>
    "
  `);
});

test("a first run has no comparison", () => {
  expect(markdownReport(first)).toMatchInlineSnapshot(`
    "<!-- pollux eval support (short) -->
    ### Evals of support (short): no baseline

    50% pass. There is no baseline to compare with.

    **Why**

    - \`policy\` passed 0 of 5
      - trials 1, 2, 3, 4, 5 failed: cites 0, no citation of \\<returns\\> \\& "more"

    **Cost** 0

    <details><summary>2 cases, 10 trials, live, gemini-3.8-flash-002, tree 9f2c41a0, 41 s</summary>

    | case | passed | 95% | before | points | cost/trial |  |
    | --- | --- | --- | --- | --- | --- | --- |
    | \`refund\` | 5 of 5 | 57–100% |  |  |  |  |
    | \`policy\` | 0 of 5 | 0–43% |  |  |  |  |

    passed 50% (0–100% on cases like these), pass@5 50%, pass^5 50%

    </details>
    "
  `);
});

test("a text of a model stays a text: no markup, no mention, no line of its own", () => {
  const notes = ["<img src=x> @everyone #12 [a](b)\n\n# Head | `code` *b* &lt;"];
  expect(markdownReport({ ...first, notes })).toContain(
    String.raw`- \<img src=x\> @` +
      "\u200B" +
      String.raw`everyone #` +
      "\u200B" +
      String.raw`12 \[a\](b) #` +
      "\u200B" +
      String.raw` Head \| \`code\` \*b\* \&lt;` +
      "\n",
  );
});
