import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeProcess, runHere } from "./support.ts";
import { runPollux } from "../src/run-pollux.ts";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-map-"));
  file = join(folder, "reviews.jsonl");
  const reviews = Array.from({ length: 12 }, (_, at) => ({ id: `r${at}`, text: `Review ${at}` }));
  await writeFile(file, reviews.map((review) => `${JSON.stringify(review)}\n`).join("\n"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("asks once for each line, and writes a line for each answer", async () => {
  const { code, out, err } = await runHere(["map", file, "--prompt", "Is it positive? {text}"]);
  expect(code).toBe(0);
  const lines = linesOf(out);
  expect(lines.map(({ key }) => Number(key)).toSorted((a, b) => a - b)).toEqual(
    // Empty lines between them are lines, too.
    Array.from({ length: 12 }, (_, at) => 2 * at + 1),
  );
  expect(lines[0]).toEqual({
    key: "1",
    status: "finished",
    text: expect.stringContaining("Is it positive? Review 0"),
  });
  expect(err).toContain("12/12 done");
});

test("puts members of any kind into the question, false and null among them", async () => {
  const input = '{"sold":false,"by":null}\n';
  const { code, out } = await runHere(["map", "-", "-p", "sold: {sold}, by: {by}"], { input });
  expect(code).toBe(0);
  expect(linesOf(out)[0]).toMatchObject({ text: expect.stringContaining("sold: false, by: null") });
});

test("goes on with a store: what is done is not asked again", async () => {
  const args = ["map", file, "-p", "{}", "--key", "id", "--store", join(folder, "runs.sqlite")];
  await runHere(args);
  const out = join(folder, "answers.jsonl");
  const { code, err } = await runHere([...args, "--out", out]);
  expect(code).toBe(0);
  expect(err).toContain("12/12 done, 12 of them before");
  expect(linesOf(await readFile(out, "utf8")).map(({ key }) => key)).toContain("r11");
});

test("writes JSON by a schema, read from standard input as well", async () => {
  const schema = join(folder, "schema.json");
  await writeFile(
    schema,
    JSON.stringify({ type: "object", properties: { yes: { type: "boolean" } }, required: ["yes"] }),
  );
  const { out } = await runHere(["map", "-", "-p", "Positive? {}", "--schema", schema], { input: '"Good."\n' });
  expect(linesOf(out)).toEqual([{ key: "1", status: "finished", output: { yes: expect.any(Boolean) } }]);
});

test("stops at a cost, and says what is missing", async () => {
  const args = ["map", file, "-p", "{text}", "--max-cost", "0.004", "-c", "1"];
  const { code, err } = await runHere(args, { env: { POLLUX_PRICES: "100,100" } });
  expect(code).toBe(1);
  expect(err).toMatch(/Stopped at --max-cost 0.004\.\n {2}\d+: not begun\n/);
});

test("refuses prices that it can't read", async () => {
  const { code, err } = await runHere(["map", file, "-p", "{text}"], { env: { POLLUX_PRICES: "cheap" } });
  expect(code).toBe(2);
  expect(err).toContain(
    'POLLUX_PRICES must be INPUT,OUTPUT for a million tokens, such as 0.3,2.5, or google; got "cheap"',
  );
});

test("stops at Ctrl-C with code 130", async () => {
  const terminal = new FakeProcess({ isTTY: true });
  // One line comes, and the input stays open.
  terminal.stdin.write('"a"\n');
  const ended = runPollux(["map", "-", "-p", "{}"], terminal);
  await expect.poll(() => terminal.out).toContain('"finished"');
  terminal.emit("SIGINT");
  expect(await ended).toBe(130);
  expect(terminal.err).toContain("Stopped.");
});

describe("a mistake is named", () => {
  test.each([
    [["map"], 2, "Name a file"],
    [["map", "nowhere.jsonl", "-p", "x"], 2, 'There is no file "nowhere.jsonl"'],
    [["map", "FILE"], 2, "--prompt is missing"],
    [["map", "FILE", "-p", "x", "--store", "a.sqlite"], 2, "--store needs --key"],
    [["map", "FILE", "-p", "x", "-c", "0"], 2, '--concurrency must be a number from 1 on, not "0"'],
    [["map", "FILE", "-p", "{txt}"], 1, 'line 1 has no "txt"'],
    [["map", "FILE", "-p", "x", "-k", "name"], 1, 'line 1 has no "name"'],
    [["map", "FILE", "-p", "x", "--max-cost", "1"], 1, "prices"],
  ])("%j", async (args, code, problem) => {
    const ended = await runHere(args.map((arg) => (arg === "FILE" ? file : arg)));
    expect(ended.err).toContain(problem);
    expect(ended.code).toBe(code);
  });

  test("in a line that is not JSON, with its number", async () => {
    const ended = await runHere(["map", "-", "-p", "{}"], { input: '"a"\nb\n' });
    expect(ended.code).toBe(1);
    expect(ended.err).toContain("line 2 is not JSON");
  });
});
