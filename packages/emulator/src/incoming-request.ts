/** A request with its body read. */
export interface IncomingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  /** The body as received. */
  readonly bytes: Uint8Array;
  /** True if the body is over the limit and was dropped. Default: false. */
  readonly oversized?: boolean | undefined;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}

/** The URL at which the caller reached the service, without a trailing slash. */
export function originOf({ headers, url }: IncomingRequest): string {
  const host = headers.get("host");
  return host === null ? url.origin : `${url.protocol}//${host}`;
}

/** Reads a whole request. @param signal - The caller's own: the one that a request derives from it may be garbage-collected early. */
export async function readRequest(request: Request, signal: AbortSignal, maxBytes: number): Promise<IncomingRequest> {
  const { method, headers, url } = request;
  const { bytes, oversized } = await readBounded(request.body, maxBytes);
  const body = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return { method, url: new URL(url), headers, body, bytes, oversized, signal };
}

/** A body in memory; empty if it is over the limit. */
interface BoundedBody {
  readonly bytes: Uint8Array;
  readonly oversized: boolean;
}

/** Up to this many times the limit is read, so that a client that sends its whole body first gets an answer. */
const DROPPED_LIMITS = 4;

/** Reads a body and counts its bytes. Drops the bytes of a body over the limit as they arrive. */
async function readBounded(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<BoundedBody> {
  let kept: Uint8Array[] = [];
  let count = 0;
  for await (const chunk of body ?? []) {
    count += chunk.byteLength;
    if (count <= maxBytes) kept.push(chunk);
    else kept = [];
    if (count > maxBytes * DROPPED_LIMITS) break;
  }
  return count > maxBytes
    ? { bytes: new Uint8Array(), oversized: true }
    : { bytes: joined(kept, count), oversized: false };
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return first;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
