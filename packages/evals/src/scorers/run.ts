import type { StopReason } from "@pollux/core";
import type { Trial } from "../trials/trial.ts";
import { checkShare } from "./output.ts";
import { makeScorer, type NamedScorer } from "./scorer.ts";

/** The last run ended for this reason, such as `finished` or `needs-approval`. */
export function stopsWith(reason: StopReason): NamedScorer {
  return makeScorer("stopsWith", [reason], ({ result }) => {
    if (result === undefined) return `the run failed and did not end with "${reason}"`;
    return result.stopReason === reason || `the run ended with "${result.stopReason}", not "${reason}"`;
  });
}

/** A guardrail stopped, replaced or answered something; without a name, any. */
export function guardrailFires(name?: string): NamedScorer {
  return makeScorer("guardrailFires", name === undefined ? [] : [name], ({ guardrails }) => {
    if (guardrails.some((one) => name === undefined || one.name === name)) return true;
    const others = guardrails.map((one) => one.name).join(", ");
    return name === undefined ? "no guardrail fired" : `${name} did not fire${others && `, but ${others}`}`;
  });
}

const FIGURES = ["turns", "calls", "inputTokens", "outputTokens", "cost", "durationMs"] as const;

/** What {@link atMost} limits. */
export type Figure = (typeof FIGURES)[number];

/**
 * A figure of the trial is no more than this, over all its runs. Output tokens include thinking; `cost` is in the unit of the agent's prices,
 * and the trial is invalid without them.
 *
 * @throws {TypeError} For a figure that does not exist, or a limit that is negative or not a number.
 */
export function atMost(figure: Figure, limit: number): NamedScorer {
  if (!FIGURES.includes(figure))
    throw new TypeError(`atMost(): there is no figure "${figure}"; there are ${FIGURES.join(", ")}`);
  if (!(limit >= 0)) throw new TypeError(`atMost(): the limit must be 0 or more, got ${limit}`);
  return makeScorer(`atMost(${figure})`, [limit], ({ metrics }) => {
    const value = metrics[figure];
    if (value === undefined) return { score: null, reason: "the cost is not known: give the agent `prices`" };
    return value <= limit || `${figure}: ${value}, more than ${limit}`;
  });
}

/**
 * This share of all input tokens, or more, was read from a cache. The score is the share.
 *
 * @throws {TypeError} For a share outside of 0 to 1.
 */
export function cachedShare(min: number): NamedScorer {
  checkShare("cachedShare(): the share", min);
  const check = ({ usage: { cachedTokens, inputTokens } }: Trial) => {
    if (inputTokens === 0) return { score: null, reason: "no input tokens were counted" };
    const score = cachedTokens / inputTokens;
    return { score, ...(score < min && { reason: `${cachedTokens} of ${inputTokens} input tokens were cached` }) };
  };
  return makeScorer("cachedShare", [min], check, { threshold: min });
}
