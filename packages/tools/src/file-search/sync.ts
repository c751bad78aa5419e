import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { fileFromPath } from "@pollux/core/node";
import { ApiStatusError, type CallSignal, ConfigurationError } from "@pollux/core/wire";
import { compileWildcards } from "../files/wildcards.ts";
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

/** Options of `sync`; the wait applies to each document. */
export interface SyncOptions extends WaitOptions {
  /** Globs on paths in the folder, such as `**\/*.md` or `docs/{a,b}.txt`. @defaultValue all files, but never links and names that begin with a dot */
  readonly include?: string | readonly string[] | undefined;
  /** Owner of the documents. A sync sees only documents of its own owner and source. */
  readonly owner?: string | undefined;
  /** Metadata of a file, by its path in the folder, with slashes. */
  readonly metadata?:
    | ((path: string) => FileSearchMetadata | undefined | Promise<FileSearchMetadata | undefined>)
    | undefined;
  /** Distinguishes these documents from other folders'. @defaultValue the folder, as it is written */
  readonly source?: string | undefined;
  /** Whether to delete documents whose files are gone. @defaultValue true */
  readonly deleteMissing?: boolean | undefined;
  /** Files at a time. @defaultValue 4 */
  readonly concurrency?: number | undefined;
  /** Called after each file; must not throw. */
  readonly onProgress?: ((progress: SyncProgress) => void) | undefined;
}

type Action = "uploaded" | "replaced" | "unchanged" | "deleted";

/** What the sync did with a file. */
export interface SyncProgress {
  readonly path: string;
  readonly action: Action | "failed";
  /** Files that are finished, this one included. */
  readonly done: number;
  readonly total: number;
}

/** A file that was not uploaded, or a document that was not deleted. */
export interface SyncFailure {
  readonly path: string;
  readonly error: unknown;
}

/** What a sync did, by paths in the folder, sorted. */
export interface SyncReport {
  /** New documents. */
  readonly uploaded: readonly string[];
  /** Documents of files that have changed, in content, media type or metadata. */
  readonly replaced: readonly string[];
  readonly unchanged: readonly string[];
  /** Documents whose files are gone. */
  readonly deleted: readonly string[];
  /** Files that failed; an earlier document of such a file stays. */
  readonly failed: readonly SyncFailure[];
}

/** The methods of a store that a sync uses. */
interface SyncedStore {
  documents(options: CallSignal): AsyncIterable<FileSearchDocument>;
  upload(
    data: File,
    options: WaitOptions & {
      readonly displayName: string;
      readonly owner?: string | undefined;
      readonly metadata: FileSearchMetadata;
    },
  ): Promise<FileSearchDocument>;
  wait(name: string, options: WaitOptions): Promise<FileSearchDocument>;
  deleteDocument(name: string, options: CallSignal): Promise<void>;
}

const PATH_KEY = "pollux_path";
const HASH_KEY = "pollux_hash";
const SOURCE_KEY = "pollux_source";

