import type { RemainingLimits } from "../tool/caller.ts";
import { addSpent, type Limits, type SharedLimits, type Spent, usedOf } from "./limits.ts";

/** The limits that a run hands on to runs inside its calls. Turns and calls are each run's own. */
const HANDED_ON = ["inputTokens", "outputTokens", "totalTokens", "wallTimeMs", "cost"] as const;

/** What is left of the limits of a run, and of its session. */
export function remainingOf(
  { limits, session }: { readonly limits: Limits; readonly session?: SharedLimits | undefined },
  spent: Spent,
): RemainingLimits {
  const own = leftOf(limits, spent);
  return session === undefined ? own : lower(own, leftOf(session.limits, addSpent(session.before, spent)));
}

/** Limits that are nowhere higher than what a calling run has left. */
export function within(limits: Limits, remaining: RemainingLimits): Limits {
  return { ...limits, ...lower(limits, remaining) };
}

function leftOf(limits: Limits, spent: Spent): RemainingLimits {
  const used = usedOf(spent);
  return each((name) => {
    const limit = limits[name];
    return limit === undefined ? undefined : Math.max(0, limit - used[name]);
  });
}

function lower(a: RemainingLimits, b: RemainingLimits): RemainingLimits {
  return each((name) => {
    const [one = Infinity, other = Infinity] = [a[name], b[name]];
    const least = Math.min(one, other);
    return least === Infinity ? undefined : least;
  });
}

function each(valueOf: (name: keyof RemainingLimits) => number | undefined): RemainingLimits {
  const entries = HANDED_ON.flatMap((name) => {
    const value = valueOf(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}
