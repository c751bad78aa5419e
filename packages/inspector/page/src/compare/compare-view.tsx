import { formatMoney } from "../../../src/inspection/cost.ts";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { BranchComparison, BranchTotals, PromptDifferences } from "../../../src/inspection/results.ts";
import { useInspector, useLoad } from "../app/inspector.ts";
import { type CompareRoute, formatRoute, turnRoute } from "../app/route.ts";
import { BranchTable } from "../fork/branch-table.tsx";
import { EndingBadge } from "../ui/endings.tsx";
import { formatCount, formatDuration, formatTokens } from "../ui/format.ts";
import { Waiting } from "../ui/notes.tsx";
import { TextDiff } from "./text-diff.tsx";

/** Two sessions or runs side by side, with their figures. */
export function CompareView({ route }: { readonly route: CompareRoute }): JSX.Element {
  const { source } = useInspector().open.value;
  const { left, right, runs } = route;
  // Either may continue, so each visit loads them again.
  const [openedAt] = useState(() => Date.now());
  const query = { with: right, whole: "true", ...(runs !== undefined && { run: runs[0], withRun: runs[1] }) };
  const { value, error } = useLoad([formatRoute(route), openedAt], () =>
    source.view<BranchComparison>(left, "compare", query),
  );
  if (value === undefined) return <Waiting error={error} />;
  return (
    <div class="comparison" tabIndex={0} role="region" aria-label="Comparison">
      <h1>
        <Side letter="A" id={left} runId={runs?.[0]} /> <span class="dim">and</span>{" "}
        <Side letter="B" id={right} runId={runs?.[1]} />
      </h1>
      <Figures left={value.left} right={value.right} />
      {value.prompts === undefined ? (
        <p class="dim">To compare instructions and tools, keep the requests of both.</p>
      ) : (
        <Prompts prompts={value.prompts} />
      )}
      <h2>Turn by turn</h2>
      <BranchTable comparison={value} first="A" right="B" isWhole />
    </div>
  );
}

interface SideProps {
  readonly letter: string;
  readonly id: string;
  readonly runId: string | undefined;
}

function Side({ letter, id, runId }: SideProps): JSX.Element {
  const route = runId === undefined ? ({ kind: "session", id, tab: "" } as const) : turnRoute(id, { runId });
  return (
    <>
      {letter} <a href={formatRoute(route)}>{runId === undefined ? id : `${id}, run ${runId.slice(0, 8)}`}</a>
    </>
  );
}

/** Figures of a side: lower is better, if the answers are equally good. */
const FIGURES: readonly {
  readonly title: string;
  readonly better: string;
  readonly of: (totals: BranchTotals) => number | undefined;
  readonly format: (value: number, totals: BranchTotals) => string;
}[] = [
  { title: "Turns", better: "fewer", of: ({ turns }) => turns, format: formatCount },
  { title: "Calls", better: "fewer", of: ({ toolCalls }) => toolCalls, format: formatCount },
  { title: "Tokens", better: "fewer", of: ({ tokens }) => tokens, format: formatTokens },
  {
    title: "Cost",
    better: "cheaper",
    of: ({ cost }) => cost,
    format: (cost, { currency }) => formatMoney(cost, currency),
  },
  { title: "Time in turns", better: "faster", of: ({ ms }) => ms, format: formatDuration },
];

/** Endings by the model, or by a stop rule of the agent. */
const GOOD: ReadonlySet<string> = new Set(["finished", "stopped"]);

function Figures({ left, right }: { readonly left: BranchTotals; readonly right: BranchTotals }): JSX.Element {
  const [endedLeft, endedRight] = [left, right].map(({ stopReason = "" }) => GOOD.has(stopReason));
  return (
    <table class="compare-figures">
      <caption>Lower figures are better, but don't show which answer is right.</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="visually-hidden">Figure</span>
          </th>
          <th scope="col">A</th>
          <th scope="col">B</th>
          <th scope="col">Better</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">Ending</th>
          <td>{left.stopReason === undefined ? "none yet" : <EndingBadge ending={left.stopReason} />}</td>
          <td>{right.stopReason === undefined ? "none yet" : <EndingBadge ending={right.stopReason} />}</td>
          <td>{endedLeft === endedRight ? "" : `${endedLeft ? "A" : "B"} finished`}</td>
        </tr>
        {FIGURES.map(({ title, better, of, format }) => {
          const [a, b] = [of(left), of(right)];
          return (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td>{a === undefined ? "–" : format(a, left)}</td>
              <td>{b === undefined ? "–" : format(b, right)}</td>
              <td>{a === undefined || b === undefined || a === b ? "" : `${a < b ? "A" : "B"} ${better}`}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const TOOLS: { readonly [is in PromptDifferences["tools"][number]["is"]]: string } = {
  "only-left": "only A",
  "only-right": "only B",
  changed: "declared differently",
};

function Prompts({ prompts }: { readonly prompts: PromptDifferences }): JSX.Element {
  const { models, instructions, tools, settings } = prompts;
  const [was, is] = instructions;
  const differs = models[0] !== models[1] || was !== is || tools.length + settings.length > 0;
  return (
    <section aria-label="Prompts">
      <h2>Prompts</h2>
      {!differs && <p class="dim">Both have the same model, instructions, tools and settings.</p>}
      {models[0] !== models[1] && (
        <p>
          Model: A <code>{models[0]}</code>, B <code>{models[1]}</code>
        </p>
      )}
      {tools.map((tool) => (
        <p key={tool.name}>
          Tool <code>{tool.name}</code>: {TOOLS[tool.is]}
        </p>
      ))}
      {settings.map(({ name, left, right }) => (
        <p key={name}>
          Setting <code>{name}</code>: A <code>{JSON.stringify(left) ?? "not set"}</code>, B{" "}
          <code>{JSON.stringify(right) ?? "not set"}</code>
        </p>
      ))}
      {was !== is && (
        <>
          <h3>Instructions of B, compared with A</h3>
          <p class="said">
            <TextDiff was={was} is={is} isShort />
          </p>
        </>
      )}
    </section>
  );
}
