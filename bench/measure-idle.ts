import { join } from "node:path";
import { type Absence, figureOf, type Measured } from "./row.ts";
import { runSample } from "./run-sample.ts";

const program = join(import.meta.dirname, "idle-sample.mjs");

/** Memory of an idle conversation: contents kept by hand, a session held in a variable, and a session only in its store. */
export async function measureIdle(
  sessions: number,
  rounds: number,
  progress: (text: string) => void,
): Promise<Measured> {
  const ways = ["raw", "pollux-open", "pollux-stored"];
  const samples = new Map<string, number[]>(ways.map((way) => [way, []]));
  const absences: Absence[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const driver of ways) {
      progress(`idle  round ${round + 1}/${rounds}  ${driver}`);
      try {
        const { bytesEach = Number.NaN } = await runSample(program, JSON.stringify({ driver, sessions }));
        samples.get(driver)?.push(bytesEach / 1_024);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        absences.push({ rows: ["idle"], driver, reason, isFailure: true });
      }
    }
  }
  const figures = (of: string, driver: string): ReturnType<typeof figureOf> =>
    figureOf(driver, samples.get(of) ?? [], "own");
  const shape = { unit: "KB", relation: "own", baseline: "", targets: [] } as const;
  if (absences.length > 0) return { rows: [], absences };
  const count = sessions.toLocaleString("en-US");
  return {
    rows: [
      {
        id: "idle-open",
        label: `each of ${count} idle sessions, held in a variable`,
        ...shape,
        figures: [figures("raw", "raw"), figures("pollux-open", "pollux")],
      },
      {
        id: "idle-stored",
        label: `each of ${count} idle sessions, in a MemoryStore only`,
        ...shape,
        figures: [figures("raw", "raw"), figures("pollux-stored", "pollux")],
      },
    ],
    absences,
  };
}
