import type { EvalRun } from "@pollux/evals";
import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { EvalCaseRow, EvalRunRow, EvalSuiteRuns } from "../../../src/inspection/eval-rows.ts";
import { Notes } from "../acting/parts.tsx";
import { useInspector } from "../app/inspector.ts";
import { type Load, useLoad } from "../app/loads.ts";
import { formatRoute } from "../app/route.ts";
import { useKeys } from "../app/use-keys.ts";
import { formatCount, formatDate, formatDuration, formatPlural } from "../ui/format.ts";
import { Empty, Failure } from "../ui/notes.tsx";
import { formatCost, formatShare, Outcome, PassedBar } from "./parts.tsx";

/** The runs of a suite over time, case by case. */
export function SuiteView({
  suite,
  run,
  onMore,
}: {
  readonly suite: EvalSuiteRuns;
  /** The one that is shown; the last one without it. */
  readonly run: string | undefined;
  readonly onMore: () => void;
}): JSX.Element {
  const inspector = useInspector();
  const { runs, unreadable, omitted } = suite;
  const index = run === undefined ? runs.length - 1 : runs.findIndex(({ id }) => id === run);
  const shown = runs[index];
  const move = (by: number): void => {
    const next = runs[Math.max(0, index + by)];
    if (next !== undefined) inspector.go({ kind: "evals", suite: suite.suite, run: next.id }, true);
  };
  useKeys("Runs of a suite", 2, [
    { keys: ["j", "ArrowRight"], does: "Next run", run: () => move(1) },
    { keys: ["k", "ArrowLeft"], does: "Run before", run: () => move(-1) },
  ]);
  return (
    <>
      <h1>{suite.suite}</h1>
      {unreadable.length > 0 && (
        <details class="banner is-error">
          <summary>{formatPlural(unreadable.length, "file")} could not be read</summary>
          <ul>
            {unreadable.map(({ file, problem }) => (
              <li key={file}>
                <code>{file}</code>: {problem}
              </li>
            ))}
          </ul>
        </details>
      )}
      {shown === undefined ? (
        <Empty title={runs.length === 0 ? "No run could be read" : "There is no such run among the last ones"} />
      ) : (
        <RunSummary key={shown.id} suite={suite.suite} run={shown} />
      )}
      {runs.length > 0 && <Grid suite={suite} shown={shown} />}
      {omitted > 0 && (
        <p>
          <button type="button" onClick={onMore}>
            Show older runs ({formatCount(omitted)})
          </button>
        </p>
      )}
    </>
  );
}

/** A whole run. */
export function useRun(suite: string, run: string | undefined): Load<EvalRun | undefined> {
  const { source, loads } = useInspector().open.value;
  return useLoad(loads, JSON.stringify(["eval", suite, run]), async () =>
    // The server has checked it.
    run === undefined ? undefined : ((await source.evals([suite, run])) as unknown as EvalRun),
  );
}

function RunSummary({ suite, run }: { readonly suite: string; readonly run: EvalRunRow }): JSX.Element {
  const { value, error } = useRun(suite, run.id);
  return (
    <section class="eval-run" aria-label="The run">
      <h2>
        Run of {formatDate(run.at)} <code>{run.version}</code> {run.variant !== undefined && <span>{run.variant}</span>}{" "}
        <Outcome outcome={run.outcome} />
      </h2>
      <p>{run.text}</p>
      <p class="facts">
        <span title="At 95 %, for cases like these">{formatShare(run)} passed</span>
        <span>{formatPlural(run.trials, "trial")}</span>
        <span>cost {formatCost(run)}</span>
        {value !== undefined && <span>{formatDuration(value.ms)}</span>}
        {value?.models.map(({ id, version }) => (
          <span key={id}>{version ?? id}</span>
        ))}
      </p>
      {error !== undefined && <Failure error={error} />}
      {value !== undefined && <RunDetails run={value} />}
    </section>
  );
}

