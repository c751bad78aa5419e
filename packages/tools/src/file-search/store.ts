import { type BuiltInTool, fileSearch } from "@pollux/core";
import {
  ApiClient,
  ApiShapeError,
  ApiStatusError,
  ApiTimeoutError,
  type CallSignal,
  checkOptions,
  CLIENT_OPTIONS,
  CLIENT_SPELLINGS,
  ConfigurationError,
  type Endpoint,
  encodeJson,
  FileStateError,
  type GeminiClientOptions,
  readPages,
  sleep,
  upload,
  type UploadProgress,
} from "@pollux/core/wire";
import {
  byAge,
  type FileSearchDocument,
  type FileSearchMetadata,
  MAX_DOCUMENT_BYTES,
  OWNER_KEY,
  readMetadata,
  toWireMetadata,
  type WaitOptions,
} from "./document.ts";
import { syncFolder, type SyncOptions, type SyncReport } from "./sync.ts";

/** Options of {@link fileSearchStore}: the client's, as in the rest of the library, and the store's. */
export interface FileSearchStoreOptions extends GeminiClientOptions, CallSignal {
  /** Model that a new store embeds with; `models/gemini-embedding-2` also takes images. @defaultValue the service's */
  readonly embeddingModel?: string | undefined;
}

/** Options of {@link FileSearchStore.tool}. */
export interface FileSearchToolOptions {
  /** Filter on the documents' metadata, such as `author="Ibsen" AND year=1879`. */
  readonly metadataFilter?: string | undefined;
  /** Number of chunks to retrieve. @defaultValue the service's */
  readonly topK?: number | undefined;
}

/** Options of {@link FileSearchStore.importFile}. */
export interface ImportOptions extends WaitOptions {
  /** Whose document it is, for {@link FileSearchStore.eraseOwner} and filters. */
  readonly owner?: string | undefined;
  readonly metadata?: FileSearchMetadata | undefined;
  /** The service's own, such as `{ whiteSpaceConfig: { maxTokensPerChunk: 200 } }`. @defaultValue the service's */
  readonly chunkingConfig?: object | undefined;
}

