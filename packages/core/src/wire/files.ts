import { ApiShapeError, FileStateError } from "../errors/api-errors.ts";
import { ConfigurationError } from "../errors/agent-error.ts";
import { sleep } from "../internal/abort.ts";
import { isObject } from "../internal/json.ts";
import { detectMimeType, guessMimeType } from "../internal/mime-type.ts";
import type { CallOptions } from "./client-options.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { embeddedError } from "./errors/status-error.ts";
import { isErrorObject, parseJson } from "./http/read-answers.ts";
import { type ApiClient, type PageRequest, withPage } from "./http/api-client.ts";
import type { ApiCall } from "./http/exchange.ts";
import type { GeminiFile, ListFilesResponse } from "./types/resources.ts";
import { isFile, upload, type UploadProgress } from "./upload.ts";

/** Largest file the service takes: 2 GiB. */
const MAX_FILE_BYTES = 2 * 1024 ** 3;

/** Options of {@link FilesClient.upload}. */
export interface UploadOptions extends CallOptions {
  /** IANA media type. @defaultValue the blob's own, else by its first bytes or its name */
  readonly mimeType?: string | undefined;
  /** Name for people, at most 512 characters. @defaultValue the name of a web `File` */
  readonly displayName?: string | undefined;
  /** Id of the file: lower-case letters, digits and dashes, at most 40. @defaultValue the service chooses one */
  readonly name?: string | undefined;
  /** Called after each chunk (8 MiB) that has arrived; must not throw. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/**
 * Operations on files: `GeminiClient.files`.
 *
 * All throw {@link ConfigurationError} on an endpoint without the Files API, before they send anything if that is known.
 *
 * @see https://ai.google.dev/api/files
 */
export class FilesClient {
  readonly #client: ApiClient;

  /** @internal */
  constructor(client: ApiClient) {
    this.#client = client;
  }

  /**
   * Uploads a file in chunks of 8 MiB, each retried according to the policy and continued where the service left off. A blob is
   * read chunk by chunk. The uploaded file may still be `PROCESSING`, see {@link waitForFile}.
   *
   * @throws {ConfigurationError} For no bytes, more than 2 GiB, or an unknown media type.
   */
  async upload(data: Blob | Uint8Array<ArrayBuffer> | ArrayBuffer, options: UploadOptions = {}): Promise<GeminiFile> {
    const endpoint = this.#client.endpoint;
    const path = filesPath(endpoint);
    const blob = data instanceof Blob ? data : new Blob([data]);
    const fileName = "name" in blob && typeof blob.name === "string" ? blob.name : undefined;
    checkSize(blob.size);
    const mimeType = options.mimeType ?? (await mimeTypeOf(blob, fileName));
    const displayName = options.displayName ?? (fileName === "" ? undefined : fileName);
    const name = options.name === undefined ? undefined : filePath(endpoint, options.name);
    const startUrl = [endpoint.baseUrl, "upload", endpoint.apiVersion, path].filter((piece) => piece !== "").join("/");
    const file = { ...(name !== undefined && { name }), ...(displayName !== undefined && { displayName }), mimeType };
    const source = { startUrl, data: blob, mimeType, file, onProgress: options.onProgress };
    return await this.#collection(upload(source, this.#client, options));
  }

