import { createParser, type EventSourceParser } from "eventsource-parser";
import { ApiShapeError } from "../../errors/api-errors.ts";
import { DEFAULT_LIMITS } from "../client-options.ts";

/** Options of {@link SseDecoder}. */
export interface SseOptions {
  /** Most bytes that may arrive without completing an event. @defaultValue 67_108_864 (64 MiB) */
  readonly maxBufferBytes?: number | undefined;
}

/**
 * Bytes of a `text/event-stream` → data strings, one list per read. Takes any line ends, any split of the bytes, comments, multi-line data,
 * events whose blank lines a proxy removed, and a last event without one if it is complete JSON. `[DONE]` is ignored. JSON on lines without
 * `data:`, as gateways send errors, is one data string at the end of the body.
 */
export class SseDecoder {
  readonly #parser: EventSourceParser;
  readonly #decoder = new TextDecoder();
  readonly #maxBufferBytes: number;
  #data: string[] = [];
  /** Text since the read that completed the last event; shares its strings with the parser's own buffer. */
  #rest: string[] = [];
  #restBytes = 0;
  /** The next text begins a line, or continues the white space at the beginning of one. */
  #atLineStart = true;
  /** {@link SseDecoder.#rest} begins with JSON on lines without `data:`. */
  #bare = false;

  constructor(options: SseOptions = {}) {
    this.#maxBufferBytes = options.maxBufferBytes ?? DEFAULT_LIMITS.maxBufferBytes;
    this.#parser = createParser({
      onEvent: ({ data }) => {
        // One by one: as arguments of one call, a long list would overflow the stack.
        if (data.includes("\n")) for (const event of eventsIn(data)) this.#data.push(event);
        else if (data !== "[DONE]" && data !== "") this.#data.push(data);
      },
    });
  }

  /** Data strings completed by these bytes, in order. @throws {ApiShapeError} When too many bytes came without completing an event. */
  push(bytes: Uint8Array): readonly string[] {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (!this.#bare && text !== "") {
      // The regular expression alone takes ten times as long for each chunk.
      let isLikely = false;
      for (const start of BARE_STARTS) isLikely ||= text.includes(start);
      const at = this.#atLineStart && BARE_FIRST.test(text) ? 0 : isLikely ? text.search(BARE) : -1;
      this.#bare = at >= 0;
      if (this.#bare) {
        // The JSON ends the event before it.
        this.#parser.feed(`${text.slice(0, at)}\n\n`);
        text = text.slice(at);
        this.#rest = [];
      } else this.#parser.feed(text);
      const body = text.trimEnd();
      this.#atLineStart = (body === "" && this.#atLineStart) || /[\r\n]/.test(text.slice(body.length));
    }
    if (this.#data.length > 0) {
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
    const last = this.#decoder.decode();
    this.#rest.push(last);
    const rest = this.#bare ? this.#rest.join("") : last;
    // The parser skips JSON without `data:`, and reads the events that follow it.
    this.#parser.feed(`${rest}\n\n`);
    const bare = this.#bare ? rest.replaceAll(EVENT_LINE, "$1").trim() : "";
    // Not for an empty text: its syntax error would cost more than parsing a short answer.
    const isWhole = bare !== "" && isJson(bare);
    const lines = isWhole ? [bare] : bare.split(/[\r\n]+/).filter((line) => BARE_FIRST.test(line));
    return [...lines, ...this.#data].filter(isJson);
  }

  /** Text outside of any event, for an error message: at most 200 characters. */
  get leftover(): string {
    return this.#rest.join("").trim().slice(0, 200);
  }

  #overflow(): ApiShapeError {
    return new ApiShapeError(
      `The stream sent more than ${this.#maxBufferBytes} bytes without completing an event; raise maxBufferBytes if answers can be that large.`,
      "$",
      this.leftover,
    );
  }
}

/** The data strings of a whole body; the body itself if there is none. */
export function readEvents(body: string): readonly string[] {
  const decoder = new SseDecoder();
  const data = [...decoder.push(new TextEncoder().encode(body)), ...decoder.end()];
  return data.length === 0 ? [body] : data;
}

const NONE: readonly string[] = [];

/** The start of a line of JSON, but not of `[INFO]`; the same after a line end; and the shortest strings that the latter begins with. */
const BARE_FIRST = /^\s*(?:\{|\[(?![a-z]))/i;
const BARE = /[\r\n][^\S\r\n]*(?:\{|\[(?![a-z]))/i;
const BARE_STARTS = ["\n", "\r"].flatMap((end) => ["{", "[", " ", "\t"].map((start) => end + start));
/** A line of an event, or a comment. */
const EVENT_LINE = /(^|[\r\n])(?:data|event|id|retry)?:[^\r\n]*/g;

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
