import { ToolError } from "@pollux/core";
import type { Target } from "./replace-file.ts";
import { decodeAll, encodeText, hasMark, type TextEncoding } from "./text-encoding.ts";

/** How a text file is encoded; edits preserve it. */
export interface TextShape {
  readonly text: string;
  readonly encoding: TextEncoding;
  readonly hasMark: boolean;
  /** Whether every line ends with `\r\n`. */
  readonly isCrlf: boolean;
}

/** The text of a file and how it is encoded. @throws {ToolError} If it is not text. */
export function shapeOf({ place, now }: Target): TextShape {
  if (now === undefined) return { text: "", encoding: "utf-8", hasMark: false, isCrlf: false };
  const decoded = decodeAll(now.bytes);
  if (decoded === undefined)
    throw new ToolError(`"${place.path}" is not text (${now.bytes.length} bytes) and was not changed`);
  const { text, encoding } = decoded;
  const isCrlf = text.includes("\r\n") && !/(^|[^\r])\n/.test(text);
  return { text, encoding, hasMark: hasMark(now.bytes, encoding), isCrlf };
}

/** Bytes of a text in a file's encoding. @throws {ToolError} If the encoding lacks one of its characters. */
export function bytesOf(text: string, path: string, shape: Pick<TextShape, "encoding" | "hasMark">): Uint8Array {
  const encoded = encodeText(shape.hasMark ? text.replace(/^\ufeff/, "") : text, shape.encoding, shape.hasMark);
  if ("bytes" in encoded) return encoded.bytes;
  throw new ToolError(
    `"${path}" is encoded in ${shape.encoding}, which lacks "${encoded.lacks}"; leave that character out`,
  );
}

/** @throws {ToolError} If the file would exceed the maximum size. */
export function checkSize(path: string, bytes: number, most: number): void {
  if (bytes > most) throw new ToolError(`"${path}" would have ${bytes} bytes; the maximum is ${most}`);
}
