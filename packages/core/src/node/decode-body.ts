import type { IncomingMessage } from "node:http";
import { pipeline, type Readable, type Transform } from "node:stream";

/** The body without its content encodings; as it is where one of them is unknown. */
export function decodeBody(answer: IncomingMessage): Readable {
  const codings = answer.headers["content-encoding"];
  if (codings === undefined || codings === "") return answer;
  const steps: Transform[] = [];
  for (const coding of codings.toLowerCase().split(",").toReversed()) {
    const step = decoderOf(coding.trim());
    if (step === undefined) return answer;
    steps.push(step);
  }
  let body: Readable = answer;
  // The last stream of the line is told of an error, and its reader listens.
  for (const step of steps) body = pipeline(body, step, ignore);
  return body;
}

function decoderOf(coding: string): Transform | undefined {
  // Loaded with the first answer that needs it.
  const zlib = process.getBuiltinModule("node:zlib");
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
  // Each event of a stream is handed on when it comes; a body that breaks off is found by its framing.
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return zlib.createGunzip({ flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH });
    case "deflate":
      return zlib.createInflate({ flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH });
    case "br":
      return zlib.createBrotliDecompress({ flush: BROTLI_OPERATION_FLUSH, finishFlush: BROTLI_OPERATION_FLUSH });
    default:
      return undefined;
  }
}

function ignore(): void {}
