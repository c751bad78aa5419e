import type { Settings } from "./options.ts";

/** Copies content for export: strings are redacted and cut to a limit. One writer serves one attribute or a few. */
export class ContentWriter {
  /** Something was cut or left out. */
  hasCut = false;
  readonly #maxStringBytes: number;
  readonly #redact: Settings["redact"];

  constructor({ redact }: Pick<Settings, "redact">, maxStringBytes: number) {
    this.#redact = redact;
    this.#maxStringBytes = maxStringBytes;
  }

  text(text: string): string {
    const redacted = this.#redacted(text);
    if (redacted === undefined) {
      this.hasCut = true;
      return "[left out: redact() failed]";
    }
    const cut = cutText(redacted, this.#maxStringBytes);
    if (cut !== redacted) this.hasCut = true;
    return cut;
  }

  /** Undefined if `redact` threw or returned anything but a string. */
  #redacted(text: string): string | undefined {
    if (this.#redact === undefined) return text;
    try {
      const redacted: unknown = this.#redact(text);
      return typeof redacted === "string" ? redacted : undefined;
    } catch {
      return undefined;
    }
  }

  /** Any JSON, with its strings written by {@link ContentWriter.text}. Anything else is left out. */
  json(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value !== "object" || value === null) return typeof value === "bigint" ? String(value) : value;
    if (Array.isArray(value)) return value.map((item) => this.json(item));
    if ("toJSON" in value && typeof value.toJSON === "function") return this.json(value.toJSON());
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.json(item)]));
  }
}

/** Items that fit within the limit of an attribute. */
export interface Fitted<T> {
  readonly items: readonly T[];
  /** The items, as an attribute. */
  readonly json: string;
  /** Number of items at the beginning that were left out. */
  readonly dropped: number;
  readonly hasCut: boolean;
}

/**
 * Fits items into the limit of an attribute: with shorter strings if the last item alone exceeds it, and without the first items.
 *
 * @param write - Copies the items with a writer; called again with a lower limit if needed.
 */
export function fitItems<T>(settings: Settings, write: (writer: ContentWriter) => readonly T[]): Fitted<T> {
  const { maxBytes } = settings;
  for (let limit = Math.min(settings.maxStringBytes, maxBytes); ; limit = Math.floor(limit / 4)) {
    const writer = new ContentWriter(settings, limit);
    const items = write(writer);
    const pieces = items.map((item) => JSON.stringify(item));
    const first = firstThatFits(pieces, maxBytes);
    const isLast = limit < SHORTEST;
    if (first === pieces.length && pieces.length > 0 && !isLast) continue;
    const fitting = items.slice(first);
    return {
      items: fitting,
      json: `[${pieces.slice(first).join(",")}]`,
      dropped: first,
      hasCut: writer.hasCut || first > 0,
    };
  }
}

/** One JSON value within the limit of an attribute; if it is too large, a text that says so. */
export function fitJson(settings: Settings, value: unknown): { readonly json: string; readonly hasCut: boolean } {
  const { json, items, hasCut } = fitItems(settings, (writer) => [writer.json(value ?? null)]);
  return items.length === 1 ? { json: json.slice(1, -1), hasCut } : { json: '"[left out: too large]"', hasCut: true };
}

/** Below this, cutting strings further is pointless. */
const SHORTEST = 16;

/** Index of the first of the last pieces that fit. */
function firstThatFits(pieces: readonly string[], maxBytes: number): number {
  let first = pieces.length;
  for (let bytes = 2; first > 0; first--) {
    bytes += byteLength(pieces[first - 1] ?? "") + 1;
    if (bytes > maxBytes + 1) break;
  }
  return first;
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** The beginning of a text, up to a whole character, and how much was cut. */
export function cutText(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const bytes = encoder.encode(text);
  if (bytes.length <= maxBytes) return text;
  const kept = new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: true });
  return `${kept}… [cut: ${bytes.length - maxBytes} of ${bytes.length} bytes]`;
}