function RunDetails({ run }: { readonly run: EvalRun }): JSX.Element | null {
  const { metrics, missing } = run.verdict;
  const notes = [
    ...run.notes,
    ...(run.recordedShare === undefined
      ? []
      : [`Recordings answered ${Math.round(100 * run.recordedShare)}% of the calls.`]),
    ...(run.notFixed.length === 0 ? [] : [`Live under the recording: ${run.notFixed.join(", ")}.`]),
    ...(missing.length === 0 ? [] : [`In the baseline, and not run: ${missing.join(", ")}.`]),
  ];
  if (metrics.length === 0 && notes.length === 0) return null;
  return (
    <details>
      <summary>Metrics and notes</summary>
      {metrics.length > 0 && (
        <div class="eval-scroll">
          <table class="eval-grid">
            <thead>
              <tr>
                {["Metric", "Now", "Before", "Difference (95 %)", "p", "Gate"].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {metrics.map(({ name, now, before, difference, p, isWorse, isGated }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{formatMetric(now)}</td>
                  <td>{formatMetric(before)}</td>
                  <td>
                    {formatMetric(difference.value)} ({formatMetric(difference.low)} to {formatMetric(difference.high)})
                  </td>
                  <td>{formatMetric(p)}</td>
                  <td>{isWorse ? <Outcome outcome="worse" /> : isGated ? "passed" : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Notes notes={notes} />
    </details>
  );
}

/** A number of any size, with three digits that say something. */
export function formatMetric(value: number): string {
  return Math.abs(value) >= 1000 ? formatCount(Math.round(value)) : String(Number(value.toPrecision(3))).replace("-", "−");
}

/** Cases by runs: how many trials of each passed. */
function Grid({
  suite,
  shown,
}: {
  readonly suite: EvalSuiteRuns;
  readonly shown: EvalRunRow | undefined;
}): JSX.Element {
  const { runs } = suite;
  const box = useRef<HTMLDivElement>(null);
  // The last runs are the ones to see.
  useLayoutEffect(() => box.current?.scrollTo({ left: box.current.scrollWidth }), [runs.length]);
  const cases = useMemo(() => new Set(runs.toReversed().flatMap((run) => run.cases.map(({ id }) => id))), [runs]);
  const hasVariants = runs.some(({ variant }) => variant !== undefined);
  const line = (name: string, cell: (run: EvalRunRow) => JSX.Element | string): JSX.Element => (
    <tr key={name}>
      <th scope="row" title={name}>
        {name}
      </th>
      {runs.map((run) => (
        <td key={run.id} class={run === shown ? "is-shown" : ""}>
          {cell(run)}
        </td>
      ))}
    </tr>
  );
  return (
    <div ref={box} class="eval-scroll" tabIndex={0} role="region" aria-label="Cases by runs">
      <table class="eval-grid">
        <thead>
          <tr>
            <th scope="col">Run</th>
            {runs.map((run) => (
              <th key={run.id} scope="col" class={run === shown ? "is-shown" : ""}>
                <a
                  href={formatRoute({ kind: "evals", suite: suite.suite, run: run.id })}
                  aria-current={run === shown ? "true" : undefined}
                >
                  {formatDate(run.at).slice(5, 10)} {formatDate(run.at).slice(11, 16)}
                </a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {line("Version", ({ version }) => (
            <code>{version}</code>
          ))}
          {hasVariants && line("Variant", ({ variant = "–" }) => variant)}
          {line("Verdict", ({ outcome }) => (
            <Outcome outcome={outcome} />
          ))}
          {line("Passed", (run) => (
            <span title={formatShare(run)}>
              <PassedBar run={run} />
              {Math.round(100 * run.passed.share)}%
            </span>
          ))}
          {line("Cost", (run) => formatCost(run))}
        </tbody>
        <tbody>
          {[...cases].map((id) =>
            line(id, (run) => {
              const found = run.cases.find((one) => one.id === id);
              return found === undefined ? "–" : <Cell suite={suite.suite} run={run.id} row={found} />;
            }),
          )}
        </tbody>
      </table>
    </div>
  );
}

/** How many trials of a case passed; leads to the first that did not. */
function Cell({
  suite,
  run,
  row,
}: {
  readonly suite: string;
  readonly run: string;
  readonly row: EvalCaseRow;
}): JSX.Element {
  const { id, trials, isBroken, isFlaky, isNew } = row;
  const passed = trials.filter(({ status }) => status === "passed").length;
  const mark = isBroken ? "broken" : isFlaky ? "flaky" : isNew ? "new" : "";
  const tone = isBroken || (passed === 0 && trials.length > 0) ? "tone-bad" : passed < trials.length ? "tone-odd" : "";
  const text = (
    <>
      {passed}/{trials.length} {mark !== "" && <small>{mark}</small>}
    </>
  );
  const trial = trials.find(({ status }) => status !== "passed") ?? trials[0];
  if (trial === undefined) return <span class="dim">{text}</span>;
  return (
    <a
      class={`eval-cell ${tone}`}
      href={formatRoute({ kind: "evals", suite, run, trial: { caseId: id, number: trial.number } })}
      aria-label={`${id}: ${passed} of ${trials.length} passed${mark === "" ? "" : `, ${mark}`}`}
    >
      {text}
    </a>
  );
}
