import { type ChildProcess, spawn } from "node:child_process";
import { type JSONRPCMessage, ReadBuffer, serializeMessage, type Transport } from "@modelcontextprotocol/client";
import { setImmediate } from "node:timers/promises";
import { getDefaultEnvironment } from "@modelcontextprotocol/client/stdio";
import type { McpCommand } from "./server-options.ts";
import type { StderrTail } from "./stderr-tail.ts";

/** Milliseconds a server has to end by itself when its stdin is closed, and again when it is asked to. */
const GRACE_MS = 1_000;
/** Milliseconds in which the last words of a server that has ended are read, when something it left behind holds its pipes open. */
const DRAIN_MS = 1_000;
/** Milliseconds until a server that has closed its stdin is expected to have ended. */
const FAREWELL_MS = 5_000;

/**
 * Speaks to a child process over its stdin and stdout, one JSON message a line. The process leads a group of its own, so
 * that what it has started itself, such as the server behind `npx`, ends with it.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio
 */
export class ProcessTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #server: McpCommand;
  readonly #stderr: StderrTail;
  readonly #incoming = new ReadBuffer();
  readonly #killAtExit = (): void => this.#kill("SIGKILL");
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #ending: string | undefined;
  #isDelivering = false;

  constructor(server: McpCommand, stderr: StderrTail) {
    this.#server = server;
    this.#stderr = stderr;
  }

  /** How the process ended, such as `exit code 1`; undefined while it runs. */
  get ending(): string | undefined {
    return this.#ending;
  }

  /**
   * Resolves when it is known how a server ended that takes no messages any more, and its last words were read; at once for one that
   * takes them. A broken pipe may be noticed before the end that broke it.
   */
  async lastWords(): Promise<void> {
    if (this.#ending === undefined && this.#child?.stdin?.destroyed !== true) return;
    await within(this.#gone, FAREWELL_MS);
    await this.#drained();
  }

  async start(): Promise<void> {
    const { command, args = [], env, cwd } = this.#server;
    const child = spawn(command, args, {
      cwd,
      env: { ...getDefaultEnvironment(), ...env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    this.#child = child;
    this.#stderr.read(child.stderr);
    child.stdin.on("error", (error) => this.onerror?.(error));
    child.stdout.on("error", (error) => this.onerror?.(error));
    child.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#gone = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#ended(signal === null ? `exit code ${code}` : `signal ${signal}`);
        resolve();
      });
      child.once("error", (error) => {
        if (child.pid !== undefined) return this.onerror?.(error);
        resolve();
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    process.once("exit", this.#killAtExit);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (stdin === undefined || stdin === null || this.#ending !== undefined) throw new Error("the server has ended");
    await new Promise<void>((resolve, reject) => {
      stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the process and what it started: it may end by itself, then it is asked to, then it is killed. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    child.stdin?.end();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await within(this.#gone, GRACE_MS)) break;
      this.#kill(signal);
    }
    await this.#gone;
    // What it left behind in its group holds the pipes open.
    this.#kill("SIGKILL");
    child.stdout?.destroy();
    child.stderr?.destroy();
    this.#incoming.clear();
  }

  #kill(signal: "SIGTERM" | "SIGKILL"): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") this.#child?.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  }

  #read(chunk: Buffer): void {
    try {
      this.#incoming.append(chunk);
    } catch (error) {
      // A message that does not end: nothing after it can be read.
      this.onerror?.(asError(error));
      void this.close();
      return;
    }
    void this.#deliver();
  }

  async #deliver(): Promise<void> {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (;;) {
      try {
        const message = this.#incoming.readMessage();
        if (message === null) break;
        this.onmessage?.(message);
        // The client looks at notifications a moment later: progress would come after the result that ends it.
        if (!("id" in message)) await setImmediate();
      } catch (error) {
        this.onerror?.(asError(error));
      }
    }
    this.#isDelivering = false;
  }

  async #drained(): Promise<void> {
    const open = [this.#child?.stdout, this.#child?.stderr].flatMap((pipe) => (pipe && !pipe.closed ? [pipe] : []));
    const closed = open.map((pipe) => new Promise((resolve) => pipe.once("close", resolve)));
    await within(Promise.all(closed), DRAIN_MS);
  }

  #ended(how: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = how;
    process.removeListener("exit", this.#killAtExit);
    void this.#leave();
  }

  /** What it said last may still be on its way; a process that it left behind may hold the pipe open. */
  async #leave(): Promise<void> {
    await this.#drained();
    while (this.#isDelivering) await setImmediate();
    this.onclose?.();
    void this.close();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** False when the time was up first. */
async function within(wait: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const inTime = await Promise.race([wait.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
