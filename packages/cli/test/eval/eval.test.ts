import { readdir } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runPollux } from "../../src/run-pollux.ts";
import { FakeProcess } from "../support.ts";
import { EvalFolder } from "./eval-folder.ts";

let folder: EvalFolder;

beforeEach(async () => {
  folder = await EvalFolder.make();
});

afterEach(() => folder[Symbol.asyncDispose]());

const six = ["refund", "policy", "refund", "policy", "refund", "policy"];

test("tries all cases, prints a table, and keeps the run for the inspector", async () => {
  await folder.suite("support");
  await folder.answer({ refund: "yes", policy: "no" });
  const { code, out, err } = await folder.eval();
  expect(code).toBe(0);
  expect(out).toMatch(/^support: 2 cases, 6 trials, live, /);
  expect(out).toMatch(/^ {2}refund {2}3 of 3 /m);
  expect(out).toMatch(/^ {2}policy passed 0 of 3\n {4}trials 1, 2, 3 failed: matches 0, /m);
  expect(err).toMatch(
    /^Not in a git repository: no other run can read or continue these trials[^]*\nsupport: 0\/6 trials of 2 cases\n/,
  );
  expect(err).toContain("support: 6/6 trials of 2 cases, cost 0.0600\n");
  expect(await folder.asked()).toEqual(six);
  expect(await folder.read(".pollux/.gitignore")).toBe("*\n");
  const [kept, ...more] = await readdir(folder.at(".pollux/evals/support"));
  expect(more).toEqual([]);
  expect(JSON.parse(await folder.read(`.pollux/evals/support/${kept}`))).toMatchObject({
    v: 1,
    suite: "support",
    verdict: { outcome: "no-baseline" },
    cases: [{ id: "refund" }, { id: "policy" }],
  });
});

test("is green or red by the baseline beside the suite", async () => {
  await folder.suite("support");
  const first = await folder.eval(["--update-baseline"]);
  expect(first.code).toBe(0);
  expect(first.err).toMatch(/\nThe baseline is written to .*support\.baseline\.json: commit it\.\n$/);
  expect(JSON.parse(await folder.read("support.baseline.json"))).toMatchObject({
    suite: "support",
    cases: { policy: { passed: [6, 6] }, refund: { passed: [6, 6] } },
  });
  const same = await folder.eval();
  expect([same.code, same.out]).toEqual([0, expect.stringContaining("No difference seen")]);
  await folder.answer({ refund: "yes", policy: "no" });
  const worse = await folder.eval(["--fresh"]);
  expect([worse.code, worse.out]).toEqual([1, expect.stringContaining("`policy` broke (0 of 3, was 6 of 6)")]);
  const asked = await folder.asked();
  await folder.write("support.baseline.json", "{}");
  const broken = await folder.eval(["--fresh"]);
  expect([broken.code, broken.err]).toEqual([
    2,
    expect.stringContaining("support.baseline.json: The baseline can't be read"),
  ]);
  expect(await folder.asked()).toEqual(asked);
});

test.each([
  [
    ["--case", "policy"],
    ["policy", "policy", "policy"],
  ],
  [
    ["--tag", "money", "--trials", "2"],
    ["refund", "refund"],
  ],
  [
    ["--suite", "support", "--case", "policy", "--case", "refund", "--trials", "1"],
    ["refund", "policy"],
  ],
])("%j are filters", async (args, asked) => {
  await folder.suite("support");
  await folder.suite("other", "data: [{ id: 'else', input: 'else' }],");
  expect((await folder.eval(args)).code).toBe(0);
  expect(await folder.asked()).toEqual(asked);
});

test("writes reports of all suites", async () => {
  await folder.suite("support");
  await folder.suite("other");
  const files = ["--json", folder.at("out/runs.json"), "--junit", folder.at("out/junit.xml")];
  const ended = await folder.eval([...files, "--markdown", folder.at("out/comment.md")]);
  expect(ended.out).toMatch(/^other: [^]*\n\nsupport: /);
  expect(JSON.parse(await folder.read("out/runs.json"))).toMatchObject([{ suite: "other" }, { suite: "support" }]);
  expect(await folder.read("out/junit.xml")).toMatch(
    /<testsuite name="other" tests="3"[^]*<testsuite name="support" tests="3"/,
  );
  expect(await folder.read("out/comment.md")).toMatch(
    /^<!-- pollux eval other -->\n[^]*\n<!-- pollux eval support -->\n/,
  );
});

test("a suite that fails takes nothing from the reports of those before it", async () => {
  await folder.suite("support");
  await folder.suite("other");
  await folder.write("support.baseline.json", "{}");
  const { code } = await folder.eval(["--json", folder.at("runs.json")]);
  expect(code).toBe(2);
  expect(JSON.parse(await folder.read("runs.json"))).toMatchObject([{ suite: "other" }]);
});

