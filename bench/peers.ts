import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Driver, driverFrom } from "./drivers.ts";
import { install, type Installed } from "./measure-install.ts";
import type { Absence } from "./row.ts";

interface Peer {
  /** What people call it. */
  readonly title: string;
  /** What is installed. The first one is the library itself; versions are exact, so that a figure can be reproduced. */
  readonly dependencies: Readonly<Record<string, string>>;
}

/** By the name of the driver in `peers/`. */
const PEERS: Readonly<Record<string, Peer>> = {
  "google-genai": { title: "@google/genai", dependencies: { "@google/genai": "3.3.0", zod: "4.6.7" } },
  "ai-sdk": { title: "AI SDK", dependencies: { ai: "7.0.173", "@ai-sdk/google": "4.0.121", zod: "4.6.7" } },
  langchain: {
    title: "LangChain",
    dependencies: {
      langchain: "1.5.14",
      "@langchain/core": "1.4.0",
      "@langchain/google": "0.2.6",
      "@langchain/langgraph": "1.7.3",
      zod: "4.6.7",
    },
  },
  genkit: { title: "Genkit", dependencies: { genkit: "1.42.0", "@genkit-ai/google-genai": "1.42.0" } },
  "openai-agents": {
    title: "OpenAI Agents",
    dependencies: {
      "@openai/agents": "0.20.0",
      "@openai/agents-extensions": "0.18.0",
      "@ai-sdk/google": "4.0.121",
      zod: "4.6.7",
    },
  },
  "google-adk": { title: "ADK", dependencies: { "@google/adk": "2.0.0", zod: "4.6.7" } },
  mastra: { title: "Mastra", dependencies: { "@mastra/core": "1.71.0", "@ai-sdk/google": "4.0.121", zod: "4.6.7" } },
  tanstack: {
    title: "TanStack AI",
    dependencies: { "@tanstack/ai": "0.58.0", "@tanstack/ai-gemini": "0.32.0", zod: "4.6.7" },
  },
  pi: {
    title: "pi",
    dependencies: {
      "@earendil-works/pi-agent-core": "1.5.2",
      "@earendil-works/pi-ai": "1.5.2",
      "@earendil-works/pi-schema": "1.5.2",
    },
  },
};
const OWN_TITLES: Readonly<Record<string, string>> = {
  raw: "a handwritten `fetch` loop",
  "raw-http": "a bare `node:http` loop",
  pollux: "Pollux",
  "pollux-fetch": "Pollux, over `fetch`",
};

/** Names that `--drivers` accepts with `--peers`. */
export const PEER_NAMES: readonly string[] = Object.keys(PEERS);

/** What people call the library of a driver, with its version. */
export function titleOf(driver: string): string {
  const peer = PEERS[driver];
  if (peer === undefined) return OWN_TITLES[driver] ?? driver;
  return `${peer.title} ${Object.values(peer.dependencies)[0] ?? ""}`;
}

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
    const manifest = JSON.stringify({ private: true, type: "module", dependencies: PEERS[name]?.dependencies });
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
