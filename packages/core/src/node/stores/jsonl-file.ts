import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, mkdir, open, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError } from "../../errors/run-errors.ts";
import type { Json } from "../../internal/json.ts";
import { KnownPlaces, parseLine, type Place, scanLines } from "./jsonl-lines.ts";
import { isShortened, sessionFileName } from "./session-file-name.ts";
import { waitForHolder, takeLock } from "./file-lock.ts";

/** One append, as lines. */
export interface LinesToAppend {
  readonly expectedLength: number;
  /** Empty for an append of no entries. */
  readonly lines: string;
}

/**
 * The file of one session. It remembers how much of the file it has seen, so that what is asked again is not read again.
 *
 * Not for several calls at once. Errors of the file system come out as they are.
 */
export class JsonlFile {
  readonly #id: string;
  readonly #folder: string;
  /** Of its files, without ending. */
  readonly #name: string;
  readonly #waitMs: number;
  #known: KnownPlaces = new KnownPlaces();
  /** Which file that was seen in: another one may have come in its place. */
  #identity = "";

  constructor(folder: string, id: string, options: { readonly waitMs: number }) {
    this.#id = id;
    this.#folder = folder;
    this.#name = sessionFileName(id);
    this.#waitMs = options.waitMs;
  }

  async load(from: number): Promise<Json[]> {
    const found = await ifThere(stat(this.#path("jsonl"), { bigint: true }));
    if (found === undefined) return [];
    this.#recognise(found);
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

  /** How many entries there are, and when the last came; `undefined` for a session that is not there. */
  async summary(): Promise<{ length: number; updatedAt: number } | undefined> {
    const found = await ifThere(stat(this.#path("jsonl"), { bigint: true }));
    if (found === undefined) return undefined;
    this.#recognise(found);
    if (Number(found.size) !== this.#known.end.byte) {
      const handle = await ifThere(open(this.#path("jsonl"), "r"));
      if (handle === undefined) return undefined;
      await using _ = handle;
      await this.#read(handle, this.#known.end, false);
    }
    const { line } = this.#known.end;
    return line === 0 ? undefined : { length: line, updatedAt: Number(found.mtimeMs) };
  }

  /**
   * Appends what fits, in this order, with one write and one sync.
   *
   * @returns For each append `undefined`, or the conflict it came to.
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
    const release = await takeLock(this.#path("lock"), { waitMs: this.#waitMs });
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
    const answers = appends.map(({ expectedLength, lines }) => {
      if (expectedLength !== length) return new SessionConflictError(this.#id, expectedLength, length);
      text += lines;
      length += count(lines);
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

  /** The file is there for good before anything is in it. */
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
    // What somebody left who died while writing.
    if (Number(found.size) > end.byte) await handle.truncate(end.byte);
    try {
      for (let at = 0; at < data.length;)
        at += (await handle.write(data, at, data.length - at, end.byte + at)).bytesWritten;
      await handle.datasync();
    } catch (error) {
      // Where that fails, too, the next append does it.
      await handle.truncate(end.byte).catch(() => {});
      throw error;
    }
    this.#known.add(end, scanLines(data).ends);
  }

  /** Reads from a place to the end of the last whole append, and remembers what it saw. */
  async #read(
    handle: FileHandle,
    from: Place,
    locked: boolean,
  ): Promise<{ place: Place; data: Buffer; ends: readonly number[] }> {
    const found = await handle.stat({ bigint: true });
    const place = this.#recognise(found) ? from : this.#known.end;
    const size = Number(found.size);
    // Bytes somebody is just writing may still be taken back.
    if (!locked && size > this.#known.end.byte) await waitForHolder(this.#path("lock"), { waitMs: this.#waitMs });
    const data = await readRange(handle, place.byte, size);
    const { ends } = scanLines(data);
    this.#known.add(place, ends);
    return { place, data, ends };
  }

  /** Looks whether what is known still holds, and forgets it if not. */
  #recognise(found: BigIntStats): boolean {
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
      return await takeLock(file, { waitMs: this.#waitMs });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    const created = await mkdir(this.#folder, { recursive: true });
    if (created !== undefined) await syncFolder(dirname(created));
    return await takeLock(file, { waitMs: this.#waitMs });
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

function count(lines: string): number {
  let found = 0;
  for (let at = lines.indexOf("\n"); at !== -1; at = lines.indexOf("\n", at + 1)) found++;
  return found;
}

/** Largest read at once; Node takes no more than 2 GB. */
const MAX_READ_BYTES = 1 << 28;

/** Reads some bytes of a file; fewer where it ends before. */
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

/** `undefined` for a file or folder that is not there. */
export async function ifThere<Result>(asked: Promise<Result>): Promise<Result | undefined> {
  try {
    return await asked;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Makes sure that a new or a removed name survives a crash of the machine. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, "r");
    await handle.sync();
  } catch (error) {
    // Windows opens no folders, and needs no such thing.
    if (!["EPERM", "EISDIR", "EACCES", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
