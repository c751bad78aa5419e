import type { JSX } from "preact";
import type { EvalRunRow } from "../../../src/inspection/eval-rows.ts";
import { formatDate, formatMoney } from "../ui/format.ts";

const OUTCOMES: { readonly [outcome: string]: readonly [title: string, tone: string] | undefined } = {
  "not-worse": ["Not worse", "tone-ok"],
  worse: ["Worse", "tone-bad"],
  incomplete: ["Incomplete", "tone-odd"],
  "no-baseline": ["No baseline", "tone-note"],
};

/** How a run compares with its baseline. */
export function Outcome({ outcome }: { readonly outcome: string }): JSX.Element {
  const [title, tone] = OUTCOMES[outcome] ?? [outcome, ""];
  return <span class={`flag ${tone}`}>{title}</span>;
}

const TONES: { readonly [status: string]: string | undefined } = {
  passed: "tone-ok",
  failed: "tone-bad",
  invalid: "tone-odd",
  error: "tone-odd",
};

/** What became of a trial, as a class. */
export function toneOf(status: string): string {
  return TONES[status] ?? "";
}

/** "93% (81–97%)". */
export function formatShare({ passed: { share, low, high } }: Pick<EvalRunRow, "passed">): string {
  return `${percent(share)}% (${percent(low)}–${percent(high)}%)`;
}

function percent(share: number): number {
  return Math.round(100 * share);
}

/** What a run cost; more than that where prices were missing. */
export function formatCost({ cost, unpriced }: Pick<EvalRunRow, "cost" | "unpriced">): string {
  return unpriced === 0 ? formatMoney(cost) : cost === 0 ? "–" : `>${formatMoney(cost)}`;
}

/** The share of passed trials as a bar, with a line for its interval. Says nothing that does not stand elsewhere as text. */
export function PassedBar({ run }: { readonly run: EvalRunRow }): JSX.Element {
  const { outcome, passed, at } = run;
  return (
    <span
      class={`passed-bar${outcome === "worse" ? " is-worse" : ""}`}
      aria-hidden="true"
      title={`${formatDate(at)}: ${formatShare(run)}`}
    >
      <span class="passed-share" style={{ height: `${percent(passed.share)}%` }} />
      <span
        class="passed-range"
        style={{ bottom: `${percent(passed.low)}%`, height: `${percent(passed.high - passed.low)}%` }}
      />
    </span>
  );
}
