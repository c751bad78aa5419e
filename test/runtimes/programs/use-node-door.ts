/** Uses the exports of `@pollux/core/node`, against the service of service.ts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, defineTool, endpoint, gemini, type SessionStore } from "@pollux/core";
import { JsonlStore, nodeTransport, SqliteStore } from "@pollux/core/node";
import * as z3 from "zod/v3";
import { type CoreReport, useCore } from "./use-core.ts";

/** @param baseUrl - Address of the emulator. */
export async function useNodeDoor(baseUrl: string): Promise<CoreReport> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-node-door-"));
  const model = gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl, apiKey: "emulator" }) });
  const texts = async (open: () => SessionStore): Promise<unknown> => {
    const said: string[] = [];
    for (const message of ["My name is Ada.", "What is my name?"]) {
      // Each message reads what the previous one wrote to the disk.
      const store = open();
      said.push((await new Agent({ model }).session({ id: "ada", store }).send(message)).text);
      if (store instanceof SqliteStore) store.close();
    }
    return said;
  };
  try {
    return {
      overNodeTransport: await useCore(baseUrl, nodeTransport()),
      bareZod3: defineTool({
        name: "half",
        description: "Half of it.",
        input: z3.object({ n: z3.number() }),
        run: ({ n }) => n / 2,
      }).declaration,
      jsonl: await texts(() => new JsonlStore(join(folder, "sessions"))),
      sqlite: await texts(() => new SqliteStore(join(folder, "sessions.db"))).catch((error: unknown) => String(error)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
