/**
 * Random numbers from 0 up to 1, the same for the same seed on every machine: Chris Doty-Humphrey's sfc32. Not for secrets.
 *
 * @param seed any text, such as `support/policy/3`
 */
export function seededRandom(seed: string): () => number {
  let a = hash(seed, 0x9e3779b9);
  let b = hash(seed, 0x243f6a88);
  let c = hash(seed, 0xb7e15162);
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  // The first rounds still resemble the seed.
  for (let round = 0; round < 15; round++) next();
  return next;
}

/** FNV-1a over UTF-16 code units. */
function hash(text: string, offset: number): number {
  let value = offset;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}
