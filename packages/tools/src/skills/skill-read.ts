import type { Json } from "@pollux/core";
import { readSkillText } from "./skill-bytes.ts";

/** What a call records about the file that it read: for the log, not for the model. */
export interface SkillRead {
  readonly skill: string;
  /** Path in the skill's folder. */
  readonly file: string;
  /** Hash of the file's bytes, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Prefix of the names of these steps. */
const STEP = "skill:";

/** Name of the step that records a read. If a call is repeated after a crash and the file has changed, its new hash makes a new step. */
export function stepName({ skill, file, sha256 }: SkillRead): string {
  return `${STEP}${skill}/${file}@${sha256.slice(0, 16)}`;
}

/** The file of a skill that a call read last, from the call's recorded steps; undefined if it read none. */
export function lastRead(steps: { readonly [name: string]: Json } = {}): SkillRead | undefined {
  const name = Object.keys(steps).findLast((one) => one.startsWith(STEP));
  // No other tool has steps with this prefix.
  return name === undefined ? undefined : (steps[name] as unknown as SkillRead);
}

/** How a file differs from the text that a call read, as one phrase; undefined if it doesn't. */
export async function findChange(
  { skill, file, sha256 }: SkillRead,
  folder: string | undefined,
): Promise<string | undefined> {
  if (folder === undefined) return `the skill ${skill} is gone`;
  const shown = `${file} of the skill ${skill}`;
  try {
    const { signal } = new AbortController();
    const now = (await readSkillText(folder, file, { maxBytes: Infinity, signal })).sha256;
    return now === sha256 ? undefined : `${shown} has changed: sha256 ${short(sha256)} then, ${short(now)} now`;
  } catch (error) {
    return `${shown} can no longer be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function short(sha256: string): string {
  return sha256.slice(0, 12);
}
