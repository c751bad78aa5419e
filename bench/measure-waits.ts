import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { serveRegistry } from "../packages/create-pollux/test/support/local-registry.ts";
import { packPackages } from "../scripts/pack-packages.ts";
import { figureOf, type Measured, type Row } from "./row.ts";
import { runSample } from "./run-sample.ts";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "..");
const firstByte = join(import.meta.dirname, "first-byte-sample.mjs");

/**
 * What people wait for, in wall time: the first byte of an answer in a page, `npm start` in an installed clone, and a new project with its
 * first answer. Its packages come from a registry on this machine and from npm's cache.
 *
 * @param times - Messages of a sample of a page.
 */
export async function measureWaits(times: number, rounds: number, progress: (text: string) => void): Promise<Measured> {
  const samples = new Map<string, number[]>();
  const take = (label: string, value: number): unknown =>
    samples.get(label)?.push(value) ?? samples.set(label, [value]);
  try {
    for (let round = 0; round < rounds; round++) {
      progress(`waits  round ${round + 1}/${rounds}`);
      const { cold = Number.NaN, warm = Number.NaN } = await runSample(firstByte, JSON.stringify({ times }));
      take("first byte of a chat page's answer, first message of a process", cold);
      take("first byte of a chat page's answer, later messages", warm);
      take("`npm start`, installed", await timeOf("npm", ["start", "--silent"], root));
    }
    await createProjects(rounds, take, progress);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
    return { rows: [], absences: [{ rows: ["waits"], driver: "pollux", reason, isFailure: true }] };
  }
  const rows = [...samples].map(([label, taken], index): Row => {
    const figures = [figureOf("pollux", taken, "own")];
    return { id: `waits-${index + 1}`, label, unit: "ms", relation: "own", baseline: "", targets: [], figures };
  });
  return { rows, absences: [] };
}

/** The first project fills npm's cache and is not counted. */
async function createProjects(
  rounds: number,
  take: (label: string, value: number) => void,
  progress: (text: string) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-bench-create-"));
  try {
    progress("waits  pack");
    mkdirSync(join(folder, "packed"));
    const packed = await packPackages(join(folder, "packed"));
    await using registry = await serveRegistry(packed);
    const lines = [`registry=${registry.url}`, `@pollux:registry=${registry.url}`, "audit=false", "fund=false"];
    writeFileSync(join(folder, "npmrc"), lines.join("\n"));
    // Without the settings of the package manager that started the benchmark: they would choose the new project's manager.
    const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
    const env = {
      ...Object.fromEntries(inherited),
      npm_config_userconfig: join(folder, "npmrc"),
      npm_config_registry: registry.url,
      npm_config_cache: join(folder, "cache"),
      npm_config_prefer_offline: "true",
    };
    for (let round = 0; round <= rounds; round++) {
      progress(`waits  project ${round + 1}/${rounds + 1}`);
      const create = ["create", "--yes", "pollux", `project-${round}`, "--", "--yes"];
      const created = await timeOf("npm", create, folder, env);
      const answered = await timeOf("npm", ["start", "Roll 3 dice."], join(folder, `project-${round}`), env);
      if (round === 0) continue;
      take("`npm create pollux`, with its install from npm's cache", created);
      take("the new project's first answer", answered);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timeOf(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const before = performance.now();
  const running = execute(command, args, { cwd, env, timeout: 300_000 });
  running.child.stdin?.end();
  await running;
  return performance.now() - before;
}
