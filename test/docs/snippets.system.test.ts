import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, test } from "vitest";
import { openSnippets, type SnippetFolder, snippets } from "./support/snippets.ts";

let opened: SnippetFolder;
beforeAll(async () => void (opened = await openSnippets(".snippets-system")));
afterAll(() => opened[Symbol.asyncDispose]());

test.concurrent.for(snippets())("$name runs to its end as a process of its own", async ({ name }) => {
  const { folder: cwd, env } = opened;
  await promisify(execFile)(process.execPath, ["--conditions=pollux-source", opened.file(name)], { cwd, env });
});
