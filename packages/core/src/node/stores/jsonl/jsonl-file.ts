import { type BigIntStats, constants, statSync } from "node:fs";
import { type FileHandle, mkdir, open, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../../errors/agent-error.ts";
import { SessionDamagedError } from "../../../errors/run-errors.ts";
import type { Json } from "../../../internal/json.ts";
import { isSameLease, type Lease, type SessionRecords } from "../../../session/store/records.ts";
import type { SessionSummary } from "../../../session/store/store.ts";
import { takeLock, waitForHolder } from "../file-lock.ts";
import { findLineEnds, joinAppends, KnownPlaces, parseLine, type Place } from "./jsonl-lines.ts";
import {
  type AppendPlan,
  ifThere,
  type LinesToAppend,
  planAppends,
  readDraft,
  readState,
  removeWhole,
  type SessionState,
  writeDraft,
  writeState,
} from "./jsonl-records.ts";
import { codeOf, type ProcessId } from "../processes.ts";
import { isShortened, sessionFileName } from "./session-file-name.ts";

/** Endings of a session's files: its log, what stands beside it, and the lock of whoever writes. */
type Ending = "jsonl" | "state" | "draft" | "lock" | "id";

/**
 * The files of one session. Remembers how much of the log was read, so that nothing is read twice.
 *
 * Not safe for concurrent calls but for `records`. Throws file system errors unchanged.
 */
export class JsonlFile {
  readonly #id: string;
  readonly #folder: string;
  /** Name of its files, without extension. */
  readonly #name: string;
  readonly #waitMs: number;
  readonly #self: ProcessId;
  #known: KnownPlaces = new KnownPlaces();
  /** Identifies the file that `#known` describes: another may have replaced it. */
  #identity = "";

  constructor(folder: string, id: string, waitMs: number, self: ProcessId) {
    this.#id = id;
    this.#folder = folder;
    this.#name = sessionFileName(id);
    this.#waitMs = waitMs;
    this.#self = self;
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

  /** As it is listed; `undefined` for a session that has no entries. Reads the log only where its length is not known. */
  async summary(locked = false): Promise<SessionSummary | undefined> {
    const found = await ifThere(stat(this.#path("jsonl"), { bigint: true }));
    if (found === undefined) return undefined;
    const size = Number(found.size);
    const state = readState(this.#path("state"), size);
    const length = state?.bytes === size ? (state.length ?? 0) : await this.#countLines(found, locked);
    return length === 0 ? undefined : { ...state?.info, id: this.#id, length, updatedAt: Number(found.mtimeMs) };
  }

  /** May be called at any time. */
  async records(): Promise<SessionRecords> {
    const { lease, stopToken } = (await this.#readState()) ?? {};
    const draft = lease?.held === true ? await readDraft(this.#path("draft")) : undefined;
    return {
      ...(lease !== undefined && { lease }),
      ...(draft !== undefined && { draft }),
      ...(stopToken !== undefined && { stopToken }),
    };
  }

  /** Another text after each change. Waits for the disk. */
  signature(): string {
    return (["jsonl", "state", "draft"] as const)
      .map((ending) => {
        const found = statSync(this.#path(ending), { bigint: true, throwIfNoEntry: false });
        return found === undefined ? "" : `${found.ino} ${found.size} ${found.mtimeNs}`;
      })
      .join();
  }

  /**
   * Appends in order what is not refused, with one write and one sync.
   *
   * @returns For each append why it was refused, or `undefined`.
   */
  append(appends: readonly LinesToAppend[]): Promise<AppendPlan["refusals"]> {
    return this.#locked(async () => {
      const handle = await ifThere(open(this.#path("jsonl"), "r+"));
      if (handle === undefined) {
        this.#forget();
        return await this.#appendTo(undefined, appends);
      }
      await using _ = handle;
      await this.#read(handle, this.#known.end, true);
      return await this.#appendTo(handle, appends);
    });
  }

  /** @returns Whether the lease was the expected one. */
  setLease(expected: Lease | undefined, next: Lease): Promise<boolean> {
    return this.#locked(async () => {
      const state = (await this.#readState()) ?? {};
      if (!isSameLease(state.lease, expected)) return false;
      if (next.held && state.lease?.held !== true) await removeWhole(this.#path("draft"));
      writeState(this.#path("state"), { ...state, lease: next });
      if (!next.held) await removeWhole(this.#path("draft"));
      return true;
    });
  }

  /** @param text - The draft as JSON; absent to remove it. */
  async setDraft(token: number, text: string | undefined): Promise<void> {
    await this.#locked(async () => {
      const lease = (await this.#readState())?.lease;
      if (lease?.held !== true || lease.token !== token) return;
      if (text === undefined) await removeWhole(this.#path("draft"));
      else await writeDraft(this.#path("draft"), text);
    });
  }

  async requestStop(token: number): Promise<void> {
    if ((await this.#readState()) === undefined && !(await isThere(this.#path("jsonl")))) return;
    await this.#locked(async () => {
      const state = (await this.#readState()) ?? {};
      if (token > (state.stopToken ?? 0)) writeState(this.#path("state"), { ...state, stopToken: token });
    });
  }

  /** Removes all files. @param matches - Only if this holds of it then. @returns Whether it did. */
  async remove(matches?: (summary: SessionSummary) => boolean): Promise<boolean> {
    const endings = ["state", "draft", "jsonl"] as const;
    const found = await Promise.all(endings.map((ending) => isThere(this.#path(ending))));
    if (!found.includes(true)) return false;
    return await this.#locked(async () => {
      if (matches !== undefined) {
        const summary = await this.summary(true);
        if (summary === undefined || !matches(summary)) return false;
      }
      // The log last: as long as it is there, the session is listed and can be deleted again.
      await removeWhole(this.#path("draft"));
      await removeWhole(this.#path("state"));
      await rm(this.#path("jsonl"), { force: true });
      await rm(this.#path("id"), { force: true });
      await syncFolder(this.#folder);
      this.#forget();
      return true;
    });
  }

  async #appendTo(handle: FileHandle | undefined, appends: readonly LinesToAppend[]): Promise<AppendPlan["refusals"]> {
    const { line, byte } = this.#known.end;
    const before = readState(this.#path("state"), byte);
    const plan = planAppends(this.#id, appends, before ?? {}, line);
    const { refusals, lines, state, setsLease, dropsDraft } = plan;
    if (lines.length === 0 && !setsLease) return refusals;
    if (dropsDraft && state.lease?.held === true) await removeWhole(this.#path("draft"));
    // They are one append, all or nothing: their lines would otherwise need a state each.
    const data = Buffer.from(joinAppends(lines));
    const after = { ...state, bytes: byte + data.length };
    if (data.length === 0) writeState(this.#path("state"), after);
    else {
      if (before !== undefined || after.lease !== undefined || after.info !== undefined)
        writeState(this.#path("state"), { ...before, length: undefined, bytes: undefined }, after);
      await this.#writeLog(handle, data);
    }
    // If this fails, the draft does not count.
    if (dropsDraft && state.lease?.held !== true) await removeWhole(this.#path("draft")).catch(() => {});
    return refusals;
  }

  async #writeLog(handle: FileHandle | undefined, data: Buffer): Promise<void> {
    if (handle !== undefined && this.#known.end.line > 0) return await this.#write(handle, data);
    await using created = await this.#create();
    await this.#write(created, data);
  }

  async #readState(): Promise<SessionState | undefined> {
    const log = await ifThere(stat(this.#path("jsonl")));
    return readState(this.#path("state"), log?.size ?? 0);
  }

  async #countLines(found: BigIntStats, locked: boolean): Promise<number> {
    this.#recognize(found);
    if (Number(found.size) !== this.#known.end.byte) {
      const handle = await ifThere(open(this.#path("jsonl"), "r"));
      if (handle === undefined) return 0;
      await using _ = handle;
      await this.#read(handle, this.#known.end, locked);
    }
    return this.#known.end.line;
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

  #path(ending: Ending): string {
    return join(this.#folder, `${this.#name}.${ending}`);
  }

  async #locked<Result>(work: () => Promise<Result>): Promise<Result> {
    const release = await this.#lock();
    try {
      return await work();
    } finally {
      release();
    }
  }

  async #lock(): Promise<() => void> {
    const file = this.#path("lock");
    try {
      return await takeLock(file, this.#waitMs, this.#self);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
    const created = await mkdir(this.#folder, { recursive: true });
    if (created !== undefined) await syncFolder(dirname(created));
    return await takeLock(file, this.#waitMs, this.#self);
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

async function isThere(file: string): Promise<boolean> {
  return (await ifThere(stat(file))) !== undefined;
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
