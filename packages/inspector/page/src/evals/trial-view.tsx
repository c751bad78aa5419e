import type { EvalRun, ScoreResult, TrialResult } from "@pollux/evals";
import type { JSX } from "preact";
import type { EvalSuiteRuns } from "../../../src/inspection/eval-rows.ts";
import { Field } from "../acting/parts.tsx";
import { useInspector } from "../app/inspector.ts";
import { useLoad } from "../app/loads.ts";
import { type EvalsRoute, formatRoute } from "../app/route.ts";
import { useKeys } from "../app/use-keys.ts";
import { BranchTable } from "../fork/branch-table.tsx";
import { compare } from "../fork/compare-with.tsx";
import { formatDate } from "../ui/format.ts";
import { Empty, Failure, Loading } from "../ui/notes.tsx";
import { toneOf } from "./parts.tsx";
import { formatMetric, useRun } from "./suite-view.tsx";

interface TrialViewProps extends Pick<EvalsRoute, "beside"> {
  readonly suite: EvalSuiteRuns;
  readonly run: string;
  readonly trial: NonNullable<EvalsRoute["trial"]>;
}

/** A trial of a case, and another one beside it. */
export function TrialView({ suite, run, trial, beside }: TrialViewProps): JSX.Element {
  const inspector = useInspector();
  const { caseId, number } = trial;
  const [left, right] = [useRun(suite.suite, run), useRun(suite.suite, beside?.run)];
  const found = left.value?.cases.find(({ id }) => id === caseId);
  const trials = found?.trials ?? [];
  const routeTo = (to: number): EvalsRoute => ({
    kind: "evals",
    suite: suite.suite,
    run,
    trial: { caseId, number: to },
  });
  const move = (by: number): void => {
    const next = trials[trials.findIndex((one) => one.number === number) + by];
    if (next !== undefined) inspector.go(routeTo(next.number), true);
  };
  useKeys("Trial", 2, [
    { keys: ["j", "ArrowDown"], does: "Next trial", run: () => move(1) },
    { keys: ["k", "ArrowUp"], does: "Trial before", run: () => move(-1) },
  ]);
  const error = left.error ?? right.error;
  if (error !== undefined) return <Failure error={error} />;
  if (left.value === undefined) return <Loading />;
  const one = trialIn(left.value, caseId, number);
  const other = right.value === undefined ? undefined : trialIn(right.value, caseId, beside?.number);
  if (found === undefined || one === undefined) return <Empty title="There is no such trial in this run" />;
  const [title, otherTitle] = [`Trial ${number}`, `Trial ${beside?.number} of ${formatDate(right.value?.at ?? 0)}`];
  return (
    <>
      <h1>
        {caseId}, trial {number}
      </h1>
      <nav class="buttons" aria-label="Trials of the case">
        {trials.map(({ number: to, status }) => (
          <a
            key={to}
            class={`eval-cell ${toneOf(status)}`}
            href={formatRoute(routeTo(to))}
            aria-current={to === number ? "true" : undefined}
          >
            {to} {status}
          </a>
        ))}
      </nav>
      <p class="facts">
        <a href={formatRoute({ kind: "evals", suite: suite.suite, run })}>Run of {formatDate(left.value.at)}</a>
        <span>world {found.world}</span>
        {[...found.tags, ...(found.cluster === undefined ? [] : [found.cluster])].map((tag) => (
          <span key={tag} class="tag">
            {tag}
          </span>
        ))}
      </p>
      <Beside suite={suite} trial={trial} run={run} beside={beside} />
      <div class="trials">
        <TrialCard trial={one} title={title} />
        {other !== undefined && <TrialCard trial={other} title={otherTitle} />}
      </div>
      {one.sessionId !== undefined && other?.sessionId !== undefined && (
        <Sessions left={one.sessionId} right={other.sessionId} names={[title, otherTitle]} />
      )}
    </>
  );
}

function trialIn(run: EvalRun, caseId: string, number: number | undefined): TrialResult | undefined {
  return run.cases.find(({ id }) => id === caseId)?.trials.find((trial) => trial.number === number);
}

/** Chooses the trial beside. */
function Beside({ suite, run, trial, beside }: TrialViewProps): JSX.Element {
  const inspector = useInspector();
  const choose = (value: string): void => {
    const [index = "", number = ""] = value.split(" ");
    const other = suite.runs[Number(index)]?.id;
    const next = value === "" || other === undefined ? undefined : { run: other, number: Number(number) };
    inspector.go({ kind: "evals", suite: suite.suite, run, trial, beside: next }, true);
  };
  const index = suite.runs.findIndex(({ id }) => id === beside?.run);
  return (
    <Field label="Beside it">
      <select
        value={beside === undefined ? "" : `${index} ${beside.number}`}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      >
        <option value="">no other trial</option>
        {suite.runs
          .map((other, at) => (
            <optgroup key={other.id} label={`Run of ${formatDate(other.at)}, ${other.version}`}>
              {other.cases
                .find(({ id }) => id === trial.caseId)
                ?.trials.filter(({ number }) => other.id !== run || number !== trial.number)
                .map(({ number, status }) => (
                  <option key={number} value={`${at} ${number}`}>
                    Trial {number}: {status}
                  </option>
                ))}
            </optgroup>
          ))
          .toReversed()}
      </select>
    </Field>
  );
}

function TrialCard({ trial, title }: { readonly trial: TrialResult; readonly title: string }): JSX.Element {
  const { status, why, scores, metrics, stopReason, answer, sessionId } = trial;
  return (
    <section class="trial" aria-label={title}>
      <h2>
        {title} <span class={`flag ${toneOf(status)}`}>{status}</span>
        {sessionId !== undefined && (
          <a class="button" href={formatRoute({ kind: "session", id: sessionId, tab: "" })}>
            Open its session
          </a>
        )}
      </h2>
      {why !== undefined && <p class="banner is-odd">{why}</p>}
      <ul class="scores">
        {scores.map((score) => (
          <Score key={score.name} score={score} />
        ))}
      </ul>
      <h3>Answer {stopReason !== undefined && <span class="dim">{stopReason}</span>}</h3>
      <p class="said is-message">{answer === "" ? <span class="dim">none</span> : answer}</p>
      <dl class="figures">
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

function Score({ score: given }: { readonly score: ScoreResult }): JSX.Element {
  const { name, score, threshold, isAdvisory, reason } = given;
  const status = score === null ? "invalid" : score >= threshold ? "passed" : "failed";
  return (
    <li>
      <span class={`flag ${isAdvisory === true ? "" : toneOf(status)}`}>
        {score === null ? "no score" : formatMetric(score)}
      </span>{" "}
      <b>{name}</b>{" "}
      <span class="dim">
        {status}
        {threshold !== 1 && `, from ${formatMetric(threshold)} on`}
        {isAdvisory === true && ", advisory"}
      </span>
      {reason !== undefined && <p class="said">{reason}</p>}
    </li>
  );
}

/** The sessions of both trials, turn by turn. */
function Sessions({
  left,
  right,
  names,
}: {
  readonly left: string;
  readonly right: string;
  readonly names: readonly [left: string, right: string];
}): JSX.Element {
  const { source, loads } = useInspector().open.value;
  const key = JSON.stringify(["compare", left, right]);
  const { value, error } = useLoad(loads, key, () => compare(source, left, right));
  if (error !== undefined) return <Failure error={error} />;
  return value === undefined ? <Loading /> : <BranchTable comparison={value} first={names[0]} right={names[1]} />;
}
