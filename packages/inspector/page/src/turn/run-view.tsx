import type { JSX } from "preact";
import { formatCost, formatMoney } from "../../../src/inspection/cost.ts";
import type { LimitRow } from "../../../src/inspection/inspection.ts";
import { sortFlags } from "../../../src/inspection/flags.ts";
import { Flag } from "../timeline/row.tsx";
import { countFlags } from "../timeline/timeline-rows.ts";
import { useSession } from "../session/session-model.ts";
import { JsonCode } from "../ui/code.tsx";
import { formatCount, formatDate, formatDuration, formatPercent, sentence } from "../ui/format.ts";
import { moneyNote } from "../ui/money.tsx";
import { Empty } from "../ui/notes.tsx";
import { EndingBadge, whyEnded } from "../ui/endings.tsx";
import { Causes, useCauses } from "./causes.tsx";
import { PendingCalls } from "./pending-calls.tsx";

/** A whole run. */
export function RunView({ runId }: { readonly runId: string }): JSX.Element {
  const run = useSession().runs.value.find((one) => one.runId === runId);
  const causes = useCauses(runId, run?.state ?? "");
  if (run === undefined)
    return (
      <Empty title="There is no such run">
        <p>The session has no run {runId}.</p>
      </Empty>
    );
  const { input, model, agent, at, endedAt, stopReason, error, usage, cost, resumed } = run;
  const flags = countFlags([run]);
  const why = whyEnded(run);
  return (
    <div class="turn fill">
      <div class="turn-head wrap">
        <h2>Run</h2>
        <EndingBadge ending={run.ending} />
        <span class="mono dim">{runId}</span>
      </div>
      <div class="turn-body stack">
        {why !== undefined && (
          <p class={`banner ${error === undefined ? "is-odd" : "is-error"}`}>The run ended early: {sentence(why)}</p>
        )}
        {error !== undefined && <Causes causes={causes.slice(-1)} />}
        <PendingCalls runId={runId} />
        <p class="run-message">{input === "" ? "(no text)" : input}</p>
        {flags.size > 0 && (
          <p class="wrap is-tight">
            {sortFlags([...flags.keys()]).map((flag) => (
              <span key={flag}>
                <Flag flag={flag} /> {flags.get(flag)}
              </span>
            ))}
          </p>
        )}
        <dl class="facts-list">
          <Fact name="Model" value={model} />
          <Fact name="Agent" value={agent} />
          <Fact name="Started" value={formatDate(at)} />
          <Fact name="Duration" value={endedAt === undefined ? undefined : formatDuration(endedAt - at)} />
          <Fact
            name="Stop reason"
            value={run.limit === undefined ? stopReason : `${stopReason ?? "limit"}: ${run.limit}`}
          />
          <Fact name="Resumed" value={resumed === 0 ? undefined : `${resumed}×`} />
          <Fact name="Turns" value={formatCount(run.turns.length)} />
          <Fact name="Calls" value={formatCount(run.toolCalls)} />
          <Fact name="Prompt tokens" value={formatCount(usage.inputTokens)} />
          <Fact name="Total tokens" value={formatCount(usage.totalTokens)} />
          <Fact name="Cost" value={cost === undefined ? undefined : formatCost(run, run.currency)} />
          <Fact name="Cost note" value={moneyNote(run)} />
        </dl>
        <Limits limits={run.limits} currency={run.currency} />
        {Object.entries({ Metadata: run.metadata, "Origin of its signatures": run.origin }).map(
          ([title, value]) =>
            value !== undefined && (
              <section key={title}>
                <h3>{title}</h3>
                <JsonCode value={value} label={title} />
              </section>
            ),
        )}
      </div>
    </div>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string | undefined }): JSX.Element | null {
  return value === undefined ? null : (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

interface LimitsProps {
  readonly limits: readonly LimitRow[];
  readonly currency?: string | undefined;
}

/** The use of each limit. */
export function Limits({ limits, currency }: LimitsProps): JSX.Element | null {
  const show = (name: string, value: number): string =>
    name === "cost" ? formatMoney(value, currency) : formatCount(value);
  if (limits.length === 0) return null;
  return (
    <section>
      <h3>Limits</h3>
      <ul class="limits stack is-tight">
        {limits.map(({ name, limit, used }) => (
          <li key={name} class="row">
            <span>{name}</span>
            <meter min={0} max={limit} value={used} high={limit * 0.9} optimum={0} aria-label={name} />
            <span class="number">
              {show(name, used)} of {show(name, limit)} ({formatPercent(used, limit)})
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