  /** Describes one file. */
  async get(file: string | GeminiFile, options: CallOptions = {}): Promise<GeminiFile> {
    return await getFile(this.#client, filePath(this.#client.endpoint, file), options);
  }

  /**
   * One page of the files.
   *
   * @param page - `pageSize` up to 100, by default 10; `pageToken` from the previous page.
   */
  async list(page: PageRequest = {}, options: CallOptions = {}): Promise<ListFilesResponse> {
    const path = withPage(filesPath(this.#client.endpoint), page);
    return await this.#collection(this.#client.object({ operation: "listFiles", method: "GET", path }, options));
  }

  /** Deletes a file before its 48 hours are over. */
  async delete(file: string | GeminiFile, options: CallOptions = {}): Promise<void> {
    const path = filePath(this.#client.endpoint, file);
    await this.#client.object({ operation: "deleteFile", method: "DELETE", path }, options);
  }

  #collection<T>(call: Promise<T>): Promise<T> {
    const advice = "use Google's own endpoint for it, or send the bytes inline with media()";
    return this.#client.onCollection(call, "the Files API", advice);
  }
}

/** As {@link FilesClient.get}, by path. A function, so that what only waits for files does not bundle uploads. */
export async function getFile(client: ApiClient, path: string, options: CallOptions): Promise<GeminiFile> {
  const call: ApiCall = { operation: "getFile", method: "GET", path };
  return await client.whole(call, options, (text, exchange) => {
    const answer = parseJson(text);
    // First, since a file that failed has a field `error`, just as an error object does.
    if (isFile(answer)) return answer;
    if (isObject(answer) && isErrorObject(answer)) throw embeddedError(answer, exchange.failure);
    throw new ApiShapeError("The response is not a file: it lacks name or uri.", "$", text);
  });
}

function filesPath({ filesPath: path, kind, baseUrl }: Endpoint): string {
  if (path !== undefined) return path;
  const { host } = new URL(baseUrl);
  throw new ConfigurationError(
    kind === "vertex"
      ? `Vertex AI (${host}) has no Files API: put the file into Cloud Storage and pass its URL, media("gs://bucket/file").`
      : `${host} is a gateway, and gateways have no Files API: send the bytes inline with media(), or pass kind: "developer" to endpoint() if this one forwards files.`,
  );
}

/** Resource path of a file, from its name, id or URI. */
function filePath(endpoint: Endpoint, file: string | GeminiFile): string {
  const files = filesPath(endpoint);
  const name = typeof file === "string" ? file : file.name;
  const id = /^(?:(?:https?:\/\/[^?#]+\/)?files\/)?([\w-]{1,100})$/.exec(name)?.[1];
  if (id !== undefined) return `${files}/${id}`;
  throw new ConfigurationError(
    `${JSON.stringify(name.slice(0, 100))} is not the name of a file: use one like "files/abc123".`,
  );
}

function checkSize(bytes: number): void {
  if (bytes === 0) throw new ConfigurationError("The file to upload is empty: the service requires at least one byte.");
  if (bytes <= MAX_FILE_BYTES) return;
  throw new ConfigurationError(
    `The file to upload is ${bytes} bytes; the Files API accepts at most ${MAX_FILE_BYTES} (2 GiB): split it or make it smaller.`,
  );
}

async function mimeTypeOf(blob: Blob, fileName: string | undefined): Promise<string> {
  const known =
    blob.type ||
    (detectMimeType(new Uint8Array(await blob.slice(0, 64).arrayBuffer())) ?? guessMimeType(fileName ?? ""));
  if (known) return known;
  throw new ConfigurationError('The media type of the file to upload is unknown: pass mimeType, such as "text/plain".');
}

/** Options of {@link waitForFile}. */
export interface WaitForFileOptions {
  /** Aborting it ends the wait, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait in milliseconds. A long video takes minutes. @defaultValue 600_000 */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds before the second poll; each further wait is 1.5 times as long, up to 10_000. @defaultValue 1_000 */
  readonly pollMs?: number | undefined;
}

const LONGEST_POLL_MS = 10_000;

/**
 * Waits until the service has processed a file and it is `ACTIVE`.
 *
 * @param file - What `upload` returned, or its name. One that is ready is returned without a request.
 * @throws {FileStateError} When the service failed to process it, or had not finished after `timeoutMs`.
 */
export async function waitForFile(
  files: Pick<FilesClient, "get">,
  file: string | GeminiFile,
  options: WaitForFileOptions = {},
): Promise<GeminiFile> {
  const { signal, timeoutMs = 600_000, pollMs = 1_000 } = options;
  for (const [name, value] of Object.entries({ timeoutMs, pollMs }))
    if (!(value > 0)) throw new ConfigurationError(`${name} is ${value}: it must be greater than 0 milliseconds.`);
  const endsAt = performance.now() + timeoutMs;
  let known = typeof file === "string" ? await files.get(file, { signal }) : file;
  for (let wait = pollMs; isUnready(known); wait = Math.min(wait * 1.5, LONGEST_POLL_MS)) {
    const left = endsAt - performance.now();
    if (left <= 0)
      throw new FileStateError(
        `${known.name} is still being processed after ${timeoutMs} ms: wait longer (timeoutMs), or check it again later by name.`,
        known.name,
        known.state ?? "PROCESSING",
      );
    await sleep(Math.min(wait, left), signal);
    known = await files.get(known, { signal });
  }
  if (known.state !== "FAILED") return known;
  const why = known.error?.message ?? "no reason was given";
  throw new FileStateError(
    `The service could not process ${known.name} (${why}): check that its content is ${known.mimeType ?? "of its media type"}, and upload it again.`,
    known.name,
    "FAILED",
  );
}

/** An unknown state counts as ready: a request with the file will fail if it is not. */
function isUnready({ state }: GeminiFile): boolean {
  return state === "PROCESSING" || state === "STATE_UNSPECIFIED";
}
