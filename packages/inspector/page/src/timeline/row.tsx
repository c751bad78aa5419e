import type { Signal } from "@preact/signals";
import type { CSSProperties, JSX } from "preact";
import { formatCost, formatMoney } from "../../../src/inspection/cost.ts";
import type { StepRow, TurnFlag, TurnRow } from "../../../src/inspection/inspection.ts";
import { TickBox } from "../compare/compare-ticked.tsx";
import { formatDuration, formatPlural, formatTime, formatTokens, readsText, turnTitle } from "../ui/format.ts";
import { moneyNote } from "../ui/money.tsx";
import { EndingBadge, whyEnded } from "../ui/endings.tsx";
import { kindOf, StepBar, TurnBars } from "./bars.tsx";
import { flagView, sortFlags } from "./flags.ts";
import type { InnerTimelineRow } from "./inner-rows.ts";
import type { TimelineRow } from "./timeline-rows.ts";

/** Options of {@link Row}. */
export interface RowProps {
  readonly row: TimelineRow;
  readonly index: number;
  readonly isSelected: boolean;
  readonly style: CSSProperties;
  readonly onSelect: () => void;
  readonly onToggle: () => void;
  /** Ids of the runs that are ticked, to be compared. */
  readonly tickedRuns: Signal<readonly string[]>;
}

/** Height of a row, in pixels. */
export function rowHeight({ kind }: TimelineRow, isNarrow: boolean): number {
  if (isNarrow) return kind === "run" || kind === "earlier" ? 56 : kind === "turn" ? 44 : 36;
  return kind === "run" || kind === "earlier" ? 48 : kind === "turn" ? 28 : 24;
}

/** One row of the timeline. */
export function Row(props: RowProps): JSX.Element {
  const { row } = props;
  switch (row.kind) {
    case "run":
      return <RunLine {...props} row={row} />;
    case "turn":
      return <TurnLine {...props} row={row} />;
    case "step":
      return <StepLine {...props} row={row} />;
    case "inner-run":
    case "inner-turn":
      return <InnerLine {...props} row={row} />;
    case "lead":
      return (
        <div class="line line-lead" role="row" aria-level={2} style={props.style} id={`row-${props.index}`}>
          <span role="gridcell">
            <b>{row.turn.agent ?? row.run.agent ?? row.run.model}</b> leads from here
          </span>
        </div>
      );
    case "failed":
      return <FailedLine {...props} row={row} />;
    case "earlier":
      return (
        <div class="line line-earlier" role="row" aria-level={1} style={props.style} id={`row-${props.index}`}>
          <span role="gridcell">
            <button type="button" onClick={props.onToggle}>
              {formatPlural(row.turns, "earlier turn")}: load
            </button>
          </span>
        </div>
      );
    case "queued":
      return (
        <div class="line line-step" role="row" aria-level={1} style={props.style} id={`row-${props.index}`}>
          <span role="gridcell" class="line-text">
            <span class="step-kind">queued</span> {row.steering.text}
          </span>
        </div>
      );
  }
}

function RunLine({
  row,
  index,
  isSelected,
  style,
  onSelect,
  tickedRuns,
}: RowProps & { readonly row: TimelineRow & { kind: "run" } }): JSX.Element {
  const { run, number } = row;
  const { input, model, agent, at, endedAt, usage, resumed, takenBack, toolCalls, turns, reads } = run;
  const why = whyEnded(run);
  return (
    <div
      id={`row-${index}`}
      class={`line line-run${isSelected ? " is-selected" : ""}${takenBack === true ? " is-taken-back" : ""}`}
      role="row"
      aria-level={1}
      aria-expanded
      aria-selected={isSelected}
      style={style}
      onClick={onSelect}
    >
      <span role="gridcell" class="run-number">
        Run {number ?? ""}
        <TickBox ticked={tickedRuns} id={run.runId} label={`run ${number ?? ""}`} />
      </span>
      <span role="gridcell" class="run-text" title={input}>
        <span class="run-input">
          {run.isPartial === true ? "(its beginning is not loaded)" : input === "" ? "(no text)" : input}
        </span>
        <span class="run-facts">
          {why !== undefined && (
            <span class="bad" title={why}>
              {why}
            </span>
          )}
          {takenBack === true && <span title="The conversation went back to before this run">taken back</span>}
          {reads !== undefined && <span title="What the message brought into the history">{readsText(reads)}</span>}
          <span>{agent ?? model}</span>
          <span>{formatTime(at)}</span>
          {run.isPartial !== true && <span>{formatPlural(turns.length, "turn")}</span>}
          {toolCalls > 0 && <span>{formatPlural(toolCalls, "call")}</span>}
          <span>{formatTokens(usage.totalTokens)} tok</span>
          {run.cost !== undefined && <span title={moneyNote(run)}>{formatCost(run, run.currency)}</span>}
          {resumed > 0 && <span>resumed {resumed}×</span>}
        </span>
      </span>
      <span role="gridcell" class="run-state">
        <EndingBadge ending={run.ending} />
        <span class="number">{endedAt === undefined ? "" : formatDuration(endedAt - at)}</span>
      </span>
    </div>
  );
}

