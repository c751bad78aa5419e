import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, mkdir, open, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError } from "../../errors/run-errors.ts";
import type { Json } from "../../internal/json.ts";
import { codeOf, takeLock, waitForHolder } from "./file-lock.ts";
import { findLineEnds, KnownPlaces, parseLine, type Place } from "./jsonl-lines.ts";
import { isShortened, sessionFileName } from "./session-file-name.ts";

/** One append, as lines. */
export interface LinesToAppend {
  readonly expectedLength: number;
  /** Number of lines. */
  readonly count: number;
  readonly lines: string;
}

/**
 * The file of one session. Remembers how much of it was read, so that nothing is read twice.
 *
 * Not safe for concurrent calls. Throws file system errors unchanged.
 */
export class JsonlFile {
  readonly #id: string;
  readonly #folder: string;
  /** Name of its files, without extension. */
  readonly #name: string;
  readonly #waitMs: number;
  #known: KnownPlaces = new KnownPlaces();
  /** Identifies the file that `#known` describes: another may have replaced it. */
  #identity = "";

  constructor(folder: string, id: string, waitMs: number) {
    this.#id = id;
    this.#folder = folder;
    this.#name = sessionFileName(id);
    this.#waitMs = waitMs;
  }

  async load(from: number): Promise<Json[]> {
    const found = await ifThere(stat(this.#path("jsonl"), { bigint: true }));
    if (found === undefined) return [];
    this.#recognize(found);
    if (Number(found.size) === this.#known.end.byte && from >= this.#known.end.line) return [];
    const handle = await ifThere(open(this.#path("jsonl"), "r"));
    if (handle === undefined) return [];
    await using _ = handle;
    const { place, data, ends } = await this.#read(handle, this.#known.before(from), false);
    let start = 0;
    const entries: Json[] = [];
    for (const [index, end] of ends.entries()) {
      if (place.line + index >= from) entries.push(this.#parse(data.subarray(start, end), place.line + index));
      start = end;
    }
    return entries;
  }

  /** Number of entries, and time of the last write; `undefined` for a session that does not exist. */
  async summary(): Promise<{ length: number; updatedAt: number } | undefined> {
    const found = await ifThere(stat(this.#path("jsonl"), { bigint: true }));
    if (found === undefined) return undefined;
    // Finds new lines, and parses none.
    await this.load(Infinity);
    const { line } = this.#known.end;
    return line === 0 ? undefined : { length: line, updatedAt: Number(found.mtimeMs) };
  }

  /**
   * Appends in order what does not conflict, with one write and one sync.
   *
   * @returns For each append its conflict, or `undefined`.
   */
  async append(appends: readonly LinesToAppend[]): Promise<(SessionConflictError | undefined)[]> {
    const release = await this.#lock();
    try {
      const handle = await ifThere(open(this.#path("jsonl"), "r+"));
      if (handle === undefined) {
        this.#forget();
        return await this.#appendTo(undefined, appends);
      }
      await using _ = handle;
      await this.#read(handle, this.#known.end, true);
      return await this.#appendTo(handle, appends);
    } finally {
      release();
    }
  }

  async remove(): Promise<void> {
    if ((await ifThere(stat(this.#path("jsonl"), { bigint: true }))) === undefined) return;
    const release = await takeLock(this.#path("lock"), this.#waitMs);
    try {
      await rm(this.#path("jsonl"), { force: true });
      await rm(this.#path("id"), { force: true });
      await syncFolder(this.#folder);
      this.#forget();
    } finally {
      release();
    }
  }

  async #appendTo(
    handle: FileHandle | undefined,
    appends: readonly LinesToAppend[],
  ): Promise<(SessionConflictError | undefined)[]> {
    let length = this.#known.end.line;
    let text = "";
    const answers = appends.map(({ expectedLength, lines, count }) => {
      if (expectedLength !== length) return new SessionConflictError(this.#id, expectedLength, length);
      text += lines;
      length += count;
      return undefined;
    });
    if (text === "") return answers;
    const data = Buffer.from(text);
    if (handle !== undefined && this.#known.end.line > 0) {
      await this.#write(handle, data);
      return answers;
    }
    await using created = await this.#create();
    await this.#write(created, data);
    return answers;
  }

  /** Makes the file's name durable before anything is written to it. */
  async #create(): Promise<FileHandle> {
    if (isShortened(this.#name)) await writeFile(this.#path("id"), JSON.stringify(this.#id), { flush: true });
    const handle = await open(this.#path("jsonl"), constants.O_RDWR | constants.O_CREAT);
    try {
      await syncFolder(this.#folder);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #write(handle: FileHandle, data: Buffer): Promise<void> {
    const { end } = this.#known;
    const found = await handle.stat({ bigint: true });
    this.#identity = identityOf(found);
    // Left by a process that died while writing.
    if (Number(found.size) > end.byte) await handle.truncate(end.byte);
    try {
      for (let at = 0; at < data.length;)
        at += (await handle.write(data, at, data.length - at, end.byte + at)).bytesWritten;
      await handle.datasync();
    } catch (error) {
      // If this fails as well, the next append truncates.
      await handle.truncate(end.byte).catch(() => {});
      throw error;
    }
    this.#known.add(end, findLineEnds(data));
  }

  /** Reads from a place to the end of the last complete append. */
  async #read(
    handle: FileHandle,
    from: Place,
    locked: boolean,
  ): Promise<{ place: Place; data: Buffer; ends: readonly number[] }> {
    const found = await handle.stat({ bigint: true });
    const place = this.#recognize(found) ? from : this.#known.end;
    const size = Number(found.size);
    // Bytes that another process is writing may still be truncated.
    if (!locked && size > this.#known.end.byte) await waitForHolder(this.#path("lock"), this.#waitMs);
    const data = await readRange(handle, place.byte, size);
    const ends = findLineEnds(data);
    this.#known.add(place, ends);
    return { place, data, ends };
  }

  /** True when what is known still holds; forgets it otherwise. */
  #recognize(found: BigIntStats): boolean {
    const identity = identityOf(found);
    if (identity === this.#identity && Number(found.size) >= this.#known.end.byte) return true;
    this.#forget();
    this.#identity = identity;
    return false;
  }

  #forget(): void {
    this.#known = new KnownPlaces();
    this.#identity = "";
  }

  #path(ending: "jsonl" | "lock" | "id"): string {
    return join(this.#folder, `${this.#name}.${ending}`);
  }

  async #lock(): Promise<() => void> {
    const file = this.#path("lock");
    try {
      return await takeLock(file, this.#waitMs);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
    const created = await mkdir(this.#folder, { recursive: true });
    if (created !== undefined) await syncFolder(dirname(created));
    return await takeLock(file, this.#waitMs);
  }

  #parse(line: Uint8Array, position: number): Json {
    try {
      return parseLine(line);
    } catch (error) {
      const path = this.#path("jsonl");
      throw new SessionDamagedError(
        this.#id,
        `line ${position + 1} of ${path} is damaged (${messageOf(error)}). To recover what is intact: npx @pollux/cli session repair ${path}`,
        { cause: error },
      );
    }
  }
}

function identityOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${birthtimeNs}`;
}

/** Largest single read; Node accepts at most 2 GB. */
const MAX_READ_BYTES = 1 << 28;

/** Reads a range of bytes, up to the end of the file. */
async function readRange(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const data = Buffer.allocUnsafe(Math.max(0, to - from));
  let at = 0;
  while (at < data.length) {
    const { bytesRead } = await handle.read(data, at, Math.min(MAX_READ_BYTES, data.length - at), from + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return data.subarray(0, at);
}

/** The result, or `undefined` when the file or folder does not exist. */
export async function ifThere<Result>(operation: Promise<Result>): Promise<Result | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Makes added and removed names survive a crash of the machine. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, "r");
    await handle.sync();
  } catch (error) {
    // Windows cannot open folders, and does not need this.
    if (!["EPERM", "EISDIR", "EACCES", "EINVAL"].includes(codeOf(error))) throw error;
  }
}
