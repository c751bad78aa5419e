import type { Readable } from "node:stream";
import type { BodyRead } from "../../wire/http/transport.ts";

/** Bytes that may wait for a reader before the socket is told to pause. */
const HIGH_WATER_BYTES = 256 * 1024;
/** Mean size up to which chunks that wait are joined: a copy costs less than a turn of the reader. */
const SMALL_BYTES = 8 * 1024;

/**
 * Bytes of a stream, in pieces. Takes them as they come while somebody waits for them; lets the stream pause
 * when its reader is slow, so that never much more than a quarter of a mebibyte is held.
 */
export class ByteQueue {
  readonly #source: Readable;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #waiting: { resolve(read: BodyRead): void; reject(error: unknown): void } | undefined;

  constructor(source: Readable) {
    this.#source = source;
    source.on("data", this.#onData);
    source.on("end", this.#onEnd);
    source.on("error", this.#onError);
    source.on("close", this.#onClose);
  }

  /** The next bytes. What came before a failure is handed out first. */
  read(): Promise<BodyRead> {
    const value = this.#take();
    if (value !== undefined) return Promise.resolve({ value });
    if (this.#ended) return DONE;
    if (this.#failure) return Promise.reject(this.#failure.error);
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  /** Drops what was not read; a read that waits rejects with `error`. Later events of the stream are ignored. */
  fail(error: unknown): void {
    this.#chunks = [];
    this.#bytes = 0;
    // Also where all had arrived: what is dropped here is missing.
    this.#ended = false;
    this.#onError(error);
  }

  /** One chunk; all there are when they are small. */
  #take(): Uint8Array | undefined {
    const chunks = this.#chunks;
    const [first] = chunks;
    if (first === undefined) return undefined;
    const all = chunks.length === 1 || this.#bytes < chunks.length * SMALL_BYTES;
    const bytes = chunks.length === 1 || !all ? first : Buffer.concat(chunks, this.#bytes);
    if (all) this.#chunks = [];
    else chunks.shift();
    this.#bytes -= bytes.byteLength;
    if (this.#bytes === 0 && this.#source.isPaused()) this.#source.resume();
    return bytes;
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#failure) return;
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      waiting.resolve({ value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    if (this.#bytes >= HIGH_WATER_BYTES) this.#source.pause();
  };

  readonly #onEnd = (): void => {
    if (this.#failure) return;
    this.#ended = true;
    this.#waiting?.resolve(END);
    this.#waiting = undefined;
  };

  readonly #onError = (error: unknown): void => {
    if (this.#ended || this.#failure) return;
    this.#failure = { error };
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  };

  readonly #onClose = (): void => {
    if (this.#ended || this.#failure) return;
    this.#onError(connectionClosed());
  };
}

/** For a connection that ended without saying why. */
export function connectionClosed(): Error {
  return Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
}

const END: BodyRead = {};
const DONE: Promise<BodyRead> = Promise.resolve(END);
