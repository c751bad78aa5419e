import type { Content } from "../wire/content.ts";

/** What a policy knows when it decides whether, and where, to cut a history. */
export interface CompactionState {
  /** What the next request would send, oldest first. */
  readonly contents: readonly Content[];
  /** About how many tokens its prompt would have. */
  readonly promptTokens: number;
  /** How many the model takes. */
  readonly windowTokens: number;
  /**
   * Places where the history may be cut, in rising order: each is the index of a user's message, so calls and their responses stay
   * together. None lies behind the last message, so the current turn keeps its signatures.
   */
  readonly boundaries: readonly number[];
  /** About how many tokens the contents from an index on have. */
  readonly tokensFrom: (index: number) => number;
}

/** Decides where a history is cut: contents before the index are replaced by a summary. `undefined` leaves it as it is. */
export type CompactionPolicy = (state: CompactionState) => number | undefined;

/** How a history is kept within the model's window. */
export interface CompactionOptions {
  /** Share of the window that a prompt may fill before the history is cut. @defaultValue 0.8 */
  readonly threshold?: number | undefined;
  /** Share of the window that the messages which stay may fill. @defaultValue 0.3 */
  readonly keep?: number | undefined;
  /** Prompt tokens the model takes. @defaultValue what is known of its family */
  readonly windowTokens?: number | undefined;
  /** What the summary is asked for with. @defaultValue a request for all facts, decisions and open points */
  readonly instructions?: string | undefined;
  /** Takes the place of `threshold` and `keep`. Has to be pure. */
  readonly policy?: CompactionPolicy | undefined;
}

/** A history that was cut: what stands for its beginning. */
export interface Compaction {
  /** What is sent in place of the contents before {@link Compaction.keepFrom}. */
  readonly summary: readonly Content[];
  /** Index of the first content that is still sent. */
  readonly keepFrom: number;
}

/** The policy of a threshold and a share to keep. */
export function thresholdPolicy({ threshold = 0.8, keep = 0.3 }: CompactionOptions): CompactionPolicy {
  return ({ promptTokens, windowTokens, boundaries, tokensFrom }) => {
    if (promptTokens < threshold * windowTokens) return undefined;
    const cuts = boundaries.filter((index) => index > 0);
    // The earliest place that leaves little enough, or the last one there is.
    return cuts.find((index) => tokensFrom(index) <= keep * windowTokens) ?? cuts.at(-1);
  };
}

/** The indices of the user's messages: contents of the user's that answer no call. */
export function boundariesOf(contents: readonly Content[]): number[] {
  const found: number[] = [];
  for (const [index, content] of contents.entries()) {
    const isAnswer = content.parts.some((part) => part.functionResponse !== undefined);
    // What follows an answer directly may be its media.
    const followsAnswer = contents[index - 1]?.parts.some((part) => part.functionResponse !== undefined) ?? false;
    if (content.role === "user" && !isAnswer && !followsAnswer) found.push(index);
  }
  return found;
}

/** @throws {TypeError} Naming the option that cannot work. */
export function checkCompaction(options: CompactionOptions | false | undefined): void {
  if (options === undefined || options === false) return;
  const { threshold = 0.8, keep = 0.3, windowTokens = 1 } = options;
  if (!(threshold > 0 && threshold <= 1))
    throw new TypeError(`compaction.threshold must be a share over 0 and up to 1, got ${threshold}`);
  if (!(keep >= 0 && keep < threshold))
    throw new TypeError(`compaction.keep must be a share below the threshold of ${threshold}, got ${keep}`);
  if (!(windowTokens > 0))
    throw new TypeError(`compaction.windowTokens must be a positive number, got ${windowTokens}`);
}
