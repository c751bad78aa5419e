import { expect, test } from "vitest";
import { fold } from "./checks/fold.ts";
import type { KnownDifference } from "./known-differences.ts";
import type { Recording } from "./recordings.ts";
import { CHECKS, describeReport, runCheck } from "./run-checks.ts";

/** An answer "hello" whose answer key says something else. */
const wrong: Recording = {
  file: "made-up/wrong.json",
  model: "gemini-3-flash-preview",
  api: "gemini",
  features: [],
  fidelity: [],
  exchanges: [
    {
      path: null,
      model: null,
      request: null,
      status: 200,
      responseHeaders: null,
      responseBody: JSON.stringify({ candidates: [{ content: { parts: [{ text: "hello" }] }, finishReason: "STOP" }] }),
      kind: ["unary"],
      features: [],
      framing: "json",
      continues: null,
      digest: {
        objects: 1,
        parts: 1,
        text: "bye",
        thoughts: "",
        calls: [],
        signatures: 0,
        finishReasons: [],
        usage: null,
      },
    },
  ],
};
const failure = { file: wrong.file, exchange: 0, why: 'digest.text is "hello", recorded "bye"' };
const known: KnownDifference = { check: "fold", file: "made-up/*.json", reason: "made up" };

test("a difference is a failure unless it is known", async () => {
  expect(await runCheck(fold, [wrong], [])).toMatchObject({ checked: 1, unknown: [failure], gone: [] });
  const report = await runCheck(fold, [wrong], [known]);
  expect(report).toMatchObject({ failures: [failure], unknown: [], gone: [] });
  expect(describeReport(report)).toContain(`(known) ${failure.why}`);
});

test("a known difference that no longer occurs is reported", async () => {
  const report = await runCheck(fold, [], [known]);
  expect(report).toMatchObject({ checked: 0, unknown: [], gone: [known] });
  expect(describeReport(report)).toMatch(/^FAIL fold: .*no longer differs/s);
});

test("a recording that a check cannot read fails, and the others are checked", async () => {
  const broken = { ...wrong, file: "made-up/broken.json", exchanges: [null] } as unknown as Recording;
  for (const check of CHECKS.filter(({ id }) => id === "parse" || id === "fold")) {
    const { failures, checked } = await runCheck(check, [broken, wrong], []);
    expect(failures[0]).toMatchObject({ file: broken.file });
    expect(checked).toBe(2);
  }
});
