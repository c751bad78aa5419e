import { closeOpenCalls } from "../loop/transcript.ts";
import type { Content } from "../wire/content.ts";
import type { Stretch } from "./session-view.ts";

/** @throws {TypeError} When the first `contents` contents would leave a call open; names the nearest places that do not. */
export function checkCut(all: readonly Content[], contents: number): void {
  const isLegal = (at: number): boolean => closeOpenCalls(all.slice(0, at)).length === at;
  if (!Number.isInteger(contents) || contents < 0 || contents > all.length) {
    throw new TypeError(`fork: contents must be a whole number from 0 to ${all.length}, and it is ${contents}`);
  }
  if (!isLegal(contents)) {
    throw new TypeError(
      `fork: after ${contents} contents a call is open; ${contents - 1} and ${contents + 1} are places to cut`,
    );
  }
}

/** The stretches of the first `count` contents. */
export function firstContents(stretches: readonly Stretch[], count: number): Stretch[] {
  const kept: Stretch[] = [];
  let room = count;
  for (const { origin, contents } of stretches) {
    if (room <= 0) break;
    kept.push({ ...(origin !== undefined && { origin }), contents: contents.slice(0, room) });
    room -= contents.length;
  }
  return kept;
}
