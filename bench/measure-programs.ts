import { join } from "node:path";
import { figureOf, type Measured, type Row } from "./row.ts";
import { runSample } from "./run-sample.ts";

/** What a program measures for itself, for one column of a row. */
export interface ProgramSample {
  readonly id: string;
  readonly label: string;
  readonly unit: string;
  readonly driver: string;
  readonly values: readonly number[];
}

/** Programs with a table of their own, and what Node needs for them. The engines' adapters are taken from their sources. */
const PROGRAMS = {
  engines: {
    file: "engines.ts",
    title: "Steps and runs by where they are stored",
    flags: ["--conditions=pollux-source"],
  },
  inspector: { file: "inspector.ts", title: "The inspector", flags: [] },
  web: { file: "web-streams.ts", title: "Chats open at once", flags: [] },
} as const;

/** Metrics that are measured by a program. */
export type ProgramMetric = keyof typeof PROGRAMS;

/** True for a metric that is measured by a program. */
export function isProgramMetric(metric: string): metric is ProgramMetric {
  return Object.hasOwn(PROGRAMS, metric);
}

/** The columns of these rows are stores and engines, not drivers. */
export async function measureProgram(
  metric: ProgramMetric,
  quick: boolean,
  progress: (text: string) => void,
): Promise<Measured> {
  const { file, title, flags } = PROGRAMS[metric];
  progress(metric);
  let samples: readonly ProgramSample[];
  try {
    samples = await runSample(join(import.meta.dirname, file), JSON.stringify({ quick }), flags);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { rows: [], absences: [{ rows: [metric], driver: "pollux", reason, isFailure: true }] };
  }
  const rows = [...new Set(samples.map(({ id }) => id))].map((id): Row => {
    const figures = samples.filter((sample) => sample.id === id);
    const [{ label, unit } = { label: "", unit: "" }] = figures;
    return {
      id,
      label,
      unit,
      relation: "own",
      baseline: "",
      targets: [],
      table: title,
      figures: figures.map(({ driver, values }) => figureOf(driver, values, "own")),
    };
  });
  return { rows, absences: [] };
}

/** Prints what a program has measured, as {@link runSample} reads it. */
export function printSamples(samples: readonly ProgramSample[]): void {
  process.stdout.write(`\nsample: ${JSON.stringify(samples)}\n`);
}
