import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needsPrograms, openSnippets, type SnippetFolder, snippets } from "./support/snippets.ts";

const all = snippets();
let opened: SnippetFolder;
let child: ChildProcess;

beforeAll(async () => {
  opened = await openSnippets(".snippets");
  child = fork(new URL("support/run-snippets.ts", import.meta.url), {
    execArgv: ["--conditions=pollux-source"],
    cwd: opened.folder,
    env: opened.env,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
});
afterAll(async () => {
  child.kill("SIGKILL");
  await opened[Symbol.asyncDispose]();
});

describe("the snippets of README and docs", () => {
  test("there are some", () => {
    expect(all.length).toBeGreaterThan(8);
  });

  test("all of them compile under the strictest settings", async () => {
    const { stdout } = await promisify(execFile)("tsc", ["-p", opened.folder]).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe("");
  });

  // All in one process; each in its own, to its end, and those that start servers of others: `snippets.system.test.ts`.
  test.each(all.filter(({ code }) => !needsPrograms(code)))("$name runs", async ({ name }) => {
    const answer = once(child, "message");
    child.send(opened.file(name));
    const [problem] = (await answer) as [string];
    expect(problem).toBe("");
  });
});
