import { type Leaf, leavesOf } from "./leaves.ts";
import type { Chunk } from "./read-body.ts";

/** Every kind of received value of a part that need not be kept, and why nothing is lost; contents are compared as well. */
export const PARTS_MAY_VANISH: readonly {
  readonly rule: string;
  readonly why: string;
  matches(leaf: Leaf): boolean;
}[] = [
  {
    rule: "text joined",
    why: "neighboring pieces of plain text become one part, which has all of their text",
    matches: ({ field }) => field === "[].text",
  },
  {
    rule: "flag of joined text",
    why: "a part that was joined from several pieces says once whether it is a thought",
    matches: ({ field }) => field === "[].thought",
  },
  {
    rule: "arguments joined",
    why: "the pieces of a streamed call become its arguments",
    matches: ({ field }) => /^\[\]\.functionCall(?:\.(?:partialArgs|willContinue)|$)/.test(field),
  },
  { rule: "empty", why: "a field of a part that is null is absent", matches: ({ value }) => value === null },
];

/** Values of parts, with the rule for each missing one. */
export function countParts(
  received: readonly Chunk[],
  kept: readonly Chunk[],
): { readonly values: number; readonly kept: number; readonly vanished: ReadonlyMap<string, number> } {
  const [came, stays] = [leavesIn(received), leavesIn(kept)];
  const vanished = new Map<string, number>();
  for (const one of PARTS_MAY_VANISH) {
    const count = (leaves: readonly Leaf[]): number => leaves.filter((leaf) => one.matches(leaf)).length;
    const gone = count(came) - count(stays);
    if (gone > 0) vanished.set(one.rule, gone);
  }
  const gone = [...vanished.values()].reduce((sum, count) => sum + count, 0);
  return { values: came.length, kept: came.length - gone, vanished };
}

function leavesIn(parts: readonly Chunk[]): readonly Leaf[] {
  return parts.length === 0 ? [] : leavesOf(parts);
}
