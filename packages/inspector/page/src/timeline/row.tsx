import type { Signal } from "@preact/signals";
import type { ComponentChildren, CSSProperties, JSX } from "preact";
import { formatCost, formatMoney } from "../../../src/inspection/cost.ts";
import { flagView, sortFlags, type TurnFlag } from "../../../src/inspection/flags.ts";
import type { StepRow, TurnRow } from "../../../src/inspection/inspection.ts";
import { USAGE_NAMES } from "../../../src/inspection/usage.ts";
import { TickBox } from "../compare/compare-ticked.tsx";
import { formatDuration, formatPlural, formatTime, formatTokens, readsText, turnTitle } from "../ui/format.ts";
import { moneyNote } from "../ui/money.tsx";
import { EndingBadge, whyEnded } from "../ui/endings.tsx";
import { kindOf, StepBar, TurnBars } from "./bars.tsx";
import type { InnerTimelineRow } from "./inner-rows.ts";
import type { TimelineRow } from "./timeline-rows.ts";
import { Button } from "../acting/parts.tsx";

/** Options of {@link Row}. */
export interface RowProps {
  readonly row: TimelineRow;
  readonly index: number;
  readonly isSelected: boolean;
  readonly style: CSSProperties;
  readonly onSelect: () => void;
  readonly onToggle: () => void;
  /** Ids of the runs selected for a comparison. */
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
    case "failed":
      return <FailedLine {...props} row={row} />;
    case "lead":
      return (
        <Line {...props} look="lead small" level={2} onSelect={undefined}>
          <span role="gridcell">
            <b>{row.turn.agent ?? row.run.agent ?? row.run.model}</b> leads from here
          </span>
        </Line>
      );
    case "earlier":
      return (
        <Line {...props} look="earlier small" level={1} onSelect={undefined}>
          <span role="gridcell">
            <Button say={`${formatPlural(row.turns, "earlier turn")}: load`} onClick={props.onToggle} />
          </span>
        </Line>
      );
    case "queued":
      return (
        <Line {...props} look="step" level={1} onSelect={undefined}>
          <span role="gridcell" class="line-text">
            <span class="step-kind">queued</span> {row.steering.text}
          </span>
        </Line>
      );
  }
}

interface LineProps extends Pick<RowProps, "index" | "style"> {
  /** Suffix of its CSS class, which defines its columns, and further classes. */
  readonly look: string;
  readonly level: number;
  /** For runs and turns. */
  readonly isSelected?: boolean | undefined;
  readonly isOpen?: boolean | undefined;
  readonly step?: string | undefined;
  readonly onSelect: (() => void) | undefined;
  readonly children: ComponentChildren;
}

/** The frame of a row. */
function Line({ index, style, look, level, isSelected, isOpen, step, onSelect, children }: LineProps): JSX.Element {
  const isMain = look.startsWith("run") || look.startsWith("turn");
  return (
    <div
      id={`row-${index}`}
      class={`line grid-row line-${look}${isMain && isSelected === true ? " is-selected" : ""}`}
      role="row"
      aria-level={level}
      aria-expanded={isOpen}
      aria-selected={isMain ? isSelected : undefined}
      style={style}
      onClick={onSelect}
      data-step={step}
    >
      {children}
    </div>
  );
}

function RunLine(props: RowProps & { readonly row: TimelineRow & { kind: "run" } }): JSX.Element {
  const { row, tickedRuns } = props;
  const { run, number } = row;
  const { input, model, agent, at, endedAt, usage, resumed, takenBack, toolCalls, turns, reads } = run;
  const why = whyEnded(run);
  return (
    <Line {...props} look={takenBack === true ? "run is-taken-back" : "run"} level={1} isOpen>
      <span role="gridcell" class="run-number small">
        Run {number ?? ""}
        <TickBox ticked={tickedRuns} id={run.runId} label={`run ${number ?? ""}`} />
      </span>
      <span role="gridcell" class="run-text" title={input}>
        <span class="run-input cut">
          {run.isPartial === true ? "(start not loaded)" : input === "" ? "(no text)" : input}
        </span>
        <span class="run-facts small">
          {why !== undefined && (
            <span class="bad cut" title={why}>
              {why}
            </span>
          )}
          {takenBack === true && <span title="The conversation went back to before this run">taken back</span>}
          {reads !== undefined && <span title="The message brought this into the history">{readsText(reads)}</span>}
          <span>{agent ?? model}</span>
          <span>{formatTime(at)}</span>
          {run.isPartial !== true && <span>{formatPlural(turns.length, "turn")}</span>}
          {toolCalls > 0 && <span>{formatPlural(toolCalls, "call")}</span>}
          <span>{formatTokens(usage.totalTokens)} tok</span>
          {run.cost !== undefined && <span title={moneyNote(run)}>{formatCost(run, run.currency)}</span>}
          {resumed > 0 && <span>resumed {resumed}×</span>}
        </span>
      </span>
      <span role="gridcell" class="run-state small">
        <EndingBadge ending={run.ending} />
        <span class="number">{endedAt === undefined ? "" : formatDuration(endedAt - at)}</span>
      </span>
    </Line>
  );
}

