import { caseProblem, failedTrials } from "./case-problem.ts";
import type { EvalRun } from "./eval-run.ts";
import { caseRows, costOf, headOf, metricRows, notesOf, passLine, type Rows, titleOf } from "./report-rows.ts";

/** A run for a terminal: cases and metrics in columns, what broke and why, and the verdict's words at the end. */
export function formatRun(run: EvalRun): string {
  const red = run.cases.flatMap((found) => {
    const problem = caseProblem(run, found);
    return problem === undefined ? [] : [`${found.id} ${problem}`, ...failedTrials(found).map((line) => `  ${line}`)];
  });
  return [
    [`${titleOf(run)}: ${headOf(run)}`],
    inColumns(caseRows(run)),
    inColumns(metricRows(run)),
    [passLine(run), `cost ${costOf(run)}`, ...notesOf(run)].filter((line) => line !== "").map((line) => `  ${line}`),
    red.map((line) => `  ${line}`),
    [run.verdict.text],
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n");
}

/** Columns as wide as their longest cell; an empty column is left out, as is a head without rows. */
function inColumns([head = [], ...rows]: Rows): readonly string[] {
  if (rows.length === 0) return [];
  const widths = head.map((name, at) => {
    const longest = Math.max(...rows.map((row) => row[at]?.length ?? 0));
    return longest === 0 ? 0 : Math.max(longest, name.length);
  });
  return [head, ...rows].map((row) => {
    const cells = row.map((cell, at) => (widths[at] === 0 ? "" : `  ${cell.padEnd(widths[at] ?? 0)}`));
    return cells.join("").trimEnd();
  });
}
