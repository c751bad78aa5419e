import { join } from "node:path";
import { type Absence, figureOf, type Measured, type Row } from "./row.ts";
import { runSample } from "./run-sample.ts";

const program = join(import.meta.dirname, "session-sample.mjs");

const WAYS = [
  { id: "session-first", label: "first message of a session, CPU", message: 1, isWatched: false },
  { id: "session-first-watched", label: "first message of a session, watched, CPU", message: 1, isWatched: true },
  { id: "session-hundredth", label: "hundredth message of a session, CPU", message: 100, isWatched: false },
  {
    id: "session-hundredth-watched",
    label: "hundredth message of a session, watched, CPU",
    message: 100,
    isWatched: true,
  },
] as const;

/** CPU time of `session.send`: the first and the hundredth message, with and without somebody who watches the conversation. */
export async function measureSession(
  times: number,
  rounds: number,
  progress: (text: string) => void,
): Promise<Measured> {
  const rows: Row[] = [];
  const absences: Absence[] = [];
  for (const { id, label, message, isWatched } of WAYS) {
    const samples: number[] = [];
    try {
      for (let round = 0; round < rounds; round++) {
        progress(`${id}  round ${round + 1}/${rounds}`);
        const { cpuMs = Number.NaN } = await runSample(program, JSON.stringify({ message, isWatched, times }));
        samples.push(cpuMs);
      }
      const figures = [figureOf("pollux", samples, "own")];
      rows.push({ id, label, unit: "ms", relation: "own", baseline: "", targets: [], figures });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      absences.push({ rows: [id], driver: "pollux", reason, isFailure: true });
    }
  }
  return { rows, absences };
}
