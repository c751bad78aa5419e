/** One picture of a film: a WebP of the part that changes, where it goes, and how long it stays. */
export interface Frame {
  /** A still WebP. */
  readonly image: Buffer;
  /** Pixels from the left and the top; even numbers. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly milliseconds: number;
}

/** Pixels of the whole film. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Joins pictures into an animated WebP that repeats forever: each is drawn over those before it.
 *
 * @see https://developers.google.com/speed/webp/docs/riff_container
 */
export function animatedWebp({ width, height }: FrameSize, frames: readonly Frame[]): Buffer {
  const hasAnimation = 0x02;
  const header = Buffer.concat([Buffer.from([hasAnimation, 0, 0, 0]), uint24(width - 1), uint24(height - 1)]);
  const white = [0xff, 0xff, 0xff, 0xff];
  const repeatsForEver = [0, 0];
  const animation = Buffer.from([...white, ...repeatsForEver]);
  const chunks = [chunk("VP8X", header), chunk("ANIM", animation), ...frames.map(frameChunk)];
  const body = Buffer.concat([Buffer.from("WEBP"), ...chunks]);
  return Buffer.concat([Buffer.from("RIFF"), uint32(body.length), body]);
}

function frameChunk({ image, x, y, width, height, milliseconds }: Frame): Buffer {
  const replacesWhatIsBelow = 0x02;
  const place = [x / 2, y / 2, width - 1, height - 1, Math.round(milliseconds)].map(uint24);
  return chunk("ANMF", Buffer.concat([...place, Buffer.from([replacesWhatIsBelow]), ...pixelsOf(image)]));
}

/** The chunks of a still WebP that hold pixels. */
function pixelsOf(image: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 12; at < image.length;) {
    const size = image.readUInt32LE(at + 4);
    const end = at + 8 + size + (size % 2);
    if (["ALPH", "VP8 ", "VP8L"].includes(image.toString("latin1", at, at + 4))) found.push(image.subarray(at, end));
    at = end;
  }
  return found;
}

function chunk(name: string, data: Buffer): Buffer {
  const padding = Buffer.alloc(data.length % 2);
  return Buffer.concat([Buffer.from(name), uint32(data.length), data, padding]);
}

function uint24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntLE(value, 0, 3);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
