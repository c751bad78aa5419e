/** Cuts a body into network chunks. */
export type Cutter = (body: Uint8Array) => readonly Uint8Array[];

/** Set `POLLUX_SEED` for other cuts. */
export const SEED: string = process.env["POLLUX_SEED"] ?? "20261124";

/** Cuts anywhere, even inside a character or between CR and LF; the same name and {@link SEED} give the same cuts. */
export function byteCutter(name: string): Cutter {
  const random = randomNumbers(`${SEED} ${name}`);
  return (body) => {
    const pieces: Uint8Array[] = [];
    // From one byte at a time to a few pieces in total.
    const mean = Math.max(1 + random() ** 3 * (body.length / 2), body.length / 400);
    for (let at = 0; at < body.length;) {
      const end = at + 1 + Math.floor(random() * 2 * mean);
      pieces.push(body.slice(at, end));
      at = end;
    }
    return pieces;
  };
}

/** Mulberry32 from an FNV-1a hash of the text: numbers from 0 to 1. */
function randomNumbers(seed: string): () => number {
  let state = 0x811c9dc5;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
