import { type JSONRPCMessage, ReadBuffer, serializeMessage, type Transport } from "@modelcontextprotocol/client";
import { setImmediate } from "node:timers/promises";
import { getDefaultEnvironment } from "@modelcontextprotocol/client/stdio";
import { ProcessGroup } from "../processes/process-group.ts";
import type { McpCommand } from "./server-options.ts";
import type { StderrTail } from "./stderr-tail.ts";

/** Milliseconds a server has to exit on its own after its stdin is closed, and again after SIGTERM. */
const GRACE_MS = 1_000;
/** Milliseconds for reading the last output of a server that has ended while a process it left behind holds its pipes open. */
const DRAIN_MS = 1_000;
/** Milliseconds within which a server that has closed its stdin is expected to end. */
const FAREWELL_MS = 5_000;

/**
 * Talks to a child process over its stdin and stdout, one JSON message per line. The process leads its own group, so that
 * everything it started, such as the server behind `npx`, ends with it.
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
  #group: ProcessGroup | undefined;
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
   * If the server no longer accepts messages, waits until it has ended and its last output has been read. A broken pipe may be
   * noticed before the exit that broke it.
   */
  async finishReading(): Promise<void> {
    if (this.#ending === undefined && this.#group?.stdin?.destroyed !== true) return;
    await within(this.#group?.ended, FAREWELL_MS);
    await this.#drained();
  }

  async start(): Promise<void> {
    const { command, args = [], env, cwd } = this.#server;
    const group = await ProcessGroup.start(command, args, {
      cwd,
      env: { ...getDefaultEnvironment(), ...env },
      stdin: "pipe",
    });
    this.#group = group;
    this.#stderr.read(group.stderr);
    group.stdin?.on("error", (error) => this.onerror?.(error));
    group.stdout.on("error", (error) => this.onerror?.(error));
    group.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    void group.ended.then(({ code, signal }) =>
      this.#ended(signal === null ? `exit code ${code}` : `signal ${signal}`),
    );
    // An open server doesn't keep an otherwise finished program alive; requests in progress do, by their time limits.
    group.hold(false);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#group?.stdin;
    if (stdin === undefined || this.#ending !== undefined) throw new Error("the server has ended");
    await new Promise<void>((resolve, reject) => {
      stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the process and everything it started: first it may exit on its own, then it gets SIGTERM, then it is killed. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const group = this.#group;
    if (group === undefined) return;
    group.hold(true);
    group.stdin?.end();
    // A process that it left behind in its group holds the pipes open.
    await group.end((await within(group.ended, GRACE_MS)) ? 0 : GRACE_MS);
    group.closeOutput();
    this.#incoming.clear();
  }

  #read(chunk: Buffer): void {
    try {
      this.#incoming.append(chunk);
    } catch (error) {
      // An endless message: nothing after it can be read.
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
        // The client processes notifications with a delay: without this, progress would arrive after the result.
        if (!("id" in message)) await setImmediate();
      } catch (error) {
        this.onerror?.(asError(error));
      }
    }
    this.#isDelivering = false;
  }

  async #drained(): Promise<void> {
    const open = [this.#group?.stdout, this.#group?.stderr].flatMap((pipe) => (pipe && !pipe.closed ? [pipe] : []));
    const closed = open.map((pipe) => new Promise((resolve) => pipe.once("close", resolve)));
    await within(Promise.all(closed), DRAIN_MS);
  }

  #ended(how: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = how;
    void this.#leave();
  }

  /** The server's last output may still be in transit; a process it left behind may hold the pipe open. */
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

/** False if the time was up first. */
async function within(wait: Promise<unknown> | undefined, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const inTime = await Promise.race([Promise.resolve(wait).then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
