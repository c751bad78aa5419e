import http, { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import https from "node:https";
import { Socket } from "node:net";
import { pipeline, type Readable, type Transform } from "node:stream";
import type { Environment } from "../../internal/environment.ts";
import type {
  AnswerHead,
  AnswerHeaders,
  BodyRead,
  HttpRequest,
  InFlightRequest,
  Send,
} from "../../wire/http/transport.ts";
import { nodeAgents, type NodeAgents } from "./node-agents.ts";

/** Sends through `node:http`. Separate from `nodeTransport`, so that programs that never call it like `fetch` do not bundle that. */
export function nodeSender(proxyEnv?: Environment): Send {
  const agents = nodeAgents({ proxyEnv });
  return (request) => new NodeRequest(request, agents);
}

/** Functions that mocks and tracers of `node:http` replace, which do not see requests of `fetch`; each with a text of Node's own. */
export function httpFunctions(): readonly (readonly [value: object, text: string])[] {
  return [
    [http.request, "new ClientRequest(url, options, cb)"],
    [https.request, "ReflectConstruct(ClientRequest, args)"],
    [Reflect.get(Socket.prototype, "connect"), "normalizedArgsSymbol"],
  ];
}

/** The head of a response from `node:http`. */
export interface NodeHead extends AnswerHead {
  readonly statusText: string;
  readonly headers: Required<AnswerHeaders>;
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
      // An error thrown here rejects the head.
      this.#send(request, request.repeatable === true);
    });
  }

  read(): Promise<BodyRead> {
    return this.#body ? this.#body.read() : DONE;
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
      // Only a URL has brackets around an IPv6 address.
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
    request.on("error", (error: NodeJS.ErrnoException) => {
      // Most likely the server closed a kept connection while the request was in flight.
      const isStale = request.reusedSocket && request.socket?.bytesRead === received && RESETS.has(error.code ?? "");
      const isOurs = this.#cancelled || this.#agents.closed !== closed;
      if (isStale && mayRepeat && !isOurs) this.#send(sent, false);
      else this.#rejectHead(error);
    });
    // A connection may end without an error, as with a switch of protocols that was not requested.
    request.on("close", () => {
      if (this.#request === request && this.#body === undefined) this.#rejectHead(connectionClosed());
    });
    // As a string of one character for each byte, which Node joins with the head: two buffers take a more expensive system call.
    if (body !== undefined && body.byteLength <= MAX_JOINED_BYTES)
      request.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1"), "latin1");
    else request.end(body);
  }

  readonly #answered = (answer: IncomingMessage): void => {
    const { statusCode: status = 0, statusMessage: statusText = "", rawHeaders } = answer;
    const headers = nodeHeaders(rawHeaders);
    this.#body = new ByteQueue(decodeBody(answer, headers.get("content-encoding")));
    // A response that ends before the request was sent refuses it: the rest is not sent.
    answer.on("end", () => {
      if (this.#request?.writableFinished === false) this.#request.destroy();
    });
    this.#resolveHead({ status, statusText, headers, redirected: status >= 300 && status < 400 });
  };
}

/** As `fetch` sends them, since some gateways reject clients without these. But no `deflate`, of which there are two kinds. */
const PLAIN_HEADERS: OutgoingHttpHeaders = {
  accept: "*/*",
  "user-agent": "node",
  "accept-encoding": "gzip",
};
const SECURE_HEADERS: OutgoingHttpHeaders = { ...PLAIN_HEADERS, "accept-encoding": "br, gzip" };

/**
 * Finds headers in the raw list. Node makes its own objects of all of them only when they are read, and until 20.20.2 and 24.14.1
 * throws for `headersDistinct` when a header has the name of a member of all objects.
 */
function nodeHeaders(raw: readonly string[]): Required<AnswerHeaders> {
  return {
    get: (name) => {
      const wanted = name.toLowerCase();
      let found: string | null = null;
      for (let at = 0; at < raw.length; at += 2) {
        if (raw[at]?.toLowerCase() !== wanted) continue;
        const value = raw[at + 1] ?? "";
        found = found === null ? value : `${found}, ${value}`;
      }
      return found;
    },
    forEach: (visit) => {
      for (let at = 0; at < raw.length; at += 2) visit(raw[at + 1] ?? "", raw[at] ?? "");
    },
  };
}

/** Codes of the errors of a connection that the other side closed. */
const RESETS: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

/** The body without its content encodings; unchanged if one of them is unknown. */
function decodeBody(answer: IncomingMessage, codings: string | null): Readable {
  if (codings === null || codings === "") return answer;
  const steps = codings
    .toLowerCase()
    .split(",")
    .map((coding) => decoderOf(coding.trim()));
  if (steps.includes(undefined)) return answer;
  // An error reaches the last stream, whose reader listens for it.
  return steps.reduceRight<Readable>(
    (body, step) => (step === undefined ? body : pipeline(body, step, ignore)),
    answer,
  );
}

function decoderOf(coding: string): Transform | undefined {
  // Loaded when a response first needs it.
  const zlib = process.getBuiltinModule("node:zlib");
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
  // Flushed, so that each event of a stream is available at once; a truncated body is detected by its framing.
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

/** Unread bytes at which the socket is paused. */
const HIGH_WATER_BYTES = 256 * 1024;
/** Mean size up to which unread chunks are joined: copying them costs less than a read each. */
const SMALL_BYTES = 8 * 1024;

/** Chunks of a stream. A chunk goes straight to a pending read; a slow reader pauses the stream, which bounds the buffer. */
class ByteQueue {
  readonly #source: Readable;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** How the stream ended, if it has. */
  #end: { readonly failed: boolean; readonly error?: unknown } | undefined;
  #waiting: { resolve(read: BodyRead): void; reject(error: unknown): void } | undefined;

  constructor(source: Readable) {
    this.#source = source;
    source.on("data", this.#onData);
    source.on("end", () => this.#finish({ failed: false }));
    source.on("error", (error) => this.#finish({ failed: true, error }));
    source.on("close", () => {
      if (this.#end === undefined) this.#finish({ failed: true, error: connectionClosed() });
    });
  }

  /** The next bytes; bytes before a failure come first. */
  read(): Promise<BodyRead> {
    const value = this.#take();
    if (value !== undefined) return Promise.resolve({ value });
    if (this.#end?.failed === false) return DONE;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#settle();
    });
  }

  /** Drops what is unread; a pending read rejects with `error`. Later events of the stream are ignored. */
  fail(error: unknown): void {
    this.#chunks = [];
    this.#bytes = 0;
    // Even if everything had arrived: what is dropped here is missing.
    if (this.#end?.failed === false) this.#end = undefined;
    this.#finish({ failed: true, error });
  }

  /** One chunk; all of them if they are small. */
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
    if (this.#end?.failed === true) return;
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

  #finish(end: { readonly failed: boolean; readonly error?: unknown }): void {
    this.#end ??= end;
    this.#settle();
  }

  #settle(): void {
    if (this.#end?.failed === true) this.#waiting?.reject(this.#end.error);
    else if (this.#end !== undefined) this.#waiting?.resolve({});
    else return;
    this.#waiting = undefined;
  }
}

/** For a connection that ended without an error. */
function connectionClosed(): Error {
  return Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
}

const DONE: Promise<BodyRead> = Promise.resolve({});

/** Up to this size a body is sent in one write with its head; to copy a larger one costs more than a second buffer. */
const MAX_JOINED_BYTES = 64 * 1024;
