import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMedia } from "../../src/model/request/check-contents.ts";
import { media, toBase64 } from "../../src/tool/media.ts";

describe("media", () => {
  test.each<[string, Parameters<typeof media>[0], object]>([
    ["bytes", new Uint8Array([104, 105]), { data: "aGk=" }],
    ["a view of bytes", new Uint8Array([0, 104, 105, 0]).subarray(1, 3), { data: "aGk=" }],
    ["a buffer", new Uint8Array([104, 105]).buffer, { data: "aGk=" }],
    ["base64", "aGk=", { data: "aGk=" }],
    ["a data URL", "data:image/png;base64,aGk=", { data: "aGk=" }],
    ["a URL", new URL("https://x.no/a.png"), { fileUri: "https://x.no/a.png" }],
    ["a data URL as URL", new URL("data:image/png;base64,aGk="), { data: "aGk=" }],
  ])("takes %s", (_name, data, expected) => {
    const result = media(data, "image/png");
    expect(result).toEqual({ kind: "@pollux/media", mimeType: "image/png", ...expected });
    expect(isMedia(JSON.parse(JSON.stringify(result)))).toBe(true);
  });
  test.each([
    ["a path", "./a picture.png", "image/png"],
    ["no media type", "aGk=", "png"],
  ])("refuses %s", (_name, data, mimeType) => {
    expect(() => media(data, mimeType)).toThrow(TypeError);
  });
  test.each([
    null,
    1,
    "x",
    {},
    { kind: "@pollux/media" },
    { kind: "@pollux/media", mimeType: "a/b" },
    { kind: "other", mimeType: "a/b", data: "" },
  ])("%j is not media", (value) => {
    expect(isMedia(value)).toBe(false);
  });
});

describe("the media type", () => {
  const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
  test.each<[string, Parameters<typeof media>[0], string]>([
    ["the first bytes", png, "image/png"],
    ["the first bytes behind base64", "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76L", "image/png"],
    ["the first bytes behind URL-safe base64 with line breaks", "_9j_\r\n4AAQSkZJRgAB", "image/jpeg"],
    ["a data URL", "data:text/csv;charset=utf-8;base64,YSxi", "text/csv"],
    ["the end of an address", new URL("https://x.no/a.pdf?b=c.png"), "application/pdf"],
    ["the end of an address in the cloud", "gs://bucket/folder/film.MP4", "video/mp4"],
    ["a page of YouTube", "https://www.youtube.com/watch?v=abc", "video/mp4"],
    ["a short page of YouTube", "https://youtu.be/abc", "video/mp4"],
    ["a file of the Files API", { name: "files/a", uri: "https://x.no/a", mimeType: "audio/mp3" }, "audio/mp3"],
  ])("is seen from %s", (_name, source, mimeType) => {
    expect(media(source)).toMatchObject({ mimeType });
    expect(media(source, { mimeType: "own/type" })).toMatchObject({ mimeType: "own/type" });
  });
  test.each<[string, Parameters<typeof media>[0]]>([
    ["text", new TextEncoder().encode("plain words")],
    ["an address that does not tell", "https://x.no/picture"],
    ["a file that does not tell", { name: "files/a", uri: "https://x.no/a" }],
  ])("has to be given for %s", (_name, source) => {
    expect(() => media(source)).toThrow("cannot detect the media type: pass it as mimeType");
  });
});

describe("a Blob", () => {
  test("is read, and known by its type and its name", async () => {
    expect(await media(new File(["hi"], "a.md"))).toEqual({
      kind: "@pollux/media",
      mimeType: "text/markdown",
      data: "aGk=",
      displayName: "a.md",
    });
    const blob = new Blob(["hi"], { type: "text/html" });
    expect(await media(blob)).toEqual({ kind: "@pollux/media", mimeType: "text/html", data: "aGk=" });
    expect(await media(blob, "text/plain", { displayName: "b" })).toEqual({
      kind: "@pollux/media",
      mimeType: "text/plain",
      data: "aGk=",
      displayName: "b",
    });
  });
  test("without bytes is refused", async () => {
    await expect(media(new Blob([], { type: "text/plain" }))).rejects.toThrow("the source has no bytes");
  });
});

