/**
 * Runs the fast tests repeatedly on a busy machine: `node scripts/under-load.ts [runs] [busy loops]`.
 *
 * Each run competes with busy loops (four by default), one worker thread each. Prints failures and how long each run took, and exits
 * with 1 if any run failed. A test that fails here depends on the speed of the machine.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

const root = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "pollux-under-load-"));
const [runs, loops] = [count(process.argv[2], 5), count(process.argv[3], 4)];

const busy = Array.from({ length: loops }, () => new Worker("for (;;);", { eval: true }));
try {
  console.log(`${runs} runs with ${loops} busy loops; each may take several minutes`);
  let red = 0;
  for (let run = 1; run <= runs; run++) {
    const { seconds, cpuSeconds, passed, failures } = runTests(run);
    console.log(`run ${run}: ${passed} passed, ${failures.length} failed, ${seconds} s, ${cpuSeconds} s of CPU`);
    for (const failure of failures) console.log(`  ${failure}`);
    if (failures.length > 0) red++;
  }
  console.log(`${runs - red} of ${runs} runs green`);
  process.exitCode = red === 0 ? 0 : 1;
} finally {
  await Promise.all(busy.map((worker) => worker.terminate()));
  rmSync(scratch, { recursive: true, force: true });
}

interface Run {
  readonly seconds: number;
  /** CPU time of the tests and their child processes, without the busy loops. */
  readonly cpuSeconds: number;
  readonly passed: number;
  readonly failures: readonly string[];
}

/** One `npm test`. Tests are counted from vitest's report; a run without a report counts as one failure. */
function runTests(run: number): Run {
  const file = join(scratch, `${run}.json`);
  const log = join(scratch, `${run}.times`);
  const started = performance.now();
  const reporters = ["--reporter=json", `--outputFile.json=${file}`];
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["-c", `TIMEFORMAT='%U %S'; { time npm test -- "$@" 2>&3; } 3>&2 2>"${log}"`, "npm-test", ...reporters],
    { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 },
  );
  const seconds = Math.round((performance.now() - started) / 1000);
  const cpuSeconds = Math.round(sumOf(readFileSync(log, "utf8")));
  const failures: string[] = [];
  let passed = 0;
  try {
    const { testResults } = JSON.parse(readFileSync(file, "utf8")) as { testResults: readonly FileReport[] };
    for (const report of testResults) {
      const failed = report.assertionResults.filter((test) => test.status === "failed");
      passed += report.assertionResults.filter((test) => test.status === "passed").length;
      for (const test of failed) failures.push(describe(report, test.fullName, test.failureMessages[0]));
      if (report.status === "failed" && failed.length === 0)
        failures.push(describe(report, "the file", report.message));
    }
  } catch {
    failures.push(`npm test wrote no report:\n${`${stdout}${stderr}`.slice(-2000)}`);
  }
  if (status !== 0 && failures.length === 0) failures.push(`npm test ended with exit code ${status}`);
  return { seconds, cpuSeconds, passed, failures };
}

interface FileReport {
  readonly name: string;
  readonly status: string;
  readonly message?: string | undefined;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages: readonly string[];
  }[];
}

function describe({ name }: FileReport, test: string, message = ""): string {
  return `${relative(root, name)}: ${test}: ${message.split("\n", 1)[0]}`;
}

function sumOf(times: string): number {
  return (times.trim().split("\n").at(-1) ?? "").split(" ").reduce((sum, time) => sum + Number(time), 0);
}

function count(argument: string | undefined, fallback: number): number {
  const number = Number(argument ?? fallback);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new TypeError(`not a count: ${argument}. Usage: node scripts/under-load.ts [runs] [busy loops]`);
}
