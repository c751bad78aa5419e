import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createEmulator } from "@pollux/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresKinds, type StartedPostgres, startPostgres } from "./support/postgres.ts";
import { until } from "./support/until.ts";

const run = promisify(execFile);
const page = readFileSync(fileURLToPath(new URL("../README.md", import.meta.url)), "utf8");
const programs = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
// Git, the linter and the compiler leave folders of this name alone.
const folder = fileURLToPath(new URL("dist", import.meta.url));

describe("the programs of the README", () => {
  const emulator = createEmulator();
  let gemini: Awaited<ReturnType<typeof emulator.listen>>;
  let postgres: StartedPostgres;
  let worker: ChildProcess | undefined;

  beforeAll(async () => {
    const kind = postgresKinds().findLast(({ installed }) => installed)?.kind ?? "pglite";
    [gemini, postgres] = await Promise.all([emulator.listen(), startPostgres(kind)]);
    mkdirSync(folder, { recursive: true });
    for (const [index, code] of programs.entries()) writeFileSync(join(folder, `${index}.ts`), `${code}export {};\n`);
  }, 60_000);

  afterAll(async () => {
    worker?.kill("SIGKILL");
    await postgres?.close();
    await gemini?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("compile", { timeout: 60_000 }, async () => {
    const config = {
      extends: "../../../../tsconfig.base.json",
      compilerOptions: { noEmit: true, rootDir: "../../../.." },
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...config, include: ["*.ts"] }));
    const { stdout } = await run("tsc", ["-p", folder]).catch((error: unknown) => error as { stdout: string });
    expect(stdout).toBe("");
  });

  test("run, one after the other, against a worker in a process of its own", { timeout: 90_000 }, async () => {
    expect(programs).toHaveLength(4);
    const env = {
      PATH: process.env["PATH"],
      DBOS_SYSTEM_DATABASE_URL: postgres.url(),
      GOOGLE_GEMINI_BASE_URL: gemini.url,
      GEMINI_API_KEY: "not-used",
    };
    let said = "";
    worker = spawn(process.execPath, ["--conditions=pollux-source", join(folder, "0.ts")], { env });
    for (const stream of [worker.stdout, worker.stderr]) stream?.on("data", (chunk: Buffer) => (said += String(chunk)));
    await until(() => said.includes("is ready") || undefined, 30_000).catch((error: unknown) => {
      throw new Error(said, { cause: error });
    });
    expect(await start(1)).toMatch(/finished .+/);
    expect(await start(2)).toBe("");
    expect(await start(3)).toMatch(/ended/);

    async function start(index: number): Promise<string> {
      const file = join(folder, `${index}.ts`);
      const { stdout } = await run(process.execPath, ["--conditions=pollux-source", file], { env, timeout: 30_000 });
      return stdout;
    }
  });
});
