import type { CallSignal } from "@pollux/core/wire";

/** A value in a document's metadata. */
export type MetadataValue = string | number | readonly string[];

/** Metadata of a document by key. */
export type FileSearchMetadata = { readonly [key: string]: MetadataValue };

/**
 * A document of a store, as the service describes it.
 *
 * @see https://ai.google.dev/api/file-search/documents
 */
export interface FileSearchDocument {
  /** Such as `fileSearchStores/manuals-abc/documents/def`. */
  readonly name: string;
  /** Citations show it as the title. */
  readonly displayName?: string | undefined;
  /** See {@link readMetadata}. */
  readonly customMetadata?: readonly object[] | undefined;
  readonly mimeType?: string | undefined;
  /** Bytes, as text. */
  readonly sizeBytes?: string | undefined;
  /** `STATE_PENDING` until it can be found, `STATE_ACTIVE`, `STATE_FAILED`, or a newer value. */
  readonly state?: string | undefined;
  /** ISO 8601. */
  readonly createTime?: string | undefined;
}

/** Options of a wait until a document can be found. */
export interface WaitOptions extends CallSignal {
  /** Longest wait in milliseconds. @defaultValue 600_000 */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds before the second poll; each further wait is 1.5 times as long, up to 10_000. @defaultValue 1_000 */
  readonly pollMs?: number | undefined;
}

/** Bytes of the largest document that the service accepts. */
export const MAX_DOCUMENT_BYTES: number = 100 * 1024 * 1024;

/** Key of the owner in a document's metadata, for a `metadataFilter` such as `pollux_owner="ada"`. */
export const OWNER_KEY = "pollux_owner";

const MAX_ENTRIES = 20;

/** Sorts the oldest first. */
export function byAge(a: Aged, b: Aged): number {
  const [first = "", second = ""] = [a, b].map(({ createTime = "", name }) => `${createTime} ${name}`);
  return first < second ? -1 : 1;
}

type Aged = Pick<FileSearchDocument, "name" | "createTime">;

/** The metadata of a document by key. Values of an unknown kind are left out. */
export function readMetadata({ customMetadata = [] }: FileSearchDocument): FileSearchMetadata {
  const entries = customMetadata.flatMap((entry): [string, MetadataValue][] => {
    // Each field may be missing.
    const { key, stringValue, numericValue, stringListValue } = entry as WireMetadata;
    const value = stringValue ?? numericValue ?? stringListValue?.values;
    return key === undefined || value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(entries);
}

interface WireMetadata {
  readonly key?: string;
  readonly stringValue?: string;
  readonly numericValue?: number;
  readonly stringListValue?: { readonly values?: readonly string[] };
}

/**
 * Metadata in the service's form, sorted by key.
 *
 * @throws {TypeError} For more entries than the service accepts, or a number that JSON cannot represent.
 */
export function toWireMetadata(metadata: FileSearchMetadata): readonly object[] {
  const entries = Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length > MAX_ENTRIES)
    throw new TypeError(
      `metadata: a document takes ${MAX_ENTRIES} entries, owner and path included, not ${entries.length}`,
    );
  return entries.map(([key, value]) => {
    if (typeof value === "string") return { key, stringValue: value };
    if (typeof value === "object") return { key, stringListValue: { values: value } };
    if (!Number.isFinite(value))
      throw new TypeError(`metadata: ${key} must be a string, a finite number or a list of strings`);
    return { key, numericValue: value };
  });
}