describe("options", () => {
  test("are written as the wire has them", () => {
    const options = {
      mediaResolution: "MEDIA_RESOLUTION_ULTRA_HIGH",
      videoMetadata: { startOffset: 10, endOffset: 20.5, fps: 0.1 },
      displayName: "film",
    } as const;
    expect(media("gs://bucket/a.mp4", options)).toEqual({
      kind: "@pollux/media",
      mimeType: "video/mp4",
      fileUri: "gs://bucket/a.mp4",
      displayName: "film",
      mediaResolution: { level: "MEDIA_RESOLUTION_ULTRA_HIGH" },
      videoMetadata: { startOffset: "10s", endOffset: "20.5s", fps: 0.1 },
    });
  });
  test.each([
    [0, "0s"],
    [100, "100s"],
    [1e-7, "0.0000001s"],
    [1 / 3, "0.333333333s"],
  ])("%d seconds are %s", (startOffset, written) => {
    expect(media("gs://b/a.mp4", { videoMetadata: { startOffset } }).videoMetadata).toEqual({ startOffset: written });
  });
  test.each([
    [{ fps: 0 }, "videoMetadata.fps must be frames per second above 0 and up to 24, got 0"],
    [{ fps: 25 }, "videoMetadata.fps must be frames per second above 0 and up to 24, got 25"],
    [{ startOffset: -1 }, "videoMetadata.startOffset must be seconds from the start, got -1"],
    [{ endOffset: Number.NaN }, "videoMetadata.endOffset must be seconds from the start, got NaN"],
    [{ startOffset: 5, endOffset: 5 }, "endOffset must be after startOffset"],
    [{ endOffset: 0 }, "endOffset must be after startOffset"],
  ])("%j are refused", (videoMetadata, message) => {
    expect(() => media("gs://b/a.mp4", { videoMetadata })).toThrow(message);
  });
});

test.each<[string, Parameters<typeof media>[0], string]>([
  ["no bytes", new Uint8Array(), "the source has no bytes"],
  ["an empty text", "", "the source has no bytes"],
  ["a file that failed", { name: "files/a", uri: "u", mimeType: "a/b", state: "FAILED" }, "could not process files/a"],
  [
    "a file without an address",
    { name: "files/a", uri: "" },
    "the source must be bytes, base64, a URL, a Blob, or an uploaded file",
  ],
  ["a data: URL without base64", "data:text/plain,hello", "a data: URL must be in base64"],
  ["a blob: URL", "blob:https://example.com/1", "only this page can read a blob: URL"],
  ["an address that the service cannot read", "ftp://example.com/a.png", "the service cannot read ftp: URLs"],
  ["such an address as URL", new URL("ws://example.com/a.png"), "the service cannot read ws: URLs"],
  ["a text that is nothing of the kind", "Hello, world!", "the text is not base64"],
])("media of %s is refused", (_name, source, message) => {
  expect(() => media(source, "image/png")).toThrow(TypeError);
  expect(() => media(source, "image/png")).toThrow(message);
});

test("base64 is the standard one, natively and without", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const expected = Buffer.from(bytes).toString("base64");
      expect(toBase64(bytes)).toBe(expected);
      const plain = Object.assign(new Uint8Array(bytes), { toBase64: undefined });
      expect(toBase64(plain)).toBe(expected);
    }),
  );
  const large = Object.assign(new Uint8Array(200_001).fill(7), { toBase64: undefined });
  expect(toBase64(large)).toBe(Buffer.from(new Uint8Array(200_001).fill(7)).toString("base64"));
});

test.each<string | URL>([
  "./cat.png",
  "../pictures/cat.png",
  "cat.png",
  "/home/ann/cat.png",
  "~/cat.png",
  "pictures/my cat.png",
  "C:\\Users\\ann\\cat.png",
  "pictures\\cat.png",
  "file:///home/ann/cat.png",
  new URL("file:///home/ann/cat.png"),
])("the path %s says how to read the file", (path) => {
  expect(() => media(path, "image/png")).toThrow(
    new TypeError(
      `media(): ${JSON.stringify(String(path))} is a path; read the file: await media(await fileFromPath(…)), with fileFromPath from "@pollux/core/node"`,
    ),
  );
});

test("base64 that begins like a path is no path", () => {
  expect(media("/9j/4AAQSkZJRgAB")).toMatchObject({ mimeType: "image/jpeg", data: "/9j/4AAQSkZJRgAB" });
});
