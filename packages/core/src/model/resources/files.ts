import { GeminiClient } from "../../wire/client.ts";
import type { CallSignal, GeminiClientOptions } from "../../wire/client-options.ts";
import type { GeminiFile } from "../../wire/types/resources.ts";
import { type UploadOptions, waitForFile, type WaitForFileOptions } from "../../wire/files.ts";

/** Options of an upload and of the wait for it. */
export interface UploadFileOptions
  extends Pick<UploadOptions, "mimeType" | "displayName" | "name" | "onProgress" | "signal">, WaitForFileOptions {
  /** False gives the file as soon as its bytes have arrived, perhaps still `PROCESSING`. @defaultValue true */
  readonly waitUntilActive?: boolean | undefined;
}

/** What can be uploaded. A web `File` or `Blob` is read chunk by chunk; `fileFromPath` of `@pollux/core/node` makes one. */
export type UploadData = Blob | Uint8Array<ArrayBuffer> | ArrayBuffer;

/**
 * Uploads a file to the Files API and waits until a request can use it, as `media(file)`. It lives for 48 hours.
 *
 * @param options - Those of the client, most of all `endpoint`, which must be that of the agent; and those of the upload.
 * @throws {ConfigurationError} For no bytes, more than 2 GiB, an unknown media type, or an endpoint without a Files API.
 * @throws {FileStateError} When the service cannot process it, or has not after `timeoutMs`.
 * @see https://ai.google.dev/gemini-api/docs/files
 */
export async function uploadFile(
  data: UploadData,
  options: UploadFileOptions & GeminiClientOptions = {},
): Promise<GeminiFile> {
  return await files(options).upload(data, options);
}

/**
 * The files of a key: to upload, to look at and to delete.
 *
 * @param options - Those of the client, most of all `endpoint`.
 */
export function files(options: GeminiClientOptions = {}): Files {
  return new Files(new GeminiClient(options));
}

/**
 * See {@link files}. A file goes by its name (`files/abc123`), its uri, or what {@link Files.upload} gave. Every method
 * throws a {@link ConfigurationError} before anything is sent when the endpoint has no Files API, and an
 * `ApiStatusError` when the service refuses, such as 403 for a file of another project or one that has expired.
 */
export class Files {
  readonly #client: GeminiClient;

  /** @internal */
  constructor(client: GeminiClient) {
    this.#client = client;
  }

  /** See {@link uploadFile}. */
  async upload(data: UploadData, options: UploadFileOptions = {}): Promise<GeminiFile> {
    const { signal, mimeType, displayName, name, onProgress, timeoutMs, pollMs } = options;
    const file = await this.#client.files.upload(data, { signal, mimeType, displayName, name, onProgress });
    if (options.waitUntilActive === false) return file;
    return await waitForFile(this.#client.files, file, { signal, timeoutMs, pollMs });
  }

  /** Waits until a file can be used. See {@link waitForFile}. */
  async wait(file: string | GeminiFile, options: WaitForFileOptions = {}): Promise<GeminiFile> {
    return await waitForFile(this.#client.files, file, options);
  }

  /** All files of the key's project, page by page as they are read. */
  async *list({ signal }: CallSignal = {}): AsyncGenerator<GeminiFile, void, void> {
    let pageToken: string | undefined;
    do {
      const page = await this.#client.files.list({ pageSize: 100, pageToken }, { signal });
      yield* page.files ?? [];
      if (page.nextPageToken === pageToken) return;
      pageToken = page.nextPageToken;
    } while (pageToken);
  }

  /** What the service says about a file now. */
  async get(file: string | GeminiFile, { signal }: CallSignal = {}): Promise<GeminiFile> {
    return await this.#client.files.get(file, { signal });
  }

  /** Deletes a file before its 48 hours are over. */
  async delete(file: string | GeminiFile, { signal }: CallSignal = {}): Promise<void> {
    await this.#client.files.delete(file, { signal });
  }
}
