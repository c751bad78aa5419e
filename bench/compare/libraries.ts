import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { driverOf } from "../drivers.ts";
import { installPeers } from "../peers.ts";

/** A library that takes part. */
export interface Library {
  readonly name: string;
  /** Head of its column, with its version. */
  readonly title: string;
  /** URL of its driver. */
  readonly url: string;
}

/** Name of the driver, what people call the library, and the package with its version; in the order of the table. */
const KNOWN: readonly (readonly [string, string, string])[] = [
  ["google-genai", "@google/genai", "@google/genai"],
  ["ai-sdk", "AI SDK", "ai"],
  ["google-adk", "ADK", "@google/adk"],
  ["genkit", "Genkit", "genkit"],
  ["langchain", "LangChain", "langchain"],
  ["openai-agents", "OpenAI Agents", "@openai/agents"],
];

export const POLLUX: Library = { name: "pollux", title: "Pollux", url: pathToFileURL(driverOf("pollux").file).href };
export const LIBRARY_NAMES: readonly string[] = ["pollux", ...KNOWN.map(([name]) => name)];

/**
 * Installs the libraries that are not ours.
 *
 * @throws {TypeError} If a name is unknown.
 * @throws {Error} If one can't be installed.
 */
export async function librariesOf(
  names: readonly string[],
  progress: (text: string) => void,
): Promise<readonly Library[]> {
  const unknown = names.find((name) => !LIBRARY_NAMES.includes(name));
  if (unknown !== undefined) throw new TypeError(`--libraries: ${unknown} is none of ${LIBRARY_NAMES.join(", ")}.`);
  const wanted = KNOWN.filter(([name]) => names.includes(name));
  const { drivers, folders, absences } = await installPeers(
    wanted.map(([name]) => name),
    progress,
  );
  if (absences[0] !== undefined) throw new Error(`${absences[0].driver}: ${absences[0].reason}`);
  const others = wanted.map(([name, title, dependency], index) => {
    const version = versionIn(folders[index]?.folder ?? "", dependency);
    return { name, title: `${title} ${version}`, url: drivers[index]?.url ?? "" };
  });
  return names.includes("pollux") ? [POLLUX, ...others] : others;
}

function versionIn(folder: string, dependency: string): string {
  const manifest = join(folder, "node_modules", dependency, "package.json");
  // Every published package has a version.
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}
