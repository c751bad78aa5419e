import { isEmptyLeaf, type Leaf } from "./leaves.ts";

/** Context of a received value. */
export interface Origin {
  readonly leaf: Leaf;
  /** Leaves of each later chunk. */
  readonly later: readonly (readonly Leaf[])[];
  /** Leaves of the kept values. */
  readonly kept: readonly Leaf[];
}

/** A kind of value that may be missing without a loss. */
export interface Vanishing {
  readonly rule: string;
  /** Why nothing is lost. */
  readonly why: string;
  matches(origin: Origin): boolean;
}

/** The same value of the same item in another chunk: the order of chunks does not matter. */
export const REPEATED = {
  rule: "repeated",
  why: "chunks repeat what is true of the whole answer, such as its id; once is enough",
} as const;

/**
 * Every kind of received value outside of parts that need not be kept. All others must be kept.
 *
 * A value that may go because a later chunk replaces it may only be missing if that chunk has the replacement.
 */
export const MAY_VANISH: readonly Vanishing[] = [
  {
    rule: "empty",
    why: "null and an empty string, object or list say nothing",
    matches: ({ leaf }) => isEmptyLeaf(leaf),
  },
  {
    rule: "other candidate",
    why: "an answer is its first candidate",
    matches: ({ leaf }) => /^candidates\[(?!0\])/.test(leaf.path),
  },
  {
    rule: "token counter",
    why: "counters are running totals, which the last chunk that has any replaces as a whole: only those of one chunk add up",
    matches: ({ leaf, later }) => isCounter(leaf) && later.some((leaves) => leaves.some(isCounter)),
  },
  {
    rule: "finish reason",
    why: "a turn that the service continues says how it ends more than once, and the last chunk says how it ended",
    matches: ({ leaf, later }) =>
      /^candidates\[\]\.finish(?:Reason|Message)$/.test(leaf.field) && replaced(later, "candidates[].finishReason"),
  },
  {
    rule: "number of a finish reason",
    why: "the service writes numbers for enums on request; what is kept is the word",
    matches: ({ leaf, kept }) =>
      leaf.field === "candidates[].finishReason" &&
      typeof leaf.value === "number" &&
      kept.some(({ field, value }) => field === leaf.field && value === FINISH_WORDS[leaf.value as number]),
  },
  {
    rule: "safety rating",
    why: "ratings are about the answer so far, so those of a later chunk replace them",
    matches: ({ leaf, later }) =>
      leaf.field.startsWith("candidates[].safetyRatings") && replaced(later, "candidates[].safetyRatings"),
  },
  {
    rule: "moving value",
    why: "a checkpoint, a token or an average is true only of the answer up to its chunk",
    matches: ({ leaf, later }) => MOVING.has(leaf.field) && replaced(later, leaf.field),
  },
];

/** Values that each chunk may repeat. */
const MOVING: ReadonlySet<string> = new Set([
  "candidates[].continuationToken",
  "candidates[].avgLogprobs",
  "turnToken",
]);

/** Members of the enum, by number. */
export const FINISH_WORDS = ["FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];

/** True for token counts and their breakdowns. */
export function isCounter({ field }: Leaf): boolean {
  return /^usageMetadata\.(?:\w+TokenCount$|\w+TokensDetails\b)/.test(field);
}

function replaced(later: Origin["later"], field: string): boolean {
  return later.some((leaves) => leaves.some((leaf) => leaf.field.startsWith(field) && !isEmptyLeaf(leaf)));
}
