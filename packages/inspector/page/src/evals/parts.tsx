import type { EvalRun } from "@pollux/evals";
import type { JSX } from "preact";
import { formatRoute } from "../app/route.ts";
import { formatMoney } from "../../../src/inspection/cost.ts";
import { formatCount } from "../ui/format.ts";

/** An address of evals. */
export function hrefOf(...path: readonly (string | number)[]): string {
  return formatRoute({ kind: "evals", path: path.map(String) });
}

/** By outcome of a run and status of a trial. */
const TONES: { readonly [name: string]: string | undefined } = {
  "not-worse": "tone-ok",
  worse: "tone-bad",
  incomplete: "tone-odd",
  passed: "tone-ok",
  failed: "tone-bad",
  invalid: "tone-odd",
  error: "tone-odd",
};

/** CSS class for the outcome of a run or trial. */
export function toneOf(outcome: string): string {
  return TONES[outcome] ?? "";
}

export function Outcome({ outcome }: { readonly outcome: string }): JSX.Element {
  return <span class={`flag ${toneOf(outcome)}`}>{outcome.replace("-", " ")}</span>;
}

/** "93% (81–97%)". */
export function formatPassed({ passed: { share, low, high } }: EvalRun): string {
  return `${percent(share)}% (${percent(low)}–${percent(high)}%)`;
}

export function percent(share: number): number {
  return Math.round(100 * share);
}

/** The cost of a run, marked with ≥ if prices were missing. */
export function formatCost({ cost: { total, unpriced } }: EvalRun): string {
  return `${unpriced === 0 ? "" : "≥ "}${formatMoney(total)}`;
}

/** A number of any size, with three significant digits. */
export function formatMetric(value: number): string {
  // Differences of equal sums are rarely exactly 0.
  if (Math.abs(value) < 1e-9) return "0";
  const text = Math.abs(value) >= 1000 ? formatCount(Math.round(value)) : String(Number(value.toPrecision(3)));
  return text.replace("-", "−");
}
