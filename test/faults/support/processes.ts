import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledProgram } from "../../support/bundled-program.ts";
import type { Order, Report } from "./process-messages.ts";

/** Starts a program of these tests, ready to be sent messages; what it compiles is kept for the next. */
export function startProgram(file: URL, execArgv: readonly string[] = [], args: readonly string[] = []): ChildProcess {
  return fork(bundledProgram(file), args, {
    execArgv: ["--conditions=pollux-source", ...execArgv],
    env: environment(),
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** The same with no file larger than some units of 512 bytes. */
function startWithSmallFiles(file: URL, maxBlocks: number): ChildProcess {
  const program = `"${process.execPath}" --conditions=pollux-source "${bundledProgram(file)}"`;
  return spawn("sh", ["-c", `ulimit -f ${maxBlocks} && exec ${program}`], {
    env: environment(),
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "pollux-faults-compiled"), NODE_OPTIONS: "" };
}

/** A process with an agent. */
export interface AgentProcess {
  /** Resolves when it has come up. */
  ready(): Promise<unknown>;
  /** Gives it an order; resolves with its final word, or `undefined` when it died. */
  order(order: Order, onReport?: (report: Report) => void): Promise<Report | undefined>;
  /** Allows it what it asks for. */
  allow(): void;
  /** Ends it at once, as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts one; it comes up while others work.
 *
 * @param maxBlocks - Size of the largest file it may write, in units of 512 bytes.
 */
export function openProcess(maxBlocks?: number): AgentProcess {
  const program = new URL("./agent-process.ts", import.meta.url);
  const child = maxBlocks === undefined ? startProgram(program) : startWithSmallFiles(program, maxBlocks);
  const exit = once(child, "exit");
  const died = exit.then(() => {
    throw new Error(`${program.pathname} ended before it was ready`);
  });
  const ready = Promise.race([once(child, "message"), died]);
  // Whoever waits for it hears of it.
  ready.catch(() => {});
  return {
    ready: () => ready,
    order: async (order, onReport = () => {}) => {
      await ready;
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      return await new Promise((resolve) => {
        const listen = (report: Report): void => {
          onReport(report);
          if (report.is === "finished" || report.is === "failed") over(report);
        };
        const over = (report?: Report): void => {
          child.off("message", listen);
          resolve(report);
        };
        child.on("message", listen);
        void exit.then(() => over());
        child.send(order);
      });
    },
    allow: () => void child.send({ do: "go-on" } satisfies Order),
    kill: async () => {
      child.kill("SIGKILL");
      await exit;
    },
  };
}
