import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MemoryStore } from "@pollux/core";
import type { EvalRun } from "@pollux/evals";
import { describe, expect, test } from "vitest";
import type { EvalSuiteRuns } from "../../src/evals/read-evals.ts";
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

describe("runs of evals", () => {
  test("are read by suite, oldest first; of all suites, the last one of each", async () => {
    const other = { ...GOOD, suite: "other", id: "2026-11-24T08:15:00Z" };
    const get = ask(await folderOf(BAD, GOOD, other));
    expect((await get("")).json).toEqual([
      { suite: "other", runs: [other], unreadable: [], omitted: 0 },
      { suite: "support", runs: [BAD], unreadable: [], omitted: 1 },
    ]);
    expect((await get("/support")).json).toEqual([{ suite: "support", runs: [GOOD, BAD], unreadable: [], omitted: 0 }]);
  });

  test("are empty before the first one, and missing without the option", async () => {
    expect(await ask("/nowhere/at/all")("")).toEqual({ status: 200, json: [] });
    const handlers = [{}, { evals: { folder: "x" } }].map((options) =>
      inspectorHandler({ store: new MemoryStore(), authorize: () => true, ...options }),
    );
    const get = async (path: string): Promise<readonly Response[]> =>
      await Promise.all(handlers.map((handler) => handler(new Request(`http://localhost/inspector/api/${path}`))));
    const abouts = await Promise.all((await get("about")).map((response) => response.json()));
    expect(abouts).toMatchObject([{ hasEvals: false }, { hasEvals: true }]);
    expect((await get("evals")).map(({ status }) => status)).toEqual([404, 200]);
  });

  test("match their current files", async () => {
    const folder = await folderOf(GOOD);
    const get = ask(folder);
    const seen = async () => (await get("/support")).json[0].runs.map(({ verdict }: EvalRun) => verdict.outcome);
    expect(await seen()).toEqual(["not-worse"]);
    await writeRun(folder, { ...BAD, id: GOOD.id });
    expect(await seen()).toEqual(["worse"]);
    await rm(join(folder, "support", `${GOOD.id}.json`));
    expect(await seen()).toEqual([]);
  });

  test("of a folder of thousands are read from the end, with the named ones", async () => {
    const folder = await folderOf(GOOD);
    const text = JSON.stringify({ ...GOOD, id: "ID", cases: [] });
    const ids = Array.from({ length: 1010 }, (_, at) => `run-${at + 1000}`);
    await Promise.all(ids.map((id) => writeFile(join(folder, "support", `${id}.json`), text.replace("ID", id))));
    const get = ask(folder);
    const read = async (query: string): Promise<readonly unknown[]> => {
      const [suite]: readonly EvalSuiteRuns[] = (await get(`/support${query}`)).json;
      const found = suite?.runs.map(({ id }) => id) ?? [];
      return [found[0], found[1], found.at(-1), found.length, suite?.omitted];
    };
    expect(await read("")).toEqual(["run-1970", "run-1971", "run-2009", 40, 971]);
    expect(await read("?runs=200")).toEqual(["run-1810", "run-1811", "run-2009", 200, 811]);
    expect(await read("?runs=9999")).toEqual(["run-1010", "run-1011", "run-2009", 1000, 11]);
    const named = await read("?runs=2&with=run-1234&with=&with=run-0001");
    expect(named).toEqual(["run-0001", "run-1234", "run-2009", 4, 1007]);
    for (const runs of ["0", "x", "-1", "1.5"]) expect((await read(`?runs=${runs}`))[3]).toBe(40);
  });
});

