import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { SnippetEnd } from "./run-snippets.ts";
import { openSnippets, type SnippetFolder } from "./snippet-folder.ts";
import type { Snippet } from "./snippets.ts";

/** One process that runs snippets, one after the other. */
export interface SnippetRunner extends AsyncDisposable, Pick<SnippetFolder, "folder"> {
  run(snippet: Snippet): Promise<SnippetEnd>;
}

/** @param folderName - See {@link openSnippets}. */
export async function startSnippetRunner(folderName: string, programs?: readonly Snippet[]): Promise<SnippetRunner> {
  const opened = await openSnippets(folderName, programs);
  const child: ChildProcess = fork(new URL("run-snippets.ts", import.meta.url), {
    execArgv: ["--conditions=pollux-source"],
    cwd: opened.folder,
    env: { ...opened.env, NO_COLOR: "1" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return {
    folder: opened.folder,
    run: async ({ name }) => {
      const answer = once(child, "message");
      child.send(opened.file(name));
      // What run-snippets.ts sends.
      const [end] = (await answer) as [SnippetEnd];
      return end;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await opened[Symbol.asyncDispose]();
    },
  };
}
