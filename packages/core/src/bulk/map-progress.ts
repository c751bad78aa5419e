import { steadyClock } from "../internal/abort.ts";
import type { MapItem } from "./map-item.ts";

/** The progress of a {@link map}. Plain JSON. */
export interface MapProgress {
  /** Number of inputs, if known: from a list, or from the option `total`. */
  readonly total?: number | undefined;
  /** Inputs whose run finished. */
  readonly finished: number;
  /** Finished inputs whose result came from the store, at no cost. */
  readonly reused: number;
  /** Inputs whose run ended without a usable answer, or failed. */
  readonly failed: number;
  /** Inputs whose run waits for an approval or an outcome. */
  readonly waiting: number;
  /** Inputs in progress. */
  readonly running: number;
  /** Cost of all runs so far, including runs of earlier processes with the same store, in the unit of the agent's `prices`; 0 without prices. */
  readonly cost: number;
  /** Inputs done in this process, per minute; absent until there is one. */
  readonly perMinute?: number | undefined;
  /** Time left at that rate, in milliseconds; absent while unknown. */
  readonly leftMs?: number | undefined;
}

/** How a {@link map} ended. */
export interface MapSummary extends MapProgress {
  /**
   * `"done"`: every input was tried. `"cost"`: `maxCost` left no room for another run. `"aborted"`: its signal or its reader ended it.
   * `"failed"`: an error that would fail every other input as well; reading throws it.
   */
  readonly ended: "done" | "cost" | "aborted" | "failed";
  /** Inputs without an answer, and why, in the order of discovery: the first 1,000 that failed, wait or were cut off. */
  readonly missing: readonly { readonly key: string; readonly why: string }[];
}

const MAX_MISSING = 1000;

/** Counts the results of the inputs. */
export class MapTally {
  readonly #now: () => number = steadyClock();
  readonly #begun: number = this.#now();
  readonly #costs: () => number;
  readonly #counts = { finished: 0, reused: 0, failed: 0, waiting: 0 };
  readonly #missing: { readonly key: string; readonly why: string }[] = [];
  running = 0;
  total: number | undefined;

  /** @param costs - Returns the cost of all runs so far. */
  constructor(total: number | undefined, costs: () => number) {
    this.#costs = costs;
    this.total = total;
  }

  settled(item: MapItem<unknown, unknown>): void {
    const status = item.status === "ended" ? "failed" : item.status;
    this.#counts[status] += 1;
    if (item.status === "finished" && item.reused) this.#counts.reused += 1;
    if (item.status !== "finished") this.missing(item.key, reasonOf(item));
  }

  missing(key: string, why: string): void {
    if (this.#missing.length < MAX_MISSING) this.#missing.push({ key, why });
  }

  progress(): MapProgress {
    const { finished, reused, failed, waiting } = this.#counts;
    const settled = finished + failed + waiting;
    const minutes = (this.#now() - this.#begun) / 60_000;
    const perMinute = settled > reused && minutes > 0 ? (settled - reused) / minutes : undefined;
    return {
      total: this.total,
      ...this.#counts,
      running: this.running,
      cost: this.#costs(),
      perMinute,
      leftMs:
        perMinute === undefined || this.total === undefined
          ? undefined
          : (Math.max(0, this.total - settled) / perMinute) * 60_000,
    };
  }

  summary(ended: MapSummary["ended"]): MapSummary {
    return { ...this.progress(), ended, missing: this.#missing };
  }
}

function reasonOf(item: Exclude<MapItem<unknown, unknown>, { readonly status: "finished" }>): string {
  if (item.status === "failed") return item.error instanceof Error ? item.error.message : String(item.error);
  const { result } = item;
  if (result.stopReason === "invalid-output") return `invalid-output: ${result.problem}`;
  if (result.stopReason === "limit") return `limit: ${result.limit.name} ${result.limit.limit}`;
  return result.stopReason;
}

/**
 * One line for a person: `312/1,000 done, 3 failed, 41/min, 17 min left, cost 1.24`. Omits zeros and unknown values.
 *
 * @param progress - From `onProgress`, or a summary.
 */
export function formatProgress(progress: MapProgress): string {
  const { total, finished, reused, failed, waiting, running, cost, perMinute, leftMs } = progress;
  const number = (value: number): string => value.toLocaleString("en-US");
  return [
    `${number(finished)}${total === undefined ? "" : `/${number(total)}`} done`,
    reused > 0 && `${number(reused)} of them before`,
    failed > 0 && `${number(failed)} failed`,
    waiting > 0 && `${number(waiting)} waiting`,
    running > 0 && `${number(running)} running`,
    perMinute !== undefined && `${number(Number(perMinute.toPrecision(2)))}/min`,
    leftMs !== undefined && leftMs > 0 && `${formatDuration(leftMs)} left`,
    cost > 0 && `cost ${cost.toFixed(cost < 1 ? 4 : 2)}`,
  ]
    .filter((part) => part !== false)
    .join(", ");
}

function formatDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 6) / 10} h`;
}
