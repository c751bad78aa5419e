import { expect, test } from "vitest";
import { junitReport } from "../../src/report/junit-report.ts";
import { first, worse } from "./sample-run.ts";

test("a test for each case, and one for the gate", () => {
  expect(junitReport([worse, first])).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
    <testsuite name="support" tests="6" failures="2" errors="0" time="41.3" timestamp="2026-11-25T02:20:00">
    <testcase classname="support" name="refund" time="7.5"></testcase>
    <testcase classname="support" name="policy" time="7.5"><failure message="broke: 0 of 5, was 15 of 15">trials 1, 2, 3, 4, 5 failed: cites 0, no citation of &lt;returns&gt; &amp; &quot;more&quot;</failure></testcase>
    <testcase classname="support" name="curt" time="7.5"><system-out>trials 4, 5 could not be judged (the judge did not answer)</system-out></testcase>
    <testcase classname="support" name="hello" time="7.5"><system-out>trial 5 ended with an error (503)</system-out></testcase>
    <testcase classname="support" name="crack" time="3"></testcase>
    <testcase classname="support" name="gate" time="0"><failure message="Worse: 74% pass, 93% before; \`policy\` broke (0 of 5, was 15 of 15). 1 of 20 unchanged runs causes a false alarm.">Worse: 74% pass, 93% before; \`policy\` broke (0 of 5, was 15 of 15). 1 of 20 unchanged runs causes a false alarm.
    5 cases, 22 trials, live, recorded-tools, gemini-3.8-flash-002, tree 9f2c41a0 with changes, 41 s
    Recordings answered 97% of the calls.
    Live under a recording, and not fixed: googleSearch.
    New or changed, and not compared: crack.
    In the baseline, and not run: late.
    \`refund\` really ran, for allowEffects names it.</failure></testcase>
    </testsuite>
    <testsuite name="support (short)" tests="3" failures="1" errors="0" time="41.3" timestamp="2026-11-25T02:20:00">
    <testcase classname="support (short)" name="refund" time="0"></testcase>
    <testcase classname="support (short)" name="policy" time="0"><failure message="passed 0 of 5">trials 1, 2, 3, 4, 5 failed: cites 0, no citation of &lt;returns&gt; &amp; &quot;more&quot;</failure></testcase>
    <testcase classname="support (short)" name="gate" time="0"><system-out>50% pass. There is no baseline to compare with.
    2 cases, 10 trials, live, gemini-3.8-flash-002, tree 9f2c41a0, 41 s</system-out></testcase>
    </testsuite>
    </testsuites>
    "
  `);
});

test("a run that is incomplete is an error, and no failure", () => {
  const verdict = { ...first.verdict, outcome: "incomplete", text: "Out of money." } as const;
  expect(junitReport([{ ...first, cases: [], verdict }])).toContain(
    '<testsuite name="support (short)" tests="1" failures="0" errors="1" time="41.3" timestamp="2026-11-25T02:20:00">\n' +
      '<testcase classname="support (short)" name="gate" time="0"><error message="Out of money.">Out of money.\n',
  );
});

test("what XML cannot say is replaced", () => {
  const text = "a\u0000b\u001B[31m \uD800 \uFFFE 🙂\ttab";
  const written = "a\uFFFDb\uFFFD[31m \uFFFD \uFFFD 🙂\ttab";
  expect(junitReport([{ ...first, verdict: { ...first.verdict, text } }])).toContain(`>${written}\n`);
});
