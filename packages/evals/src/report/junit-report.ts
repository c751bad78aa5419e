import { caseProblem, failedTrials } from "./case-problem.ts";
import type { CaseResult, EvalRun } from "./eval-run.ts";
import { headOf, notesOf, titleOf } from "./report-rows.ts";

/** Runs as JUnit's XML: one suite per run, with a test for each case and one for the gate. An incomplete run is an error. */
export function junitReport(runs: readonly EvalRun[]): string {
  const suites = runs.map((run) => {
    const name = titleOf(run);
    const tests = [...run.cases.map((found) => caseTest(run, found)), gateTest(run)];
    const count = (kind: string): number => tests.filter((test) => test.kind === kind).length;
    const children = tests.map((test) => {
      const isEmpty = test.text === "" && test.kind === "system-out";
      const child = isEmpty
        ? ""
        : element(test.kind, test.message === undefined ? {} : { message: test.message }, escape(test.text));
      return element("testcase", { classname: name, name: test.name, time: test.ms / 1000 }, child);
    });
    const counts = { tests: tests.length, failures: count("failure"), errors: count("error") };
    const timestamp = new Date(run.at).toISOString().slice(0, 19);
    return element("testsuite", { name, ...counts, time: run.ms / 1000, timestamp }, `\n${children.join("\n")}\n`);
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", {}, `\n${suites.join("\n")}\n`)}\n`;
}

interface Test {
  readonly name: string;
  readonly ms: number;
  readonly kind: "failure" | "error" | "system-out";
  readonly message?: string | undefined;
  readonly text: string;
}

function caseTest(run: EvalRun, found: CaseResult): Test {
  const ms = found.trials.reduce((sum, { metrics }) => sum + (metrics["durationMs"] ?? 0), 0);
  const message = caseProblem(run, found);
  const kind = message === undefined ? "system-out" : "failure";
  return { name: found.id, ms, kind, message, text: failedTrials(found).join("\n") };
}

function gateTest(run: EvalRun): Test {
  const { outcome, text } = run.verdict;
  const kind = outcome === "worse" ? "failure" : outcome === "incomplete" ? "error" : "system-out";
  const message = kind === "system-out" ? undefined : text;
  return { name: "gate", ms: 0, kind, message, text: [text, headOf(run), ...notesOf(run)].join("\n") };
}

function element(name: string, attributes: Readonly<Record<string, string | number>>, content: string): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(String(value))}"`);
  return `<${name}${written.join("")}>${content}</${name}>`;
}

const ENTITIES = new Map(Object.entries({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" }));

/** XML 1.0 cannot contain control characters and halves of surrogate pairs: they become U+FFFD. */
function escape(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu, "\uFFFD")
    .replaceAll(/[&<>"']/g, (character) => ENTITIES.get(character) ?? character);
}
