import { spawn } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withoutKeys } from "../../../../test/examples/run-example.ts";
import { MAIN } from "../support.ts";
import { EvalFolder } from "./eval-folder.ts";

let folder: EvalFolder;

beforeEach(async () => {
  folder = await EvalFolder.make();
  folder.initGit();
});

afterEach(() => folder[Symbol.asyncDispose]());

const six = ["refund", "policy", "refund", "policy", "refund", "policy"];

test("reads what the same code has tried, until it changes or new trials are asked for", async () => {
  await folder.suite("support");
  await folder.eval();
  const again = await folder.eval();
  expect(again.err).toContain("support: 6/6 trials of 2 cases, 6 of them before");
  expect(await folder.asked()).toEqual(six);
  await folder.eval(["--fresh"]);
  expect(await folder.asked()).toEqual([...six, ...six]);
  const reports = await folder.eval(["--junit", folder.at("junit.xml"), "--update-baseline"]);
  expect(reports.err).toContain("12/12 trials of 2 cases, 6 of them before");
  expect((await folder.eval(["--junit", folder.at("junit.xml")])).err).toContain(
    "6/6 trials of 2 cases, 6 of them before",
  );
  await rm(folder.at("junit.xml"));
  const before = await folder.asked();
  await folder.write("prompt.md", "Be kind.");
  await folder.eval(["--trials", "1"]);
  expect(await folder.asked()).toEqual([...before, "refund", "policy"]);
});

test("variants are tried side by side, each with its baseline, or only one of them", async () => {
  await folder.suite("support", 'variants: ["long", "short"], trials: 1,');
  const both = await folder.eval(["--update-baseline"]);
  expect(both.out).toMatch(/^support \(long\): [^]*\nsupport \(short\): /);
  expect((await readdir(folder.path)).filter((name) => name.endsWith(".json")).toSorted()).toEqual([
    "answers.json",
    "support.long.baseline.json",
    "support.short.baseline.json",
  ]);
  const one = await folder.eval(["--variant", "short", "--baseline", folder.at("support.long.baseline.json")]);
  expect(one.code).toBe(0);
  expect(one.out).toMatch(/^support \(short\): 2 cases, 2 trials[^]*No difference seen/);
});

test("a suite that got worse fails the command, even if another suite is incomplete", async () => {
  await folder.suite("other");
  await folder.suite("support");
  await folder.eval(["--update-baseline"]);
  await folder.answer({ refund: "no", policy: "no" });
  expect((await folder.eval(["--fresh", "--max-cost", "0.07"])).code).toBe(1);
});

/** Runs the program in the folder. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, ["--conditions=pollux-source", MAIN, "eval", ...args], {
    cwd: folder.path,
    env: withoutKeys(),
    timeout: 120_000,
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  const ended = new Promise((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, out, err }));
  });
  return { child, ended };
}

test("Ctrl-C stops a process, and the same command goes on", async () => {
  await folder.suite("support");
  await folder.answer({ refund: "yes", policy: null });
  const first = start([]);
  await expect.poll(() => folder.asked()).toEqual(["refund", "policy"]);
  first.child.kill("SIGINT");
  expect(await first.ended).toEqual({
    code: 130,
    signal: null,
    out: "",
    err: expect.stringMatching(/^support: 0\/6 trials of 2 cases\n[^]*Stopped; the same command continues\.\n$/),
  });
  await folder.answer({ refund: "yes", policy: "yes" });
  expect(await start([]).ended).toEqual({
    code: 0,
    signal: null,
    out: expect.stringMatching(/^support: 2 cases, 6 trials, live, [^]* 100% pass /),
    err: expect.stringContaining("6/6 trials of 2 cases, 1 of them before"),
  });
  // The trial of policy that was cut off asks again.
  expect((await folder.asked()).toSorted()).toEqual([...six, "policy"].toSorted());
});
