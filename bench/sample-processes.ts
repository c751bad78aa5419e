import type { Driver } from "./drivers.ts";
import type { Absence } from "./row.ts";
import { runSample, UnavailableError } from "./run-sample.ts";

/** Wall and CPU time of a driver's processes, in milliseconds, one per round. */
interface Times {
  readonly wallMs: number[];
  readonly cpuMs: number[];
}

/**
 * Runs a program once per round and driver, in fresh processes. A driver that fails once is left out from then on.
 *
 * @param row - Its id; the row of its CPU time is `{row}-cpu`.
 * @param argumentOf - The program's argument. @defaultValue the driver's URL
 */
export async function sampleProcesses(
  row: string,
  program: string,
  drivers: readonly Driver[],
  rounds: number,
  progress: (text: string) => void,
  argumentOf: (url: string) => string = (url) => url,
): Promise<{ readonly samples: ReadonlyMap<string, Times>; readonly absences: readonly Absence[] }> {
  const samples = new Map<string, Times>(drivers.map(({ name }) => [name, { wallMs: [], cpuMs: [] }]));
  const absences: Absence[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`${row}  round ${round + 1}/${rounds}`);
    for (const { name, url, isPeer } of drivers) {
      if (absences.some(({ driver }) => driver === name)) continue;
      try {
        const { wallMs = 0, cpuMs = 0 } = await runSample(program, argumentOf(url));
        samples.get(name)?.wallMs.push(wallMs);
        samples.get(name)?.cpuMs.push(cpuMs);
      } catch (error) {
        const isFailure = !(error instanceof UnavailableError) && !isPeer;
        const reason = error instanceof Error ? error.message : String(error);
        absences.push({ rows: [row, `${row}-cpu`], driver: name, reason, isFailure });
      }
    }
  }
  return { samples, absences };
}
