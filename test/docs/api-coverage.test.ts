import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MESSAGES } from "../../packages/emulator/src/validate/descriptors.ts";
import { readPage, ROOT } from "./support/pages.ts";

/** The rows of a section's tables, by column. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const section = readPage("docs/api-coverage.md")
    .split(/^## /m)
    .find((text) => text.startsWith(`${heading}\n`));
  return [...(section ?? "").matchAll(/^\| (.+) \|$/gm)]
    .map(([, row = ""]) => row.split(" | ").map((cell) => cell.trim()))
    .filter(([first = ""]) => !/^(?:-+|endpoint|service|kind|message|field)$/.test(first));
}

const codesIn = (cell: string): string[] => [...cell.matchAll(/`(.+?)`/g)].map(([, code = ""]) => code);

const SECTIONS = ["Endpoints", "Services", "Models", "Fields of requests", "Fields of answers"];
const all = SECTIONS.flatMap((heading) => rowsOf(heading).map((row) => ({ row, what: row[0] ?? "" })));

/** The fields in a message's rows, with the places where they work. */
const listed = new Map<string, string[]>();
for (const [message = "", fields = ""] of rowsOf("Fields of requests")) {
  const name = codesIn(message)[0] ?? "";
  const found = [...fields.matchAll(/`(\w+)`( \([DV]\))?/g)].map(([, field = "", place = ""]) => field + place);
  listed.set(name, [...(listed.get(name) ?? []), ...found]);
}

describe("the page of what the API offers", () => {
  test("has a date, and an answer in every row", () => {
    expect(readPage("docs/api-coverage.md")).toMatch(/^State of \d{1,2} [A-Z][a-z]+ 20\d\d,/m);
    for (const heading of SECTIONS) expect(rowsOf(heading).length, heading).toBeGreaterThan(5);
    for (const { row, what } of all) {
      expect(["yes", "passes through", "no"], what).toContain(row.at(-2));
      expect(row.at(-1), what).not.toBe("");
    }
  });

  const messages = Object.entries(MESSAGES).filter(([, fields]) => Object.keys(fields).length > 0);
  test.each(messages)("lists the fields of %s that the emulator accepts, and no others", (message, fields) => {
    const accepted = Object.entries(fields).map(([field, type]) => {
      if (type.includes("@developer")) return `${field} (D)`;
      return type.includes("@vertex") ? `${field} (V)` : field;
    });
    expect(listed.get(message)?.toSorted()).toEqual(accepted.toSorted());
  });

  test("says no to messages that the emulator doesn't know", () => {
    const others = rowsOf("Fields of requests").filter(([message = ""]) => {
      const [name = ""] = codesIn(message);
      return !(name in MESSAGES);
    });
    expect(others.filter((row) => row.at(-2) !== "no")).toEqual([]);
  });

  test("names fields of answers that the wire types have", () => {
    const types = filesOf("packages/core/src/wire/types");
    const fields = rowsOf("Fields of answers").flatMap(([field = ""]) => codesIn(field));
    expect(fields.length).toBeGreaterThan(40);
    expect(fields.filter((field) => !new RegExp(String.raw`\b${field}\b`).test(types))).toEqual([]);
  });

  const rows = all
    .filter(({ row }) => row.at(-2) !== "no")
    .flatMap(({ row, what }) => codesIn(row.at(-1) ?? "").map((code) => ({ what, code })));
  test.each(rows)("$what: $code exists", ({ code }) => {
    if (code.startsWith("@pollux/")) {
      const [, name = "", subpath] = code.split("/");
      const manifest = JSON.parse(readPage(`packages/${name}/package.json`)) as { readonly exports: object };
      expect(Object.keys(manifest.exports)).toContain(subpath === undefined ? "." : `./${subpath}`);
    } else for (const word of code.match(/\w+/g) ?? []) expect(declared, code).toContain(word);
  });
});

/** Names of Google's SDK, which are not Pollux's. */
const THEIRS = ["outputMimeType", "outputCompressionQuality"];

/** All declarations in the sources of core and of the ready-made tools: exports, and members of types and classes. */
const declared = new Set([
  ...[
    ...`${filesOf("packages/core/src")}${filesOf("packages/tools/src")}`.matchAll(
      /(?:^ {2}|\breadonly |\bexport )(?:(?:readonly|async|get|function\*?|class|const|interface|type) )*(\w+)/gm,
    ),
  ].map(([, name = ""]) => name),
  ...THEIRS,
]);

function filesOf(folder: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(ROOT, folder, file), "utf8"))
    .join("\n");
}
