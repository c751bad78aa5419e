import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Count } from "./server.ts";

/** The running service. */
export interface Service {
  readonly url: string;
  /** Requests with a tag since the last call. */
  count(tag: string): Promise<Count>;
  close(): void;
}

/** Starts `server.ts` in its own process, on a free port of 127.0.0.1. */
export async function startServer(): Promise<Service> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "server.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const [line] = (await once(child.stdout, "data", { signal: AbortSignal.timeout(20_000) })) as [Buffer];
  const url = `http://127.0.0.1:${line.toString().trim()}`;
  return {
    url,
    count: async (tag) => (await (await fetch(`${url}/count/${tag}`)).json()) as Count,
    close: () => {
      child.kill();
    },
  };
}
