import { execFile } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { createEmulator, improvise } from "@pollux/emulator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programFile } from "../support/programs.ts";
import { refusals } from "../support/world.ts";
import { ROOT } from "./support/pages.ts";
import { pagesOfOthers, pairsOf, TEN_TASKS } from "./support/side-by-side.ts";
import { isOutput } from "./support/snippets.ts";

const folder = join(ROOT, "test/.snippets-from");
/** The other libraries are installed where only system tests need them. */
const theirFolder = join(folder, "theirs");
const redirect = new URL("support/to-emulator.mjs", import.meta.url).href;

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(theirFolder, { recursive: true });
  symlinkSync(programFile("", ""), join(theirFolder, "node_modules"), "junction");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pairs = [...pagesOfOthers(), TEN_TASKS].flatMap((page) => pairsOf(page).map((pair) => ({ page, ...pair })));

test.for(pairs)("$page: $heading, the same in both", async ({ page, heading, ours, theirs, output }) => {
  const file = `${page}-${heading}`.replaceAll(/\W+/g, "-");
  const ourFile = join(folder, `${file}.ts`);
  const theirFile = join(theirFolder, `${file}.mjs`);
  writeFileSync(ourFile, ours);
  writeFileSync(theirFile, theirs);
  for (const args of [
    ["--conditions=pollux-source", ourFile],
    [`--import=${redirect}`, theirFile],
  ]) {
    const printed = await print(args);
    if (!isOutput(output, printed)) expect(printed).toBe(output);
  }
});

/** Where the libraries look for a key of Gemini. Without the other keys, nothing is traced. */
const KEYS = {
  LANGSMITH_API_KEY: undefined,
  OPENAI_API_KEY: undefined,
  GEMINI_API_KEY: undefined,
  GOOGLE_API_KEY: "emulator",
  GOOGLE_GENAI_API_KEY: "emulator",
  GOOGLE_GENERATIVE_AI_API_KEY: "emulator",
};

/** What a program prints, with an emulator of its own. It has to end by itself, and send nothing that the service refuses. */
async function print(args: readonly string[]): Promise<string> {
  const emulator = createEmulator({ brain: improvise({ remark: false }) });
  const server = await emulator.listen();
  const env = { ...process.env, ...KEYS, GOOGLE_GEMINI_BASE_URL: server.url, EMULATOR_URL: server.url };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd: folder });
    expect(refusals(emulator)).toEqual([]);
    // ADK logs each request on its standard output.
    const printed = stdout.replaceAll(/^.*\[ADK\].*\n/gm, "");
    return printed.endsWith("\n") ? printed : `${printed}\n`;
  } finally {
    await server.close();
  }
}
