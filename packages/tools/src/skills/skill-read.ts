import type { Json } from "@pollux/core";
import { readSkillText } from "./skill-bytes.ts";

/** What a call records of the file that it read, in the log and not for the model. */
export interface SkillRead {
  readonly skill: string;
  /** Path in the skill's folder. */
  readonly file: string;
  /** Of the file's bytes, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Beginning of the names of the steps. */
const STEP = "skill:";

/** Name of the step that records it. A call made again after a crash, when the file has changed, has another hash and so another step. */
export function stepName({ skill, file, sha256 }: SkillRead): string {
  return `${STEP}${skill}/${file}@${sha256.slice(0, 16)}`;
}

/** What a call has read of a skill, if it has, by the steps that it recorded. */
export function lastRead(steps: { readonly [name: string]: Json } = {}): SkillRead | undefined {
  const name = Object.keys(steps).findLast((one) => one.startsWith(STEP));
  // No other tool has steps of such names.
  return name === undefined ? undefined : (steps[name] as unknown as SkillRead);
}

/** How a file differs from what was read of it, one phrase; nothing if it doesn't. */
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
