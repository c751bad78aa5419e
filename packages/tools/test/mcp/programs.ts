/** Other people's MCP servers, for system tests. */
import { spawn } from "node:child_process";
import { programFile } from "../../../../test/support/programs.ts";

export const EVERYTHING: string = programFile("@modelcontextprotocol/server-everything", "dist/index.js");
export const FILESYSTEM: string = programFile("@modelcontextprotocol/server-filesystem", "dist/index.js");

/** Starts the HTTP mode of server-everything on a free port. */
export async function everythingOverHttp(port: number): Promise<{ readonly url: string; close(): Promise<void> }> {
  const child = spawn(process.execPath, [EVERYTHING, "streamableHttp"], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      if (String(chunk).includes("listening")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`server-everything ended with ${code}`)));
  });
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