/** See `FileSearchStore.sync`. */
export async function syncFolder(store: SyncedStore, folder: string, options: SyncOptions): Promise<SyncReport> {
  const { owner, source = defaultSource(folder), deleteMissing = true, concurrency = 4 } = options;
  const { timeoutMs, pollMs, signal, onProgress } = options;
  const wait = { timeoutMs, pollMs, signal };
  if (!(Number.isInteger(concurrency) && concurrency > 0))
    throw new TypeError("concurrency must be an integer of at least 1");
  const paths = await filesIn(folder, options.include);
  const stored = await documentsOf(store, source, owner, signal);
  const known = new Set(paths);
  const gone = deleteMissing ? [...stored.keys()].filter((path) => !known.has(path)) : [];
  const done: { readonly path: string; readonly action: SyncProgress["action"]; readonly error?: unknown }[] = [];
  const total = paths.length + gone.length;
  // Once the project's storage is full, further uploads would only be refused again.
  let full: ApiStatusError | undefined;

  /** Uploads a file, unless the store has it, and deletes the file's other documents. */
  async function settle(path: string): Promise<Action> {
    const before = stored.get(path) ?? [];
    const remove = async (documents: readonly FileSearchDocument[]): Promise<void> => {
      for (const { name } of documents) await store.deleteDocument(name, { signal });
    };
    if (!known.has(path)) return await remove(before).then(() => "deleted");
    const { file, metadata, hash } = await readLocal(join(folder, path), path, { ...options, source });
    const isSame = (document: FileSearchDocument): boolean => readMetadata(document)[HASH_KEY] === hash;
    const usable = before.filter(({ state }) => state !== "STATE_FAILED").toSorted(byAge);
    const kept = usable.find(isSame);
    if (kept !== undefined) {
      if (kept.state !== "STATE_ACTIVE") await store.wait(kept.name, wait);
      await remove(before.filter((one) => one !== kept));
      return "unchanged";
    }
    if (full !== undefined) throw full;
    // No search finds failed documents, and each further attempt may leave one.
    await remove(before.filter(({ state }) => state === "STATE_FAILED"));
    await store.upload(file, { ...wait, displayName: path, owner, metadata });
    // Deleted last, so that a search finds one version or the other at any time.
    await remove(usable);
    return usable.length === 0 ? "uploaded" : "replaced";
  }

  const queue = [...paths, ...gone].values();
  const work = async (): Promise<void> => {
    for (const path of queue) {
      try {
        done.push({ path, action: await settle(path) });
      } catch (error) {
        signal?.throwIfAborted();
        const isFull = error instanceof ApiStatusError && error.status === 429;
        if (isFull && error.message.includes("storage limit")) full = error;
        done.push({ path, action: "failed", error });
      }
      onProgress?.({ path, action: done.at(-1)?.action ?? "failed", done: done.length, total });
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(concurrency, total) }, work));
  for (const worker of workers) if (worker.status === "rejected") throw worker.reason;
  done.sort((a, b) => (a.path < b.path ? -1 : 1));
  const all = (wanted: Action): string[] => done.filter(({ action }) => action === wanted).map(({ path }) => path);
  return {
    uploaded: all("uploaded"),
    replaced: all("replaced"),
    unchanged: all("unchanged"),
    deleted: all("deleted"),
    failed: done.filter(({ action }) => action === "failed").map(({ path, error }) => ({ path, error })),
  };
}

function defaultSource(folder: string): string {
  const plain = posix.normalize(folder.split(sep).join("/"));
  return plain.length > 1 ? plain.replace(/\/$/, "") : plain;
}

/** Paths in a folder, with slashes. */
async function filesIn(folder: string, include: string | readonly string[] = "**"): Promise<readonly string[]> {
  const info = await stat(folder).catch(() => undefined);
  if (info?.isDirectory() !== true) throw new ConfigurationError(`There is no folder ${folder} to synchronize.`);
  const globs = (typeof include === "string" ? [include] : include).map((glob) =>
    compileWildcards(glob, { braces: true }),
  );
  const matches = (path: string): boolean => globs.some((glob) => glob.matches(path));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !/(?:^|\/)\./.test(path) && matches(path))
    .toSorted();
}

/** The documents of a source and an owner, by path. */
async function documentsOf(
  store: SyncedStore,
  source: string,
  owner: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly FileSearchDocument[]>> {
  const found = new Map<string, FileSearchDocument[]>();
  for await (const document of store.documents({ signal })) {
    const { [PATH_KEY]: path, [SOURCE_KEY]: itsSource, [OWNER_KEY]: itsOwner } = readMetadata(document);
    if (typeof path === "string" && itsSource === source && itsOwner === owner)
      found.set(path, [...(found.get(path) ?? []), document]);
  }
  return found;
}

interface LocalFile {
  readonly file: File;
  readonly metadata: FileSearchMetadata;
  /** SHA-256 of everything in a document: media type, owner, metadata and bytes. */
  readonly hash: string;
}

async function readLocal(place: string, path: string, options: SyncOptions): Promise<LocalFile> {
  const { owner = "", source = "" } = options;
  const file = await fileFromPath(place);
  const metadata = { ...(await options.metadata?.(path)), [PATH_KEY]: path, [SOURCE_KEY]: source };
  const sha256 = createHash("sha256").update(JSON.stringify([file.type, owner, toWireMetadata(metadata)]));
  // A larger file is not uploaded.
  if (file.size <= MAX_DOCUMENT_BYTES) for await (const bytes of file.stream()) sha256.update(bytes);
  const hash = sha256.digest("hex");
  return { file, metadata: { ...metadata, [HASH_KEY]: hash }, hash };
}
