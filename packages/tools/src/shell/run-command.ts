import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { KeptOutput } from "./kept-output.ts";
import { PlainText } from "./plain-text.ts";
import type { ProcessGroup } from "../processes/process-group.ts";
import type { ShellOutput, ShellResult } from "./shell-options.ts";

/** Milliseconds for the output to end after the command has. */
const DRAIN_MS = 250;
/** More than a command can leave in its pipes: this much output after its end comes from a process outside the group. */
const MAX_LAST_BYTES = 4_000_000;
/** Most characters of one command's output that are reported as progress. */
const MAX_REPORTED = 1_000_000;

/** Options of {@link followCommand}. */
export interface FollowOptions {
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal;
  /** Awaited, so that a slow reader slows down the command. Never rejects. */
  report(output: ShellOutput): Promise<void>;
}

/**
 * Follows a command until it ends, times out or is aborted. Afterward, no process of its group is running.
 *
 * @throws The signal's reason, if it aborts.
 */
export async function followCommand(group: ProcessGroup, options: FollowOptions): Promise<ShellResult> {
  const { timeoutMs, graceMs, signal } = options;
  const begun = performance.now();
  const kept = new KeptOutput(options.maxOutputBytes);
  const report = reporter(options);
  const reading: Reading = { bytes: 0, taking: new Set(), end: Promise.resolve() };
  reading.end = Promise.all([
    readAll(group.stdout, reading, async (text) => (kept.add(text), await report("stdout", text))),
    readAll(group.stderr, reading, async (text) => (kept.add(text), await report("stderr", text))),
  ]);
  const first = await firstOf(group.ended, timeoutMs, signal);
  // The command's last output may still be in transit; a process it left behind may hold the pipes open.
  if (first === "ended") await readRemaining(reading);
  const hadMore = group.isAlive;
  await group.end(graceMs);
  // Includes the last output of processes that were just ended.
  await readRemaining(reading);
  group.closeOutput();
  await reading.end;
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

/** Reports until the limit is reached. */
function reporter(options: FollowOptions): (stream: ShellOutput["stream"], text: string) => Promise<void> {
  let room = MAX_REPORTED;
  return async (stream, text) => {
    if (room <= 0 || text === "") return;
    room -= text.length;
    const shown = room > 0 ? text : `${text}\n[more output is not reported]\n`;
    await options.report({ type: "shell-output", stream, text: shown });
  };
}

/** State of reading the output. */
interface Reading {
  bytes: number;
  /** Pieces being processed: the reader of the reports may be slow. */
  readonly taking: Set<Promise<void>>;
  end: Promise<unknown>;
}

async function readAll(stream: Readable, reading: Reading, take: (text: string) => Promise<void>): Promise<void> {
  const plain = new PlainText();
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      reading.bytes += chunk.length;
      const taken = take(plain.add(chunk));
      reading.taking.add(taken);
      await taken;
      reading.taking.delete(taken);
    }
  } catch {
    // Destroyed, because a process held it open after the end.
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

/**
 * Reads until the output ends. If a process holds the pipes open, gives up after a while, but not before the data in them
 * has been read, however busy this program or slow the reader of the reports is.
 */
async function readRemaining(reading: Reading): Promise<void> {
  if (await isOverWithin(reading.end, DRAIN_MS)) return;
  const begun = reading.bytes;
  for (let before = -1; before !== reading.bytes && reading.bytes - begun < MAX_LAST_BYTES;) {
    before = reading.bytes;
    await Promise.all(reading.taking);
    // The first turn of the event loop reads data that has arrived, and the next reads data that waited for room in the pipe.
    for (let turns = 0; turns < 3; turns++) await setImmediate();
  }
}

async function isOverWithin(end: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const isOver = await Promise.race([end.then(() => true), late]);
  clearTimeout(timer);
  return isOver;
}
