import { join } from "node:path";
import { type Driver, driverFrom } from "./drivers.ts";
import { figureOf, type Measured, type Row } from "./row.ts";
import { sampleProcesses } from "./sample-processes.ts";

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
  const { samples, absences } = await sampleProcesses("start", program, taking, rounds, progress);
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