function TurnLine({
  row,
  index,
  isSelected,
  style,
  onSelect,
  onToggle,
}: RowProps & { readonly row: TimelineRow & { kind: "turn" } }): JSX.Element {
  const { turn, isOpen, bars, said } = row;
  const { text, flags, usage, endedAt, startedAt, phase, steps } = turn;
  const [first, second, ...more] = sortFlags(flags);
  return (
    <div
      id={`row-${index}`}
      class={`line line-turn${isSelected ? " is-selected" : ""}`}
      role="row"
      aria-level={2}
      aria-expanded={isOpen}
      aria-selected={isSelected}
      style={style}
      onClick={onSelect}
    >
      <span role="gridcell" class="line-number">
        <button
          type="button"
          class="chevron"
          tabIndex={-1}
          aria-label={`${isOpen ? "Hide" : "Show"} the steps of ${turnTitle(turn).toLowerCase()}`}
          onClick={(event) => {
            event.stopPropagation();
            onToggle();
          }}
        >
          {isOpen ? "▾" : "▸"}
        </button>
        {turn.number === 0 ? "–" : turn.number}
      </span>
      <span role="gridcell" class="line-text" title={said ?? text}>
        {phase === "output" && <span class="tag">output</span>}
        {said !== undefined ? (
          said
        ) : text === "" ? (
          <span class="dim">{steps.length > 0 ? "no text" : endedAt === undefined ? "nothing yet" : "no answer"}</span>
        ) : (
          text
        )}
      </span>
      <span role="gridcell" class="line-flags">
        {[first, second].map((flag) => flag !== undefined && <Flag key={flag} flag={flag} note={noteOf(flag, row)} />)}
        {more.length > 0 && (
          <span class="flag" title={more.map((flag) => flagView(flag).title).join(", ")}>
            +{more.length}
          </span>
        )}
      </span>
      <span role="gridcell" class="number line-tokens" title={tokensTitle(turn)}>
        {usage.total === undefined ? "" : formatTokens(usage.total)}
      </span>
      <span role="gridcell" class="line-bar">
        <TurnBars turn={turn} bars={bars} />
      </span>
      <span role="gridcell" class="number line-ms">
        {endedAt === undefined ? "…" : formatDuration(endedAt - startedAt)}
      </span>
    </div>
  );
}

/** A flag of a turn. */
export function Flag({ flag, note = "" }: { readonly flag: string; readonly note?: string }): JSX.Element {
  const { title, means, tone } = flagView(flag);
  return (
    <span class={`flag tone-${tone}`} title={means}>
      {title}
      {note}
    </span>
  );
}

/** What a broken prefix cost, at the turn that paid for it. */
function noteOf(flag: TurnFlag, { turn }: { readonly turn: TurnRow }): string {
  const { tokens = 0, cost, currency } = turn.brokenPrefix ?? {};
  if (flag !== "prefix-break" || tokens === 0) return "";
  return cost === undefined ? `, ${formatTokens(tokens)} tok` : `, about ${formatMoney(cost, currency)}`;
}

