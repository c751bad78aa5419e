import { join } from "node:path";
import type { Driver } from "./drivers.ts";
import { figureOf, type Measured, type Row } from "./row.ts";
import { sampleProcesses } from "./sample-processes.ts";
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
  const base = service.url + pathOf("first", { kind: "turns", turns: 1, resultBytes: 4, wait: 0 });
  const jobOf = (driver: string): string => JSON.stringify({ driver, model: "gemini-3.5-flash", base });
  const { samples, absences } = await sampleProcesses("first", program, drivers, rounds, progress, jobOf);
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
