/** A text as UTF-16 code units, or lines as numbers. */
export interface Sequence {
  readonly length: number;
  readonly at: (index: number) => number;
}

/** The code units of a text. */
export function unitsOf(text: string): Sequence {
  return { length: text.length, at: (index) => text.charCodeAt(index) };
}

/**
 * Where one sequence occurs in another, without overlaps. Takes time in proportion to the sum of both lengths, for any input;
 * `String.indexOf` can take the product of the lengths.
 *
 * @param max - Most places to return.
 * @see https://en.wikipedia.org/wiki/Knuth-Morris-Pratt_algorithm
 */
export function findSequence(where: Sequence, wanted: Sequence, max: number = Infinity): number[] {
  const places: number[] = [];
  if (wanted.length === 0 || wanted.length > where.length) return places;
  /** For each prefix of `wanted`, the length of its longest proper prefix that is also its suffix. */
  const borders = new Int32Array(wanted.length);
  for (let index = 1, length = 0; index < wanted.length; index++) {
    while (length > 0 && wanted.at(index) !== wanted.at(length)) length = borders[length - 1] as number;
    if (wanted.at(index) === wanted.at(length)) length++;
    borders[index] = length;
  }
  for (let index = 0, length = 0; index < where.length; index++) {
    while (length > 0 && where.at(index) !== wanted.at(length)) length = borders[length - 1] as number;
    if (where.at(index) === wanted.at(length)) length++;
    if (length < wanted.length) continue;
    places.push(index - length + 1);
    if (places.length === max) return places;
    length = 0;
  }
  return places;
}
