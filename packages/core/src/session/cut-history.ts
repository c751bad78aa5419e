import type { Compaction } from "../loop/compaction.ts";
import type { Content } from "../wire/content.ts";
import type { SessionView, Stretch } from "./session-view.ts";

/**
 * The session's compaction as a cut in what is sent now: contents of another model may have been left out of it.
 *
 * @param before - What is sent of what was said before the run.
 */
export function cutInSent(
  { compaction, stretches }: Pick<SessionView, "compaction" | "stretches">,
  before: readonly Content[],
): Compaction | undefined {
  if (compaction === undefined) return undefined;
  const first = contentsOf(stretches)[compaction.keepFrom];
  // It is a message of the user's, which is never changed; when none is left, all that was there is summed up.
  const keepFrom = first === undefined ? before.length : before.indexOf(first);
  return keepFrom < 0 ? undefined : { summary: compaction.summary, keepFrom };
}

/** A cut in what was sent, as a cut in the session's history. */
export function cutInHistory(
  { summary, keepFrom }: Compaction,
  contents: readonly Content[],
  given: number,
  stretches: readonly Stretch[],
): Compaction {
  const before = contentsOf(stretches);
  if (keepFrom >= given) return { summary, keepFrom: before.length + keepFrom - given };
  const first = contents[keepFrom];
  return { summary, keepFrom: first === undefined ? before.length : Math.max(0, before.indexOf(first)) };
}

function contentsOf(stretches: readonly Stretch[]): readonly Content[] {
  return stretches.flatMap(({ contents }) => contents);
}