test("a run that its budget ends is incomplete: never green, and no baseline", async () => {
  await folder.suite("other");
  await folder.suite("support");
  const { code, out, err } = await folder.eval(["--max-cost", "0.15", "--update-baseline"]);
  expect(code).toBe(3);
  expect(out).toMatch(
    /other: 2 cases, 12 trials[^]*support: 2 cases, 3 trials[^]*\nIncomplete: 9 of 12 trials are missing, since the budget/,
  );
  expect(err).toMatch(/\nThe run is incomplete, so .*support\.baseline\.json is not written\.\n$/);
  expect((await readdir(folder.path)).filter((name) => name.endsWith("baseline.json"))).toEqual([
    "other.baseline.json",
  ]);
});

test("Ctrl-C stops it", async () => {
  await folder.suite("support");
  await folder.answer({ refund: "yes", policy: null });
  const terminal = new FakeProcess({ isTTY: true });
  const ended = runPollux(folder.args(), terminal);
  await expect.poll(() => folder.asked()).toEqual(["refund", "policy"]);
  terminal.emit("SIGINT");
  expect(await ended).toBe(130);
  expect(terminal.err).toMatch(
    /\r\u001B\[Ksupport: 1\/6 trials of 2 cases, cost 0.0100, .*left\nStopped; the same command continues\.\n$/,
  );
  expect(terminal.out).toBe("");
  expect(terminal.listenerCount("SIGINT")).toBe(0);
});

describe("a mistake is named, with exit code 2", () => {
  let mistaken: EvalFolder;

  beforeAll(async () => {
    mistaken = await EvalFolder.make();
    await mistaken.suite("other");
    await mistaken.suite("support");
  });

  afterAll(() => mistaken[Symbol.asyncDispose]());

  test.each<[string[], string]>([
    [["--world", "mars"], '--world must be one of replay, recorded-tools, fork, live, not "mars"'],
    [["--trials", "1.5"], '--trials must be an integer from 1 to 100000, not "1.5"'],
    [["--max-cost", "0"], '--max-cost must be a number above 0, not "0"'],
    [["-c", "many"], '--concurrency must be an integer from 1 to 100000, not "many"'],
    [["--suite", "suport"], 'There is no suite "suport"; there is other, support'],
    [["--case", "policies"], 'There is no case "policies"; there is refund, policy'],
    [["--variant", "short"], 'There is no variant "short"; there is none'],
    [["--tag", "none"], "No suite has such cases: look at --suite, --case, --tag and --variant"],
    [["--update-baseline", "--case", "policy"], "--update-baseline is for all cases of a suite"],
    [["--baseline", "nowhere.json"], 'There is no file "nowhere.json"'],
    [["--baseline", "package.json"], "--baseline is a file of one suite, and of one variant"],
    [["--baseline", "package.json", "--suite", "support"], "package.json: The baseline can't be read"],
    [["nowhere"], 'There is no file or folder "nowhere", nor an eval file with that in its path'],
  ])("%j", async (args, problem) => {
    const { code, err } = await mistaken.eval(args);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining(`pollux eval: ${args[0] === "--baseline" ? "" : problem}`),
    ]);
    expect(err).toContain(problem);
  });

  test.each([
    ["throw new Error('no key')", "Cannot load", ": no key"],
    ["export const suite = 1;", "has no default export", 'export default defineEval("name", { … })'],
    ["export default [];", "is neither a suite nor a list of suites", 'export default defineEval("name", { … })'],
    ["export default [{ kind: 'eval-suite' }, 2];", "is neither a suite nor a list of suites", "export default"],
  ])("in a file: %s", async (text, problem, advice) => {
    await folder.write("broken.eval.ts", text);
    const { code, err } = await folder.eval();
    expect(code).toBe(2);
    expect(err).toMatch(/^pollux eval: [^]*broken\.eval\.ts[^]*\nTry pollux eval --help\n$/);
    expect(err).toContain(problem);
    expect(err).toContain(advice);
  });

  test("in a suite: its options, its cases", async () => {
    await folder.suite("support", "data: () => [{ id: 'a', input: 'a' }, { id: 'a', input: 'b' }],");
    const twice = await folder.eval();
    expect([twice.code, twice.err]).toEqual([2, expect.stringContaining("another case has the same id")]);
    await folder.suite("lost", "scorers: [], data: [{ id: 'a', input: 'a' }],", "other/lost.eval.ts");
    const { code, err } = await folder.eval(["--suite", "lost"]);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('lost.eval.ts: suite "lost", case "a": it has no scorers'),
    ]);
  });
});
