import type { EvalRun, ScoreResult, TrialResult } from "@pollux/evals";
import type { JSX } from "preact";
import type { BranchComparison } from "../../../src/inspection/results.ts";
import { SelectField } from "../acting/parts.tsx";
import { useInspector, useLoad } from "../app/inspector.ts";
import { formatRoute } from "../app/route.ts";
import { BranchTable } from "../fork/branch-table.tsx";
import { formatDate } from "../ui/format.ts";
import { Empty, Waiting } from "../ui/notes.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { formatMetric, hrefOf, Outcome, toneOf } from "./parts.tsx";

interface TrialViewProps {
  readonly runs: readonly EvalRun[];
  readonly path: readonly string[];
}

/** A trial of a case, with another one beside it if selected. */
export function TrialView({ runs, path }: TrialViewProps): JSX.Element {
  const inspector = useInspector();
  const [suite = "", run = "", id = "", number = "", otherRun = "", otherNumber = ""] = path;
  const all = runs.flatMap((one) => trialsOf(one, id));
  const find = (runId: string, text: string): RunTrial | undefined =>
    all.find((one) => one.run.id === runId && String(one.trial.number) === text);
  const [left, right] = [find(run, number), find(otherRun, otherNumber)];
  const trials = all.filter((one) => one.run.id === run);
  const others = all.toReversed().filter((one) => one !== left);
  const go = (...next: readonly string[]): void =>
    inspector.go({ kind: "evals", path: [suite, run, id, ...next] }, true);
  if (left === undefined) return <Empty title="There is no such trial" />;
  const { world, tags, cluster } = left.of;
  return (
    <>
      <h1>{id}</h1>
      <p class="facts small wrap">
        <a href={hrefOf(suite, run)}>Run of {formatDate(left.run.at)}</a>
        <span>{world}</span>
        {[...tags, ...(cluster === undefined ? [] : [cluster])].map((tag) => (
          <span key={tag}>{tag}</span>
        ))}
      </p>
      <Tabs
        label="Trials"
        panel="trial-panel"
        tabs={trials.map(({ trial }) => ({ id: String(trial.number), title: `${trial.number}: ${trial.status}` }))}
        current={number}
        keys={["[", "]"]}
        onChange={(to) => go(to)}
      />
      <SelectField
        label="Compare with"
        value={right === undefined ? "" : `${otherRun}/${otherNumber}`}
        onChange={(value) => go(number, ...value.split("/").filter(Boolean))}
        options={[["", "no other trial"], ...others.map(optionOf)]}
      />
      <div id="trial-panel" class="trials" role="tabpanel" aria-labelledby={`trial-panel-tab-${number}`}>
        <TrialCard of={left} />
        {right !== undefined && <TrialCard of={right} />}
      </div>
      {right !== undefined && <Sessions left={left} right={right} />}
    </>
  );
}

/** A trial with its run and case. */
interface RunTrial {
  readonly run: EvalRun;
  readonly of: EvalRun["cases"][number];
  readonly trial: TrialResult;
}

function trialsOf(run: EvalRun, caseId: string): readonly RunTrial[] {
  return run.cases.filter(({ id }) => id === caseId).flatMap((of) => of.trials.map((trial) => ({ run, of, trial })));
}

function titleOf({ run, trial }: RunTrial): string {
  return `Trial ${trial.number} of ${formatDate(run.at)}`;
}

function optionOf(one: RunTrial): readonly [value: string, title: string] {
  return [`${one.run.id}/${one.trial.number}`, `${titleOf(one)}: ${one.trial.status}`];
}

function TrialCard({ of }: { readonly of: RunTrial }): JSX.Element {
  const { status, why, scores, metrics, stopReason, answer, sessionId } = of.trial;
  return (
    <section class="banner result stack" aria-label={titleOf(of)}>
      <h2>
        {titleOf(of)} <Outcome outcome={status} />
      </h2>
      {sessionId !== undefined && (
        <p>
          <a href={formatRoute({ kind: "session", id: sessionId, tab: "" })}>Open its session</a>
        </p>
      )}
      {why !== undefined && <p class="banner is-odd">{why}</p>}
      <ul>
        {scores.map((score) => (
          <Score key={score.name} {...score} />
        ))}
      </ul>
      <h3>Answer {stopReason !== undefined && <span class="dim">{stopReason}</span>}</h3>
      <p class="said is-message">{answer}</p>
      <dl class="figures wrap">
        {Object.entries(metrics).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{formatMetric(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Score({ name, score, threshold, isAdvisory = false, reason = "" }: ScoreResult): JSX.Element {
  const status = score === null ? "invalid" : score >= threshold ? "passed" : "failed";
  const needs = isAdvisory ? "advisory" : threshold === 1 ? "" : `needs ${formatMetric(threshold)}`;
  return (
    <li>
      <span class={`flag ${isAdvisory ? "" : toneOf(status)}`}>{score === null ? status : formatMetric(score)}</span>{" "}
      <b>{name}</b> <span class="dim">{needs}</span>
      <p class="said">{reason}</p>
    </li>
  );
}

/** The sessions of two trials, turn by turn. */
function Sessions({ left, right }: { readonly left: RunTrial; readonly right: RunTrial }): JSX.Element | null {
  const { source } = useInspector().open.value;
  const [one = "", other = ""] = [left.trial.sessionId, right.trial.sessionId];
  const { value, error } = useLoad(["compare", one, other], async () =>
    one === "" || other === "" ? undefined : await source.view<BranchComparison>(one, "compare", { with: other }),
  );
  if (error !== undefined) return <Waiting error={error} />;
  if (value === undefined) return null;
  return <BranchTable comparison={value} first={titleOf(left)} right={titleOf(right)} />;
}
