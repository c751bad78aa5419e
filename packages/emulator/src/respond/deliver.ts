import type { Fault } from "../fault/fault.ts";
import type { Random } from "../internal/random.ts";
import { wait } from "../internal/wait.ts";
import type { FramedBody } from "./framing.ts";

/** How to send a body to the client. */
export interface Delivery {
  readonly body: FramedBody;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
  /** Milliseconds between two chunks. */
  readonly chunkMs: number;
  readonly fault?: Fault | undefined;
  /** Splits writes at random bytes. */
  readonly split?: Random | undefined;
  /** Called with each frame that is sent whole. */
  readonly onFrame?: ((frame: string) => void) | undefined;
  /** Called once, when the body ends: true if the client read all of it. */
  readonly onEnd: (complete: boolean) => void;
}

/** A body as a stream of bytes, produced as it is read, including the fault. */
export function deliver(delivery: Delivery): ReadableStream<Uint8Array> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, delivery.signal]);
  const bytes = writes(delivery, signal);
  let over = false;
  const end = (complete: boolean): void => {
    if (!over) delivery.onEnd(complete);
    over = true;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await bytes.next();
        if (done !== true) return controller.enqueue(value);
        end(value);
        controller.close();
      } catch (error) {
        end(false);
        controller.error(error);
      }
    },
    cancel(reason) {
      end(false);
      stop.abort(reason);
    },
  });
}

/** Yields the writes; returns whether the body was complete. */
async function* writes(delivery: Delivery, signal: AbortSignal): AsyncGenerator<Uint8Array, boolean> {
  const { fault, chunkMs } = delivery;
  const { frames, whole } = planFrames(delivery);
  const encoder = new TextEncoder();
  let left = fault?.kind === "cut" && fault.atByte !== undefined ? fault.atByte : Number.POSITIVE_INFINITY;
  for (const [index, frame] of frames.entries()) {
    if (fault?.kind === "slow" && index === fault.afterChunks) await wait(fault.stallMs, signal);
    if (index > 0) await wait(chunkMs, signal);
    signal.throwIfAborted();
    const bytes = encoder.encode(frame);
    if (bytes.length <= left) delivery.onFrame?.(frame);
    yield* splitBytes(bytes.subarray(0, Math.min(bytes.length, left)), delivery.split);
    left -= bytes.length;
    if (left <= 0) break;
  }
  if (fault?.kind === "slow" && frames.length === fault.afterChunks) await wait(fault.stallMs, signal);
  if (fault?.kind === "cut" && fault.reset) throw connectionReset();
  return whole && left > 0;
}

function planFrames({ body, fault }: Delivery): { frames: readonly string[]; whole: boolean } {
  const { frames } = body;
  // A truncation or an error always comes before the chunk with the finish reason.
  const before = (afterChunks: number): readonly string[] => frames.slice(0, Math.min(afterChunks, frames.length - 1));
  if (fault?.kind === "cut" && fault.atByte === undefined)
    return { frames: before(fault.afterChunks ?? 1), whole: false };
  if (fault?.kind === "stream-error") {
    const error = fault.bare ? JSON.stringify(fault.data) : body.frame(fault.data);
    const { end = "\r\n" } = body;
    const tail = fault.trailer === undefined ? [] : [`${fault.bare ? end : ""}${fault.trailer}${end}`];
    return { frames: [...before(fault.afterChunks), error, ...tail], whole: false };
  }
  return { frames, whole: true };
}

function* splitBytes(bytes: Uint8Array, random: Random | undefined): Generator<Uint8Array> {
  if (random === undefined) {
    if (bytes.length > 0) yield bytes;
    return;
  }
  let at = 0;
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + random.int(1, 48));
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** The error from reading a body when the connection is reset; with the name and code of a socket's error. */
function connectionReset(): TypeError {
  const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  return new TypeError("terminated", { cause });
}
