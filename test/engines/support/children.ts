import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A program of these tests in its own process. */
export interface Program<Said> {
  readonly pid: number;
  /** Its first message. */
  readonly ready: Promise<Said>;
  readonly gone: Promise<unknown>;
  /** The end of its output. */
  printed(): string;
  send(message: object): void;
  /** Kills it like a crash; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts a program on the sources; it always ends with this process. */
export function startProgram<Said extends object>(
  file: URL,
  env: Readonly<Record<string, string>>,
  onSaid: (said: Said) => void = () => {},
): Program<Said> {
  const child: ChildProcess = fork(file, {
    execArgv: ["--conditions=pollux-source", "--no-warnings"],
    env: {
      PATH: process.env["PATH"],
      NO_COLOR: "1",
      NODE_COMPILE_CACHE: join(tmpdir(), "pollux-engines-compiled"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let printed = "";
  const hear = (text: string): void => void (printed = (printed + text).slice(-4_000));
  child.stdout?.setEncoding("utf8").on("data", hear);
  child.stderr?.setEncoding("utf8").on("data", hear);
  const die = (): void => void child.kill("SIGKILL");
  process.once("exit", die);
  const gone = once(child, "exit").then(() => process.removeListener("exit", die));
  child.on("message", (said: Said) => onSaid(said));
  const ready = Promise.race([
    // Its first message is that it is ready.
    once(child, "message").then(([said]) => said as Said),
    gone.then(() => {
      throw new Error(`${file.pathname} ended before it was ready:\n${printed}`);
    }),
  ]);
  // Its waiters handle the rejection.
  ready.catch(() => {});
  return {
    pid: child.pid ?? 0,
    ready,
    gone,
    printed: () => printed,
    send: (message) => {
      if (child.connected) child.send(message);
    },
    kill: async () => {
      die();
      await gone;
    },
  };
}
