import { join } from "node:path";
import { type Driver, driverFrom } from "./drivers.ts";
import { type Absence, figureOf, type Measured, type Row } from "./row.ts";
import { runSample, UnavailableError } from "./run-sample.ts";

/** What every program with tools has already imported. */
export const ZOD: Driver = driverFrom("zod", join(import.meta.dirname, "drivers/zod.mjs"));

const program = join(import.meta.dirname, "import-sample.mjs");

/**
 * How much longer than zod alone each driver takes to import, in wall and CPU time, in fresh processes. The minimum of all rounds:
 * other load on the machine only ever adds to it.
 */
export async function measureStart(
  drivers: readonly Driver[],
  rounds: number,
  progress: (text: string) => void,
): Promise<Measured> {
  const taking = [ZOD, ...drivers.filter(({ name }) => !name.startsWith("raw"))];
  const samples = new Map(taking.map(({ name }) => [name, { wallMs: [] as number[], cpuMs: [] as number[] }]));
  const absences: Absence[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`start  round ${round + 1}/${rounds}`);
    for (const { name, url, isPeer } of taking) {
      if (absences.some(({ driver }) => driver === name)) continue;
      try {
        const { wallMs = 0, cpuMs = 0 } = await runSample(program, url);
        samples.get(name)?.wallMs.push(wallMs);
        samples.get(name)?.cpuMs.push(cpuMs);
      } catch (error) {
        const isFailure = !(error instanceof UnavailableError) && !isPeer;
        const reason = error instanceof Error ? error.message : String(error);
        absences.push({ rows: ["start", "start-cpu"], driver: name, reason, isFailure });
      }
    }
  }
  const rowOf = (id: string, label: string, of: "wallMs" | "cpuMs"): Row => {
    const base = Math.min(...(samples.get(ZOD.name)?.[of] ?? []));
    const figures = [...samples]
      .filter(([, taken]) => taken[of].length === rounds)
      .map(([driver, taken]) => figureOf(driver, [Math.min(...taken[of])], "beyond", [base]));
    const targets = of === "wallMs" ? [{ driver: "pollux", atMost: 12 }] : [];
    return { id, label, unit: "ms", relation: "beyond", baseline: ZOD.name, targets, figures };
  };
  return {
    rows: [rowOf("start", "import beyond zod", "wallMs"), rowOf("start-cpu", "import beyond zod, CPU", "cpuMs")],
    absences,
  };
}
