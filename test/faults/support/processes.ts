import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Order, Report } from "./process-messages.ts";

/** Starts a program of this folder, ready to be sent messages; what it compiles is kept for the next. */
export function startProgram(file: string, execArgv: readonly string[] = []): ChildProcess {
  return fork(join(import.meta.dirname, file), {
    execArgv: ["--conditions=pollux-source", ...execArgv],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "pollux-faults-compiled"), NODE_OPTIONS: "" },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** A process with an agent. */
export interface AgentProcess {
  /** Resolves when it has come up. */
  ready(): Promise<unknown>;
  /** Gives it an order; resolves with its final word, or `undefined` when it died. */
  order(order: Order, onReport?: (report: Report) => void): Promise<Report | undefined>;
  /** Ends it at once, as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts one; it comes up while others work. */
export function openProcess(): AgentProcess {
  const child = startProgram("agent-process.ts");
  const exit = once(child, "exit");
  const ready = once(child, "message");
  return {
    ready: () => ready,
    order: async (order, onReport = () => {}) => {
      await Promise.race([ready, exit]);
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
    kill: async () => {
      child.kill("SIGKILL");
      await exit;
    },
  };
}
