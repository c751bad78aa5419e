import { type ChildProcess, spawn } from "node:child_process";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readmePrograms } from "../../../test/support/readme-programs.ts";
import { likeliestPostgres, type StartedPostgres, startPostgres } from "./support/postgres.ts";
import { until } from "./support/until.ts";

const programs = readmePrograms("packages/dbos");

// That they compile: `test/docs/readmes.system.test.ts`.
describe("the programs of the README", () => {
  const emulator = createEmulator({ brain: improvise() });
  let gemini: Awaited<ReturnType<typeof emulator.listen>>;
  let postgres: StartedPostgres;
  let worker: ChildProcess | undefined;

  beforeAll(async () => {
    [gemini, postgres] = await Promise.all([emulator.listen(), startPostgres(likeliestPostgres())]);
    programs.write();
  });

  afterAll(async () => {
    worker?.kill("SIGKILL");
    await postgres?.close();
    await gemini?.close();
    programs.remove();
  });

  test("run, one after the other, against a worker in a process of its own", async () => {
    expect(programs.count).toBe(4);
    const env = {
      PATH: process.env["PATH"],
      DBOS_SYSTEM_DATABASE_URL: postgres.url(),
      GOOGLE_GEMINI_BASE_URL: gemini.url,
      GEMINI_API_KEY: "not-used",
    };
    let said = "";
    worker = spawn(process.execPath, ["--conditions=pollux-source", programs.file(0)], { env });
    for (const stream of [worker.stdout, worker.stderr]) stream?.on("data", (chunk: Buffer) => (said += String(chunk)));
    await until(() => said.includes("is ready") || undefined).catch((error: unknown) => {
      throw new Error(said, { cause: error });
    });
    expect(await programs.run(1, env)).toMatch(/finished .+/);
    expect(await programs.run(2, env)).toBe("");
    expect(await programs.run(3, env)).toMatch(/ended/);
  });
});
