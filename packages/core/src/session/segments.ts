import type { Compaction } from "../loop/compaction.ts";
import { closeOpenCalls } from "../loop/transcript.ts";
import type { Content } from "../wire/types/content.ts";
import type { SessionView, HistorySegment } from "./session-view.ts";

/** @throws {TypeError} When the first `contents` contents would leave a call open; names the nearest places that do not. */
export function checkForkPoint(all: readonly Content[], contents: number): void {
  const isLegal = (at: number): boolean => closeOpenCalls(all.slice(0, at)).length === at;
  if (!Number.isInteger(contents) || contents < 0 || contents > all.length) {
    throw new TypeError(`fork: contents must be a whole number from 0 to ${all.length}, got ${contents}`);
  }
  if (!isLegal(contents)) {
    throw new TypeError(
      `fork: a call is still open after ${contents} contents; cut at ${contents - 1} or ${contents + 1}`,
    );
  }
}

/** The segments of the first `count` contents. */
export function takeSegments(segments: readonly HistorySegment[], count: number): HistorySegment[] {
  const kept: HistorySegment[] = [];
  let room = count;
  for (const { origin, contents } of segments) {
    if (room <= 0) break;
    kept.push({ ...(origin !== undefined && { origin }), contents: contents.slice(0, room) });
    room -= contents.length;
  }
  return kept;
}

/**
 * The session's compaction as a cut in what is sent now: contents of another model may have been left out of it.
 *
 * @param before - What is sent of what was said before the run.
 */
export function placeCutInSent(
  { compaction, segments }: Pick<SessionView, "compaction" | "segments">,
  before: readonly Content[],
): Compaction | undefined {
  if (compaction === undefined) return undefined;
  const first = joinContents(segments)[compaction.keepFrom];
  // It is a message of the user's, which is never changed; when none is left, all that was there is summed up.
  const keepFrom = first === undefined ? before.length : before.indexOf(first);
  return keepFrom < 0 ? undefined : { summary: compaction.summary, keepFrom };
}

/** A cut in what was sent, as a cut in the session's history. */
export function placeCutInHistory(
  { summary, keepFrom }: Compaction,
  contents: readonly Content[],
  given: number,
  segments: readonly HistorySegment[],
): Compaction {
  const before = joinContents(segments);
  if (keepFrom >= given) return { summary, keepFrom: before.length + keepFrom - given };
  const first = contents[keepFrom];
  return { summary, keepFrom: first === undefined ? before.length : Math.max(0, before.indexOf(first)) };
}

function joinContents(segments: readonly HistorySegment[]): readonly Content[] {
  return segments.flatMap(({ contents }) => contents);
}
