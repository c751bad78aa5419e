import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { CASES } from "../../bench/compare/all-cases.ts";
import { type Library, POLLUX } from "../../bench/compare/libraries.ts";
import type { Results } from "../../bench/compare/page.ts";
import { type Column, runLibrary } from "../../bench/compare/run-library.ts";
import { openStub } from "../../bench/compare/stub.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const results = JSON.parse(readFileSync(`${root}bench/compare/results.json`, "utf8")) as Results;
const published = (name: string): Column | undefined =>
  results.libraries.find((library) => library.name === name)?.column;

test("Pollux still does what the comparison says", async () => {
  expect(await columnOf(POLLUX)).toEqual(published("pollux"));
});

test("@google/genai still does what the comparison says", async () => {
  // Its packages resolve from this workspace's modules.
  const folder = `${root}test/node_modules/.pollux-compare`;
  mkdirSync(folder, { recursive: true });
  try {
    copyFileSync(`${root}bench/peers/google-genai.mjs`, `${folder}/driver.mjs`);
    copyFileSync(`${root}bench/compare/plays/google-genai.mjs`, `${folder}/plays.mjs`);
    const urlOf = (file: string): string => pathToFileURL(`${folder}/${file}`).href;
    const column = await columnOf({ url: urlOf("driver.mjs"), plays: urlOf("plays.mjs") });
    expect(column).toEqual(published("google-genai"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  [["--libraries", "pollux,jquery"], "--libraries: jquery is none of pollux, google-genai,"],
  [["--libraries", "pollux", "--docs"], "--docs needs all libraries."],
])("the command says what is wrong with %s", (args, message) => {
  const program = `${root}bench/compare/main.ts`;
  const { status, stderr } = spawnSync(process.execPath, ["--conditions=pollux-source", program, ...args], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(message) });
});

async function columnOf(library: Pick<Library, "url" | "plays">): Promise<Column> {
  const stub = await openStub();
  try {
    return await runLibrary(library, CASES, stub);
  } finally {
    stub.close();
  }
}
