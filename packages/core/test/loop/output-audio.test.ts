import { OutputAudio } from "@pollux/core";
import { describe, expect, test } from "vitest";

const base64 = (...bytes: number[]): string => Buffer.from(bytes).toString("base64");
/** What a WAV reader finds in a file. */
function readWav(file: Uint8Array<ArrayBuffer>): object {
  const view = new DataView(file.buffer);
  const text = (at: number): string => String.fromCharCode(...file.subarray(at, at + 4));
  return {
    names: [text(0), text(8), text(12), text(36)],
    sizes: [view.getUint32(4, true), view.getUint32(16, true), view.getUint32(40, true)],
    format: view.getUint16(20, true),
    channels: view.getUint16(22, true),
    rate: view.getUint32(24, true),
    bytesPerSecond: view.getUint32(28, true),
    frame: view.getUint16(32, true),
    bits: view.getUint16(34, true),
    samples: Array.from({ length: (file.length - 44) / 2 }, (_, index) => view.getInt16(44 + index * 2, true)),
  };
}

test("raw samples become a WAV file, whatever the padding of their pieces", () => {
  // As recorded: little-endian, or else the speech would begin with a bang.
  const pieces = [base64(0xfd, 0xff, 0xfa, 0xff), base64(1, 0), base64(0x80, 1, 6, 0, 4, 0)];
  const sound = new OutputAudio({ mimeType: "audio/L16;codec=pcm;rate=24000", pieces });
  expect(JSON.parse(JSON.stringify(sound))).toEqual({
    mimeType: "audio/L16;codec=pcm;rate=24000",
    pieces,
    rate: 24_000,
    channels: 1,
    durationMs: 0,
  });
  expect([...sound.bytes]).toEqual([0xfd, 0xff, 0xfa, 0xff, 1, 0, 0x80, 1, 6, 0, 4, 0]);
  expect(readWav(sound.toWav())).toEqual({
    names: ["RIFF", "WAVE", "fmt ", "data"],
    sizes: [36 + 12, 16, 12],
    format: 1,
    channels: 1,
    rate: 24_000,
    bytesPerSecond: 48_000,
    frame: 2,
    bits: 16,
    samples: [-3, -6, 1, 384, 6, 4],
  });
});

test.each([
  ["audio/L16;codec=pcm;rate=24000", 24_000, 1, 1_000],
  ["audio/pcm; rate=16000; channels=2", 16_000, 2, 750],
  ["audio/l16", 24_000, 1, 1_000],
])("%s has a rate, channels and a duration", (mimeType, rate, channels, durationMs) => {
  const second = Buffer.alloc(48_000).toString("base64");
  const sound = new OutputAudio({ mimeType, pieces: [second] });
  expect(sound).toMatchObject({ rate, channels, durationMs });
  expect(readWav(sound.toWav())).toMatchObject({
    rate,
    channels,
    frame: 2 * channels,
    bytesPerSecond: 2 * rate * channels,
  });
});

describe.each(["audio/mp3", "audio/ogg;codecs=opus", "audio/wav", "audio/L24;rate=48000"])("%s", (mimeType) => {
  test("is handed through as it came", () => {
    const sound = new OutputAudio({ mimeType, pieces: ["SUQz_-8"] });
    expect(JSON.parse(JSON.stringify(sound))).toEqual({ mimeType, pieces: ["SUQz_-8"] });
    expect([...sound.toWav()]).toEqual([0x49, 0x44, 0x33, 0xff, 0xef]);
  });
});

test("is decoded only when it is asked for", () => {
  const sound = new OutputAudio({ mimeType: "audio/L16;rate=24000", pieces: ["not base64!"] });
  expect(() => sound.bytes).toThrow();
});
