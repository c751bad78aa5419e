import { join } from "node:path";
import type { Driver } from "./drivers.ts";
import { type Absence, figureOf, type Measured, type Row } from "./row.ts";
import { runSample, UnavailableError } from "./run-sample.ts";
import { pathOf } from "./scenario.ts";
import type { Service } from "./start-server.ts";

const program = join(import.meta.dirname, "first-sample.mjs");

/** From the start of a process to the end of its first run, which calls a tool once: Node, import, compilation, connection. */
export async function measureFirst(
  drivers: readonly Driver[],
  rounds: number,
  service: Service,
  progress: (text: string) => void,
): Promise<Measured> {
  const samples = new Map(drivers.map(({ name }) => [name, { wallMs: [] as number[], cpuMs: [] as number[] }]));
  const absences: Absence[] = [];
  const base = service.url + pathOf("first", { kind: "turns", turns: 1, resultBytes: 4, wait: 0 });
  for (let round = 0; round < rounds; round++) {
    progress(`first  round ${round + 1}/${rounds}`);
    for (const { name, url, isPeer } of drivers) {
      if (absences.some(({ driver }) => driver === name)) continue;
      try {
        const job = JSON.stringify({ driver: url, model: "gemini-3.5-flash", base });
        const { wallMs = 0, cpuMs = 0 } = await runSample(program, job);
        samples.get(name)?.wallMs.push(wallMs);
        samples.get(name)?.cpuMs.push(cpuMs);
      } catch (error) {
        const isFailure = !(error instanceof UnavailableError) && !isPeer;
        const reason = error instanceof Error ? error.message : String(error);
        absences.push({ rows: ["first", "first-cpu"], driver: name, reason, isFailure });
      }
    }
  }
  const rowOf = (id: string, label: string, of: "wallMs" | "cpuMs"): Row => ({
    id,
    label,
    unit: "ms",
    relation: "own",
    baseline: "",
    targets: [],
    figures: [...samples]
      .filter(([, taken]) => taken[of].length === rounds)
      .map(([driver, taken]) => figureOf(driver, taken[of], "own")),
  });
  const label = "a process to the end of its first run";
  return { rows: [rowOf("first", label, "wallMs"), rowOf("first-cpu", `${label}, CPU`, "cpuMs")], absences };
}
