import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const page = fileURLToPath(new URL("../../docs/guides/capabilities.md", import.meta.url));

/** The rows that name a program: capability, code, and the program's file. */
const rows = [...readFileSync(page, "utf8").matchAll(/^\| (.+?) +\| `(.+?)` +\| \[[\w-]+\]\((.+?)\) +\|$/gm)].map(
  ([, capability = "", code = "", file = ""]) => ({ capability, code, file: join(dirname(page), file) }),
);

/** Rows that the table must have. */
const NEEDED = [
  "thinking level",
  "thinking budget",
  "streaming",
  "system instruction",
  "JSON mode",
  "JSON schema",
  "Google Search",
  "Google Maps",
  "code execution",
  "image output",
  "multimodal input",
  "function calling",
  "safety settings",
  "`x-goog-api-key` and Bearer",
  "`finishReason`",
  "`safetyRatings`",
  "`citationMetadata`",
  "`groundingMetadata`: chunks",
  "`groundingMetadata`: supports",
  "`avgLogprobs`",
  "`modelVersion`",
  "`responseId`",
  "`createTime`",
  "`promptTokenCount`",
  "`candidatesTokenCount`",
  "`thoughtsTokenCount`",
  "`totalTokenCount`",
  "`promptTokensDetails`",
  "`trafficType`",
];

describe("the page of capabilities", () => {
  test("has a row for each", () => {
    const names = rows.map(({ capability }) => capability);
    expect(names).toEqual(expect.arrayContaining(NEEDED));
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(rows)("$capability: the program holds the code as it is shown", ({ code, file }) => {
    expect(plain(readFileSync(file, "utf8"))).toContain(plain(code));
  });
});

/** Code without what a formatter may change. */
function plain(code: string): string {
  return code
    .replaceAll(/\s+/g, " ")
    .replaceAll(/,(?= ?[\])}])/g, "")
    .replaceAll(/([([{]) | (?=[)\]}])/g, "$1");
}
