import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSnippets, type SnippetFolder } from "./support/snippet-folder.ts";
import { isOutput, needsPrograms, snippets } from "./support/snippets.ts";

let opened: SnippetFolder;
beforeAll(async () => void (opened = await openSnippets(".snippets-system")));
afterAll(() => opened[Symbol.asyncDispose]());

/** Snippets that listen, or read facts of a process. `snippets.test.ts` runs all others in one process, which has to end by itself as well. */
const ofProcess = snippets().filter(({ code }) => needsPrograms(code) || /\bprocess\.(?!stdout)|\.listen\(/.test(code));

test("some snippets need a process of their own", () => {
  expect(ofProcess.length).toBeGreaterThan(8);
});

test.concurrent.for(ofProcess)("$name runs to its end as a process of its own", async ({ name, code, output }) => {
  const { folder: cwd, env } = opened;
  const args = ["--conditions=pollux-source", opened.file(name)];
  const running = promisify(execFile)(process.execPath, args, { cwd, env });
  // A program that reads lines gets none.
  running.child.stdin?.end();
  const { stdout } = await running;
  // `snippets.test.ts` compares the output of all others.
  if (needsPrograms(code) && output !== undefined && !isOutput(output, stdout)) expect(stdout).toBe(output);
});
