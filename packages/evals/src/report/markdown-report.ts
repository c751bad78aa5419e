import { caseProblem, failedTrials } from "./case-problem.ts";
import type { EvalRun } from "./eval-run.ts";
import { caseRows, costOf, headOf, metricRows, notesOf, passLine, type Rows, titleOf } from "./report-rows.ts";

/**
 * A run in Markdown, for a pull request: the verdict, what changed, what stays unseen, what it cost, and the flaky cases. It begins with a comment
 * that names the suite, by which a job finds its earlier report.
 */
export function markdownReport(run: EvalRun): string {
  const { outcome, text, seenDrop, flaky } = run.verdict;
  const [head = [], ...rows] = caseRows(run).map(([id = "", ...cells], at) => [at === 0 ? id : `\`${id}\``, ...cells]);
  const changed = rows.filter(([, , , , change = "", , remark]) => !["", "0"].includes(change) || remark !== "");
  const why = run.cases.flatMap((found) => {
    const problem = caseProblem(run, found);
    // The first three; all of them are in the run's JSON.
    const lines = failedTrials(found)
      .slice(0, 3)
      .map((line) => `  - ${escape(line)}`);
    return problem === undefined ? [] : [`- \`${found.id}\` ${problem}`, ...lines];
  });
  const unseen = seenDrop === undefined ? [] : [`A drop below ${Math.round(seenDrop * 100)} points may stay unseen.`];
  const notes = [...unseen, ...notesOf(run)].map((note) => `- ${escape(note)}`);
  const title = escape(titleOf(run));
  const sections = [
    `<!-- pollux eval ${title.replaceAll("--", "- -")} -->\n### Evals of ${title}: ${outcome.replaceAll("-", " ")}`,
    text,
    table(metricRows(run)),
    changed.length > 0 && `**Changes**\n\n${table([head, ...changed])}`,
    why.length > 0 && `**Why**\n\n${why.join("\n")}`,
    notes.length > 0 && `**What stays unseen**\n\n${notes.join("\n")}`,
    `**Cost** ${costOf(run)}`,
    flaky.length > 0 && `**Flaky** ${flaky.map((id) => `\`${id}\``).join(", ")}`,
    `<details><summary>${escape(headOf(run))}</summary>\n\n${table([head, ...rows])}\n\n${passLine(run)}\n\n</details>`,
  ];
  return `${sections.filter((section) => section !== false && section !== "").join("\n\n")}\n`;
}

function table([head = [], ...rows]: Rows): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
  return rows.length === 0 ? "" : [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** What a model or a scorer wrote, as text: no markup, no mention of anybody, no link to an issue. */
function escape(text: string): string {
  const inOneLine = text.replaceAll(/\s+/g, " ");
  return inOneLine.replaceAll(/[\\`*_[\]<>|~&]/g, String.raw`\$&`).replaceAll(/[@#]/g, "$&\u200B");
}
