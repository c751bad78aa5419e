import type { JSX } from "preact";
import type { StepRow, TurnRow } from "../../../src/inspection/inspection.ts";
import { formatDuration } from "../ui/format.ts";
import type { RowBars } from "./timeline-rows.ts";

/** The time spans of a turn's requests and calls. */
export function TurnBars({ turn, bars }: { readonly turn: TurnRow; readonly bars: RowBars }): JSX.Element {
  return (
    <span class="track" aria-hidden="true">
      {turn.steps.map((step) =>
        step.kind === "model" || step.kind === "call" || step.kind === "compact" ? (
          <Mark key={step.name} step={step} bars={bars} />
        ) : null,
      )}
      <Pauses bars={bars} />
      <Beyond bars={bars} />
    </span>
  );
}

/** The time span of a step. */
export function StepBar({ step, bars }: { readonly step: StepRow; readonly bars: RowBars }): JSX.Element {
  return (
    <span class="track" aria-hidden="true">
      <Mark step={step} bars={bars} />
      {step.kind === "wait" && <Pauses bars={bars} />}
    </span>
  );
}

function Mark({ step, bars: { axis, full } }: { readonly step: StepRow; readonly bars: RowBars }): JSX.Element | null {
  const bar = axis.bars.get(step);
  if (bar === undefined) return null;
  const left = Math.min(100, (100 * bar.start) / full);
  const width = Math.min(100 - left, (100 * bar.length) / full);
  return (
    <span
      class={`mark mark-${step.kind} mark-${step.state}`}
      style={{ left: `${left}%`, width: `max(3px, ${width}%)` }}
      title={`${step.label ?? kindOf(step)}${step.ms === undefined ? "" : `, ${formatDuration(step.ms)}`}`}
    />
  );
}

/** Marks of shortened pauses. */
function Pauses({ bars: { axis, full } }: { readonly bars: RowBars }): JSX.Element {
  return (
    <>
      {axis.pauses.map(({ start, length, ms }) => (
        <span
          key={start}
          class="pause"
          style={{ left: `${Math.min(98, (100 * start) / full)}%`, width: `${Math.min(100, (100 * length) / full)}%` }}
          title={`${formatDuration(ms)} without activity`}
        />
      ))}
    </>
  );
}

/** Marks a turn that is too long for the common scale. */
function Beyond({ bars: { axis, full } }: { readonly bars: RowBars }): JSX.Element | null {
  return axis.length > full * 1.01 ? <span class="beyond small">»</span> : null;
}

/** The label of a step's kind. */
export function kindOf({ kind }: StepRow): string {
  return KINDS[kind];
}

const KINDS: { readonly [kind in StepRow["kind"]]: string } = {
  model: "request",
  call: "call",
  wait: "answer",
  hook: "hook",
  route: "routing",
  reroute: "routing",
  compact: "compaction",
  guard: "guardrail",
  inner: "record",
  other: "step",
};
