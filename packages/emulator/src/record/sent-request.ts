import { tryJson } from "../internal/json.ts";

/** A request as passed to `fetch`. */
export interface SentRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** Reads the body; if it is streamed, the part that was sent. Call it when the exchange is over. */
  readonly body: () => Promise<SentBody>;
}

/** The body of a sent request. */
export interface SentBody {
  /** Parsed JSON; undefined if there is no body or it is not JSON. */
  readonly json: unknown;
  /** Bytes that are not JSON; undefined if there are none. */
  readonly bytes: Uint8Array | undefined;
  readonly mimeType: string | null;
}

/** Input and init to pass on: a body that can be read only once has been duplicated. */
export interface Forwarded {
  readonly input: string | URL | Request;
  readonly init: RequestInit | undefined;
}

/** Inspects the arguments of a `fetch` without consuming them. */
export function inspectRequest(
  input: string | URL | Request,
  init: RequestInit | undefined,
): { readonly sent: SentRequest; readonly forwarded: Forwarded } {
  const isRequest = input instanceof Request;
  const method = (init?.method ?? (isRequest ? input.method : "GET")).toUpperCase();
  const url = new URL(isRequest ? input.url : input, "http://localhost");
  const headers = new Headers(init?.headers ?? (isRequest ? input.headers : undefined));
  const about = { method, url, headers };
  const given = init?.body ?? undefined;
  if (given instanceof ReadableStream) {
    const kept: Uint8Array[] = [];
    const passing = given.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          kept.push(chunk);
          controller.enqueue(chunk);
        },
      }),
    );
    const body = async (): Promise<SentBody> => readBytes(Buffer.concat(kept), headers.get("content-type"));
    return { sent: { ...about, body }, forwarded: { input, init: { ...init, body: passing } } };
  }
  if (given === undefined && !isRequest)
    return { sent: { ...about, body: async () => NO_BODY }, forwarded: { input, init } };
  // A copy of a form gets its own boundary, which is in its content type.
  const copy = given === undefined && isRequest ? input.clone() : new Response(given);
  const mimeType = headers.get("content-type") ?? copy.headers.get("content-type");
  const reading = copy.arrayBuffer().then(
    (bytes) => readBytes(new Uint8Array(bytes), mimeType),
    () => NO_BODY,
  );
  return { sent: { ...about, body: () => Promise.race([reading, giveUp()]) }, forwarded: { input, init } };
}

const NO_BODY: SentBody = { json: undefined, bytes: undefined, mimeType: null };
/** How long to wait for a body that is still being sent when its answer is over, in milliseconds. */
const PATIENCE_MS = 1000;

function giveUp(): Promise<SentBody> {
  return new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS, NO_BODY).unref();
  });
}

function readBytes(bytes: Uint8Array, mimeType: string | null): SentBody {
  if (bytes.length === 0) return NO_BODY;
  const json = parse(bytes);
  return json === undefined ? { json, bytes, mimeType } : { json, bytes: undefined, mimeType };
}

function parse(bytes: Uint8Array): unknown {
  // Avoids decoding large binary bodies.
  if (!/^\s*[[{]/.test(Buffer.from(bytes.subarray(0, 64)).toString("latin1"))) return undefined;
  try {
    return tryJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
