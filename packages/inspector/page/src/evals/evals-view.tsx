import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { EvalSuiteRuns } from "../../../src/inspection/eval-rows.ts";
import { useInspector } from "../app/inspector.ts";
import type { Load } from "../app/loads.ts";
import { type EvalsRoute, formatRoute, SESSIONS } from "../app/route.ts";
import { useKeys } from "../app/use-keys.ts";
import { formatDate, formatPlural } from "../ui/format.ts";
import { Empty, Failure, Loading } from "../ui/notes.tsx";
import { formatShare, Outcome, PassedBar } from "./parts.tsx";
import { SuiteView } from "./suite-view.tsx";
import { TrialView } from "./trial-view.tsx";

/** How often runs that are looked at are brought up to date. */
const REFRESH_MS = 5000;
/** How many more runs are shown at a time. */
const MORE = 60;

/** Evals: all suites, one of them, or a trial. */
export function EvalsView({ route }: { readonly route: EvalsRoute }): JSX.Element {
  const inspector = useInspector();
  const { suite, run, trial } = route;
  const [count, setCount] = useState(MORE);
  const { value, error } = useRuns(suite, count);
  useKeys("Evals", 1, [
    {
      keys: ["Escape", "u"],
      does: "Up: to the run, to all suites, to all sessions",
      run: () =>
        inspector.go(
          trial !== undefined ? { kind: "evals", suite, run } : suite !== undefined ? { kind: "evals" } : SESSIONS,
        ),
    },
  ]);
  if (error !== undefined) return <Failure error={error} />;
  if (value === undefined) return <Loading />;
  const [first] = value;
  return (
    <div class="evals" key={suite}>
      {suite === undefined || first === undefined ? (
        <Suites suites={value} />
      ) : trial !== undefined && run !== undefined ? (
        <TrialView key={`${run} ${trial.caseId}`} suite={first} run={run} trial={trial} beside={route.beside} />
      ) : (
        <SuiteView suite={first} run={run} onMore={() => setCount(count + MORE)} />
      )}
    </div>
  );
}

/** The runs of a suite, or of all; what is there stays while they are loaded anew. */
function useRuns(suite: string | undefined, count: number): Load<readonly EvalSuiteRuns[]> {
  const { source } = useInspector().open.value;
  const [shown, show] = useState<{
    readonly suite: string | undefined;
    readonly load: Load<readonly EvalSuiteRuns[]>;
  }>();
  useEffect(() => {
    let isShown = true;
    const load = (): void => {
      const query = suite === undefined ? undefined : { runs: String(count) };
      source.evals(suite === undefined ? [] : [suite], query).then(
        (json) => {
          // The server is of the same release as the page.
          const value = (suite === undefined ? json : [json]) as unknown as readonly EvalSuiteRuns[];
          if (isShown) show({ suite, load: { value } });
        },
        (error: Error) => isShown && show({ suite, load: { error } }),
      );
    };
    load();
    const timer = setInterval(() => document.visibilityState === "visible" && load(), REFRESH_MS);
    return () => {
      isShown = false;
      clearInterval(timer);
    };
  }, [source, suite, count]);
  return shown?.suite === suite ? (shown?.load ?? {}) : {};
}

/** All suites, each with its last runs. */
function Suites({ suites }: { readonly suites: readonly EvalSuiteRuns[] }): JSX.Element {
  if (suites.length === 0)
    return (
      <Empty title="No evals yet">
        <p>Run a suite, and its runs appear here:</p>
        <pre>pollux eval</pre>
      </Empty>
    );
  return (
    <>
      <h1>Evals</h1>
      <ul class="suites">
        {suites.map(({ suite, runs, unreadable, omitted }) => {
          const last = runs.at(-1);
          return (
            <li key={suite}>
              <h2>
                <a href={formatRoute({ kind: "evals", suite })}>{suite}</a>
                {last !== undefined && <Outcome outcome={last.outcome} />}
              </h2>
              <div class="passed-bars">
                {runs.map((run) => (
                  <PassedBar key={run.id} run={run} />
                ))}
              </div>
              {last !== undefined && (
                <p class="facts">
                  <span>{formatShare(last)} passed</span>
                  <span>{formatDate(last.at)}</span>
                  <span>{formatPlural(runs.length + omitted, "run")}</span>
                </p>
              )}
              {last !== undefined && <p>{last.text}</p>}
              {unreadable.length > 0 && <p class="bad">{formatPlural(unreadable.length, "file")} could not be read</p>}
            </li>
          );
        })}
      </ul>
    </>
  );
}
