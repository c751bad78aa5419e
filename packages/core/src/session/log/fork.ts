import { closeOpenCalls } from "../../loop/transcript.ts";
import type { Content } from "../../wire/types/content.ts";
import type { HistorySegment } from "./session-view.ts";

/** @throws {TypeError} When the first `contents` contents would leave a call open; names the nearest places that do not. */
export function checkForkPoint(all: readonly Content[], contents: number): void {
  const isLegal = (at: number): boolean => closeOpenCalls(all.slice(0, at)).length === at;
  if (!Number.isInteger(contents) || contents < 0 || contents > all.length)
    throw new TypeError(`fork: contents must be an integer from 0 to ${all.length}, got ${contents}`);
  if (!isLegal(contents))
    throw new TypeError(
      `fork: a call is unanswered after ${contents} contents; cut at ${contents - 1} or ${contents + 1}`,
    );
}

export function takeSegments(segments: readonly HistorySegment[], count: number): HistorySegment[] {
  const kept: HistorySegment[] = [];
  let room = count;
  for (const segment of segments) {
    if (room <= 0) break;
    kept.push({ ...segment, contents: segment.contents.slice(0, room) });
    room -= segment.contents.length;
  }
  return kept;
}
