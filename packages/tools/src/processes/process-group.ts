import { type ChildProcessByStdio, spawn } from "node:child_process";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { runsInGroup } from "./group-members.ts";

/** Milliseconds between two checks whether any process of the group is running. */
const LOOK_MS = 20;
/** Milliseconds that killed processes have to disappear. */
const GONE_MS = 1_000;

/** How a process ended: one of the two is set. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

/** How a group is started. */
export interface GroupOptions {
  readonly cwd: string | undefined;
  readonly env: Record<string, string>;
  /** @defaultValue "ignore" */
  readonly stdin?: "ignore" | "pipe" | undefined;
}

/** A process that leads its own group, so that everything it started can be ended with it. */
export class ProcessGroup {
  readonly #child: Child;
  readonly #killAtExit = (): void => void this.#send("SIGKILL");
  /** Resolves when the leader has ended; others in the group may still run. */
  readonly ended: Promise<Ending>;
  /** Undefined if the process was started with an empty stdin. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;

  private constructor(child: Child) {
    this.#child = child;
    this.stdin = child.stdin ?? undefined;
    this.stdout = child.stdout;
    this.stderr = child.stderr;
    this.ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    // Otherwise it would outlive the program.
    process.once("exit", this.#killAtExit);
  }

  /** Starts a command; its stdin is empty unless `stdin` is "pipe". @throws The system's error if it can't be started. */
  static async start(command: string, args: readonly string[], options: GroupOptions): Promise<ProcessGroup> {
    const { stdin = "ignore", ...where } = options;
    const child = spawn(command, args, {
      ...where,
      stdio: [stdin, "pipe", "pipe"],
      detached: process.platform !== "win32",
      windowsHide: true,
      // stdout and stderr are pipes for any stdin.
    }) as Child;
    const group = new ProcessGroup(child);
    try {
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
      // Later errors are about signals sent too late.
      child.on("error", () => {});
      return group;
    } catch (error) {
      process.removeListener("exit", group.#killAtExit);
      throw error;
    }
  }

  /** Whether any process of the group is running. */
  get isAlive(): boolean {
    const { pid } = this.#child;
    return pid !== undefined && this.#send(0) && (runsInGroup(pid) ?? true);
  }

  /** Sends SIGTERM to the group and, after the grace period, SIGKILL to processes still running. Ends in bounded time. */
  async end(graceMs: number): Promise<void> {
    this.#send("SIGTERM");
    if (!(await this.#isGoneWithin(graceMs))) this.#send("SIGKILL");
    await this.#isGoneWithin(GONE_MS);
    process.removeListener("exit", this.#killAtExit);
  }

  /** Stops reading: a process that left the group may still hold the pipes open. */
  closeOutput(): void {
    this.stdout.destroy();
    this.stderr.destroy();
  }

  /** Sets whether the process keeps this program alive; at first it does. */
  hold(isHeld: boolean): void {
    const pipes = [this.stdin, this.stdout, this.stderr].filter((pipe) => pipe instanceof Socket);
    for (const one of [this.#child, ...pipes])
      if (isHeld) one.ref();
      else one.unref();
  }

  async #isGoneWithin(ms: number): Promise<boolean> {
    for (const until = performance.now() + ms; performance.now() < until; await delay(LOOK_MS))
      if (!this.isAlive) return true;
    return !this.isAlive;
  }

  /** False if no process of the group is running. */
  #send(signal: NodeJS.Signals | 0): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined) return false;
    if (process.platform === "win32")
      return exitCode === null && signalCode === null && (signal === 0 || this.#child.kill(signal));
    try {
      process.kill(-pid, signal);
      return true;
    } catch (error) {
      // No permission: a process that became another user is still running.
      return error instanceof Error && "code" in error && error.code === "EPERM";
    }
  }
}
