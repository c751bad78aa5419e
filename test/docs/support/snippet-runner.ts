import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { SnippetEnd } from "./run-snippets.ts";
import { openSnippets, type SnippetFolder } from "./snippet-folder.ts";
import type { Snippet } from "./snippets.ts";

/** A process that runs programs, one after the other. */
export interface ProgramRunner extends AsyncDisposable {
  run(file: string): Promise<SnippetEnd>;
  /** Resolves when the process has ended by itself. @throws When a program keeps it open, or it failed. */
  end(): Promise<void>;
}

/** A runner for snippets in a folder. */
export interface SnippetRunner extends AsyncDisposable, Pick<SnippetFolder, "folder">, Pick<ProgramRunner, "end"> {
  run(snippet: Snippet): Promise<SnippetEnd>;
}

/** Ends a hang, in milliseconds. */
const PATIENCE_MS = 90_000;

/** @param folderName - See {@link openSnippets}. */
export async function startSnippetRunner(folderName: string, programs?: readonly Snippet[]): Promise<SnippetRunner> {
  const opened = await openSnippets(folderName, programs);
  const runner = startRunner(opened.folder, { ...opened.env, NO_COLOR: "1" }, ["--conditions=pollux-source"]);
  return {
    folder: opened.folder,
    run: ({ name }) => runner.run(opened.file(name)),
    end: () => runner.end(),
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

/** @param execArgv - Node's own options. */
export function startRunner(cwd: string, env: NodeJS.ProcessEnv, execArgv: readonly string[]): ProgramRunner {
  const child: ChildProcess = fork(new URL("run-snippets.ts", import.meta.url), {
    execArgv: [...execArgv],
    cwd,
    env,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exit = once(child, "exit");
  /** Changes of the open resources. */
  const trail: string[] = [];
  let last = "";
  return {
    run: async (file) => {
      const answer = once(child, "message");
      child.send(file);
      const gone = exit.then(([code]) => Promise.reject(new Error(`Its process has ended with ${code}.`)));
      // The format of run-snippets.ts.
      const [end] = (await Promise.race([answer, gone])) as [SnippetEnd];
      if (end.open !== last) trail.push(`${file}: ${end.open}`);
      last = end.open;
      return end;
    },
    end: async () => {
      child.send("");
      const hang = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      const [code] = (await exit) as [number | null];
      clearTimeout(hang);
      if (code === null) throw new Error(`It has not ended. What was open:\n${trail.join("\n")}`);
      if (code !== 0) throw new Error(`It has ended with ${code}.`);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
    },
  };
}
