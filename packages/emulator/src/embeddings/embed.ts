import { createRandom } from "../internal/random.ts";

/** Values in a whole vector; a shorter vector is its beginning. */
export const DIMENSIONS = 3072;

/** Weight of a trigram of a word; the word itself weighs 1. */
const TRIGRAM_WEIGHT = 0.25;
/** Words of up to three letters are mostly grammar. */
const SHORT_WEIGHT = 0.2;

/** The input of a vector: a word counts as a whole and by its letters, media only as a whole. */
export interface EmbeddedText {
  readonly text: string;
  readonly media: readonly string[];
}

/**
 * A vector for a text. The same text gives the same vector on every machine; texts that share words are closer to each other than
 * texts that share none, and words that share letters are closer than others.
 *
 * @param normalized - False gives a vector with fewer than {@link DIMENSIONS} values about the norm that the beginning of a whole vector has.
 */
export function embed(input: EmbeddedText, dimensions: number, normalized: boolean): number[] {
  const sums = new Float64Array(dimensions);
  for (const [feature, weight] of featuresOf(input)) addFeature(sums, feature, weight);
  const scale = (normalized ? 1 : Math.sqrt(dimensions / DIMENSIONS)) / (Math.hypot(...sums) || 1);
  return Array.from(sums, (value) => Number((value * scale).toPrecision(8)));
}

function featuresOf({ text, media }: EmbeddedText): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  const add = (feature: string, weight: number): void => {
    weights.set(feature, (weights.get(feature) ?? 0) + weight);
  };
  for (const item of media) add(`media ${item}`, 1);
  for (const word of text.toLowerCase().match(/[\p{L}\p{M}\d]+/gu) ?? []) {
    const letters = Array.from(word);
    if (letters.length <= 3) add(`word ${word}`, SHORT_WEIGHT);
    else {
      add(`word ${word}`, 1);
      for (let at = 0; at + 3 <= letters.length; at++)
        add(`letters ${letters.slice(at, at + 3).join("")}`, TRIGRAM_WEIGHT);
    }
  }
  if (weights.size === 0) add(`text ${text}`, 1);
  return weights;
}

/** Adds a feature's own direction: 32 signs per random number. */
function addFeature(sums: Float64Array, feature: string, weight: number): void {
  const random = createRandom(feature);
  for (let start = 0; start < sums.length; start += 32) {
    const bits = Math.floor(random.next() * 2 ** 32);
    const end = Math.min(start + 32, sums.length);
    for (let index = start; index < end; index++)
      sums[index] = (sums[index] ?? 0) + ((bits >>> (index - start)) & 1 ? weight : -weight);
  }
}
