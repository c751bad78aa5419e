import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { driversAgainst } from "../bench/against.ts";
import { driverOf } from "../bench/drivers.ts";
import { readOptions } from "../bench/options.ts";
import { bench, measure } from "./support/run-bench.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const raw = JSON.stringify(pathToFileURL(join(root, "bench/drivers/raw.mjs")).href);
const isBuilt = existsSync(join(root, "packages/core/dist/index.js"));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pollux-bench-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the benchmarks", () => {
  test("prove for each row that all drivers did the same work", async () => {
    const { status, report, stdout } = await measure(
      "--metrics",
      "loop,history,stream,chunk,many",
      "--drivers",
      "raw,raw-cached,raw-http",
    );
    expect({ status, absences: report.absences }).toEqual({ status: 0, absences: [] });
    expect(Object.fromEntries(report.rows.map(({ id, figures }) => [id, figures.map(({ driver }) => driver)]))).toEqual(
      {
        loop: ["raw", "raw-cached", "raw-http"],
        "loop-memory": ["raw", "raw-cached", "raw-http"],
        "loop-unary": ["raw"],
        "history-2": ["raw", "raw-cached", "raw-http"],
        "history-2-sent": ["raw", "raw-cached", "raw-http"],
        "history-4": ["raw", "raw-cached", "raw-http"],
        "history-4-sent": ["raw", "raw-cached", "raw-http"],
        stream: ["raw", "raw-cached", "raw-http"],
        chunk: ["raw", "raw-cached", "raw-http"],
        "chunk-memory": ["raw", "raw-cached", "raw-http"],
        "many-5": ["raw", "raw-cached", "raw-http"],
        "many-5-memory": ["raw", "raw-cached", "raw-http"],
      },
    );
    // The same contents were sent, to the byte.
    const sent = report.rows.find(({ id }) => id === "history-4-sent")?.figures.map(({ value }) => value);
    expect(new Set(sent).size).toBe(1);
    expect(report.rows[0]?.figures[0]).toMatchObject({ driver: "raw", figure: 1 });
    expect(stdout).toContain("## All figures");
  });

  test("refuse a driver that does less", async () => {
    const lazy = {
      "no-tool": "run({ ...job, weather: ({ city }) => ({ city, report: 'r'.repeat(100) }) })",
      "no-result": "run({ ...job, weather: async (input) => { await job.weather(input); return {}; } })",
      "no-turns": "({ text: 'done' })",
      "no-stream": "run({ ...job, unary: true })",
      "no-text": "{ text: (await run(job)).text.slice(1) }",
      breaks: "Promise.reject(new RangeError('It is broken.'))",
    };
    const files = Object.entries(lazy).map(([name, result]) => {
      const file = join(folder, `${name}.mjs`);
      const body = result.startsWith("{") ? `return ${result};` : `return await ${result};`;
      writeFileSync(file, `import { run } from ${raw};\nlet times = 0;\nasync function work(job) { ${body} }\n`);
      // The first run, which warms up, is done in full.
      writeFileSync(
        file,
        `export const run_ = run;\nexport { lazy as run };\nasync function lazy(job) { return times++ === 0 ? run(job) : work(job); }\n`,
        { flag: "a" },
      );
      return file;
    });
    const { status, report, stdout } = await measure("--metrics", "loop", "--drivers", ["raw", ...files].join(","));
    const rows = ["loop", "loop-memory"];
    const refused = (driver: string, missing: string): object => ({
      rows,
      driver,
      reason: `It did not do the same work: ${missing}.`,
      isFailure: true,
    });
    expect(report.absences).toEqual([
      refused("no-tool", "tool executions: 0 instead of 6"),
      refused("no-result", "whole results sent: 0 instead of 12"),
      refused("no-turns", "tool executions: 0 instead of 6"),
      refused("no-stream", "streamed requests: 0 instead of 8"),
      refused("no-text", "runs with a wrong text: 2 instead of 0"),
      { rows, driver: "breaks", reason: "RangeError: It is broken.", isFailure: true },
    ]);
    expect(status).toBe(1);
    expect(report.rows.map(({ figures }) => figures.map(({ driver }) => driver))).toEqual([["raw"], ["raw"], ["raw"]]);
    expect(stdout).toContain(
      "- no-turns (loop, loop-memory): It did not do the same work: tool executions: 0 instead of 6.",
    );
  });

  test("show no row whose base line failed", async () => {
    const file = join(folder, "nothing.mjs");
    writeFileSync(file, "export const run = async () => ({ text: 'done' });\n");
    const { status, report } = await measure("--metrics", "stream", "--drivers", `${file},raw`);
    expect({ status, rows: report.rows }).toEqual({ status: 1, rows: [] });
  });

  test.skipIf(!isBuilt)("measure the build: work, imports, bundle, idle sessions and messages", async () => {
    const { status, report } = await measure("--metrics", "loop,start,bundle,idle,session", "--drivers", "raw,pollux");
    expect({ status, absences: report.absences }).toEqual({ status: 0, absences: [] });
    expect(report.rows.map(({ id, figures }) => `${id}: ${figures.map(({ driver }) => driver).join(" ")}`)).toEqual([
      "loop: raw pollux",
      "loop-memory: raw pollux",
      "loop-unary: raw pollux",
      "start: zod pollux",
      "start-cpu: zod pollux",
      "bundle: zod pollux",
      "bundle-whole: zod pollux",
      "bundle-gzip: zod pollux",
      "idle-open: raw pollux",
      "idle-stored: raw pollux",
      "session-first: pollux",
      "session-first-watched: pollux",
      "session-hundredth: pollux",
      "session-hundredth-watched: pollux",
    ]);
  });

  test.skipIf(!isBuilt)("compare two builds", async () => {
    const { status, report } = await measure("--metrics", "loop", "--against", root);
    expect(status).toBe(0);
    expect(report.rows[0]).toMatchObject({
      id: "loop",
      baseline: "against",
      figures: [{ driver: "against" }, { driver: "pollux" }],
    });
  });

  test("end with what is wrong with their options", async () => {
    const { status, stdout, stderr } = await bench("--drivers", "./no-such.mjs");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("--drivers: there is no file ");
  });

  test.for([
    [["--metrics", "loop,speed"], "--metrics: speed is none of loop, history,"],
    [["--drivers", "fast"], "--drivers: fast is none of raw, raw-cached,"],
    [["--runs", "0"], "--runs: 0 is not an integer from 1 to 999."],
    [["--against", "/nowhere"], "--against: /nowhere/packages/core/dist/index.js is missing."],
    [["--against", ".", "--peers"], "--against compares two builds"],
    [["--docs", "--quick"], "--docs with --quick would publish"],
    [["--fast"], "Unknown option '--fast'"],
  ] as const)("say what is wrong with %s", ([args, message]) => {
    const read = (): unknown => {
      const { against, drivers } = readOptions(args);
      return against === undefined ? drivers?.map(driverOf) : driversAgainst(against);
    };
    expect(read).toThrow(message);
  });
});

test.skipIf(!isBuilt)("the benchmark of many chats at once finds every answer whole, whatever the store", async () => {
  const { status, report } = await measure("--metrics", "web");
  expect({ status, absences: report.absences }).toEqual({ status: 0, absences: [] });
  const cuts = report.rows.find(({ id }) => id === "web-cuts")?.figures ?? [];
  expect(cuts.map(({ driver }) => driver)).toEqual(["`MemoryStore`", "`SqliteStore`"]);
  for (const { value } of cuts) expect(value).toBeGreaterThan(0);
});
