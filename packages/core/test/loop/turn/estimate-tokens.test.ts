import { describe, expect, test } from "vitest";
import { estimateTokens } from "../../../src/loop/turn/compaction.ts";
import type { Part } from "../../../src/wire/types/content.ts";

const of = (...parts: Part[]): number => estimateTokens([{ role: "user", parts }]);

describe("the estimate of a prompt", () => {
  test.each<[string, number, Part]>([
    ["English text", 25, { text: "a".repeat(100) }],
    ["text in a dense script", 4, { text: "東京天気" }],
    ["mixed text", 6, { text: "東京天気 weather" }],
    ["an image", 258, { inlineData: { mimeType: "image/png", data: "A".repeat(4_000) } }],
    ["a long recording", 6_400, { inlineData: { mimeType: "audio/wav", data: "A".repeat(4_266_667) } }],
    ["a file whose size nobody knows", 258, { fileData: { fileUri: "u", mimeType: "image/png" } }],
    ["a call", 12, { functionCall: { name: "get_weather", args: { city: "Oslo" } } }],
  ])("counts %s", (_name, tokens, part) => {
    expect(Math.abs(of(part) - tokens)).toBeLessThanOrEqual(2);
  });

  test("does not count signatures", () => {
    expect(of({ text: "abcd", thoughtSignature: "x".repeat(4_000) })).toBe(1);
  });
});
