import { ApiShapeError, ApiStatusError, FileStateError } from "../errors/api-errors.ts";
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
  /** Called whenever a chunk (8 MiB) has arrived; must not throw. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/**
 * The operations on files, as `GeminiClient.files`.
 *
 * All throw {@link ConfigurationError} when the endpoint has no Files API, where that is known before anything is sent.
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
   * Uploads a file in chunks of 8 MiB, each retried as the policy says and taken up where the service stands. A blob is
   * read chunk by chunk. The file may still be `PROCESSING` then, see {@link waitForFile}.
   *
   * @throws {ConfigurationError} For no bytes, more than 2 GiB, or a media type that is neither given nor to be seen.
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
    return await this.#known(
      upload({ startUrl, data: blob, mimeType, file, onProgress: options.onProgress }, this.#client, options),
    );
  }

  /** What the service says about one file. */
  async get(file: string | GeminiFile, options: CallOptions = {}): Promise<GeminiFile> {
    const path = filePath(this.#client.endpoint, file);
    const call: ApiCall = { operation: "getFile", method: "GET", path };
    return await this.#client.whole(call, options, (text, exchange) => {
      const answer = parseJson(text);
      // First, since a file that failed says so in a field `error`, as an answer that is none does.
      if (isFile(answer)) return answer;
      if (isObject(answer) && isErrorObject(answer)) throw embeddedError(answer, exchange.failure);
      throw new ApiShapeError("The response is not a file: it lacks name or uri.", "$", text);
    });
  }

  /**
   * One page of the files.
   *
   * @param page - `pageSize` up to 100, by default 10; `pageToken` from the page before.
   */
  async list(page: PageRequest = {}, options: CallOptions = {}): Promise<ListFilesResponse> {
    const path = withPage(filesPath(this.#client.endpoint), page);
    return await this.#known(this.#client.object({ operation: "listFiles", method: "GET", path }, options));
  }

  /** Deletes a file before its 48 hours are over. */
  async delete(file: string | GeminiFile, options: CallOptions = {}): Promise<void> {
    const path = filePath(this.#client.endpoint, file);
    await this.#client.object({ operation: "deleteFile", method: "DELETE", path }, options);
  }

  /** A service that has files never answers that their collection is not there. */
  async #known<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const isUnknown = error instanceof ApiStatusError && [404, 405, 501].includes(error.status);
      if (!isUnknown || error.reason === "NOT_FOUND") throw error;
      throw new ConfigurationError(
        `${new URL(this.#client.endpoint.baseUrl).host} does not support the Files API (HTTP ${error.status}): use Google's own endpoint for it, or send the bytes inline with media().`,
        { cause: error },
      );
    }
  }
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

/** Resource path of a file, from its name, its id, or its uri. */
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
  /** Milliseconds before the second look; each wait is half as long again, up to 10_000. @defaultValue 1_000 */
  readonly pollMs?: number | undefined;
}

const LONGEST_POLL_MS = 10_000;

/**
 * Waits until the service has processed a file, which then is `ACTIVE`.
 *
 * @param file - As `upload` gave it, or its name. One that is known to be ready is given back without a request.
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

/** A state that is not known here is taken for a usable one: a request with the file will say. */
function isUnready({ state }: GeminiFile): boolean {
  return state === "PROCESSING" || state === "STATE_UNSPECIFIED";
}
