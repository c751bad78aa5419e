import { GeminiClient } from "../../wire/client.ts";
import type { CallSignal, GeminiClientOptions } from "../../wire/client-options.ts";
import type { GeminiFile } from "../../wire/types/resources.ts";
import { type UploadOptions, waitForFile, type WaitForFileOptions } from "../../wire/files.ts";

/** Options of an upload and of the wait until the file is ready. */
export interface UploadFileOptions
  extends Pick<UploadOptions, "mimeType" | "displayName" | "name" | "onProgress" | "signal">, WaitForFileOptions {
  /** False returns the file once it is uploaded, possibly still `PROCESSING`. @defaultValue true */
  readonly waitUntilActive?: boolean | undefined;
}

/** Data to upload. A web `File` or `Blob` is read chunk by chunk; `fileFromPath` of `@pollux/core/node` creates one. */
export type UploadData = Blob | Uint8Array<ArrayBuffer> | ArrayBuffer;

/**
 * Uploads a file to the Files API and waits until requests can use it, as `media(file)`. It expires after 48 hours.
 *
 * @param options - Client options, in particular the agent's `endpoint`; and upload options.
 * @throws {ConfigurationError} For no bytes, more than 2 GiB, an unknown media type, or an endpoint without a Files API.
 * @throws {FileStateError} When the service cannot process it, or not within `timeoutMs`.
 * @see https://ai.google.dev/gemini-api/docs/files
 */
export async function uploadFile(
  data: UploadData,
  options: UploadFileOptions & GeminiClientOptions = {},
): Promise<GeminiFile> {
  return await files(options).upload(data, options);
}

/**
 * Uploads, lists and deletes the files of a key.
 *
 * @param options - Client options, in particular `endpoint`.
 */
export function files(options: GeminiClientOptions = {}): Files {
  return new Files(new GeminiClient(options));
}

/**
 * See {@link files}. Pass a file as its name (`files/abc123`), its URI, or the result of {@link Files.upload}. Every method
 * throws a {@link ConfigurationError} before anything is sent if the endpoint has no Files API, and an `ApiStatusError` if
 * the service rejects the request, such as 403 for an expired file or one of another project.
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

  /** All files of the key's project; pages are requested as they are read. */
  async *list({ signal }: CallSignal = {}): AsyncGenerator<GeminiFile, void, void> {
    let pageToken: string | undefined;
    do {
      const page = await this.#client.files.list({ pageSize: 100, pageToken }, { signal });
      yield* page.files ?? [];
      if (page.nextPageToken === pageToken) return;
      pageToken = page.nextPageToken;
    } while (pageToken);
  }

  /** The current state of a file. */
  async get(file: string | GeminiFile, { signal }: CallSignal = {}): Promise<GeminiFile> {
    return await this.#client.files.get(file, { signal });
  }

  /** Deletes a file before it expires. */
  async delete(file: string | GeminiFile, { signal }: CallSignal = {}): Promise<void> {
    await this.#client.files.delete(file, { signal });
  }
}
