import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The benchmarks' output with `--json`. */
export interface Report {
  readonly rows: readonly {
    readonly id: string;
    readonly baseline: string;
    readonly figures: readonly { readonly driver: string; readonly value: number; readonly figure: number }[];
  }[];
  readonly absences: readonly object[];
}

/** The result of a command. */
export interface BenchResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Measures quickly, without a build. @returns The result with the report. */
export async function measure(...args: readonly string[]): Promise<BenchResult & { readonly report: Report }> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-bench-report-"));
  const file = join(folder, "figures.json");
  try {
    const result = await bench(...args, "--json", file);
    if (!existsSync(file)) throw new Error(result.stderr);
    return { ...result, report: JSON.parse(readFileSync(file, "utf8")) as Report };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs the command, quickly and without a build. */
export function bench(...args: readonly string[]): Promise<BenchResult> {
  return new Promise((resolve) => {
    const program = join(root, "bench/main.ts");
    execFile(process.execPath, [program, "--quick", "--no-build", ...args], { cwd: root }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });
}
