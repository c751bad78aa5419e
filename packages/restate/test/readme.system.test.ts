import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readmePrograms } from "../../../test/support/readme-programs.ts";
import { restateBinary, type RestateServer, startRestate } from "./support/restate-server.ts";
import { startWorkerProcess, type WorkerProcess } from "./support/worker-process.ts";

const programs = readmePrograms("packages/restate");

// That they compile: `test/docs/readmes.system.test.ts`.
describe.skipIf(restateBinary() === undefined)("the programs of the README (they need Restate's server)", () => {
  const emulator = createEmulator({ brain: improvise() });
  let gemini: Awaited<ReturnType<typeof emulator.listen>>;
  let server: RestateServer;
  let worker: WorkerProcess | undefined;

  beforeAll(async () => {
    [gemini, server] = await Promise.all([emulator.listen(), startRestate()]);
    programs.write();
  });
  afterAll(async () => {
    await worker?.kill();
    await server?.stop();
    await gemini?.close();
    programs.remove();
  });

  test("run, one after the other, against a worker in a process of its own", async () => {
    const env = {
      PORT: "0",
      RESTATE_INGRESS: server.ingress,
      RESTATE_ADMIN: server.admin,
      GOOGLE_GEMINI_BASE_URL: gemini.url,
      GEMINI_API_KEY: "not-used",
    };
    worker = await startWorkerProcess(programs.file(0), env);
    const asks = await programs.run(1, env);
    // Once as it comes, once in the report.
    expect(asks).toMatch(/finished .+/);
    expect(await programs.run(2, env)).toMatch(/ended/);
    expect(programs.count).toBe(3);
  });
});
