import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MemoryStore } from "@pollux/core";
import type { EvalRun } from "@pollux/evals";
import { describe, expect, test } from "vitest";
import type { EvalSuiteRuns } from "../../src/inspection/eval-rows.ts";
import { inspectorHandler } from "../../src/server/inspector-handler.ts";
import { evalRun, writeRun } from "../support/eval-runs.ts";
import { testFolder } from "../support/page-folder.ts";

const GOOD = evalRun({ n: 1, passed: { refund: 5, late: 4 } });
const BAD = evalRun({ n: 2, passed: { refund: 5, late: 0 } });

function ask(folder: string) {
  const handler = inspectorHandler({ store: new MemoryStore(), evals: { folder }, authorize: () => true });
  return async (path: string, init?: RequestInit): Promise<{ readonly status: number; readonly json: any }> => {
    const response = await handler(new Request(`http://localhost/inspector/api/evals${path}`, init));
    return { status: response.status, json: await response.json() };
  };
}

async function folderOf(...runs: readonly EvalRun[]): Promise<string> {
  const folder = join(await testFolder(), "evals");
  for (const run of runs) await writeRun(folder, run);
  return folder;
}

const row = (run: EvalRun, version: string) => ({
  id: run.id,
  at: run.at,
  version,
  outcome: run.verdict.outcome,
  text: run.verdict.text,
  passed: run.passed,
  cost: 0.14,
  unpriced: 0,
  trials: 10,
});
const marks = { isBroken: false, isFlaky: false, isNew: false };
const statuses = (...texts: readonly string[]) => texts.map((status, index) => ({ number: index + 1, status }));

describe("runs of evals", () => {
  test("are listed by suite, oldest first, with passed trials of each case", async () => {
    const other = { ...GOOD, suite: "other", variant: "short", verdict: { ...GOOD.verdict, added: ["late"] } };
    const get = ask(await folderOf(BAD, GOOD, other));
    const [good, bad] = [row(GOOD, "c0ffee1+"), row(BAD, "c0ffee2")];
    const listed = { unreadable: [], omitted: 0 };
    expect((await get("")).json).toEqual([
      { suite: "other", runs: [{ ...good, variant: "short", cases: [] }], ...listed },
      {
        suite: "support",
        runs: [
          { ...good, cases: [] },
          { ...bad, cases: [] },
        ],
        ...listed,
      },
    ]);
    const refund = { id: "refund", trials: statuses(..."passed ".repeat(5).trim().split(" ")), ...marks };
    const late = { id: "late", trials: statuses("failed", "passed", "passed", "passed", "passed"), ...marks };
    expect((await get("/support")).json).toEqual({
      suite: "support",
      runs: [
        { ...good, cases: [refund, { ...late, isFlaky: true }] },
        { ...bad, cases: [refund, { ...late, trials: statuses(...Array(5).fill("failed")), isBroken: true }] },
      ],
      ...listed,
    });
    expect((await get("/other")).json.runs[0].cases[1]).toMatchObject({ id: "late", isNew: true });
    expect(await get("/support/run-0002")).toEqual({ status: 200, json: BAD });
  });

  test("that were not made yet are none, and without the option there is nothing", async () => {
    expect(await ask("/nowhere/at/all")("")).toEqual({ status: 200, json: [] });
    const without = inspectorHandler({ store: new MemoryStore(), authorize: () => true });
    expect((await without(new Request("http://localhost/inspector/api/evals"))).status).toBe(404);
    const about = async (handler: typeof without) =>
      await (await handler(new Request("http://localhost/inspector/api/about"))).json();
    expect(await about(without)).toMatchObject({ hasEvals: false });
    const withEvals = inspectorHandler({ store: new MemoryStore(), evals: { folder: "x" }, authorize: () => true });
    expect(await about(withEvals)).toMatchObject({ hasEvals: true });
  });

  test("are read anew when their file has changed or is gone", async () => {
    const folder = await folderOf(GOOD);
    const get = ask(folder);
    const seen = async () => (await get("/support")).json.runs.map(({ outcome }: { outcome: string }) => outcome);
    expect(await seen()).toEqual(["not-worse"]);
    await writeRun(folder, { ...BAD, id: GOOD.id });
    expect(await seen()).toEqual(["worse"]);
    await rm(join(folder, "support", `${GOOD.id}.json`));
    expect(await seen()).toEqual([]);
  });

  test("of a folder of thousands are read from the end, as many as asked for", async () => {
    const folder = await folderOf(GOOD);
    const text = JSON.stringify(GOOD);
    const ids = Array.from({ length: 1500 }, (_, index) => `run-${String(index + 1000)}`);
    await Promise.all(ids.map((id) => writeFile(join(folder, "support", `${id}.json`), text)));
    const get = ask(folder);
    const read = async (query: string): Promise<readonly unknown[]> => {
      const suite: EvalSuiteRuns = (await get(`/support${query}`)).json;
      return [suite.runs[0]?.id, suite.runs.at(-1)?.id, suite.runs.length, suite.omitted];
    };
    expect(await read("")).toEqual(["run-2440", "run-2499", 60, 1441]);
    expect(await read("?runs=200")).toEqual(["run-2300", "run-2499", 200, 1301]);
    expect((await get("")).json[0].runs).toHaveLength(20);
    for (const runs of ["0", "x", "1.5", "1001"]) expect((await get(`/support?runs=${runs}`)).status).toBe(400);
  });
});

