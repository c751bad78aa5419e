import { parseArgs } from "node:util";
import { METRICS, type Metric } from "./cases.ts";
import { isProgramMetric } from "./measure-programs.ts";

/** The parsed command line. */
export interface Options {
  readonly metrics: readonly Metric[];
  /** Named drivers; absent for the default ones. */
  readonly drivers: readonly string[] | undefined;
  readonly runs: number;
  readonly quick: boolean;
  readonly peers: boolean;
  readonly against: string | undefined;
  readonly build: boolean;
  readonly docs: boolean;
  readonly out: string | undefined;
  readonly json: string | undefined;
  readonly help: boolean;
}

export const HELP = `pnpm bench [options]

Compares the built @pollux/core with a handwritten loop, on a local server. Prints Markdown tables to stdout and progress to stderr.
Exits with 1 if a driver did not do its work, and with 2 for an invalid option.

  --metrics a,b    any of ${METRICS.join(", ")} (default: all but the last three,
                   which need the programs of the system tests; with --docs, all)
  --drivers a,b    any of raw, raw-cached, raw-http, pollux, pollux-fetch and the peers, or paths that end in .mjs; the first is
                   the baseline (default: all)
  --runs N         samples of each driver, in turns with the others (default: 5)
  --quick          tiny sizes, one sample: checks that everything works, not how fast
  --peers          also installs the other libraries into a temporary folder and measures them
  --against DIR    only compares the built core of the checkout DIR with this one
  --out FILE       also writes the tables to a file
  --json FILE      writes all figures to a file
  --docs           writes bench/results.json, and from it the figures of all pages
  --no-build       measures the previous build
  --help
`;

/**
 * Parses the command line.
 *
 * @throws {TypeError} For an unknown or invalid option; the message says which, and what is valid.
 */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    allowNegative: true,
    options: {
      metrics: { type: "string" },
      drivers: { type: "string" },
      runs: { type: "string" },
      quick: { type: "boolean", default: false },
      peers: { type: "boolean", default: false },
      against: { type: "string" },
      build: { type: "boolean", default: true },
      docs: { type: "boolean", default: false },
      out: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const { against, out, json, quick, peers, build, docs, help } = values;
  if (against !== undefined && (peers || docs || values.drivers !== undefined))
    throw new TypeError("--against compares two builds; leave out --drivers, --peers and --docs.");
  if (docs && quick) throw new TypeError("--docs with --quick would publish meaningless figures.");
  if (docs && (!peers || values.metrics !== undefined || values.drivers !== undefined))
    throw new TypeError("--docs publishes one run of everything: use --peers, and neither --metrics nor --drivers.");
  return {
    metrics: metricsOf(values.metrics, against !== undefined, docs),
    drivers: listOf("drivers", values.drivers),
    runs: runsOf(values.runs ?? (quick ? "1" : "5")),
    quick,
    peers,
    against,
    build,
    docs,
    out,
    json,
    help,
  };
}

function metricsOf(text: string | undefined, isComparison: boolean, docs: boolean): readonly Metric[] {
  const ofOneBuild = (metric: Metric): boolean =>
    ["install", "idle", "session", "waits"].includes(metric) || isProgramMetric(metric);
  const possible = METRICS.filter((metric) => !isComparison || !ofOneBuild(metric));
  return (
    listOf("metrics", text)?.map((name) => {
      const metric = possible.find((one) => one === name);
      if (metric === undefined) throw new TypeError(`--metrics: ${name} is none of ${possible.join(", ")}.`);
      return metric;
    }) ?? possible.filter((metric) => docs || !isProgramMetric(metric))
  );
}

function listOf(option: string, text: string | undefined): readonly string[] | undefined {
  const names = text?.split(",").map((name) => name.trim());
  if (names?.includes("") === true) throw new TypeError(`--${option}: names are separated by a comma, such as a,b.`);
  return names;
}

function runsOf(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new TypeError(`--runs: ${text} is not an integer from 1 to 999.`);
  return Number(text);
}
