import type { Part } from "@pollux/core/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSigner } from "../src/signatures.ts";

const parts: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ text: fc.string() }),
  fc.record({ functionCall: fc.record({ name: fc.string(), args: fc.dictionary(fc.string(), fc.jsonValue()) }) }),
);

test("a signature is recognized after a restart with the same seed, in either alphabet, and bound to its part", () => {
  fc.assert(
    fc.property(parts, parts, fc.string(), (part, other, seed) => {
      const signature = createSigner(seed).sign(part, "gemini-3");
      const restarted = createSigner(seed);
      expect(signature.length).toBeGreaterThanOrEqual(200);
      expect(signature.length).toBeLessThanOrEqual(1500);
      expect(restarted.check(signature, { ...part, thoughtSignature: signature }, "gemini-3")).toBe("issued");
      expect(
        restarted.check(signature.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""), part, "gemini-3"),
      ).toBe("issued");
      expect(restarted.check(signature, part, "gemini-4")).toBe("foreign");
      expect(createSigner(`${seed}!`).check(signature, part, "gemini-3")).toBe("foreign");
      if (JSON.stringify(part) !== JSON.stringify(other))
        expect(restarted.check(signature, { text: `${JSON.stringify(other)}!` }, "gemini-3")).toBe("moved");
    }),
    { numRuns: 50 },
  );
});

test("key order and a stripped id do not matter, a changed argument does", () => {
  const signer = createSigner("seed");
  const signature = signer.sign({ functionCall: { name: "f", args: { a: 1, b: [2] }, id: "x" } }, "gemini-3");
  const check = (part: Part): string => signer.check(signature, part, "gemini-3");
  expect(check({ functionCall: { args: { b: [2], a: 1 }, name: "f" } })).toBe("issued");
  expect(check({ functionCall: { name: "f", args: { a: 1, b: [3] } } })).toBe("moved");
});

test.each(["", "abc", "not base64 !", Buffer.alloc(400, 7).toString("base64")])("%j is foreign", (signature) => {
  expect(createSigner("seed").check(signature, { text: "a" }, "gemini-3")).toBe("foreign");
});

test("a changed byte makes a signature foreign", () => {
  const signer = createSigner("seed");
  const bytes = Buffer.from(signer.sign({ text: "a" }, "gemini-3"), "base64");
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  expect(signer.check(bytes.toString("base64"), { text: "a" }, "gemini-3")).toBe("foreign");
});
