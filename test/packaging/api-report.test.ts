import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { allApiReports, apiReportFiles } from "../../scripts/api-report.ts";
import { apiReports } from "../../scripts/api/report.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const reports = await allApiReports();

describe("the public surface", () => {
  test.each(reports.map(({ file, text }) => [relative(root, file), file, text] as const))(
    "is what %s shows; after a change, run `npx pnpm@12.21.0 api:report`",
    (_path, file, text) => {
      expect(existsSync(file) ? readFileSync(file, "utf8") : "").toBe(text);
    },
  );

  test("has no report of an entry point that is gone", () => {
    expect(apiReportFiles().toSorted()).toEqual(reports.map(({ file }) => file).toSorted());
  });
});

describe("a report", () => {
  test("shows each export with its full type, without comments and bodies", async () => {
    const report = await reportOn({
      "index.ts": `export { add, type Sum as Total } from "./sum.ts"; export const VERSION = "1.0";`,
      "sum.ts": `
        /** A sum. */
        export interface Sum { /** In cents. */ readonly value: number; /** @internal */ readonly secret: string }
        export function add(one: number, other: number): Sum;
        export function add(numbers: readonly number[]): Sum;
        export function add(): Sum { return { value: 0, secret: "" }; }
        export const notExported: number = 1;
      `,
    });
    expect(report).toBe(`interface Sum {
  readonly value: number;
}
export { Sum as Total };

export declare const VERSION = "1.0";

export declare function add(one: number, other: number): Sum;
export declare function add(numbers: readonly number[]): Sum;
`);
  });

  test("shows the types that an export uses, and where those of other packages are from", async () => {
    const report = await reportOn({
      "index.ts": `export { open } from "./open.ts";`,
      "open.ts": `
        import type * as fs from "node:fs";
        import type { Tool as AnyTool } from "tools";
        import type { Mode } from "./mode.ts";
        import type { Unused } from "unused";
        export function open(tool: AnyTool, mode: Mode, Unused: fs.Stats): void { throw Unused; }
      `,
      "mode.ts": `export type Mode = Letter | undefined; type Letter = "r" | "w";`,
    });
    expect(report).toBe(`import type * as fs from "node:fs";
import type { Tool as AnyTool } from "tools";

export declare function open(tool: AnyTool, mode: Mode, Unused: fs.Stats): void;

// Used above, not exported.

type Letter = "r" | "w";

type Mode = Letter | undefined;
`);
  });

  test("can't be written where names are not listed", async () => {
    const sources = { "index.ts": `export * from "./all.ts";`, "all.ts": `export type All = string;` };
    await expect(reportOn(sources)).rejects.toThrow(/index\.ts: export each name by itself, not by `\*` or `default`$/);
  });

  test("shows a name that several entry points export once", async () => {
    const folder = folderOf({
      "index.ts": `export type { Shared } from "./shared.ts"; export type { Late } from "./late.ts";`,
      "more.ts": `export type { Shared } from "./shared.ts"; export type { Base } from "./late.ts";`,
      "shared.ts": `export type Shared = string;`,
      "late.ts": `export type Base = number; export type Late = Base[];`,
    });
    const texts = await apiReports([
      { specifier: "pack", file: join(folder, "index.ts") },
      { specifier: "pack/more", file: join(folder, "more.ts") },
    ]);
    expect(texts.map(codeOf)).toEqual([
      `import type { Base } from "pack/more";\n\nexport type Late = Base[];\n\nexport type Shared = string;\n`,
      `export { Shared } from "pack";\n\nexport type Base = number;\n`,
    ]);
  });
});

/** The report on a package with these sources, without its heading. */
async function reportOn(sources: Readonly<Record<string, string>>): Promise<string> {
  const [text = ""] = await apiReports([{ specifier: "pack", file: join(folderOf(sources), "index.ts") }]);
  return codeOf(text);
}

function codeOf(text: string): string {
  return /^```ts\n([^]*)^```$/m.exec(text)?.[1] ?? "";
}

function folderOf(sources: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "pollux-api-report-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(sources)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}
