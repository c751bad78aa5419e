import { ApiShapeError } from "../errors/api-errors.ts";
import { ConfigurationError } from "../errors/agent-error.ts";
import { isObject } from "../internal/json.ts";
import type { CallOptions } from "./client-options.ts";
import type { HeaderFields } from "./endpoints/endpoint.ts";
import { parseJson } from "./http/read-answers.ts";
import { type ApiClient, encodeJson } from "./client.ts";
import type { ApiCall, Exchange } from "./http/exchange.ts";
import { hostAndPath } from "./errors/http-errors.ts";

/** Bytes per request of an upload, except for the last: rounded down to a multiple of the service's granularity. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/** Progress of an upload. */
export interface UploadProgress {
  /** Bytes the service has confirmed. */
  readonly uploadedBytes: number;
  readonly totalBytes: number;
}

/** Bytes to upload, and how to read the result. */
export interface UploadSource<T> {
  /** URL of the request that begins the upload. */
  readonly startUrl: string;
  readonly data: Blob;
  readonly mimeType: string;
  /** JSON of the first request, which describes the resource that the bytes become. */
  readonly about: object;
  /** Reads the answer to the last byte; undefined if it is not such a resource. */
  readonly read: (answer: Readonly<Record<string, unknown>>) => T | undefined;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/**
 * Uploads bytes in chunks, one in memory at a time. A failed chunk is retried from the offset that the service reports.
 * @throws {ConfigurationError} When the service asks for the bytes on another host, which must not get the key.
 * @throws {ApiShapeError} When it ends the upload without a result.
 * @see https://ai.google.dev/api/files#method:-media.upload
 */
export async function upload<T>(source: UploadSource<T>, client: ApiClient, options: CallOptions): Promise<T> {
  const { data } = source;
  const { url, chunkBytes } = await begin(source, client, options);
  const call = { operation: "uploadFile", method: "POST", path: "", url } as const;
  for (let offset = 0; ;) {
    const from = offset;
    const state = await client.retried(call, options, async (attempt) => {
      const send = (headers: HeaderFields, body?: Uint8Array<ArrayBuffer>, upTo?: number): Promise<UploadState<T>> =>
        client.attempt({ ...call, headers, body }, options, attempt, (text, exchange) =>
          readUploadState(text, exchange, source, upTo),
        );
      let at = from;
      if (attempt.number > 1) {
        const known = await send({ "x-goog-upload-command": "query" });
        if (known.result !== undefined || known.offset > from) return known;
        at = known.offset;
      }
      const end = Math.min(at + chunkBytes, data.size);
      const bytes = new Uint8Array(await data.slice(at, end).arrayBuffer());
      options.signal?.throwIfAborted();
      const headers = {
        "content-type": "application/octet-stream",
        "x-goog-upload-command": end === data.size ? "upload, finalize" : "upload",
        "x-goog-upload-offset": String(at),
      };
      return await send(headers, bytes, end);
    });
    if (state.offset <= from && state.result === undefined)
      throw new ApiShapeError(`The upload is stuck at byte ${from}; upload the file again.`, "$", "");
    offset = state.offset;
    source.onProgress?.({ uploadedBytes: offset, totalBytes: data.size });
    if (state.result !== undefined) return state.result;
  }
}

async function begin(
  { startUrl, data, mimeType, about }: UploadSource<unknown>,
  client: ApiClient,
  options: CallOptions,
): Promise<{ readonly url: string; readonly chunkBytes: number }> {
  const call: ApiCall = {
    operation: "startUpload",
    method: "POST",
    path: "",
    url: startUrl,
    headers: {
      "x-goog-upload-protocol": "resumable",
      "x-goog-upload-command": "start",
      "x-goog-upload-header-content-length": String(data.size),
      "x-goog-upload-header-content-type": mimeType,
    },
    body: encodeJson(about),
  };
  return await client.whole(call, options, (text, { headers }) => {
    const url = headers.get("x-goog-upload-url");
    if (url === null)
      throw new ApiShapeError(
        "The response contains no upload URL (x-goog-upload-url); check that the base URL is a Gemini API.",
        "$",
        text,
      );
    checkHost(url, startUrl);
    const granularity = Number(headers.get("x-goog-upload-chunk-granularity") ?? 1);
    const unit = Number.isInteger(granularity) && granularity > 0 ? granularity : 1;
    return { url, chunkBytes: Math.max(1, Math.floor(CHUNK_BYTES / unit)) * unit };
  });
}

function checkHost(url: string, startUrl: string): void {
  const { origin } = new URL(startUrl);
  if (URL.canParse(url) && new URL(url).origin === origin) return;
  throw new ConfigurationError(
    `${origin} asks to upload to ${hostAndPath(url) ?? "an invalid URL"}, but the API key is only sent to its own host: set baseUrl to the host that accepts uploads.`,
  );
}

/** Bytes the service holds, and the result once it is complete. */
interface UploadState<T> {
  readonly offset: number;
  readonly result?: T | undefined;
}

/** @param upTo - End of the chunk that was accepted; absent for a query. */
function readUploadState<T>(text: string, exchange: Exchange, source: UploadSource<T>, upTo?: number): UploadState<T> {
  const totalBytes = source.data.size;
  const status = exchange.headers.get("x-goog-upload-status");
  if (status === "active" && (upTo === undefined || upTo < totalBytes)) {
    const received = Number(exchange.headers.get("x-goog-upload-size-received") ?? upTo ?? Number.NaN);
    if (Number.isInteger(received) && received >= 0 && received <= totalBytes) return { offset: received };
  }
  if (status === "final" || (status === null && upTo === totalBytes)) {
    const answer = text === "" ? undefined : parseJson(text);
    const result = isObject(answer) ? source.read(answer) : undefined;
    if (result !== undefined) return { offset: totalBytes, result };
  }
  throw new ApiShapeError(
    `The upload ended without a result (x-goog-upload-status: ${status ?? "absent"}); upload it again.`,
    "$",
    text,
  );
}
