import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createEmulator } from "@pollux/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { restateBinary, type RestateServer, startRestate } from "./support/restate-server.ts";
import { startWorkerProcess, type WorkerProcess } from "./support/worker-process.ts";

const run = promisify(execFile);
const page = readFileSync(fileURLToPath(new URL("../README.md", import.meta.url)), "utf8");
const programs = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
// Git, the linter and the compiler leave folders of this name alone.
const folder = fileURLToPath(new URL("dist", import.meta.url));

describe.skipIf(restateBinary() === undefined)("the programs of the README (they need Restate's server)", () => {
  const emulator = createEmulator();
  let gemini: Awaited<ReturnType<typeof emulator.listen>>;
  let server: RestateServer;
  let worker: WorkerProcess | undefined;

  beforeAll(async () => {
    [gemini, server] = await Promise.all([emulator.listen(), startRestate()]);
    mkdirSync(folder, { recursive: true });
    for (const [index, code] of programs.entries()) writeFileSync(join(folder, `${index}.ts`), `${code}export {};\n`);
  }, 60_000);
  afterAll(async () => {
    await worker?.kill();
    await server?.stop();
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

  test("run, one after the other, against a worker in a process of its own", { timeout: 60_000 }, async () => {
    const env = {
      PORT: "0",
      RESTATE_INGRESS: server.ingress,
      RESTATE_ADMIN: server.admin,
      GOOGLE_GEMINI_BASE_URL: gemini.url,
      GEMINI_API_KEY: "not-used",
    };
    worker = await startWorkerProcess(join(folder, "0.ts"), env);
    const [, asked, talked] = [...programs.keys()];
    const asks = await start(asked);
    // Once as it comes, once in the report.
    expect(asks).toMatch(/finished .+/);
    expect(await start(talked)).toMatch(/ended/);
    expect(programs).toHaveLength(3);

    async function start(index: number | undefined): Promise<string> {
      const file = join(folder, `${index}.ts`);
      const { stdout } = await run(process.execPath, ["--conditions=pollux-source", file], {
        env: { PATH: process.env["PATH"], ...env },
        timeout: 30_000,
      });
      return stdout;
    }
  });
});
