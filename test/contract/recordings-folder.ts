import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readRecording } from "./read-recording.ts";
import type { Recording } from "./recordings.ts";

/** The default folder of recordings: `POLLUX_RECORDINGS`, else a folder beside the repository. */
export function recordingsFolder(): string {
  return process.env["POLLUX_RECORDINGS"] ?? join(import.meta.dirname, "../../../shared/recordings");
}

/** Why there is nothing to check in a folder; `undefined` when there is. */
export function whyAbsent(folder: string): string | undefined {
  if (!existsSync(folder)) return `no recordings: ${folder} does not exist`;
  if (!statSync(folder).isDirectory()) return `no recordings: ${folder} is not a folder`;
  return globSync("**/*.json", { cwd: folder }).length === 0
    ? `no recordings: ${folder} holds no .json file`
    : undefined;
}

/** A folder's recordings, and its other files. */
export interface ReadFolder {
  readonly recordings: readonly Recording[];
  /** Files that are not JSON, and JSON without exchanges, each with the reason. */
  readonly passedOver: readonly { readonly file: string; readonly why: string }[];
}

/** Every recording below a folder, by name. */
export function readFolder(folder: string): ReadFolder {
  const recordings: Recording[] = [];
  const passedOver: { readonly file: string; readonly why: string }[] = [];
  for (const file of globSync("**/*.json", { cwd: folder }).toSorted()) {
    const value = readJson(join(folder, file));
    const recording = value === undefined ? undefined : readRecording(file, value);
    if (recording === undefined) passedOver.push({ file, why: value === undefined ? "not JSON" : "no exchanges" });
    else recordings.push(recording);
  }
  return { recordings, passedOver };
}

/** Every recording below a folder, by name. Ignores other files. */
export function readRecordings(folder: string): readonly Recording[] {
  return readFolder(folder).recordings;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // A folder may have a file's name, and a file may be truncated.
    return undefined;
  }
}