describe("an invalid run", () => {
  const text = JSON.stringify(GOOD);

  test.each<[string, string, string]>([
    ["half a file", text.slice(0, 200), "it is not valid JSON"],
    ["JSON of something else", `{"name":"x"}`, "id is no text"],
    ["a list", "[]", "id is no text"],
    [
      "a run of a newer release",
      text.replace('"v":1', '"v":2'),
      "it was written by a newer release: update @pollux/inspector",
    ],
    ["a copy under another name", text, "its id does not match its name"],
    ["no number", text.replace(/"at":\d+/, '"at":"today"'), "at is no number"],
    [
      "a score that is none",
      text.replace('"score":1', '"score":"high"'),
      "cases[0].trials[0].scores[0].score is no score",
    ],
    [
      "no list",
      text.replace('"flaky":[', '"flaky":{"a":[').replace('"added":[]', '"added":[]},"added":[]'),
      "verdict.flaky is no text",
    ],
    ["a metric that is none", text.replace('"turns":2', '"turns":{}'), "cases[0].trials[0].metrics.turns is no number"],
  ])("%s is told of, with why", async (_name, written, problem) => {
    const folder = await folderOf(GOOD);
    await writeFile(join(folder, "support", "run-0002.json"), written);
    expect((await ask(folder)("/support")).json).toMatchObject([
      { runs: [{ id: GOOD.id }], unreadable: [{ file: "run-0002.json", problem }] },
    ]);
  });

  test("lacks any member that a run must have", async () => {
    const folder = await folderOf();
    await mkdir(join(folder, "support"), { recursive: true });
    for (const name of Object.keys(GOOD)) {
      const id = `without-${name}`;
      await writeFile(join(folder, "support", `${id}.json`), JSON.stringify({ ...GOOD, id, [name]: undefined }));
    }
    const [suite]: readonly EvalSuiteRuns[] = (await ask(folder)("/support")).json;
    expect(suite?.runs).toEqual([]);
    expect(suite?.unreadable).toHaveLength(Object.keys(GOOD).length);
  });

  test("does not hide the last run, no matter how many there are", async () => {
    const folder = await folderOf(GOOD);
    for (let n = 1000; n < 1070; n++) await writeFile(join(folder, "support", `run-${n}.json`), "{}");
    const [suite]: readonly EvalSuiteRuns[] = (await ask(folder)(`/support?with=${GOOD.id}`)).json;
    expect([suite?.runs.length, suite?.unreadable.length, suite?.omitted]).toEqual([1, 50, 20]);
  });

  test("may have unknown members, outcomes and statuses", async () => {
    const verdict = { ...GOOD.verdict, outcome: "much-better", mood: "cheerful" };
    const run = JSON.parse(JSON.stringify({ ...GOOD, verdict }).replace('"status":"passed"', '"status":"dubious"'));
    expect((await ask(await folderOf(run))("/support")).json).toMatchObject([{ runs: [run], unreadable: [] }]);
  });
});

describe("the folder", () => {
  test("confines all names and links", async () => {
    const folder = await folderOf(GOOD);
    const outside = join(folder, "..", "outside");
    await writeRun(join(folder, ".."), { ...GOOD, suite: "outside", id: "secret" });
    await symlink(outside, join(folder, "linked"));
    await symlink(join(outside, "secret.json"), join(folder, "support", "secret.json"));
    const get = ask(folder);
    for (const suite of ["../outside", "../..", "./support", "linked", "support/../../outside", outside, "constructor"])
      expect((await get(`/${encodeURIComponent(suite)}`)).status, suite).toBe(404);
    for (const path of ["/../outside", "/%2e%2e/outside", "/support/run-0001", "/support/../../outside"])
      expect((await get(path)).status, path).toBe(404);
    const read = [{ suite: "support", runs: [GOOD], unreadable: [], omitted: 0 }];
    for (const query of [
      "?with=secret",
      "?with=..%2F..%2Foutside%2Fsecret",
      `?with=${encodeURIComponent(join(outside, "secret"))}`,
    ])
      expect((await get(`/support${query}`)).json).toEqual(read);
    expect((await get("")).json).toEqual(read);
  });

  test("is read-only, and shows no key", async () => {
    const get = ask(await folderOf({ ...GOOD, notes: [`AIza${"k".repeat(35)}`] }));
    expect((await get("/support", { method: "POST", body: "{}" })).status).toBe(405);
    expect((await get("/support")).json[0].runs[0].notes).toEqual(["[redacted]"]);
  });
});
