import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { animatedWebp } from "../../scripts/film/animated-webp.ts";
import { ROOT } from "../../site/src/repository.ts";

// The smallest still WebP: one pixel, without loss.
const PIXEL = Buffer.from("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==", "base64");

/** The chunks of a RIFF file, with name and data. */
function chunksOf(file: Buffer): readonly { readonly name: string; readonly data: Buffer }[] {
  const found = [];
  for (let at = 12; at < file.length;) {
    const size = file.readUInt32LE(at + 4);
    found.push({ name: file.toString("latin1", at, at + 4), data: file.subarray(at + 8, at + 8 + size) });
    at += 8 + size + (size % 2);
  }
  return found;
}

test("pictures are joined in order, each in its place and for its time", () => {
  const part = { image: PIXEL, width: 1, height: 1 };
  const frames = [
    { ...part, x: 0, y: 0, milliseconds: 90 },
    { ...part, x: 300, y: 4, milliseconds: 1_400 },
  ];
  const film = animatedWebp({ width: 960, height: 640 }, frames);
  expect(film.toString("latin1", 0, 4) + film.toString("latin1", 8, 12)).toBe("RIFFWEBP");
  expect(film.readUInt32LE(4)).toBe(film.length - 8);
  const [head, animation, ...shown] = chunksOf(film);
  expect(head?.name).toBe("VP8X");
  expect([head?.data.readUIntLE(4, 3), head?.data.readUIntLE(7, 3)]).toEqual([959, 639]);
  expect(animation?.name).toBe("ANIM");
  const places = shown.map(({ name, data }) => [
    name,
    data.readUIntLE(0, 3),
    data.readUIntLE(3, 3),
    data.readUIntLE(12, 3),
  ]);
  expect(places).toEqual([
    ["ANMF", 0, 0, 90],
    ["ANMF", 150, 2, 1_400],
  ]);
  for (const { data } of shown) expect(data.subarray(16).equals(PIXEL.subarray(12))).toBe(true);
});

test.each(["web-chat", "inspector"])("the film of %s takes ten seconds or so", (name) => {
  const frames = chunksOf(readFileSync(`${ROOT}/docs/images/${name}.webp`)).filter((chunk) => chunk.name === "ANMF");
  const seconds = frames.reduce((sum, { data }) => sum + data.readUIntLE(12, 3), 0) / 1_000;
  expect(seconds).toBeGreaterThan(5);
  expect(seconds).toBeLessThan(25);
});
