import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledProgram } from "../../support/bundled-program.ts";
import type { Order, Report } from "./process-messages.ts";

/** Starts a program of these tests with a message channel; caches its compiled code for the next one. */
export function startProgram(file: URL, execArgv: readonly string[] = [], args: readonly string[] = []): ChildProcess {
  return fork(bundledProgram(file), args, {
    execArgv: ["--conditions=pollux-source", ...execArgv],
    env: environment(),
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** The same with a limit on file sizes, in units of 512 bytes. */
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
  /** Resolves when it is ready. */
  ready(): Promise<unknown>;
  /** Sends it an order; resolves with its final message, or `undefined` if it died. */
  order(order: Order, onReport?: (report: Report) => void): Promise<Report | undefined>;
  /** Grants the permission that it asked for. */
  allow(): void;
  /** Kills it like a crash; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a process, which gets ready while others work.
 *
 * @param maxBlocks - Largest file that it may write, in units of 512 bytes.
 */
export function openProcess(maxBlocks?: number): AgentProcess {
  const program = new URL("./agent-process.ts", import.meta.url);
  const child = maxBlocks === undefined ? startProgram(program) : startWithSmallFiles(program, maxBlocks);
  const exit = once(child, "exit");
  const died = exit.then(() => {
    throw new Error(`${program.pathname} ended before it was ready`);
  });
  const ready = Promise.race([once(child, "message"), died]);
  // Its waiters handle the rejection.
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
