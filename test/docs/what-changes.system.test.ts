import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { programFile } from "../support/programs.ts";
import { ROOT } from "./support/pages.ts";
import type { Claims, SeenOf } from "./what-changes/claims.ts";
import { CLAIMS_OF_OTHERS } from "./what-changes/claims-of-others.ts";
import { CLAIMS_OF_POLLUX } from "./what-changes/claims-of-pollux.ts";

// `from-other-libraries.test.ts` checks that the tables of the pages say this.
const folder = join(ROOT, "test/.snippets-changes");
const sources = join(ROOT, "test/docs/what-changes");

/** The other libraries are installed where only system tests need them, so their drivers move there. */
beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  symlinkSync(programFile("", ""), join(folder, "node_modules"), "junction");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([["pollux", CLAIMS_OF_POLLUX] as const, ...Object.entries(CLAIMS_OF_OTHERS)])("%s", (name, claims) => {
  let seen: SeenOf;
  beforeAll(async () => {
    const source = join(sources, "drivers", `${name}.mjs`);
    const driver = name === "pollux" ? source : join(folder, `${name}.mjs`);
    if (name !== "pollux") copyFileSync(source, driver);
    const results = join(folder, `${name}.json`);
    const args = ["--conditions=pollux-source", join(sources, "worker.mjs"), driver, results];
    // Without a key of OpenAI's, nothing is traced.
    const env = { ...process.env, OPENAI_API_KEY: undefined, LANGSMITH_API_KEY: undefined, POLLUX_LOG: "silent" };
    await promisify(execFile)(process.execPath, args, { env, maxBuffer: 1 << 26 });
    seen = JSON.parse(readFileSync(results, "utf8")) as SeenOf; // written by the worker
  });

  test.each(rowsOf(claims))("%s: %s", (_happens, _cell, holds) => {
    expect(holds(seen), JSON.stringify(seen, shorten, 1)).toBe(true);
  });
});

function rowsOf(claims: Claims) {
  return Object.entries(claims).map(([happens, [cell, holds]]) => [happens, cell, holds] as const);
}

/** A failure only shows the number of requests. */
function shorten(name: string, value: unknown): unknown {
  return name === "requests" && Array.isArray(value) ? value.length : value;
}
