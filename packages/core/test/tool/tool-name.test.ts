import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ToolDefinitionError } from "../../src/errors/tool-errors.ts";
import { checkToolName, legalNames } from "../../src/tool/tool-name.ts";

describe("names", () => {
  test.each(["a", "_", "get_weather", "a.b:c-d", "A9", "x".repeat(64)])("%s is taken", (name) => {
    expect(() => checkToolName(name)).not.toThrow();
  });
  test.each(["", "9a", "-a", "a b", "a/b", "å", "x".repeat(65), "a\n", "."])("%j is refused (E-31)", (name) => {
    expect(() => checkToolName(name)).toThrow(ToolDefinitionError);
  });
});

describe("names known only at run time", () => {
  test("legal ones stay, others are replaced and come with a way back", () => {
    const { legalOf, originalOf } = legalNames(["read_file", "fs/read file", "9lives", "", "a".repeat(100)]);
    expect(legalOf.get("read_file")).toBe("read_file");
    expect(legalOf.get("fs/read file")).toMatch(/^fs_read_file_[0-9a-f]{8}$/);
    expect(legalOf.get("9lives")).toMatch(/^_9lives_[0-9a-f]{8}$/);
    expect(legalOf.get("a".repeat(100))).toHaveLength(63);
    for (const [name, legal] of legalOf) expect(originalOf.get(legal)).toBe(name);
  });
  test("every name has its own legal name, whatever the names and their order", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(fc.string({ unit: "binary", maxLength: 90 }), fc.stringMatching(/^[a-c/ ]{0,4}$/))),
        (names) => {
          const { legalOf, originalOf } = legalNames(names);
          expect(legalOf.size).toBe(names.length);
          expect(originalOf.size).toBe(names.length);
          for (const legal of originalOf.keys()) expect(legal).toMatch(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/);
          expect(legalNames(names.toReversed()).legalOf.size).toBe(names.length);
        },
      ),
    );
  });
});
