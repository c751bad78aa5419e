import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeDocsPage } from "../bench/docs-page.ts";
import { measure } from "./support/run-bench.ts";

// What they measure, and what they refuse: `bench.system.test.ts`.

const root = fileURLToPath(new URL("..", import.meta.url));
const isBuilt = existsSync(join(root, "packages/core/dist/index.js"));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pollux-bench-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the benchmarks", () => {
  test.skipIf(!isBuilt)("leave out a driver that says it cannot take part", async () => {
    const file = join(folder, "absent.mjs");
    writeFileSync(file, "export const unavailable = 'not in this build';\n");
    const { status, report } = await measure("--metrics", "stream", "--drivers", `raw,${file}`);
    const absence = { rows: ["stream"], driver: "absent", reason: "not in this build", isFailure: false };
    expect({ status, absences: report.absences }).toEqual({ status: 0, absences: [absence] });
  });

  test("write their figures between the markers of a page, again and again", () => {
    const page = join(folder, "page.md");
    const marked = (text: string): string =>
      `# A\n\n<!-- figures: written by \`pnpm bench --docs\` -->\n\n${text}\n\n<!-- end of figures -->\n\nB\n`;
    writeFileSync(page, marked("old"));
    writeDocsPage("new\n", page);
    writeDocsPage("newer\n", page);
    expect(readFileSync(page, "utf8")).toBe(marked("newer"));
    writeFileSync(page, "no markers");
    expect(() => writeDocsPage("new", page)).toThrow("needs the lines");
    expect(readFileSync(join(root, "docs/benchmarks.md"), "utf8")).toContain("<!-- end of figures -->");
  });
});
