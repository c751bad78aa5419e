import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { ResumeCounts } from "./measure-resume.ts";

/** Most that resuming may cost, as a multiple of the cost of sending the next message instead. */
const MOST = 1.3;

/** Calls of functions of core for each turn of the dead run, when the next process resumes it or sends a message. */
const CALLS_OF_A_TURN = 167;

/** Reads of entries' types for each turn, which has three entries. */
const READS_OF_A_TURN = 28;

/** Expects that resuming a run that died after so many turns costs little more than the next message of its session. */
export async function expectCheapResume(...turns: readonly number[]): Promise<void> {
  const program = fileURLToPath(new URL("measure-resume.ts", import.meta.url));
  const args = ["--conditions=pollux-source", program, ...turns.map(String)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  // The program prints it.
  const measured = JSON.parse(stdout) as readonly ResumeCounts[];
  expect(measured.map((one) => one.turns)).toEqual(turns);
  for (const { turns: count, resume, send } of measured) {
    const what = `with ${count} turns: ${JSON.stringify({ resume, send })}`;
    expect(resume.calls, `calls ${what}`).toBeLessThanOrEqual(MOST * send.calls);
    expect(resume.reads, `reads of entries ${what}`).toBeLessThanOrEqual(MOST * send.reads);
    // The constants are the cost of the next message in a session of any length.
    for (const { calls, reads } of [resume, send]) {
      expect(calls, `calls ${what}`).toBeLessThanOrEqual(CALLS_OF_A_TURN * count + 1500);
      expect(reads, `reads of entries ${what}`).toBeLessThanOrEqual(READS_OF_A_TURN * count + 20);
      // A count of nothing would be within any budget.
      expect(calls, `calls ${what}`).toBeGreaterThan(count);
      expect(reads, `reads of entries ${what}`).toBeGreaterThan(count);
    }
  }
}
