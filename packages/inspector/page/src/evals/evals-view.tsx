import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { EvalSuiteRuns } from "../../../src/evals/read-evals.ts";
import { useInspector, useKeys, useLoad } from "../app/inspector.ts";
import { type EvalsRoute, SESSIONS } from "../app/route.ts";
import { formatPlural } from "../ui/format.ts";
import { Empty, Waiting } from "../ui/notes.tsx";
import { hrefOf } from "./parts.tsx";
import { RunBox, SuiteView } from "./suite-view.tsx";
import { TrialView } from "./trial-view.tsx";

/** Runs of a suite to show at first, and to add each time. */
const RUNS = 40;

/** Evals: all suites, the runs of one, or a trial. */
export function EvalsView({ route: { path } }: { readonly route: EvalsRoute }): JSX.Element {
  const inspector = useInspector();
  const { source } = inspector.open.value;
  const [suite = "", run = "", caseId, , other = ""] = path;
  const [count, setCount] = useState(RUNS);
  const [readAt, setReadAt] = useState(Date.now);
  const query = new URLSearchParams([...[run, other].map((id) => ["with", id]), ["runs", String(count)]]).toString();
  const load = (): Promise<readonly EvalSuiteRuns[]> => source.evals(suite, query);
  const { value, error } = useLoad(["evals", suite, query, readAt], load, `evals ${suite}`);
  useKeys("Evals", 1, [
    {
      keys: ["Escape", "u"],
      does: "Up to the run, all suites or all sessions",
      run: () =>
        inspector.go(suite === "" ? SESSIONS : { kind: "evals", path: path.slice(0, caseId === undefined ? 0 : 2) }),
    },
    { keys: ["r"], does: "Reload the runs", run: () => setReadAt(Date.now()) },
  ]);
  if (value === undefined) return <Waiting error={error} />;
  const [first] = value;
  return (
    <div class="acting stack evals" key={suite}>
      {suite === "" || first === undefined ? (
        <Suites suites={value} />
      ) : caseId === undefined ? (
        <SuiteView suite={first} run={run} onMore={() => setCount(count + RUNS)} />
      ) : (
        <TrialView runs={first.runs} path={path} />
      )}
    </div>
  );
}

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
      {suites.map(({ suite, runs: [last], unreadable }) => (
        <section key={suite} aria-label={suite}>
          <h2>
            <a href={hrefOf(suite)}>{suite}</a>
          </h2>
          {unreadable.length > 0 && <p class="bad">{formatPlural(unreadable.length, "file")} could not be read</p>}
          {last !== undefined && <RunBox run={last} />}
        </section>
      ))}
    </>
  );
}
