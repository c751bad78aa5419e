import { createParser, type EventSourceParser } from "eventsource-parser";
import { ApiShapeError } from "../../errors/api-errors.ts";

/** Options of {@link SseDecoder} and {@link readSse}. */
export interface SseOptions {
  /**
   * Most bytes that may arrive without completing an event.
   *
   * @defaultValue 67_108_864 (64 MiB)
   */
  readonly maxBufferBytes?: number | undefined;
}

const MAX_BUFFER_BYTES = 64 * 1024 * 1024;

/**
 * Bytes of a `text/event-stream` → data strings, one list per read.
 *
 * Takes CR, LF and CRLF, any split of the bytes, a byte order mark, comments, multi-line data, events whose blank lines a proxy
 * removed, and a last event without a blank line if it is complete JSON (a truncated one is dropped: its stream is incomplete).
 * `[DONE]` is ignored. JSON in the body without `data:` (gateways and proxies send errors that way) is one data string.
 */
export class SseDecoder {
  readonly #parser: EventSourceParser;
  readonly #decoder = new TextDecoder();
  readonly #maxBufferBytes: number;
  #data: string[] = [];
  /** Text since the read that completed the last event; shares its strings with the parser's own buffer. */
  #rest: string[] = [];
  #restBytes = 0;
  #begun = false;
  /** An event was completed, so {@link SseDecoder.#rest} may begin in the middle of a line. */
  #isCut = false;
  /** The body begins as JSON, not as an event stream. */
  #bare = false;

  constructor(options: SseOptions = {}) {
    this.#maxBufferBytes = options.maxBufferBytes ?? MAX_BUFFER_BYTES;
    this.#parser = createParser({
      onEvent: ({ data }) => {
        // One by one: a list of arguments as long as this one may be does not fit the stack.
        if (data.includes("\n")) for (const event of eventsIn(data)) this.#data.push(event);
        else if (data !== "[DONE]" && data !== "") this.#data.push(data);
      },
    });
  }

  /**
   * Data strings completed by these bytes, in order.
   *
   * @throws {ApiShapeError} When more than `maxBufferBytes` came without completing an event.
   */
  push(bytes: Uint8Array): readonly string[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (!this.#begun) this.#begin(text);
    if (!this.#bare) this.#parser.feed(text);
    if (this.#data.length > 0) {
      this.#isCut = true;
      this.#rest = [text];
      this.#restBytes = bytes.length;
      const data = this.#data;
      this.#data = [];
      return data;
    }
    this.#rest.push(text);
    this.#restBytes += bytes.length;
    if (this.#restBytes > this.#maxBufferBytes) throw this.#overflow();
    return NONE;
  }

  /** Data strings that the end of the body completes. */
  end(): readonly string[] {
    const text = this.#decoder.decode();
    this.#rest.push(text);
    if (!this.#bare) this.#parser.feed(`${text}\n\n`);
    const last = this.#data.filter(isJson);
    if (last.length > 0) return last;
    const rest = this.#rest.join("");
    const bare = (this.#bare ? rest : lastBlock(rest, this.#isCut)).trim();
    return /^[[{]/.test(bare) && isJson(bare) ? [bare] : NONE;
  }

  /** Text outside of any event, for an error message: at most 200 characters. */
  get leftover(): string {
    return this.#rest.join("").trim().slice(0, 200);
  }

  #begin(text: string): void {
    const first = /\S/.exec(text)?.[0];
    if (first === undefined) return;
    this.#begun = true;
    this.#bare = first === "{" || first === "[";
  }

  #overflow(): ApiShapeError {
    return new ApiShapeError(
      `The stream sent more than ${this.#maxBufferBytes} bytes without completing an event; raise maxBufferBytes if answers can be that large.`,
      "$",
      this.leftover,
    );
  }
}

/** The data strings of a stream of bytes, one list for each read that completed any. */
export async function* readSse(
  bytes: AsyncIterable<Uint8Array>,
  options: SseOptions = {},
): AsyncGenerator<readonly string[], void, void> {
  const decoder = new SseDecoder(options);
  for await (const chunk of bytes) {
    const data = decoder.push(chunk);
    if (data.length > 0) yield data;
  }
  const last = decoder.end();
  if (last.length > 0) yield last;
}

/** The data of the first event in a whole body; the body itself if there is none. */
export function readFirstEvent(body: string): string {
  const decoder = new SseDecoder();
  return [...decoder.push(new TextEncoder().encode(body)), ...decoder.end()][0] ?? body;
}

const NONE: readonly string[] = [];

/** One event; several when its first line alone is complete JSON, which the first line of a multi-line value cannot be. */
function eventsIn(data: string): readonly string[] {
  const lines = data.split("\n");
  return isJson(lines[0] ?? "") ? lines.filter((line) => line !== "[DONE]" && line !== "") : [data];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The lines after the last blank one; nothing if they may begin in the middle of a line, whose data was handed out already. */
function lastBlock(text: string, cut: boolean): string {
  const body = text.trimEnd();
  let start = 0;
  for (const blank of ["\n\n", "\r\r", "\r\n\r\n"]) {
    const at = body.lastIndexOf(blank);
    if (at >= 0) start = Math.max(start, at + blank.length);
  }
  return start === 0 && cut && !/^[\r\n]/.test(body) ? "" : body.slice(start);
}
