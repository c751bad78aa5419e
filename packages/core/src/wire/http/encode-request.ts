import { ConfigurationError } from "../../errors/agent-error.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";
import type { Content } from "../types/content.ts";
import type { GenerateContentRequest } from "../types/generate-content.ts";

/**
 * Request → bytes, serializing each content once. Keeps the bytes of the last request up to the end of its contents; the same content
 * object at the same index is not serialized again, so it must not change. As long as a conversation only grows, its bytes are a stable
 * prefix, which the service's implicit cache needs. Use one encoder per conversation; it holds as much memory as its largest request.
 * @see https://ai.google.dev/gemini-api/docs/caching
 */
export class RequestEncoder {
  readonly #encoder = new TextEncoder();
  #buffer = new Uint8Array(4096);
  #headLength = 0;
  #head: RequestHead | undefined;
  #headText: string | undefined;
  /** The contents in the buffer, and the end of each in bytes. */
  #contents: Content[] = [];
  #ends: number[] = [];
  #serialized = 0;

  /** How many contents were serialized so far, over all requests. */
  get serializedContents(): number {
    return this.#serialized;
  }

  /** The whole body, as a copy. */
  encode(request: GenerateContentRequest): Uint8Array<ArrayBuffer> {
    return this.encodeView(request).slice();
  }

  /** The whole body, as a view of the encoder's buffer: valid until the next request is encoded. A copy costs as much as sending it. */
  encodeView(request: GenerateContentRequest): Uint8Array<ArrayBuffer> {
    const { systemInstruction, tools, cachedContent, contents, ...rest } = request;
    this.#encodeHead({ systemInstruction, tools, cachedContent });
    const length = this.#encodeContents(contents);
    const fields = JSON.stringify(rest);
    const end = this.#append(fields === "{}" ? "]}" : `],${fields.slice(1)}`, length);
    return this.#buffer.subarray(0, end);
  }

  #encodeHead(head: RequestHead): void {
    const last = this.#head;
    const isSame =
      last !== undefined &&
      head.systemInstruction === last.systemInstruction &&
      head.tools === last.tools &&
      head.cachedContent === last.cachedContent;
    if (isSame) return;
    this.#head = head;
    const json = JSON.stringify(head);
    const text = json === "{}" ? '{"contents":[' : `${json.slice(0, -1)},"contents":[`;
    if (text === this.#headText) return;
    this.#headText = text;
    this.#headLength = this.#append(text, 0);
    this.#contents = [];
    this.#ends = [];
  }

  #encodeContents(contents: readonly Content[]): number {
    let kept = 0;
    while (kept < contents.length && kept < this.#contents.length && contents[kept] === this.#contents[kept]) kept++;
    this.#contents.length = kept;
    this.#ends.length = kept;
    let end = this.#ends.at(-1) ?? this.#headLength;
    for (const content of contents.slice(kept)) {
      const json = JSON.stringify(content);
      end = this.#append(this.#contents.length === 0 ? json : `,${json}`, end);
      this.#contents.push(content);
      this.#ends.push(end);
      this.#serialized++;
    }
    return end;
  }

  /** Writes text at an offset of the buffer, which grows as needed. @returns The offset after it. */
  #append(text: string, at: number): number {
    if (at + text.length > this.#buffer.length) this.#grow(at + text.length);
    const first = this.#encoder.encodeInto(text, this.#buffer.subarray(at));
    if (first.read === text.length) return at + first.written;
    // Some characters take more than a byte: make room for the worst case of the rest.
    const left = text.slice(first.read);
    const end = at + first.written;
    if (end + left.length * 3 > this.#buffer.length) this.#grow(end + left.length * 3);
    return end + this.#encoder.encodeInto(left, this.#buffer.subarray(end)).written;
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, this.#buffer.length * 2));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/** The fields before the contents. */
type RequestHead = Pick<GenerateContentRequest, "systemInstruction" | "tools" | "cachedContent">;

/** 100 MiB, the limit of the Developer API. */
export const MAX_REQUEST_BYTES = 104_857_600;

/** Most bytes of a request. @param limit - Absent means the endpoint's own; Vertex documents none. */
export function mostRequestBytes(limit: number | undefined, { kind }: Endpoint): number {
  return limit ?? (kind === "vertex" ? Infinity : MAX_REQUEST_BYTES);
}

/** Rejects a body over the limit of {@link mostRequestBytes}. @throws {ConfigurationError} With both sizes and advice. */
export function checkRequestSize(bytes: number, limit: number | undefined, endpoint: Endpoint): void {
  const most = mostRequestBytes(limit, endpoint);
  if (bytes <= most) return;
  const instead = {
    developer: "upload large media with files().upload() and send the file reference",
    vertex: 'put large media into Cloud Storage and send media("gs://bucket/file")',
    gateway: "send smaller or fewer media",
  }[endpoint.kind];
  throw new ConfigurationError(
    `The request is ${bytes} bytes; maxRequestBytes is ${most}: ${instead}, or shorten the history.`,
  );
}
