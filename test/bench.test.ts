import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { measure } from "./support/run-bench.ts";

// `bench.system.test.ts` has their measurements and refusals.

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
});
