import { describe, expect, test } from "vitest";
import { KNOWN_DIFFERENCES } from "./known-differences.ts";
import { DOCS_PAGE, figuresOf, keptIn, publishedIn } from "./published-figures.ts";
import { readRecordings, recordingsFolder, whyAbsent } from "./recordings-folder.ts";
import { CHECKS, type CheckReport, describeReport, runCheck } from "./run-checks.ts";

const absent = whyAbsent(recordingsFolder());
const reports: CheckReport[] = [];
const recordings = absent === undefined ? readRecordings(recordingsFolder()) : [];

describe.skipIf(absent !== undefined)(`recorded traffic${absent === undefined ? "" : ` (${absent})`}`, () => {
  test("is there", () => {
    expect(recordings.length).toBeGreaterThan(0);
  });

  test.each(CHECKS.map((check) => [check.id, check.claim, check] as const))("%s: %s", async (_id, _claim, check) => {
    const report = await runCheck(check, recordings, KNOWN_DIFFERENCES);
    console.info(describeReport(report));
    reports.push(report);
    const { checked, unknown, gone } = report;
    expect({ unknown, gone }).toEqual({ unknown: [], gone: [] });
    expect(checked).toBeGreaterThan(0);
  });

  test("gives the figures that docs/contract.md publishes; `pnpm contract --docs` updates them", () => {
    expect(publishedIn(DOCS_PAGE)).toBe(figuresOf(recordings, reports));
    expect(publishedIn(DOCS_PAGE, "kept")).toBe(keptIn(reports));
  });
});
