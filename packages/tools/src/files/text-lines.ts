import type { FileHandle } from "node:fs/promises";
import { chunksOf, contentOf } from "./file-bytes.ts";
import type { TextEncoding } from "./text-encoding.ts";

/** Options of {@link linesOf}. */
export interface LineOptions {
  /** Most characters kept of a line. */
  readonly maxLine: number;
  readonly signal: AbortSignal;
  /** Called once, before the first line; if it throws, reading ends. */
  readonly onContent?: ((content: { readonly encoding: TextEncoding } | { readonly kind: string }) => void) | undefined;
}

/** A line without its ending (`\n` or `\r\n`). */
export interface TextLine {
  readonly text: string;
  /** Characters cut off its end. */
  readonly cut: number;
}

/** Lines of a text file, with only the returned part of a line in memory; none if the file is not text. */
export async function* linesOf(file: FileHandle, options: LineOptions): AsyncGenerator<TextLine, void, void> {
  const { maxLine, signal, onContent } = options;
  let decoder: TextDecoder | undefined;
  let line = "";
  let cut = 0;
  const grow = (piece: string): void => {
    const room = Math.max(0, maxLine + 1 - line.length);
    line += piece.slice(0, room);
    cut += Math.max(0, piece.length - room);
  };
  const take = (): TextLine => {
    const whole = line.endsWith("\r") && cut === 0 ? line.slice(0, -1) : line;
    const kept = whole.length <= maxLine ? whole : whole.slice(0, maxLine).replace(/[\ud800-\udbff]$/, "");
    const taken = { text: kept, cut: whole.length + cut - kept.length };
    line = "";
    cut = 0;
    return taken;
  };
  for await (const chunk of chunksOf(file, signal)) {
    if (decoder === undefined) {
      const content = contentOf(chunk);
      onContent?.(content);
      if ("kind" in content) return;
      decoder = new TextDecoder(content.encoding);
    }
    const pieces = decoder.decode(chunk, { stream: true }).split("\n");
    const rest = pieces.pop() ?? "";
    for (const piece of pieces) {
      grow(piece);
      yield take();
    }
    grow(rest);
  }
  grow(decoder?.decode() ?? "");
  if (line !== "") yield take();
}