function Reads({ step: { reads = "both", origin, isFirstUntrusted } }: { readonly step: StepRow }): JSX.Element {
  const isFirst = isFirstUntrusted === true;
  const means = isFirst ? flagView("untrusted").means : "What its result brought into the history.";
  return (
    <span class={isFirst ? "flag tone-odd" : "tag"} title={origin === undefined ? means : `${means} From ${origin}.`}>
      {readsText(reads)}
    </span>
  );
}

function StepLine({
  row,
  index,
  style,
  onSelect,
}: RowProps & { readonly row: TimelineRow & { kind: "step" } }): JSX.Element {
  const { step, bars } = row;
  const { state, detail, ms, attempt } = step;
  return (
    <div
      id={`row-${index}`}
      class="line line-step"
      role="row"
      aria-level={3}
      style={style}
      onClick={onSelect}
      data-step={step.name}
    >
      <span />
      <span role="gridcell" class="line-text" title={detail}>
        <span class={`step-kind kind-${step.kind}`}>{kindOf(step)}</span>
        {nameOf(step) !== "" && <span class="step-name">{nameOf(step)}</span>}
        {attempt !== undefined && <span class="tag">attempt {attempt + 1}</span>}
        <span class={state === "failed" || state === "denied" || state === "unknown" ? "bad" : "dim"}>
          {state === "open" ? "begun, no outcome" : state === "waiting" ? "waiting" : (detail ?? "")}
        </span>
        {step.reads !== undefined && <Reads step={step} />}
      </span>
      <span role="gridcell" class="line-bar">
        <StepBar step={step} bars={bars} />
      </span>
      <span role="gridcell" class="number line-ms">
        {ms === undefined ? "…" : step.kind === "wait" ? "" : formatDuration(ms)}
      </span>
    </div>
  );
}

/** A run inside a call, or a turn of it. */
function InnerLine({
  row,
  index,
  style,
  onSelect,
  onToggle,
}: RowProps & { readonly row: InnerTimelineRow }): JSX.Element {
  const { depth, tokens, cost, ms } = row;
  const isRun = row.kind === "inner-run";
  return (
    <div
      id={`row-${index}`}
      class={`line line-step line-inner${isRun ? " is-inner-run" : ""}`}
      role="row"
      aria-level={2 * depth + (isRun ? 2 : 3)}
      aria-expanded={isRun ? row.isOpen : undefined}
      style={style}
      onClick={isRun ? onToggle : onSelect}
    >
      <span />
      <span role="gridcell" class="line-text" style={{ paddingLeft: `${16 * (2 * depth - (isRun ? 1 : 0))}px` }}>
        {row.kind === "inner-run" ? (
          <>
            <span aria-hidden="true">{row.isOpen ? "▾" : "▸"}</span>
            <span>
              inner run of <span class="step-name">{row.title}</span>{" "}
            </span>
            {row.turns !== undefined && <span class="dim">{formatPlural(row.turns, "turn")}</span>}
          </>
        ) : (
          <>
            {row.number !== undefined && <span class="dim">turn {row.number} of it </span>}
            <span>{row.text === "" ? "no text" : row.text}</span>
          </>
        )}
      </span>
      <span role="gridcell" class="number inner-used">
        {tokens !== undefined && `${formatTokens(tokens)} tok`}
        {cost !== undefined && ` · ${formatMoney(cost, row.run.currency)}`}
      </span>
      <span role="gridcell" class="number line-ms">
        {ms === undefined ? "" : formatDuration(ms)}
      </span>
    </div>
  );
}

/** A request that failed, and was sent again or given up. */
function FailedLine({
  row,
  index,
  style,
  onSelect,
}: RowProps & { readonly row: TimelineRow & { kind: "failed" } }): JSX.Element {
  const { said, ms } = row.request;
  return (
    <div id={`row-${index}`} class="line line-step" role="row" aria-level={3} style={style} onClick={onSelect}>
      <span />
      <span role="gridcell" class="line-text is-wide" title={said}>
        <span class="step-kind kind-bad">failed</span>
        <span class="bad">{said}</span>
      </span>
      <span role="gridcell" class="number line-ms">
        {formatDuration(ms)}
      </span>
    </div>
  );
}

function nameOf({ kind, label, name }: StepRow): string {
  return label ?? (kind === "other" ? name : "");
}

function tokensTitle({ usage }: TurnRow): string {
  return Object.entries(usage)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join("\n");
}
