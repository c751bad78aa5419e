import http, { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import https from "node:https";
import { pipeline, type Readable, type Transform } from "node:stream";
import type { AnswerHead, AnswerHeaders, BodyRead, HttpRequest, InFlightRequest } from "../../wire/http/transport.ts";
import type { NodeAgents } from "./node-agents.ts";

/** The head of an answer of `node:http`. */
export interface NodeHead extends AnswerHead {
  readonly statusText: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** A request sent by `node:http`. */
export class NodeRequest implements InFlightRequest {
  readonly head: Promise<NodeHead>;
  readonly #agents: NodeAgents;
  #request: ClientRequest | undefined;
  #body: ByteQueue | undefined;
  #cancelled = false;
  #resolveHead: (head: NodeHead) => void = ignore;
  #rejectHead: (reason: unknown) => void = ignore;

  constructor(request: HttpRequest, agents: NodeAgents) {
    this.#agents = agents;
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve;
      this.#rejectHead = reject;
      this.#send(request, request.repeatable === true);
    });
  }

  read(): Promise<BodyRead> {
    return this.#body ? this.#body.read() : Promise.resolve({});
  }

  cancel(reason?: unknown): void {
    this.#cancelled = true;
    this.#rejectHead(reason);
    this.#body?.fail(reason);
    this.#request?.destroy();
  }

  #send(sent: HttpRequest, mayRepeat: boolean): void {
    const { protocol, hostname, port, pathname, search } = new URL(sent.url);
    const { body } = sent;
    const isSecure = protocol === "https:";
    const headers: OutgoingHttpHeaders = { ...(isSecure ? SECURE_HEADERS : PLAIN_HEADERS), ...sent.headers };
    if (body) headers["content-length"] = body.byteLength;
    const request = (isSecure ? https : http).request({
      method: sent.method,
      // An IPv6 address stands in brackets in a URL, and nowhere else.
      hostname: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
      port,
      path: pathname + search,
      headers,
      agent: isSecure ? this.#agents["https:"] : this.#agents["http:"],
    });
    this.#request = request;
    const { closed } = this.#agents;
    let received = 0;
    request.on("socket", (socket) => (received = socket.bytesRead));
    request.on("response", this.#answered);
    request.on("error", (error) => {
      // Most likely the server closed a kept connection while the request was on its way; nobody can know.
      const isStale = request.reusedSocket && request.socket?.bytesRead === received && isReset(error);
      const isOurs = this.#cancelled || this.#agents.closed !== closed;
      if (isStale && mayRepeat && !isOurs) this.#send(sent, false);
      else this.#rejectHead(error);
    });
    // Not every end is an error: a switch of protocols, which nobody asked for, just closes.
    request.on("close", () => {
      if (this.#request === request) this.#rejectHead(connectionClosed());
    });
    if (body !== undefined && body.byteLength <= MAX_JOINED_BYTES) request.end(asLatin1(body), "latin1");
    else request.end(body);
  }

  /** Whoever answered before all was sent has refused it: the rest is not sent. */
  readonly #onAnswerEnd = (): void => {
    if (this.#request?.writableFinished === false) this.#request.destroy();
  };

  readonly #answered = (answer: IncomingMessage): void => {
    const { statusCode: status = 0, statusMessage: statusText = "", rawHeaders } = answer;
    const headers = new NodeHeaders(answer);
    this.#body = new ByteQueue(decodeBody(answer));
    answer.on("end", this.#onAnswerEnd);
    this.#resolveHead({ status, statusText, headers, rawHeaders, redirected: status >= 300 && status < 400 });
  };
}

/** What `fetch` says of itself: some gateways refuse a client that says nothing. But no `deflate`, of which there are two kinds. */
const PLAIN_HEADERS: OutgoingHttpHeaders = {
  accept: "*/*",
  "user-agent": "node",
  "accept-encoding": "gzip",
};
const SECURE_HEADERS: OutgoingHttpHeaders = { ...PLAIN_HEADERS, "accept-encoding": "br, gzip" };

/** Reads headers only when asked. */
class NodeHeaders implements AnswerHeaders {
  readonly #answer: IncomingMessage;

  constructor(answer: IncomingMessage) {
    this.#answer = answer;
  }

  get(name: string): string | null {
    return this.#answer.headersDistinct[name.toLowerCase()]?.join(", ") ?? null;
  }
}

function isReset(error: Error): boolean {
  return "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

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

/** Bytes that may wait for a reader before the socket is told to pause. */
const HIGH_WATER_BYTES = 256 * 1024;
/** Mean size up to which chunks that wait are joined: a copy costs less than a turn of the reader. */
const SMALL_BYTES = 8 * 1024;

/**
 * Bytes of a stream, in pieces. Takes them as they come while somebody waits for them; lets the stream pause
 * when its reader is slow, so that never much more than a quarter of a mebibyte is held.
 */
class ByteQueue {
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
function connectionClosed(): Error {
  return Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
}

const END: BodyRead = {};
const DONE: Promise<BodyRead> = Promise.resolve(END);

/** Up to this size a body goes out in one write with its head; a copy of a larger one would cost more than a second buffer. */
const MAX_JOINED_BYTES = 64 * 1024;

/** Bytes as a string of one character each, which is what Node joins with a head: two buffers take a dearer system call. */
function asLatin1(bytes: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
