import { spawn } from "node:child_process";
import { once } from "node:events";

/** A program that is a worker, in a process of its own. */
export interface WorkerProcess {
  readonly pid: number;
  /** What it printed so far. */
  readonly output: () => string;
  /** Ends it as a crash does, and resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a program on the sources and waits until it has printed `ready`. It ends with this process, whatever happens to its test.
 *
 * @param file - A TypeScript program that serves agents and then prints a line `ready`.
 */
export async function startWorkerProcess(
  file: string,
  env: Readonly<Record<string, string>> = {},
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, ["--conditions=pollux-source", "--no-warnings", file], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], ...env },
  });
  const die = (): void => {
    child.kill("SIGKILL");
  };
  process.once("exit", die);
  const gone = once(child, "exit").then(() => process.removeListener("exit", die));
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const hear = (text: string): void => {
      output += text;
      if (/^ready$/m.test(output)) resolve();
    };
    child.stdout.setEncoding("utf8").on("data", hear);
    child.stderr.setEncoding("utf8").on("data", hear);
    void gone.then(() => reject(new Error(`${file} ended before it was ready:\n${output}`)));
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    kill: async () => {
      die();
      await gone;
    },
  };
}
