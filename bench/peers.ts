import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Driver, driverFrom } from "./drivers.ts";
import { install, type Installed } from "./measure-install.ts";
import type { Absence } from "./row.ts";

/** Dependencies of each peer, by the name of its driver in `peers/`: exact, so that a figure can be had again. */
const PEERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "google-genai": { "@google/genai": "3.1.0", zod: "4.6.7" },
  "ai-sdk": { "@ai-sdk/google": "4.0.121", ai: "7.0.173", zod: "4.6.7" },
  langchain: {
    "@langchain/core": "1.2.13",
    "@langchain/google": "0.2.6",
    "@langchain/langgraph": "1.4.13",
    langchain: "1.5.14",
    zod: "4.6.7",
  },
  genkit: { "@genkit-ai/google-genai": "1.42.0", genkit: "1.42.0" },
  "openai-agents": {
    "@ai-sdk/google": "4.0.121",
    "@openai/agents": "0.20.0",
    "@openai/agents-extensions": "0.18.0",
    zod: "4.6.7",
  },
  "google-adk": { "@google/adk": "2.0.0", zod: "4.6.7" },
  mastra: { "@ai-sdk/google": "4.0.121", "@mastra/core": "1.71.0", zod: "4.6.7" },
  tanstack: { "@tanstack/ai": "0.58.0", "@tanstack/ai-gemini": "0.32.0", zod: "4.6.7" },
  pi: { "@earendil-works/pi-agent-core": "0.87.1", "@earendil-works/pi-ai": "0.87.1" },
};

/** Names that `--drivers` accepts with `--peers`. */
export const PEER_NAMES: readonly string[] = Object.keys(PEERS);

/** The installed peers, and why others could not be installed. */
export interface InstalledPeers {
  readonly drivers: readonly Driver[];
  readonly folders: readonly Installed[];
  readonly absences: readonly Absence[];
}

/** Installs each peer into its own temporary folder; an existing installation is reused. */
export async function installPeers(
  names: readonly string[],
  progress: (text: string) => void,
): Promise<InstalledPeers> {
  const drivers: Driver[] = [];
  const folders: Installed[] = [];
  const absences: Absence[] = [];
  for (const name of names) {
    const folder = join(tmpdir(), "pollux-bench-peers", name);
    const file = join(folder, "driver.mjs");
    const manifest = JSON.stringify({ private: true, type: "module", dependencies: PEERS[name] });
    try {
      if (!isInstalled(folder, manifest)) {
        progress(`install  ${name}`);
        rmSync(folder, { recursive: true, force: true });
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, "package.json"), manifest);
        await install(folder);
        writeFileSync(join(folder, "installed"), manifest);
      }
      copyFileSync(join(import.meta.dirname, "peers", `${name}.mjs`), file);
      drivers.push(driverFrom(name, file, true));
      folders.push({ driver: name, folder });
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
      absences.push({ rows: ["all"], driver: name, reason: `It could not be installed: ${reason}`, isFailure: false });
    }
  }
  return { drivers, folders, absences };
}

function isInstalled(folder: string, manifest: string): boolean {
  const mark = join(folder, "installed");
  return existsSync(mark) && readFileSync(mark, "utf8") === manifest;
}
