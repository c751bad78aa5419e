import { describe, expect, test } from "vitest";
import { parseEssence, findExtension, detectMimeType, guessMimeType } from "../../src/internal/mime-type.ts";

const latin = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe("the media type by first bytes", () => {
  test.each([
    ["\x89PNG\r\n\x1a\n\0\0", "image/png"],
    ["\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"],
    ["RIFF\x24\0\0\0WEBPVP8 ", "image/webp"],
    ["\0\0\0\x18ftypheic\0\0", "image/heic"],
    ["\0\0\0\x18ftypmif1\0\0", "image/heif"],
    ["\0\0\0\x18ftypavif\0\0", "image/avif"],
    ["GIF89a\x01\0", "image/gif"],
    ["%PDF-1.7\n", "application/pdf"],
    ["RIFF\x24\n\0\0WAVEfmt ", "audio/wav"],
    ["ID3\x04\0", "audio/mp3"],
    ["\xff\xfb\x90\x64", "audio/mp3"],
    ["fLaC\0\0", "audio/flac"],
    ["OggS\0\x02", "audio/ogg"],
    ["\xff\xf1\x50\x80", "audio/aac"],
    ["\xff\xf9\x50\x80", "audio/aac"],
    ["\0\0\0\x1cftypM4A \0\0", "audio/m4a"],
    ["\0\0\0\x18ftypisom\0\0", "video/mp4"],
    ["\0\0\0\x14ftypqt  \0\0", "video/mov"],
    ["\0\0\0\x18ftyp3gp4\0\0", "video/3gpp"],
    ["\x1aE\xdf\xa3\x9f", "video/webm"],
    ["\0\0\x01\xba\x44", "video/mpeg"],
    ["RIFF\x24\0\0\0AVI LIST", "video/x-msvideo"],
    ["plain words", undefined],
    ["\xff\xfea\0b\0", undefined],
    ["", undefined],
    ["\xff", undefined],
  ])("of %j is %s", (start, expected) => {
    expect(detectMimeType(latin(start))).toBe(expected);
  });
});

describe("the media type by name", () => {
  test.each([
    ["a.PNG", "image/png"],
    ["/a.b/c.jpeg", "image/jpeg"],
    ["talk.mp3", "audio/mp3"],
    ["notes.md", "text/markdown"],
    ["page.htm", "text/html"],
    ["data.json", "application/json"],
    ["table.csv", "text/csv"],
    ["a.txt", "text/plain"],
    ["film.mov", "video/mov"],
    ["film.mpg", "video/mpeg"],
    ["film.flv", "video/x-flv"],
    ["letter.rtf", "text/rtf"],
    ["a.unknown", undefined],
    ["txt", undefined],
    ["", undefined],
  ])("of %j is %s", (name, expected) => {
    expect(guessMimeType(name)).toBe(expected);
  });
});

test.each([
  ["image/jpeg", "jpg"],
  ["IMAGE/PNG; q=1", "png"],
  ["audio/mpeg", "mp3"],
  ["video/quicktime", "mov"],
  ["video/x-flv", "flv"],
  ["text/rtf", "rtf"],
  ["text/plain;charset=utf-8", "txt"],
  ["application/x-own", "bin"],
  ["../../etc", "bin"],
])("files of %s end in .%s", (mimeType, extension) => {
  expect(findExtension(mimeType)).toBe(extension);
});

test.each(["constructor", "__proto__"])("a type that names a member of every object is unknown: %s", (mimeType) => {
  expect(findExtension(mimeType)).toBe("bin");
});

test("the essence of a media type is without its parameters", () => {
  expect(parseEssence("Text/Plain ; charset=utf-8")).toBe("text/plain");
});
