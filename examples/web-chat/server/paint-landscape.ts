import { crc32, deflateSync } from "node:zlib";
import type { Part } from "@pollux/core/wire";

const WIDTH = 640;
const HEIGHT = 360;

type Color = readonly [red: number, green: number, blue: number];

const DUSK: readonly [Color, Color] = [
  [40, 44, 92],
  [244, 162, 110],
];
const HILLS: readonly Color[] = [
  [98, 84, 126],
  [64, 58, 100],
  [34, 34, 66],
];

/** Hills at dusk, a little different for each prompt. Drawn here, since the emulator has no model. */
export function paintLandscape(prompt: string): Part {
  const seed = Array.from(prompt).reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997, 7);
  const rows = Buffer.alloc(HEIGHT * (WIDTH * 3 + 1));
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) rows.set(colorAt(x, y, seed), y * (WIDTH * 3 + 1) + 1 + x * 3);
  }
  return { inlineData: { mimeType: "image/png", data: pngOf(rows).toString("base64") } };
}

function colorAt(x: number, y: number, seed: number): Color {
  const hill = HILLS.findLastIndex((_color, index) => y > crestAt(x, index, seed));
  const color = HILLS[hill];
  if (color !== undefined) return color;
  const fromSun = Math.hypot(x - 120 - (seed % 400), y - 170);
  if (fromSun < 34) return [255, 226, 176];
  const share = Math.min(1, y / 240);
  const glow = Math.max(0, 1 - fromSun / 260) * 40;
  return [0, 1, 2].map((channel) => {
    const [top = 0, bottom = 0] = DUSK.map((one) => one[channel] ?? 0);
    return Math.min(255, Math.round(top + (bottom - top) * share + glow));
  }) as unknown as Color; // three channels
}

function crestAt(x: number, hill: number, seed: number): number {
  const wave = Math.sin(x / (70 - hill * 12) + seed + hill * 2) * 22 + Math.sin(x / 31 + seed * hill) * 8;
  return 205 + hill * 48 + wave;
}

function pngOf(rows: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  // Eight bits per channel, red, green and blue.
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([frame.subarray(0, 4), named, frame.subarray(4)]);
}
