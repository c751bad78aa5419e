import type { Driver } from "./drivers.ts";
import type { Relation, Target } from "./row.ts";
import type { Scenario } from "./scenario.ts";

/** Values of `--metrics`. */
export const METRICS = [
  "loop",
  "history",
  "stream",
  "chunk",
  "many",
  "start",
  "first",
  "bundle",
  "install",
  "idle",
  "session",
  "waits",
  "inspector",
  "web",
  "engines",
] as const;

/** One of {@link METRICS}. */
export type Metric = (typeof METRICS)[number];

/** A figure computed from a case's samples. */
export interface Measure {
  readonly id: string;
  readonly label: string;
  readonly unit: string;
  readonly of: "cpuMs" | "peakMB" | "sentKB";
  /** Divisor of the figure: number of turns, chunks, runs. */
  readonly per: number;
  readonly relation: Relation;
  readonly targets: readonly Target[];
}

/** Work that every driver does in separate samples. */
export interface Case {
  readonly scenario: Scenario;
  /** Runs before and while it is measured. */
  readonly warm: number;
  readonly runs: number;
  /** Whether all runs are concurrent. */
  readonly together: boolean;
  /** Whether to use unary requests. */
  readonly unary: boolean;
  /** Which drivers take part; all of them if absent. */
  readonly takes?: ((driver: Driver) => boolean) | undefined;
  /** Most rounds, for slow work. */
  readonly rounds?: number | undefined;
  readonly measures: readonly Measure[];
}

/** The cases of a metric; with `quick`, small ones that only check that everything works. */
export function casesOf(metric: Metric, quick: boolean): readonly Case[] {
  const small = (full: number, little: number): number => (quick ? little : full);
  switch (metric) {
    case "loop": {
      const turns = small(10, 3);
      const base = { scenario: turnsOf(turns, 100), warm: small(20, 1), runs: small(50, 2), together: false };
      const per = base.runs * turns;
      return [
        {
          ...base,
          unary: false,
          measures: [
            cpu("loop", `${turns} tool turns, CPU of a turn`, per, [at("pollux", 0.8), at("pollux-fetch", 1.25)]),
            peak("loop-memory", `${turns} tool turns, peak memory`),
          ],
        },
        {
          ...base,
          unary: true,
          takes: ({ name }) => ["raw", "pollux", "against"].includes(name),
          measures: [cpu("loop-unary", `${turns} tool turns without streaming, CPU of a turn`, per)],
        },
      ];
    }
    case "history":
      return (quick ? [2, 4] : [25, 50, 100, 200]).map((turns, index, all) => {
        // The same number of turns for each length, so that none runs colder than another.
        const runs = small(2_000 / turns, 1);
        const label = `${turns} turns with results of 1 KB`;
        return {
          scenario: turnsOf(turns, 1_000),
          warm: small(800 / turns, 1),
          runs,
          together: false,
          unary: false,
          // Of the others, the longest run says enough.
          ...(index === all.length - 1 ? {} : { takes: ({ isPeer }: Driver) => !isPeer }),
          measures: [
            cpu(
              `history-${turns}`,
              `${label}, CPU of a turn`,
              runs * turns,
              index === all.length - 1 ? [at("pollux", 0.45), at("pollux-fetch", 1.5)] : [],
            ),
            { ...own(`history-${turns}-sent`, `${label}, sent by a run`, "KB", "sentKB"), per: runs },
          ],
        };
      });
    case "stream": {
      const chunks = small(5_000, 50);
      const runs = small(5, 1);
      return [
        {
          ...streamed(chunks, 20, small(3, 1), runs),
          measures: [
            cpu(
              "stream",
              `${number(chunks)} chunks, CPU of a chunk`,
              chunks * runs,
              [at("pollux", 1.15), at("pollux-fetch", 1.3)],
              "µs",
            ),
          ],
        },
      ];
    }
    case "chunk": {
      const size = small(20_000_000, 20_000);
      const label = quick ? "one chunk of 20 KB" : "one chunk of 20 MB";
      return [
        {
          ...streamed(1, size, small(2, 1), small(2, 1)),
          measures: [
            cpu("chunk", `${label}, CPU`, small(2, 1), [at("pollux", 1.1), at("pollux-fetch", 1.2)]),
            peak("chunk-memory", `${label}, peak memory`),
          ],
        },
      ];
    }
    case "many":
      return (quick ? [5] : [500, 5_000]).map((runs) => {
        const label = `${number(runs)} runs of 5 turns at once, 20 ms away`;
        const targets = runs === 5_000 ? [] : [at("pollux", 0.75), at("pollux-fetch", 1.25)];
        return {
          scenario: { ...turnsOf(5, 100), wait: 20 },
          warm: small(50, 1),
          runs,
          together: true,
          unary: false,
          ...(runs === 5_000 ? { takes: ({ isPeer }: Driver) => !isPeer, rounds: 3 } : {}),
          measures: [
            cpu(`many-${runs}`, `${label}, CPU of a turn`, runs * 5, targets),
            peak(`many-${runs}-memory`, `${label}, peak memory`),
          ],
        };
      });
    default:
      return [];
  }
}

function turnsOf(turns: number, resultBytes: number): Scenario & { kind: "turns" } {
  return { kind: "turns", turns, resultBytes, wait: 0 };
}

function streamed(chunks: number, size: number, warm: number, runs: number): Omit<Case, "measures"> {
  return { scenario: { kind: "chunks", chunks, size }, warm, runs, together: false, unary: false };
}

function cpu(id: string, label: string, per: number, targets: readonly Target[] = [], unit = "ms"): Measure {
  return { id, label, unit, of: "cpuMs", per: unit === "µs" ? per / 1_000 : per, relation: "times", targets };
}

function peak(id: string, label: string): Measure {
  return own(id, label, "MB", "peakMB");
}

function own(id: string, label: string, unit: string, of: Measure["of"]): Measure {
  return { id, label, unit, of, per: 1, relation: "own", targets: [] };
}

function at(driver: string, atMost: number): Target {
  return { driver, atMost };
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
