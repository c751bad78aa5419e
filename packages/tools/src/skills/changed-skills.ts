import type { Json } from "@pollux/core";
import { recordedCalls } from "@pollux/core/rehearsal";
import type { Skill } from "./skill-file.ts";
import { findChange, lastRead, type SkillRead } from "./skill-read.ts";

/** A file of a skill that has changed since a call read it. */
export interface SkillChange extends SkillRead {
  readonly runId: string;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  /** What has changed, as one phrase. */
  readonly change: string;
}

/**
 * Files of skills that have changed since a session's calls read them, oldest call first: after such a change, the same run would continue
 * differently. Empty if nothing has changed. A replay reports these changes, too.
 *
 * @param log - The session's entries, as a store loads them.
 * @param skills - The current skills.
 */
export async function changedSkills(
  log: readonly Json[],
  { skills }: { readonly skills: readonly Skill[] },
): Promise<readonly SkillChange[]> {
  const changes: SkillChange[] = [];
  for (const { runId, callId, steps } of recordedCalls(log)) {
    const read = lastRead(steps);
    if (read === undefined) continue;
    const change = await findChange(read, skills.find(({ name }) => name === read.skill)?.folder);
    if (change !== undefined) changes.push({ ...read, runId, callId, change });
  }
  return changes;
}
