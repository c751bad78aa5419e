import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { driverOf } from "../drivers.ts";
import { installPeers, titleOf } from "../peers.ts";

/** A library that takes part. */
export interface Library {
  readonly name: string;
  /** Head of its column, with its version. */
  readonly title: string;
  /** URL of its driver. */
  readonly url: string;
  /** URL of what plays conversations to it. */
  readonly plays: string;
}

/** Drivers of the others, in the order of the table. */
const KNOWN: readonly string[] = ["google-genai", "ai-sdk", "google-adk", "genkit", "langchain", "openai-agents"];

export const POLLUX: Library = {
  name: "pollux",
  title: "Pollux",
  url: pathToFileURL(driverOf("pollux").file).href,
  plays: pathToFileURL(playsOf("pollux")).href,
};
export const LIBRARY_NAMES: readonly string[] = ["pollux", ...KNOWN];

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
  const wanted = KNOWN.filter((name) => names.includes(name));
  const { drivers, folders, absences } = await installPeers(wanted, progress);
  if (absences[0] !== undefined) throw new Error(`${absences[0].driver}: ${absences[0].reason}`);
  const others = drivers.map(({ name, url }, index) => {
    // Beside the driver, where its imports are installed.
    const copy = join(folders[index]?.folder ?? "", "plays.mjs");
    copyFileSync(playsOf(name), copy);
    return { name, title: titleOf(name), url, plays: pathToFileURL(copy).href };
  });
  return names.includes("pollux") ? [POLLUX, ...others] : others;
}

function playsOf(name: string): string {
  return join(import.meta.dirname, "plays", `${name}.mjs`);
}
