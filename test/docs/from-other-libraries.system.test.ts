import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createEmulator, type Emulator, type RunningServer } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { programFile } from "../support/programs.ts";
import { refusals } from "../support/world.ts";
import { ROOT } from "./support/pages.ts";
import { pagesOfOthers, pairsOf, TEN_TASKS } from "./support/side-by-side.ts";
import { type ProgramRunner, startRunner } from "./support/snippet-runner.ts";
import { isOutput } from "./support/snippets.ts";

// `snippets.test.ts` checks the output of our programs.
const folder = join(ROOT, "test/.snippets-from");
const redirect = new URL("support/to-emulator.mjs", import.meta.url).href;

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // The other libraries are installed where only system tests need them.
  symlinkSync(programFile("", ""), join(folder, "node_modules"), "junction");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Variables in which the libraries look for a Gemini key. Without the other keys, nothing is traced. */
const KEYS = {
  LANGSMITH_API_KEY: undefined,
  OPENAI_API_KEY: undefined,
  GEMINI_API_KEY: undefined,
  GOOGLE_API_KEY: "emulator",
  GOOGLE_GENAI_API_KEY: "emulator",
  GOOGLE_GENERATIVE_AI_API_KEY: "emulator",
};

// One process and one emulator for all programs of a page, since loading the library takes most of the time.
describe.each([...pagesOfOthers(), TEN_TASKS])("%s", (page) => {
  let emulator: Emulator;
  let server: RunningServer;
  let runner: ProgramRunner;
  beforeAll(async () => {
    emulator = createEmulator({ brain: improvise({ remark: false }) });
    server = await emulator.listen();
    const env = { ...process.env, ...KEYS, GOOGLE_GEMINI_BASE_URL: server.url, EMULATOR_URL: server.url };
    runner = startRunner(folder, env, [`--import=${redirect}`]);
  });
  afterAll(async () => {
    await runner[Symbol.asyncDispose]();
    await server.close();
  });

  test.each(pairsOf(page))("$heading, the same with the other library", async ({ heading, theirs, output }) => {
    const file = join(folder, `${`${page}-${heading}`.replaceAll(/\W+/g, "-")}.mjs`);
    writeFileSync(file, theirs);
    const end = await runner.run(file);
    expect(end.problem).toBe("");
    expect(refusals(emulator)).toEqual([]);
    // ADK logs each request on its standard output.
    const printed = end.printed.replaceAll(/^.*\[ADK\].*\n/gm, "");
    if (!isOutput(output, printed)) expect(printed).toBe(output);
  });

  test("nothing that they leave open keeps the process from ending", async () => {
    await runner.end();
  });
});
