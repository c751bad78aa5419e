import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBase64 } from "../../src/tool/base64.ts";
import { isMedia, media } from "../../src/tool/media.ts";

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
