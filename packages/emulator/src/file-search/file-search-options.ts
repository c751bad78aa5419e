/** A document of a file search store, as its owner sees it. */
export interface StoredDocument {
  /** Such as `fileSearchStores/manuals-abc/documents/def`. */
  readonly name: string;
  readonly displayName: string | undefined;
  readonly mimeType: string;
  readonly sizeBytes: number;
}

/** Options of file search stores. */
export interface FileSearchOptions {
  /** Fields of an operation: `done` and the response, only the `response`, or only its `name`, forever. Default: `response`, as recorded. */
  readonly operation?: "done" | "response" | "name" | undefined;
  /** How many times a document is reported as pending before it is active. Default: 0. */
  readonly pendingPolls?: number | undefined;
  /** Which documents end as failed. Default: none. */
  readonly fails?: ((document: StoredDocument) => boolean) | undefined;
  /** Bytes that all stores of a key may hold. Default: 1,000,000,000, as for the service's free tier. */
  readonly maxStorageBytes?: number | undefined;
}
