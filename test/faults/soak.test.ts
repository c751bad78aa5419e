import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { FULL, SEED } from "./support/full.ts";
import type { SoakReport } from "./support/soak-process.ts";

const SESSIONS = FULL ? 2_000 : 200;
const program = fileURLToPath(new URL("support/soak-process.ts", import.meta.url));

test(
  "many sessions at once, with faults, all end right or typed, and memory returns",
  { timeout: 300_000 },
  async () => {
    const report = await soak();
    const mb = (bytes: number): string => `${Math.round(bytes / 1_000_000)} MB`;
    console.info(
      [
        `\nsoak, seed ${SEED}: ${report.sessions} sessions of ${report.turnsEach} turns at once, 2 % of requests fail`,
        `requests ${report.requests}, faults ${report.faults}, seconds ${(report.tookMs / 1_000).toFixed(1)}`,
        `finished ${report.finished}, after ${report.resumes} resumes; failed typed ${report.typed}, lost ${report.lost}, doubled ${report.doubled}, untyped ${report.untyped.length}`,
        `heap ${mb(report.heap.before)} before, ${mb(report.heap.most)} at most, ${mb(report.heap.after)} after; ${report.perSession} bytes for each idle session`,
      ].join("\n"),
    );
    expect(report.untyped).toEqual([]);
    expect(report).toMatchObject({ finished: SESSIONS, lost: 0, doubled: 0, rejections: 0 });
    expect(report.faults).toBeGreaterThan(0);
    expect(report.heap.after - report.heap.before).toBeLessThan(20_000_000);
  },
);

async function soak(): Promise<SoakReport> {
  const args = ["--expose-gc", "--conditions=pollux-source", program, String(SESSIONS), String(SEED)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, output }).toMatchObject({ code: 0 });
  // The program prints one report.
  return JSON.parse(output) as SoakReport;
}
