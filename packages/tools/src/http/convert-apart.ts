import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ToolError } from "@pollux/core";
import { leaveAtEnd, ProcessQueue } from "../processes/process-queue.ts";
import type { Conversion, ConversionMessage, ConversionRequest } from "./conversion.ts";

/** Most memory that a conversion may occupy, in bytes: the JavaScript heap, buffers and the runtime itself. */
export const MAX_MEMORY_BYTES = 512_000_000;

/** Longest wait of a document for its turn, in milliseconds. */
export const MAX_WAIT_MS = 30_000;

/** Part of that memory for the JavaScript heap, in megabytes. */
const MAX_HEAP_MB = 320;

/** How much longer the process lives than its parent waits, in milliseconds; a busy parent may be late. */
const GRACE_MS = 5_000;

/**
 * How a conversion ended: `done`; `too much`, if it exceeded its time or memory; `unavailable`, if no process could be
 * started, as in a bundle; `missing`, if a package is not installed; or the problem that the process reported.
 */
export type ConversionEnd = "done" | "too much" | "unavailable" | "damaged" | "unsupported" | "missing";

/** Shared by all tools of the program, whose memory the processes share. */
const queue = new ProcessQueue();

/** Passed to each reader of documents. */
export interface ReadingContext {
  readonly signal: AbortSignal;
  /** Most conversions that may run at once in this program, this one included. */
  readonly maxConversions: number;
}

/** Options of {@link convertApart}. */
export interface ApartOptions extends ReadingContext {
  /** Time limit in milliseconds, counted from the start of the process. */
  readonly timeoutMs: number;
  /** Called for each message of the process, in order. */
  readonly onMessage: (message: ConversionMessage) => void;
}

/**
 * Converts a document in a new process, which ends with the conversion: some documents take minutes and all memory, and nothing
 * else must wait for them or crash with them. Waits until fewer than `maxConversions` are running.
 *
 * @throws {ToolError} After too long a wait. @throws The signal's reason, if it aborts.
 */
export async function convertApart(conversion: Conversion, options: ApartOptions): Promise<ConversionEnd> {
  const { timeoutMs, signal, maxConversions, onMessage } = options;
  signal.throwIfAborted();
  const file = fileURLToPath(
    new URL(import.meta.url.endsWith(".ts") ? "./convert-child.ts" : "./convert-child.js", import.meta.url),
  );
  // In a bundle, the file is missing.
  if (!existsSync(file)) return "unavailable";
  const leave = await queue.enter({
    max: maxConversions,
    signal,
    maxWaitMs: MAX_WAIT_MS,
    tooLong: () =>
      new ToolError(
        `other documents are being converted, and this one waited ${MAX_WAIT_MS} ms for its turn; fetch fewer at once, or try again later`,
      ),
  });
  // A turn may come in the same step as an abort.
  if (signal.aborted) leave();
  signal.throwIfAborted();
  const child = startChild(file, leave);
  if (child === undefined) return "unavailable";
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<ConversionEnd>((resolve, reject) => {
      let isReady = false;
      const fail = (): void => resolve(isReady ? "too much" : "unavailable");
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      timer = setTimeout(() => resolve("too much"), timeoutMs);
      child.on("error", fail);
      // On Deno, the exit may be known before the last message has arrived.
      child.once("exit", (code) => {
        if (code !== 0) fail();
      });
      child.on("message", (message: ConversionMessage) => {
        isReady = true;
        onMessage(message);
        if (message.type === "done" || message.type === "html") resolve("done");
        if (message.type === "problem") resolve(message.problem);
      });
      const request: ConversionRequest = {
        conversion,
        lifeMs: timeoutMs + GRACE_MS,
        maxMemoryBytes: MAX_MEMORY_BYTES,
      };
      child.send(request, (error) => {
        if (error !== null) fail();
      });
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    child.removeAllListeners("message");
    child.kill("SIGKILL");
  }
}

/** @param leave - Called when the process no longer occupies memory. */
function startChild(file: string, leave: () => void): ChildProcess | undefined {
  const { SystemRoot } = process.env;
  try {
    const child = spawn(process.execPath, ["--no-warnings", `--max-old-space-size=${MAX_HEAP_MB}`, file], {
      // The process needs nothing from this program's environment.
      env: SystemRoot === undefined ? {} : { SystemRoot },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      serialization: "json",
    });
    leaveAtEnd(child, leave);
    return child;
  } catch {
    // The system has too little memory for another process.
    leave();
    return undefined;
  }
}
