import { createRandom } from "../internal/random.ts";

/**
 * A vector of length 1 for a text. The same words give the same vector on every machine, and texts that share words are
 * closer to each other than texts that share none.
 */
export function embed(text: string, dimensions: number): number[] {
  const sums = Array.from({ length: dimensions }, () => 0);
  for (const word of text.toLowerCase().match(/[\p{L}\d]+/gu) ?? [text]) {
    const random = createRandom(`word ${word}`);
    for (let index = 0; index < dimensions; index += 1) sums[index] = (sums[index] ?? 0) + random.next() - 0.5;
  }
  const length = Math.hypot(...sums) || 1;
  return sums.map((value) => Number((value / length).toPrecision(8)));
}
