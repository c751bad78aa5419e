import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { runsInGroup } from "./group-members.ts";

/** Milliseconds between two looks at whether anybody of the group is left. */
const LOOK_MS = 20;
/** Milliseconds that killed processes have to be gone. */
const GONE_MS = 1_000;

/** How a process ended: one of both is set. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that leads a group of its own, so that what it started can be ended with it. */
export class ProcessGroup {
  readonly #child: ChildProcess;
  readonly #killAtExit = (): void => void this.#send("SIGKILL");
  /** When the leader has ended; others of the group may go on. */
  readonly ended: Promise<Ending>;
  readonly stdout: Readable;
  readonly stderr: Readable;

  private constructor(child: ChildProcess, stdout: Readable, stderr: Readable) {
    this.#child = child;
    this.stdout = stdout;
    this.stderr = stderr;
    this.ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    // Else it would outlive the program.
    process.once("exit", this.#killAtExit);
  }

  /** Starts a command with nothing on its stdin. @throws What the system says when it cannot be started. */
  static async start(
    command: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly env: Record<string, string> },
  ): Promise<ProcessGroup> {
    const child = spawn(command, args, {
      ...options,
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    const group = new ProcessGroup(child, child.stdout, child.stderr);
    try {
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
      // Later errors are about signals that come too late.
      child.on("error", () => {});
      return group;
    } catch (error) {
      process.removeListener("exit", group.#killAtExit);
      throw error;
    }
  }

  /** Whether anybody of the group is left. */
  get isAlive(): boolean {
    const { pid } = this.#child;
    return pid !== undefined && this.#send(0) && (runsInGroup(pid) ?? true);
  }

  /** Asks everybody of the group to end and kills, after the grace, whoever is left. Ends in bounded time. */
  async end(graceMs: number): Promise<void> {
    this.#send("SIGTERM");
    if (!(await this.#isGoneWithin(graceMs))) this.#send("SIGKILL");
    await this.#isGoneWithin(GONE_MS);
    process.removeListener("exit", this.#killAtExit);
  }

  /** Reads no further: somebody who left the group may still hold the pipes open. */
  closeOutput(): void {
    this.stdout.destroy();
    this.stderr.destroy();
  }

  async #isGoneWithin(ms: number): Promise<boolean> {
    for (const until = performance.now() + ms; performance.now() < until; await delay(LOOK_MS))
      if (!this.isAlive) return true;
    return !this.isAlive;
  }

  /** False when nobody of the group is left. */
  #send(signal: NodeJS.Signals | 0): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined) return false;
    if (process.platform === "win32")
      return exitCode === null && signalCode === null && (signal === 0 || this.#child.kill(signal));
    try {
      process.kill(-pid, signal);
      return true;
    } catch (error) {
      // The system does not let us: somebody is left who became another user.
      return error instanceof Error && "code" in error && error.code === "EPERM";
    }
  }
}
