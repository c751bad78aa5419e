import type { Json } from "@pollux/core";
import { recordedCalls } from "@pollux/core/rehearsal";
import type { Skill } from "./skill-file.ts";
import { findChange, lastRead, type SkillRead } from "./skill-read.ts";

/** A file of a skill that is no longer as a call has read it. */
export interface SkillChange extends SkillRead {
  readonly runId: string;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  /** What has changed, one phrase. */
  readonly change: string;
}

/**
 * What a session's calls have read of skills that is no longer the same, oldest call first: after such a change, the same run would go on
 * differently. Empty if all is as it was. A replay says it, too.
 *
 * @param log - The session's entries, as a store loads them.
 * @param skills - As they are now.
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
