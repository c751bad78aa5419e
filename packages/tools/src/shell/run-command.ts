import type { Readable } from "node:stream";
import { KeptOutput } from "./kept-output.ts";
import { PlainText } from "./plain-text.ts";
import type { ProcessGroup } from "./process-group.ts";
import type { ShellOutput, ShellResult } from "./shell-options.ts";

/** Milliseconds that what a command said last has to arrive once it has ended. */
const DRAIN_MS = 250;
/** Most characters of one command that are reported as progress. */
const MAX_REPORTED = 1_000_000;

/** How {@link followCommand} goes about it. */
export interface FollowOptions {
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal;
  /** Awaited, so that a slow reader slows the command down. Never rejects. */
  report(output: ShellOutput): Promise<void>;
}

/**
 * Follows a command to its end, its time limit or the abort. Nobody of its group is left afterwards.
 *
 * @throws The signal's reason when it aborts.
 */
export async function followCommand(group: ProcessGroup, options: FollowOptions): Promise<ShellResult> {
  const { timeoutMs, graceMs, signal } = options;
  const begun = performance.now();
  const kept = new KeptOutput(options.maxOutputBytes);
  const report = reporter(options);
  const read = Promise.all([
    readAll(group.stdout, async (text) => (kept.add(text), await report("stdout", text))),
    readAll(group.stderr, async (text) => (kept.add(text), await report("stderr", text))),
  ]);
  const first = await firstOf(group.ended, timeoutMs, signal);
  // What it said last may be on its way; a process that it left behind may hold the pipes open.
  if (first === "ended") await settledWithin(read, DRAIN_MS);
  const hadMore = group.isAlive;
  await group.end(graceMs);
  // The last words of those that were just ended, too.
  await settledWithin(read, DRAIN_MS);
  group.closeOutput();
  await read;
  signal.throwIfAborted();
  const { code, signal: ending } = await group.ended;
  const { output, droppedBytes } = kept.result();
  return {
    ...(code === null ? {} : { exit_code: code }),
    ...(ending === null ? {} : { signal: ending }),
    output,
    ...(droppedBytes === 0 ? {} : { dropped_bytes: droppedBytes }),
    duration_ms: Math.round(performance.now() - begun),
    ...(first === "late" ? { note: `ended after its time limit of ${timeoutMs} ms` } : {}),
    ...(first === "ended" && hadMore ? { note: "processes that it left running were ended" } : {}),
  };
}

/** Reports until it has been enough. */
function reporter(options: FollowOptions): (stream: ShellOutput["stream"], text: string) => Promise<void> {
  let room = MAX_REPORTED;
  return async (stream, text) => {
    if (room <= 0 || text === "") return;
    room -= text.length;
    const shown = room > 0 ? text : `${text}\n[more output is not reported]\n`;
    await options.report({ type: "shell-output", stream, text: shown });
  };
}

async function readAll(stream: Readable, take: (text: string) => Promise<void>): Promise<void> {
  const plain = new PlainText();
  try {
    for await (const chunk of stream) await take(plain.add(chunk as Buffer));
  } catch {
    // Destroyed, since somebody held it open after the end.
  }
  await take(plain.end());
}

async function firstOf(
  ended: Promise<unknown>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<"ended" | "late" | "aborted"> {
  let timer: NodeJS.Timeout | undefined;
  let abort = (): void => {};
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, timeoutMs, "late");
  });
  const aborted = new Promise<"aborted">((resolve) => {
    abort = () => resolve("aborted");
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
  });
  const first = await Promise.race([ended.then(() => "ended" as const), late, aborted]);
  clearTimeout(timer);
  signal.removeEventListener("abort", abort);
  return first;
}

async function settledWithin(wait: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    wait,
    new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}