function TurnLine(props: RowProps & { readonly row: TimelineRow & { kind: "turn" } }): JSX.Element {
  const { row, onToggle } = props;
  const { turn, isOpen, bars, match } = row;
  const { text, flags, usage, endedAt, startedAt, phase, steps } = turn;
  const [first, second, ...more] = sortFlags(flags);
  return (
    <Line {...props} look="turn" level={2} isOpen={isOpen}>
      <span role="gridcell" class="line-number row is-tight dim number">
        <Button
          say={isOpen ? "▾" : "▸"}
          class="chevron"
          tabIndex={-1}
          aria-label={`${isOpen ? "Hide" : "Show"} the steps of ${turnTitle(turn).toLowerCase()}`}
          onClick={(event) => {
            event.stopPropagation();
            onToggle();
          }}
        />
        {turn.number === 0 ? "–" : turn.number}
      </span>
      <span role="gridcell" class="line-text" title={match ?? text}>
        {phase === "output" && <span class="tag">output</span>}
        {match !== undefined ? (
          match
        ) : text === "" ? (
          <span class="dim">{steps.length > 0 ? "no text" : endedAt === undefined ? "nothing yet" : "no answer"}</span>
        ) : (
          text
        )}
      </span>
      <span role="gridcell" class="line-flags row is-tight">
        {[first, second].map((flag) => flag !== undefined && <Flag key={flag} flag={flag} note={noteOf(flag, row)} />)}
        {more.length > 0 && (
          <span class="flag" title={more.map((flag) => flagView(flag)[0]).join(", ")}>
            +{more.length}
          </span>
        )}
      </span>
      <span role="gridcell" class="number line-tokens small" title={tokensTitle(turn)}>
        {usage.totalTokens === undefined ? "" : formatTokens(usage.totalTokens)}
      </span>
      <span role="gridcell" class="line-bar">
        <TurnBars turn={turn} bars={bars} />
      </span>
      <span role="gridcell" class="number line-ms small">
        {endedAt === undefined ? "…" : formatDuration(endedAt - startedAt)}
      </span>
    </Line>
  );
}

/** A flag of a turn. */
export function Flag({ flag, note = "" }: { readonly flag: string; readonly note?: string }): JSX.Element {
  const [title, tone, means] = flagView(flag);
  return (
    <span class={`flag tone-${tone}`} title={means}>
      {title}
      {note}
    </span>
  );
}

/** The cost of a broken prefix, for the flag of its turn. */
function noteOf(flag: TurnFlag, { turn }: { readonly turn: TurnRow }): string {
  const { tokens = 0, cost, currency } = turn.brokenPrefix ?? {};
  if (flag !== "prefix-break" || tokens === 0) return "";
  return cost === undefined ? `, ${formatTokens(tokens)} tok` : `, about ${formatMoney(cost, currency)}`;
}

function Reads({ step: { reads = "both", origin, isFirstUntrusted } }: { readonly step: StepRow }): JSX.Element {
  const isFirst = isFirstUntrusted === true;
  const means = isFirst ? flagView("untrusted")[2] : "Its result brought this into the history.";
  return (
    <span class={isFirst ? "flag tone-odd" : "tag"} title={origin === undefined ? means : `${means} From ${origin}.`}>
      {readsText(reads)}
    </span>
  );
}

function StepLine(props: RowProps & { readonly row: TimelineRow & { kind: "step" } }): JSX.Element {
  const { step, bars } = props.row;
  const { state, detail, ms, attempt } = step;
  return (
    <Line {...props} look="step" level={3} step={step.name}>
      <span />
      <span role="gridcell" class="line-text" title={detail}>
        <span class={`step-kind kind-${step.kind}`}>{kindOf(step)}</span>
        {nameOf(step) !== "" && <span class="step-name">{nameOf(step)}</span>}
        {attempt !== undefined && <span class="tag">attempt {attempt + 1}</span>}
        <span class={state === "failed" || state === "denied" || state === "unknown" ? "bad" : "dim"}>
          {state === "open" ? "no outcome yet" : state === "waiting" ? "waiting" : (detail ?? "")}
        </span>
        {step.reads !== undefined && <Reads step={step} />}
      </span>
      <span role="gridcell" class="line-bar">
        <StepBar step={step} bars={bars} />
      </span>
      <span role="gridcell" class="number line-ms small">
        {ms === undefined ? "…" : step.kind === "wait" ? "" : formatDuration(ms)}
      </span>
    </Line>
  );
}

/** A run inside a call, or a turn of it. */
function InnerLine(props: RowProps & { readonly row: InnerTimelineRow }): JSX.Element {
  const { row, onSelect, onToggle } = props;
  const { depth, tokens, cost, ms } = row;
  const isRun = row.kind === "inner-run";
  return (
    <Line
      {...props}
      look={`step line-inner${isRun ? " is-inner-run dim" : ""}`}
      level={2 * depth + (isRun ? 2 : 3)}
      isOpen={isRun ? row.isOpen : undefined}
      onSelect={isRun ? onToggle : onSelect}
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
      <span role="gridcell" class="number inner-used small">
        {tokens !== undefined && `${formatTokens(tokens)} tok`}
        {cost !== undefined && ` · ${formatMoney(cost, row.run.currency)}`}
      </span>
      <span role="gridcell" class="number line-ms small">
        {ms === undefined ? "" : formatDuration(ms)}
      </span>
    </Line>
  );
}

/** A failed request. */
function FailedLine(props: RowProps & { readonly row: TimelineRow & { kind: "failed" } }): JSX.Element {
  const { said, ms } = props.row.request;
  return (
    <Line {...props} look="step" level={3}>
      <span />
      <span role="gridcell" class="line-text" title={said}>
        <span class="step-kind kind-bad">failed</span>
        <span class="bad">{said}</span>
      </span>
      <span class="line-bar" />
      <span role="gridcell" class="number line-ms small">
        {formatDuration(ms)}
      </span>
    </Line>
  );
}

function nameOf({ kind, label, name }: StepRow): string {
  return label ?? (kind === "other" ? name : "");
}

function tokensTitle({ usage }: TurnRow): string {
  return USAGE_NAMES.flatMap(([title, name]) => (usage[name] ? `${title}: ${usage[name]}` : [])).join("\n");
}
