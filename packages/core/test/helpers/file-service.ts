import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { endpoint } from "@pollux/core";

/** One request as the service saw it. */
export interface SeenUpload {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** The `x-goog-upload-…` headers without their prefix, and the key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly json?: unknown;
}

/** What the service does with one chunk instead of storing it. */
export type ChunkFault =
  /** Answers 503 and keeps nothing. */
  | "refuse"
  /** Keeps the first `kept` bytes, then breaks the connection. */
  | { readonly kept: number }
  /** Keeps the whole chunk, then breaks the connection. */
  | "lose-answer"
  /** Ends the upload. */
  | "cancel";

export interface FileServiceOptions {
  /** By the number of the chunk's request, from 1. */
  readonly faults?: Readonly<Record<number, ChunkFault>>;
  /** States of a new file, one per request for it; the last one stays. */
  readonly states?: readonly string[];
  readonly granularity?: number;
  /** Replaces the URL that uploads go to. */
  readonly uploadUrl?: string;
}

/** The Files API on a socket of this machine, as it is documented. */
export async function fileService(options: FileServiceOptions = {}): Promise<FileService> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new FileService(server, options);
}

interface StoredFile {
  readonly name: string;
  readonly states: string[];
  readonly fields: object;
}

export class FileService implements AsyncDisposable {
  readonly seen: SeenUpload[] = [];
  /** The bytes of the last upload so far. */
  uploaded: Uint8Array = new Uint8Array();
  readonly url: string;
  readonly endpoint: ReturnType<typeof endpoint>;
  readonly #server: Server;
  readonly #options: FileServiceOptions;
  readonly #files = new Map<string, StoredFile>();
  #chunks = 0;
  #size = 0;
  #file: Record<string, unknown> = {};
  #done: object | undefined;

  constructor(server: Server, options: FileServiceOptions) {
    this.#server = server;
    this.#options = options;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.endpoint = endpoint({ baseUrl: this.url, apiKey: "secret-key-of-the-test" });
    server.on("request", (request: IncomingMessage, response: ServerResponse) => void this.#take(request, response));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    const { method = "", url: path = "", headers } = request;
    const isJson = headers["content-type"] === "application/json";
    this.seen.push({
      method,
      path,
      headers: Object.fromEntries(
        Object.entries(headers)
          .filter(([name]) => name.startsWith("x-goog-upload-") || name === "x-goog-api-key")
          .map(([name, value]) => [name.replace("x-goog-upload-", ""), String(value)]),
      ),
      bytes: body.byteLength,
      ...(isJson && { json: JSON.parse(body.toString()) as unknown }),
    });
    const { pathname, searchParams } = new URL(path, this.url);
    if (pathname === "/upload/v1beta/files") {
      if (headers["x-goog-upload-command"] === "start") return this.#start(body, headers, response);
      if (headers["x-goog-upload-command"] === "query") return this.#state(response);
      return this.#chunk(body, headers, response);
    }
    if (pathname === "/v1beta/files") return this.#list(searchParams, response);
    const name = pathname.replace("/v1beta/", "");
    const file = this.#files.get(name);
    if (file === undefined) {
      const message = `You do not have permission to access the File ${name.slice(6)} or it may not exist.`;
      return reply(response, 403, { error: { code: 403, message, status: "PERMISSION_DENIED" } });
    }
    if (method === "DELETE") this.#files.delete(name);
    reply(response, 200, method === "DELETE" ? {} : this.#look(file));
  }

  #start(body: Buffer, headers: IncomingMessage["headers"], response: ServerResponse): void {
    this.#file = (JSON.parse(body.toString()) as { file: Record<string, unknown> }).file;
    this.#size = Number(headers["x-goog-upload-header-content-length"]);
    this.uploaded = new Uint8Array();
    this.#done = undefined;
    const { granularity, uploadUrl } = this.#options;
    response.setHeader("x-goog-upload-url", uploadUrl ?? `${this.url}/upload/v1beta/files?upload_id=u1`);
    response.setHeader("x-goog-upload-status", "active");
    if (granularity !== undefined) response.setHeader("x-goog-upload-chunk-granularity", String(granularity));
    response.end();
  }

  #state(response: ServerResponse): void {
    if (this.#done !== undefined) return this.#final(response);
    response.setHeader("x-goog-upload-status", "active");
    response.setHeader("x-goog-upload-size-received", String(this.uploaded.byteLength));
    response.end();
  }

  #chunk(body: Buffer, headers: IncomingMessage["headers"], response: ServerResponse): void {
    const fault = this.#options.faults?.[++this.#chunks];
    if (fault === "refuse") return reply(response, 503, {});
    const offset = Number(headers["x-goog-upload-offset"]);
    if (fault === "cancel" || offset !== this.uploaded.byteLength) {
      response.setHeader("x-goog-upload-status", fault === "cancel" ? "cancelled" : "active");
      return reply(response, fault === "cancel" ? 200 : 400, {});
    }
    const kept = typeof fault === "object" ? body.subarray(0, fault.kept) : body;
    this.uploaded = Buffer.concat([this.uploaded, kept]);
    const finalize = headers["x-goog-upload-command"] === "upload, finalize";
    if (finalize && this.uploaded.byteLength === this.#size) this.#finish();
    if (fault !== undefined) return void response.destroy();
    if (finalize) return this.#final(response);
    response.setHeader("x-goog-upload-status", "active");
    response.end();
  }

  #finish(): void {
    const name = typeof this.#file["name"] === "string" ? this.#file["name"] : `files/f${this.#files.size + 1}`;
    const fields = { ...this.#file, name, uri: `${this.url}/v1beta/${name}`, sizeBytes: String(this.#size) };
    const file = { name, states: [...(this.#options.states ?? ["ACTIVE"])], fields };
    this.#files.set(name, file);
    this.#done = this.#look(file);
  }

  #final(response: ServerResponse): void {
    response.setHeader("x-goog-upload-status", "final");
    reply(response, 200, { file: this.#done });
  }

  #look({ states, fields }: StoredFile): object {
    const state = states.length > 1 ? states.shift() : states[0];
    return { ...fields, state, ...(state === "FAILED" && { error: { code: 3, message: "the video is damaged" } }) };
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const at = Number(query.get("pageToken") ?? 0);
    const files = [...this.#files.values()].slice(at, at + 1).map((file) => this.#look(file));
    const next = at + 1 < this.#files.size ? { nextPageToken: String(at + 1) } : {};
    reply(response, 200, files.length === 0 ? {} : { files, ...next });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
