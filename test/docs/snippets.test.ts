import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "./support/pages.ts";
import { type SnippetRunner, startSnippetRunner } from "./support/snippet-runner.ts";
import { examples } from "./support/examples.ts";
import { isOutput, needsPrograms, snippets } from "./support/snippets.ts";

const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const all = snippets();
const inComments = examples();
let runner: SnippetRunner;

/** By package: the ones that most programs of README, docs and examples import. */
const MOST_USED = [
  ..."Agent defineTool ScriptedModel say MemoryStore call googleSearch SqliteStore gemini finished approve".split(" "),
  ..."media runTool embed ToolError Traffic geminiApi cosineSimilarity embedMany renderMarkdown endpoint".split(" "),
  ..."join fails".split(" "),
]
  .map((name) => `core ${name}`)
  .concat("emulator createEmulator", "emulator say", "emulator script", "emulator calls")
  .concat(
    "web chatHandler",
    "web aiSdk",
    "core toNodeHandler",
    "web stopChat",
    "web drainOnSignal",
    "web withoutDiscards",
  )
  .concat("cli connect", "cli RunPrinter", "cli formatUsage")
  .concat("tools mcpTools", "tools fileTools", "tools calculator", "otel openTelemetry");

beforeAll(async () => void (runner = await startSnippetRunner(".snippets", [...all, ...inComments])));
afterAll(() => runner[Symbol.asyncDispose]());

describe("the snippets of README and docs", () => {
  test("there are some, and pages show what they print", () => {
    expect(all.length).toBeGreaterThan(8);
    expect(all.filter(({ output }) => output !== undefined).length).toBeGreaterThan(8);
  });

  test("all of them compile under the strictest settings", async () => {
    // The other processors have other tests to do.
    const { stdout } = await promisify(execFile)(process.execPath, [
      TSC,
      "-b",
      "--singleThreaded",
      runner.folder,
    ]).catch((error: unknown) => error as { stdout: string });
    expect(stdout).toBe("");
  });

  // All in one process; `snippets.system.test.ts` has the ones that start third-party servers, or need their own process.
  // If the output has changed, `pnpm docs:outputs` writes it into the pages.
  test.each(all.filter(({ code }) => !needsPrograms(code)))(
    "$name runs, and prints what its page says",
    async (snippet) => {
      const { problem, printed } = await runner.run(snippet);
      expect(problem).toBe("");
      if (snippet.output !== undefined && !isOutput(snippet.output, printed)) expect(printed).toBe(snippet.output);
    },
  );
});

describe("the examples of doc comments", () => {
  test("the exports that programs use most have one", () => {
    expect(MOST_USED.filter((name) => !inComments.some(({ of }) => of === name))).toEqual([]);
  });

  test.each(inComments.filter(({ isCompiledOnly }) => !isCompiledOnly))("$of", async (example) => {
    expect((await runner.run(example)).problem).toBe("");
  });
});

test("nothing that a program leaves open keeps the process from ending", async () => {
  await runner.end();
});

describe("the output of a program", () => {
  test.each([
    ["a\nb\n", "a\nb\n", true],
    ["a\n", "a\nb\n", false],
    ["took … ms (1.5)\n", "took 12 ms (1.5)\n", true],
    ["took … ms (1.5)\n", "took 12 ms (1x5)\n", false],
    ["took … ms\n", "took 12\n ms\n", false],
    ["a\n…\nd\n", "a\nb\nc\nd\n", true],
  ])("%j against %j: %j", (expected, printed, same) => {
    expect(isOutput(expected, printed)).toBe(same);
  });
});
