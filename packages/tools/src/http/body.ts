import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { ToolError } from "@pollux/core";

/** A body, up to a limit. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  /** Whether the body is longer than `bytes`. */
  readonly isCut: boolean;
}

/** Most layers of compression that are decoded. */
const MAX_ENCODINGS = 2;

/**
 * Reads and decompresses a body up to the limit: the rest is neither received nor decompressed.
 *
 * @throws {ToolError} If the compression is unknown.
 */
export async function readBody(
  body: Readable,
  headers: Headers,
  maxBytes: number,
  signal: AbortSignal,
): Promise<ReadBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const plain = decompressed(body, headers.get("content-encoding") ?? "");
  const stop = (): void => void plain.destroy();
  signal.addEventListener("abort", stop);
  try {
    for await (const chunk of plain as AsyncIterable<Uint8Array>) {
      chunks.push(chunk.subarray(0, maxBytes - size));
      size += chunk.length;
      if (size > maxBytes) break;
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", stop);
    plain.destroy();
    // The body may still emit an error, which no longer matters.
    body.on("error", () => {}).destroy();
  }
  return { bytes: Buffer.concat(chunks), isCut: size > maxBytes };
}

function decompressed(body: Readable, encoding: string): Readable {
  const names = encoding
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  const layers = names.toReversed().map((name) => layerOf(name));
  if (layers.length === 0) return body;
  if (layers.length > MAX_ENCODINGS)
    throw new ToolError("the response is compressed more than twice, which is not supported; try another URL");
  // Errors surface on the last stream, which is the one being read.
  return pipeline([body, ...layers], () => {}) as unknown as Readable;
}

function layerOf(name: string): NodeJS.ReadWriteStream {
  // Many servers end a compressed body early; the part that arrived is used.
  const options = { finishFlush: constants.Z_SYNC_FLUSH };
  if (name === "gzip" || name === "x-gzip") return createGunzip(options);
  if (name === "deflate") return createInflate(options);
  if (name === "br") return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
  throw new ToolError(
    `the response is compressed as ${JSON.stringify(name.slice(0, 20))}, which cannot be read; try another URL`,
  );
}
