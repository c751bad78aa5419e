import http, { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import https from "node:https";
import { pipeline, type Readable, type Transform } from "node:stream";
import type { AnswerHead, AnswerHeaders, BodyRead, HttpRequest, InFlightRequest } from "../../wire/http/transport.ts";
import { ByteQueue, connectionClosed } from "./byte-queue.ts";
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
    request.end(body);
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