/** Options of {@link FileSearchStore.upload}. */
export interface UploadOptions extends ImportOptions {
  /** IANA media type. @defaultValue the blob's own */
  readonly mimeType?: string | undefined;
  /** Title in citations. @defaultValue the name of a web `File` */
  readonly displayName?: string | undefined;
  /** Called after each chunk (8 MiB) that has arrived; must not throw. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

const PAGE_SIZE = 20;
const LONGEST_POLL_MS = 10_000;
/** How many times a new document may be unknown, because it is not visible yet. */
const MAX_UNKNOWN = 8;

type Answer = Readonly<Record<string, unknown>>;
type StoreJson = Pick<FileSearchDocument, "name" | "displayName" | "createTime">;

/**
 * Finds a file search store, or creates it. Processes that create it at the same time get the same store.
 *
 * @param name - Display name, at most 512 characters; or the resource name of a store that exists, `fileSearchStores/…`.
 * @throws {ConfigurationError} If the endpoint has no stores: only the Developer API has them.
 * @throws {ApiStatusError} When the service refuses.
 * @see https://ai.google.dev/gemini-api/docs/file-search
 * @example
 * ```ts
 * const manuals = await fileSearchStore("manuals");
 * const agent = new Agent({ model: "gemini-flash-latest", tools: [manuals.tool()] });
 * ```
 */
export async function fileSearchStore(name: string, options: FileSearchStoreOptions = {}): Promise<FileSearchStore> {
  const { embeddingModel, signal, ...client } = options;
  checkOptions("fileSearchStore()", client, CLIENT_OPTIONS, CLIENT_SPELLINGS);
  if (typeof name !== "string" || name === "") throw new TypeError("the name of a store must be a non-empty string");
  const api = new ApiClient(client);
  checkEndpoint(api.endpoint);
  if (name.startsWith("fileSearchStores/")) {
    const found = await api.object({ operation: "getFileSearchStore", method: "GET", path: name }, { signal });
    return new FileSearchStore(api, asNamed(found, "a store"));
  }
  const oldest = await findOldest(api, name, signal);
  if (oldest !== undefined) return new FileSearchStore(api, oldest);
  const body = encodeJson({ displayName: name, embeddingModel });
  const call = { operation: "createFileSearchStore", method: "POST", path: "fileSearchStores", body } as const;
  const own = asNamed(await api.object(call, { signal }), "a store");
  // Another process may have created one meanwhile: all use the oldest, and the others remove their own.
  const first = (await findOldest(api, name, signal)) ?? own;
  if (first.name !== own.name) await remove(api, own.name, "", signal);
  return new FileSearchStore(api, first);
}

function checkEndpoint({ kind, baseUrl }: Endpoint): void {
  if (kind === "developer") return;
  throw new ConfigurationError(
    `File search stores are on Google's Developer API only, and ${new URL(baseUrl).host} is ${kind === "vertex" ? "Vertex AI" : "a gateway"}: use geminiApi().`,
  );
}

async function findOldest(api: ApiClient, name: string, signal?: AbortSignal): Promise<StoreJson | undefined> {
  const found: StoreJson[] = [];
  for await (const store of list(api, "fileSearchStores", signal)) if (store.displayName === name) found.push(store);
  return found.toSorted(byAge)[0];
}

async function* list(
  api: ApiClient,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<FileSearchDocument, void, void> {
  const field = path.slice(path.lastIndexOf("/") + 1);
  const get = (at: string): Promise<Answer & { readonly nextPageToken?: string }> =>
    api.object({ operation: `list ${field}`, method: "GET", path: at }, { signal });
  for await (const { [field]: items } of readPages(path, PAGE_SIZE, get))
    for (const item of Array.isArray(items) ? items : []) yield asNamed(item, "a list of named resources");
}

function asNamed(answer: unknown, what: string): FileSearchDocument {
  // All other fields are optional.
  if (typeof asObject(answer)["name"] === "string") return answer as FileSearchDocument;
  throw new ApiShapeError(`The response is not ${what}: it lacks a name.`, "$", JSON.stringify(answer));
}

function asObject(value: unknown): Answer {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Deletes a document or a store; one that is gone counts as deleted. */
async function remove(api: ApiClient, name: string, query: string, signal?: AbortSignal): Promise<void> {
  const call = { operation: "deleteFromFileSearch", method: "DELETE", path: `${name}${query}` } as const;
  await api.object(call, { signal }).catch((error: unknown) => {
    if (!isGone(error)) throw error;
  });
}

function isGone(error: unknown): boolean {
  return error instanceof ApiStatusError && error.status === 404;
}

/** See {@link fileSearchStore}. Every method throws an `ApiStatusError` if the service refuses. */
export class FileSearchStore {
  /** Resource name, such as `fileSearchStores/manuals-abc`. */
  readonly name: string;
  readonly displayName: string | undefined;
  readonly #api: ApiClient;

  /** @internal */
  constructor(api: ApiClient, { name, displayName }: StoreJson) {
    this.#api = api;
    this.name = name;
    this.displayName = displayName;
  }

  /** The tool with which a model searches this store; for several stores, pass their names to core's `fileSearch`. */
  tool(options: FileSearchToolOptions = {}): BuiltInTool {
    return fileSearch({ stores: [this.name], ...options });
  }

  /**
   * Makes the store contain each file of a folder once: uploads new and changed files, and deletes documents whose files are gone. Documents
   * from elsewhere stay. A file that fails does not stop the others; after any interruption, the next sync continues from there.
   *
   * @throws {ConfigurationError} If there is no such folder.
   */
  async sync(folder: string, options: SyncOptions = {}): Promise<SyncReport> {
    return await syncFolder(this, folder, options);
  }

  /**
   * Adds a document, and waits until it can be found. A second call adds a second document.
   *
   * @throws {TypeError} For no bytes, more than 100 MB, an unknown media type, or metadata that the service does not accept.
   * @throws {FileStateError} If the service could not process it.
   * @throws {ApiTimeoutError} If it is not ready within `timeoutMs`.
   */
  async upload(data: Blob | Uint8Array<ArrayBuffer>, options: UploadOptions = {}): Promise<FileSearchDocument> {
    const { chunkingConfig, onProgress, signal } = options;
    const blob = data instanceof Blob ? data : new Blob([data]);
    const named = "name" in blob && typeof blob.name === "string" ? blob.name : undefined;
    const { mimeType = blob.type, displayName = named } = options;
    if (blob.size === 0) throw new TypeError("the document is empty: it needs at least one byte");
    if (blob.size > MAX_DOCUMENT_BYTES)
      throw new TypeError(`the document has ${blob.size} bytes, more than ${MAX_DOCUMENT_BYTES} (100 MB); split it`);
    if (mimeType === "") throw new TypeError('the media type is unknown: pass mimeType, such as "text/plain"');
    const { baseUrl, apiVersion } = this.#api.endpoint;
    const startUrl = `${baseUrl}/upload/${apiVersion}/${this.name}:uploadToFileSearchStore`;
    const about = { displayName, mimeType, customMetadata: withOwner(options), chunkingConfig };
    const read = (answer: Answer): Answer | undefined => (typeof answer["name"] === "string" ? answer : undefined);
    const operation = await upload({ startUrl, data: blob, mimeType, about, onProgress, read }, this.#api, { signal });
    return await this.#wait(operation, options);
  }

  /**
   * Adds a file of the Files API, such as `files/abc`, and waits like {@link FileSearchStore.upload}. The document outlives the file. The
   * request is sent again if its answer is lost, which may leave two documents.
   */
  async importFile(file: string, options: ImportOptions = {}): Promise<FileSearchDocument> {
    const { chunkingConfig, signal } = options;
    const body = encodeJson({ fileName: file, customMetadata: withOwner(options), chunkingConfig });
    const call = { operation: "importFile", method: "POST", path: `${this.name}:importFile`, body } as const;
    return await this.#wait(await this.#api.object(call, { signal }), options);
  }

  /** All documents; pages are requested as they are read. */
  documents({ signal }: CallSignal = {}): AsyncGenerator<FileSearchDocument, void, void> {
    return list(this.#api, `${this.name}/documents`, signal);
  }

  /** Waits until a document can be found, like {@link FileSearchStore.upload}. @param name - Resource name. */
  async wait(name: string, options: WaitOptions = {}): Promise<FileSearchDocument> {
    return await this.#wait({ response: { documentName: name } }, options);
  }

  /** Deletes a document with its chunks; one that is gone counts as deleted. @param name - Resource name. */
  async deleteDocument(name: string, { signal }: CallSignal = {}): Promise<void> {
    await remove(this.#api, name, "?force=true", signal);
  }

  /**
   * Deletes all documents of an owner, until there are none, and returns their names.
   *
   * @throws {ApiTimeoutError} If deleted documents are still listed after `timeoutMs`.
   */
  async eraseOwner(owner: string, options: WaitOptions = {}): Promise<readonly string[]> {
    const { signal } = options;
    if (typeof owner !== "string" || owner === "") throw new TypeError("owner must be a non-empty string");
    const erased = new Set<string>();
    const pause = pauses(`Deleted documents in ${this.name} were still listed`, options);
    for (;;) {
      const found: string[] = [];
      // Deleting while listing would move documents to pages that have been read already.
      for await (const document of this.documents({ signal }))
        if (readMetadata(document)[OWNER_KEY] === owner) found.push(document.name);
      if (found.length === 0) return [...erased];
      if (found.every((name) => erased.has(name))) await pause();
      for (const name of found) {
        await this.deleteDocument(name, { signal });
        erased.add(name);
      }
    }
  }

  /** Deletes the store with all its documents. */
  async delete({ signal }: CallSignal = {}): Promise<void> {
    await remove(this.#api, this.name, "?force=true", signal);
  }

  /** Polls the document's state: an operation may never report that it is done, or which document it made. */
  async #wait(operation: Answer, options: WaitOptions): Promise<FileSearchDocument> {
    const { signal } = options;
    const { name: polled } = operation;
    let name = this.#documentOf(operation);
    const pause = pauses(`The document ${name} was not ready`, options);
    for (let unknown = 0; ;) {
      const call = { operation: "getDocument", method: "GET", path: name } as const;
      const found = await this.#api.object(call, { signal }).catch((error: unknown) => {
        unknown += 1;
        if (!isGone(error) || unknown > MAX_UNKNOWN) throw error;
        return undefined;
      });
      const document = found && asNamed(found, "a document");
      if (document?.state === "STATE_ACTIVE") return document;
      if (document?.state === "STATE_FAILED")
        throw new FileStateError(`The service failed to process ${name}.`, name, "FAILED");
      if (document === undefined && typeof polled === "string") {
        const poll = { operation: "getOperation", method: "GET", path: polled } as const;
        name = this.#documentOf(await this.#api.object(poll, { signal }));
      }
      await pause();
    }
  }

  /** An operation has the same id as its document. */
  #documentOf({ name, response, error }: Answer): string {
    const { documentName } = asObject(response);
    const id = String(name).split("/").at(-1) ?? "";
    const document = typeof documentName === "string" ? documentName : `${this.name}/documents/${id}`;
    if (error === undefined) return document;
    const reason = String(asObject(error)["message"]);
    throw new FileStateError(`The service failed to process ${document}: ${reason}`, document, "FAILED");
  }
}

function withOwner({ metadata, owner }: ImportOptions): readonly object[] | undefined {
  const entries = toWireMetadata({ ...metadata, ...(owner !== undefined && { [OWNER_KEY]: owner }) });
  return entries.length > 0 ? entries : undefined;
}

/** Waits between polls, each longer than the one before, until the limit passes. */
function pauses(what: string, { timeoutMs = 600_000, pollMs = 1_000, signal }: WaitOptions): () => Promise<void> {
  for (const [option, value] of Object.entries({ timeoutMs, pollMs }))
    if (!(value > 0)) throw new TypeError(`${option} must be a positive number of milliseconds`);
  const endsAt = performance.now() + timeoutMs;
  let next = pollMs;
  return async () => {
    const leftMs = endsAt - performance.now();
    if (leftMs <= 0) throw new ApiTimeoutError("total", timeoutMs, `${what} after ${timeoutMs} ms (timeoutMs).`);
    await sleep(Math.min(next, leftMs), signal);
    next = Math.min(next * 1.5, LONGEST_POLL_MS);
  };
}
