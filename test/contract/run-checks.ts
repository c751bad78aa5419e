import { matchesGlob } from "node:path";
import { type Check, type CheckResult, type Failure, Tally } from "./check.ts";
import { citations } from "./checks/citations.ts";
import { declarations } from "./checks/declarations.ts";
import { echo } from "./checks/echo.ts";
import { emulator } from "./checks/emulator.ts";
import { fold } from "./checks/fold.ts";
import { history } from "./checks/history.ts";
import { loop } from "./checks/loop.ts";
import { parse } from "./checks/parse.ts";
import { values } from "./checks/values.ts";
import type { KnownDifference } from "./known-differences.ts";
import type { Recording } from "./recordings.ts";

/** All checks, from the bytes up. */
export const CHECKS: readonly Check[] = [parse, values, fold, echo, history, declarations, loop, citations, emulator];

/** The result of a check, with expected and unexpected differences separated. */
export interface CheckReport extends CheckResult {
  readonly check: Check;
  readonly ms: number;
  readonly unknown: readonly Failure[];
  /** Known differences that did not occur. */
  readonly gone: readonly KnownDifference[];
}

/**
 * Runs one check over recordings.
 *
 * @param onProgress - Called after each recording with the number done.
 */
export async function runCheck(
  check: Check,
  recordings: readonly Recording[],
  known: readonly KnownDifference[],
  onProgress: (done: number) => void = () => {},
): Promise<CheckReport> {
  const startedAt = performance.now();
  const tally = new Tally();
  for (const [index, recording] of recordings.entries()) {
    onProgress(index);
    try {
      await check.run(recording, tally);
    } catch (error) {
      tally.compare(
        recording.file,
        0,
        `the check itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }
  const result = tally.result();
  const ms = Math.round(performance.now() - startedAt);
  const own = known.filter((one) => one.check === check.id);
  const unknown = result.failures.filter(({ file }) => !own.some((one) => matchesGlob(file, one.file)));
  const gone = own.filter((one) => !result.failures.some(({ file }) => matchesGlob(file, one.file)));
  return { ...result, check, ms, unknown, gone };
}

/** One line with counts, then both sides of the comparison, differences by file, missing values by rule, and skipped exchanges. */
export function describeReport(report: CheckReport): string {
  const { check, checked, failures, unknown, gone, measured, vanished, skipped, notes, ms } = report;
  const counts = [`${checked} compared`, `${unknown.length} differ`];
  if (failures.length > unknown.length) counts.push(`${failures.length - unknown.length} known to differ`);
  const leftOut = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  if (leftOut > 0) counts.push(`${leftOut} left out`);
  const lines = [
    `${unknown.length + gone.length === 0 ? "ok  " : "FAIL"} ${check.id}: ${counts.join(", ")} (${[...notes, `${ms} ms`].join("; ")})`,
  ];
  const looked = Object.entries(measured).map(([what, amount]) => `${amount} ${what}`);
  lines.push(
    `       ${check.compares}`,
    `       held against ${check.against}${looked.length > 0 ? `: ${looked.join(", ")}` : ""}`,
  );
  for (const file of new Set(failures.map((failure) => failure.file))) {
    lines.push(`       ${file}`);
    for (const failure of failures.filter((one) => one.file === file))
      lines.push(`         [${failure.exchange}]${unknown.includes(failure) ? "" : " (known)"} ${failure.why}`);
  }
  for (const { file, reason } of gone)
    lines.push(`       no longer differs, so it is not a known difference: ${file} (${reason})`);
  for (const { rule, why } of check.mayVanish ?? [])
    if (vanished[rule] !== undefined) lines.push(`       excused by a rule, ${vanished[rule]}: ${rule} (${why})`);
  for (const [why, count] of Object.entries(skipped)) lines.push(`       left out, ${count}: ${why}`);
  return lines.join("\n");
}

/** A one-line summary of all checks. */
export function describeTotal(files: number, exchanges: number, reports: readonly CheckReport[]): string {
  const sum = (what: string): number => reports.reduce((all, { measured }) => all + (measured[what] ?? 0), 0);
  const looked = ["chunks", "values", "requests"].map((what) => `${sum(what)} ${what}`);
  const differences = reports.reduce((all, { unknown }) => all + unknown.length, 0);
  return `${files} files, ${exchanges} exchanges, ${looked.join(", ")}: ${differences} difference${differences === 1 ? "" : "s"}`;
}