describe("what is no run", () => {
  test.each<[string, string, string]>([
    ["half a file", JSON.stringify(GOOD).slice(0, 200), "it is not valid JSON"],
    ["JSON of something else", `{"name":"x"}`, "v is no number"],
    ["a list", "[]", "the file is no object"],
    [
      "a run of a newer release",
      JSON.stringify({ ...GOOD, v: 2 }),
      "it was written by a newer release: update @pollux/inspector",
    ],
    ["no number", JSON.stringify({ ...GOOD, at: "today" }), "at is no number"],
    [
      "a score that is none",
      JSON.stringify(GOOD).replace('"score":1', '"score":"high"'),
      "cases[0].trials[0].scores[0].score is no score",
    ],
    ["a pair that is none", JSON.stringify(GOOD).replace("[15,15]", "[15]"), "verdict.before.refund is no pair"],
    [
      "a metric that is none",
      JSON.stringify(GOOD).replace('"turns":2', '"turns":{}'),
      "cases[0].trials[0].metrics.turns is no number",
    ],
  ])("%s is listed with why", async (_name, text, problem) => {
    const folder = await folderOf(GOOD);
    await writeFile(join(folder, "support", "run-0002.json"), text);
    const get = ask(folder);
    expect((await get("/support")).json).toMatchObject({
      runs: [{ id: GOOD.id }],
      unreadable: [{ file: "run-0002.json", problem }],
    });
    const { status, json } = await get("/support/run-0002");
    expect([status, json.error.message]).toEqual([422, `run-0002.json could not be read: ${problem}.`]);
  });

  test("lacks any member that a run must have", async () => {
    const folder = await folderOf(GOOD);
    const names = Object.keys(GOOD);
    for (const name of names)
      await writeFile(join(folder, "support", `without-${name}.json`), JSON.stringify({ ...GOOD, [name]: undefined }));
    const { unreadable } = (await ask(folder)("/support")).json;
    expect(unreadable.map(({ file }: { file: string }) => file)).toEqual(
      names.map((name) => `without-${name}.json`).toSorted(),
    );
  });

  test("is let through as far as it is new: unknown members, outcomes and statuses", async () => {
    const verdict = { ...GOOD.verdict, outcome: "much-better", mood: "cheerful" } as unknown as EvalRun["verdict"];
    const folder = await folderOf({ ...GOOD, verdict });
    expect((await ask(folder)("/support")).json).toMatchObject({ runs: [{ outcome: "much-better" }], unreadable: [] });
  });
});

describe("the folder", () => {
  test("is never left, by no name and no link", async () => {
    const folder = await folderOf(GOOD);
    const outside = join(folder, "..", "outside");
    await mkdir(outside);
    await writeFile(join(outside, "secret.json"), JSON.stringify({ ...GOOD, suite: "secret" }));
    await writeFile(join(folder, "..", "secret.json"), JSON.stringify(GOOD));
    await symlink(outside, join(folder, "linked"));
    await symlink(join(outside, "secret.json"), join(folder, "support", "linked.json"));
    const get = ask(folder);
    const paths = [
      "/..%2Foutside",
      "/..",
      "/%2e%2e",
      "/..%2F..",
      "/linked",
      "/linked/secret",
      "/support/linked",
      "/support/..%2F..%2Foutside%2Fsecret",
      "/support/..%2F..%2Fsecret",
      "/support%2F..%2F..%2Foutside/secret",
      "/support/run-0001.json",
      "/support/nothing",
      `/${encodeURIComponent(outside)}/secret`,
      "/constructor",
    ];
    for (const path of paths) expect((await get(path)).status, path).toBe(404);
    expect((await get("")).json).toMatchObject([{ suite: "support", runs: [{ id: GOOD.id }], unreadable: [] }]);
  });

  test("is only read, and shows no key", async () => {
    const key = `AIza${"k".repeat(35)}`;
    const get = ask(await folderOf({ ...GOOD, notes: [key] }));
    expect((await get("/support", { method: "POST", body: "{}" })).status).toBe(405);
    expect((await get("/support/run-0001")).json.notes).toEqual(["[redacted]"]);
  });
});
