import type { EvalRun } from "@pollux/evals";
import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { EvalSuiteRuns } from "../../../src/evals/read-evals.ts";
import { Notes, Button } from "../acting/parts.tsx";
import { useInspector, useKeys } from "../app/inspector.ts";
import { formatCount, formatDate, formatDuration, formatPlural } from "../ui/format.ts";
import { Empty } from "../ui/notes.tsx";
import { formatCost, formatMetric, formatPassed, hrefOf, Outcome, percent } from "./parts.tsx";

interface SuiteViewProps {
  readonly suite: EvalSuiteRuns;
  /** Id of the run to show; empty for the last one. */
  readonly run: string;
  readonly onMore: () => void;
}

/** The runs of a suite over time, case by case. */
export function SuiteView({ suite: { suite, runs, unreadable, omitted }, run, onMore }: SuiteViewProps): JSX.Element {
  const inspector = useInspector();
  const index = run === "" ? runs.length - 1 : runs.findIndex(({ id }) => id === run);
  const shown = runs[index];
  const move = (by: number): void => {
    const next = runs[Math.max(0, index + by)];
    if (next !== undefined) inspector.go({ kind: "evals", path: [suite, next.id] }, true);
  };
  useKeys("Runs of a suite", 2, [
    { keys: ["j", "ArrowRight"], does: "Next run", run: () => move(1) },
    { keys: ["k", "ArrowLeft"], does: "Previous run", run: () => move(-1) },
  ]);
  return (
    <>
      <h1>{suite}</h1>
      {shown === undefined ? <Empty title="There is no such run" /> : <RunBox run={shown} />}
      {runs.length > 0 && <Grid suite={suite} runs={runs} shown={shown} />}
      {omitted > 0 && <Button say={`Show older runs (${formatCount(omitted)})`} onClick={onMore} />}
      {unreadable.length > 0 && (
        <details class="banner is-error">
          <summary>{formatPlural(unreadable.length, "file")} could not be read</summary>
          <Notes notes={unreadable.map(({ file, problem }) => `${file}: ${problem}`)} />
        </details>
      )}
    </>
  );
}

/** A run, compared with its baseline. */
export function RunBox({ run }: { readonly run: EvalRun }): JSX.Element {
  const { at, ms, version, variant, verdict, cases, models, recordedShare, notFixed, notes } = run;
  const metrics = verdict.metrics.map(({ name, now, before, difference: { low, high }, p }) => {
    const [is, was, from, to] = [now, before, low, high].map(formatMetric);
    return `${name}: ${is}, was ${was}; the difference is ${from} to ${to} (95%, these cases), p = ${formatMetric(p)}.`;
  });
  return (
    <section class="banner result stack" aria-label="The run">
      <h2>
        Run of {formatDate(at)} <Outcome outcome={verdict.outcome} />
      </h2>
      <p>{verdict.text}</p>
      <p class="facts small wrap">
        <code title={version.tree}>{(version.commit ?? version.tree).slice(0, 12)}</code>
        {variant !== undefined && <span>{variant}</span>}
        <span title="At 95%, for cases like these">{formatPassed(run)} passed</span>
        <span>{formatPlural(cases.flatMap(({ trials }) => trials).length, "trial")}</span>
        <span>cost {formatCost(run)}</span>
        <span>{formatDuration(ms)}</span>
        {models.map(({ id, version: exact = id }) => (
          <span key={id}>{exact}</span>
        ))}
      </p>
      <details>
        <summary>Metrics and notes</summary>
        <Notes
          notes={[
            ...metrics,
            ...(recordedShare === undefined ? [] : [`Recordings answered ${percent(recordedShare)}% of the calls.`]),
            ...(notFixed.length === 0 ? [] : [`Not fixed by the recording: ${notFixed.join(", ")}.`]),
            ...(verdict.missing.length === 0 ? [] : [`Not run, but in the baseline: ${verdict.missing.join(", ")}.`]),
            ...notes,
          ]}
        />
      </details>
    </section>
  );
}

interface GridProps {
  readonly suite: string;
  readonly runs: readonly EvalRun[];
  readonly shown: EvalRun | undefined;
}

/** Runs from left to right, with the passed trials of each case. */
function Grid({ suite, runs, shown }: GridProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  // Shows the last runs first.
  useLayoutEffect(() => box.current?.scrollTo({ left: box.current.scrollWidth }), [runs.length]);
  const cases = new Set(runs.toReversed().flatMap((run) => run.cases.map(({ id }) => id)));
  const line = (name: string, cell: (run: EvalRun) => ComponentChildren): JSX.Element => (
    <tr key={name}>
      <th scope="row" class="cut" title={name}>
        {name}
      </th>
      {runs.map((run) => (
        <td key={run.id} class={run === shown ? "is-selected" : ""}>
          {cell(run)}
        </td>
      ))}
    </tr>
  );
  return (
    <div ref={box} class="eval-grid" tabIndex={0} role="region" aria-label="Cases by runs">
      <table>
        <tbody>
          {line("Run", ({ id, at }) => (
            <a href={hrefOf(suite, id)}>{formatDate(at).slice(5, 16)}</a>
          ))}
          {line("Version", ({ version: { tree, commit = tree, hasChanges } }) => (
            <code>{commit.slice(0, 7) + (hasChanges === true ? "+" : "")}</code>
          ))}
          {runs.some(({ variant }) => variant !== undefined) && line("Variant", ({ variant }) => variant)}
          {line("Verdict", ({ verdict }) => (
            <Outcome outcome={verdict.outcome} />
          ))}
          {line("Passed", (run) => (
            <PassedBar run={run} />
          ))}
          {line("Cost", formatCost)}
        </tbody>
        <tbody>{[...cases].map((id) => line(id, (run) => <Cell suite={suite} run={run} id={id} />))}</tbody>
      </table>
    </div>
  );
}

/** The share of passed trials as a line, in the range of its interval. */
function PassedBar({ run }: { readonly run: EvalRun }): JSX.Element {
  const [share, low, high] = [run.passed.share, run.passed.low, run.passed.high].map(percent);
  const range = run.verdict.outcome === "worse" ? "var(--bar-bad)" : "var(--bar-model)";
  const stops = `var(--surface) ${low}%, ${range} ${low}% ${share}%, var(--text) ${share}% calc(${share}% + 2px), ${range} 0 ${high}%, var(--surface) 0`;
  return (
    <span title={formatPassed(run)}>
      <span class="passed-bar" style={{ background: `linear-gradient(to top, ${stops})` }} />
      {share}%
    </span>
  );
}

/** The passed trials of a case, with a link to the first that did not pass. */
function Cell({ suite, run, id }: { readonly suite: string; readonly run: EvalRun; readonly id: string }): JSX.Element {
  const { broken, flaky, added } = run.verdict;
  const trials = run.cases.find((one) => one.id === id)?.trials ?? [];
  const trial = trials.find(({ status }) => status !== "passed") ?? trials[0];
  if (trial === undefined) return <span class="dim">–</span>;
  const passed = trials.filter(({ status }) => status === "passed").length;
  const isBroken = broken.some((one) => one.id === id);
  const mark = isBroken ? "broken" : flaky.includes(id) ? "flaky" : added.includes(id) ? "new" : "";
  const tone = isBroken || passed === 0 ? "tone-bad" : passed < trials.length ? "tone-odd" : "";
  return (
    <a class={`flag ${tone}`} href={hrefOf(suite, run.id, id, trial.number)}>
      {passed}/{trials.length} <small>{mark}</small>
    </a>
  );
}
