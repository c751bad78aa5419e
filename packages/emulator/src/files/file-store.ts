import { createRandom, type Random } from "../internal/random.ts";
import type { FileOptions, UploadedFile } from "./file-options.ts";

/** A file, as the emulator stores it: its bytes are counted, not stored. */
export interface StoredFile extends UploadedFile {
  /** The uploader's key, hashed; other callers cannot see it. */
  readonly owner: string;
  readonly sha256: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Processing state of a file. */
export type FileProgress = "PROCESSING" | "ACTIVE" | "FAILED";

const MAX_BYTES = 2_147_483_648;
const LIFETIME_MS = 48 * 3_600_000;

/** Stores one emulator's files, each for 48 hours. */
export class FileStore {
  // Oldest first.
  readonly #files = new Map<string, StoredFile>();
  readonly #polls = new Map<string, number>();
  readonly #options: FileOptions;
  readonly #now: () => Date;
  readonly #random: Random;

  constructor(options: FileOptions, now: () => Date, seed: string) {
    this.#options = options;
    this.#now = now;
    this.#random = createRandom(`${seed} files`);
  }

  /** Size of the largest file. */
  get maxBytes(): number {
    return this.#options.maxBytes ?? MAX_BYTES;
  }

  /** A name for the next file uploaded without one, such as `files/abc`. */
  nextName(): string {
    return `files/${this.#random.id(12)}`;
  }

  /** Whether any owner has a file with this name. */
  isTaken(name: string): boolean {
    return this.#live(name) !== undefined;
  }

  add(file: Omit<StoredFile, "createdAt" | "expiresAt">): StoredFile {
    const createdAt = this.#now();
    const stored = { ...file, createdAt, expiresAt: new Date(createdAt.getTime() + LIFETIME_MS) };
    this.#files.set(file.name, stored);
    return stored;
  }

  /** A file of this owner that has not expired. */
  find(name: string, owner: string): StoredFile | undefined {
    const file = this.#live(name);
    return file?.owner === owner ? file : undefined;
  }

  /** The owner's files, newest first. */
  list(owner: string): readonly StoredFile[] {
    return [...this.#files.keys()].flatMap((name) => this.find(name, owner) ?? []).toReversed();
  }

  delete(name: string): void {
    this.#files.delete(name);
    this.#polls.delete(name);
  }

  /** The file's current state. A poll counts toward `processingPolls`. */
  progress(file: StoredFile, access: "poll" | "look" = "look"): FileProgress {
    const { processingMs = 0, fails } = this.#options;
    const polls = this.#options.processingPolls ?? (file.mimeType.startsWith("video/") ? 1 : 0);
    const polled = this.#polls.get(file.name) ?? 0;
    if (polled < polls || this.#now().getTime() - file.createdAt.getTime() < processingMs) {
      if (access === "poll") this.#polls.set(file.name, polled + 1);
      return "PROCESSING";
    }
    return fails?.(file) === true ? "FAILED" : "ACTIVE";
  }

  #live(name: string): StoredFile | undefined {
    const file = this.#files.get(name);
    if (file === undefined || this.#now() < file.expiresAt) return file;
    this.delete(name);
    return undefined;
  }
}

/** The name in a file's URI, such as `files/abc`; undefined if the URI is not one of the Files API. */
export function fileNameOf(uri: string): string | undefined {
  const id = /^(?:https?:\/\/[^/]+(?:\/[^?#]*)?\/v\d+\w*\/)?files\/([^/?#:]+)$/.exec(uri)?.[1];
  return id === undefined ? undefined : `files/${id}`;
}
