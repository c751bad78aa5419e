import { ConfigurationError } from "../../errors/agent-error.ts";
import { detectMimeType, guessMimeType } from "../../internal/mime-type.ts";
import type { CallOptions, CallSignal, GeminiClientOptions } from "../../wire/client-options.ts";
import type { Endpoint } from "../../wire/endpoints/endpoint.ts";
import { ApiClient, readPages } from "../../wire/client.ts";
import type { GeminiFile, ListFilesResponse } from "../../wire/types/resources.ts";
import { isFile } from "../../wire/http/read-answers.ts";
import { upload, type UploadProgress } from "../../wire/upload.ts";
import type { WaitForFileOptions } from "./wait-for-file.ts";

/** Largest file the service takes: 2 GiB. */
const MAX_FILE_BYTES = 2 * 1024 ** 3;

/** Options of an upload and of the wait until the file is ready. */
export interface UploadFileOptions extends WaitForFileOptions, Pick<CallOptions, "onRetry"> {
  /** IANA media type. @defaultValue the blob's own, else detected from its first bytes or its name */
  readonly mimeType?: string | undefined;
  /** Name for people, at most 512 characters. @defaultValue the name of a web `File` */
  readonly displayName?: string | undefined;
  /** Id of the file: lower-case letters, digits and dashes, at most 40. @defaultValue the service chooses one */
  readonly name?: string | undefined;
  /** Called after the service has received each chunk (8 MiB); must not throw. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** False returns the file once it is uploaded, possibly still `PROCESSING`. @defaultValue true */
  readonly waitUntilActive?: boolean | undefined;
}

/** Data to upload. A web `File` or `Blob` is read chunk by chunk; `fileFromPath` of `@pollux/core/node` creates one. */
export type UploadData = Blob | Uint8Array<ArrayBuffer> | ArrayBuffer;

/** Uploads, lists and deletes the files of a key. @param options - Client options, in particular `endpoint`. */
export function files(options: GeminiClientOptions = {}): Files {
  return new Files(new ApiClient(options));
}

/**
 * See {@link files}. Pass a file as its name (`files/abc123`), its URI, or the result of {@link Files.upload}. Every method
 * throws a {@link ConfigurationError} before anything is sent if the endpoint has no Files API, and an `ApiStatusError` if
 * the service rejects the request, such as 403 for an expired file or one of another project.
 */
export class Files {
  readonly #client: ApiClient;

  /** @internal */
  constructor(client: ApiClient) {
    this.#client = client;
  }

  /**
   * Uploads a file and waits until requests can use it, as `media(file)`. It expires after 48 hours. Chunks are 8 MiB; each is retried
   * according to the policy and continues where the service left off.
   * @throws {ConfigurationError} For no bytes, more than 2 GiB, or an unknown media type.
   * @throws {FileStateError} When the service cannot process it, or does not within `timeoutMs`.
   * @see https://ai.google.dev/gemini-api/docs/files
   */
  async upload(data: UploadData, options: UploadFileOptions = {}): Promise<GeminiFile> {
    const { signal, onProgress, onRetry, timeoutMs, pollMs, waitUntilActive } = options;
    const endpoint = this.#client.endpoint;
    const path = filesPath(endpoint);
    const blob = data instanceof Blob ? data : new Blob([data]);
    const fileName = "name" in blob && typeof blob.name === "string" ? blob.name : undefined;
    if (blob.size === 0)
      throw new ConfigurationError("The file to upload is empty: the service requires at least one byte.");
    if (blob.size > MAX_FILE_BYTES)
      throw new ConfigurationError(
        `The file to upload is ${blob.size} bytes; the Files API accepts at most ${MAX_FILE_BYTES} (2 GiB): split it or make it smaller.`,
      );
    const mimeType = options.mimeType ?? (await mimeTypeOf(blob, fileName));
    const displayName = options.displayName ?? (fileName === "" ? undefined : fileName);
    const name = options.name === undefined ? undefined : filePath(endpoint, options.name);
    const startUrl = [endpoint.baseUrl, "upload", endpoint.apiVersion, path].filter((piece) => piece !== "").join("/");
    const about = { file: { name, displayName, mimeType } };
    const read = ({ file }: { readonly file?: unknown }): GeminiFile | undefined => (isFile(file) ? file : undefined);
    const source = { startUrl, data: blob, mimeType, about, read, onProgress };
    const uploaded = await this.#collection(upload(source, this.#client, { signal, onRetry }));
    return waitUntilActive === false ? uploaded : await this.wait(uploaded, { signal, timeoutMs, pollMs });
  }

  /** Waits until a file is `ACTIVE`. @throws {FileStateError} When the service failed to process it, or had not finished after `timeoutMs`. */
  async wait(file: string | GeminiFile, options: WaitForFileOptions = {}): Promise<GeminiFile> {
    const { waitForFile } = await import("./wait-for-file.ts");
    return await waitForFile(this, file, options);
  }

  /** All files of the key's project; pages are requested as they are read. */
  async *list({ signal }: CallSignal = {}): AsyncGenerator<GeminiFile, void, void> {
    const get = (path: string): Promise<ListFilesResponse> =>
      this.#collection(this.#client.object({ operation: "listFiles", method: "GET", path }, { signal }));
    for await (const { files: found = [] } of readPages(filesPath(this.#client.endpoint), 100, get)) yield* found;
  }

  /** The current state of a file. */
  async get(file: string | GeminiFile, { signal }: CallSignal = {}): Promise<GeminiFile> {
    const path = filePath(this.#client.endpoint, file);
    const { getFile } = await import("./wait-for-file.ts");
    return await getFile(this.#client, path, { signal });
  }

  /** Deletes a file before its 48 hours are over. */
  async delete(file: string | GeminiFile, { signal }: CallSignal = {}): Promise<void> {
    const path = filePath(this.#client.endpoint, file);
    await this.#client.object({ operation: "deleteFile", method: "DELETE", path }, { signal });
  }

  #collection<T>(call: Promise<T>): Promise<T> {
    const advice = "use Google's own endpoint for it, or send the bytes inline with media()";
    return this.#client.onCollection(call, "the Files API", advice);
  }
}

function filesPath({ filesPath: path, kind, baseUrl }: Endpoint): string {
  if (path !== undefined) return path;
  const { host } = new URL(baseUrl);
  throw new ConfigurationError(
    kind === "vertex"
      ? `Vertex AI (${host}) has no Files API: put the file into Cloud Storage and pass its URL, media("gs://bucket/file").`
      : `${host} is a gateway, and gateways have no Files API: send the bytes inline with media(), or pass kind: "developer" to endpoint() if this one serves files.`,
  );
}

/** Resource path of a file, from its name, id or URI. */
function filePath(endpoint: Endpoint, file: string | GeminiFile): string {
  const all = filesPath(endpoint);
  const name = typeof file === "string" ? file : file.name;
  const id = /^(?:(?:https?:\/\/[^?#]+\/)?files\/)?([\w-]{1,100})$/.exec(name)?.[1];
  if (id !== undefined) return `${all}/${id}`;
  throw new ConfigurationError(
    `${JSON.stringify(name.slice(0, 100))} is not the name of a file: use one like "files/abc123".`,
  );
}

async function mimeTypeOf(blob: Blob, fileName: string | undefined): Promise<string> {
  const known =
    blob.type ||
    (detectMimeType(new Uint8Array(await blob.slice(0, 64).arrayBuffer())) ?? guessMimeType(fileName ?? ""));
  if (known) return known;
  throw new ConfigurationError('The media type of the file to upload is unknown: pass mimeType, such as "text/plain".');
}
