import { type BigIntStats, constants, statSync } from "node:fs";
import { type FileHandle, mkdir, open, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../../errors/agent-error.ts";
import { SessionDamagedError } from "../../../errors/run-errors.ts";
import { type Json, present } from "../../../internal/json.ts";
import type { Decide, SessionChange, SessionRecords, SessionSummary, Standing } from "../../../session/store/store.ts";
import { type ProcessId, takeLock, waitForHolder } from "../file-lock.ts";
import {
  findLineEnds,
  formatLines,
  ifThere,
  isShortened,
  parseLine,
  readDraft,
  readState,
  removeWhole,
  syncFolder,
  sessionFileName,
  type SessionState,
  writeDraft,
  writeState,
} from "./jsonl-format.ts";

/** Endings of a session's files: its log, the files beside it, and the writer's lock. */
type Ending = "jsonl" | "state" | "draft" | "lock" | "id";

/** Where the files of all sessions are. */
export interface Where {
  readonly folder: string;
  /** How long to wait for a lock, in milliseconds. */
  readonly waitMs: number;
  readonly self: ProcessId;
}

/**
 * The files of one session. Remembers where the lines of the log end, so that nothing is read twice.
 *
 * Calls other than `change`, `append`, `records` and `exists` must take turns. Throws file system errors unchanged.
 */
export class JsonlFile {
  readonly #where: Where;
  readonly #id: string;
  /** Name of its files, without extension. */
  readonly #name: string;
  /** Where each line of the log ends, in bytes, for complete appends only. */
  #ends: number[] = [];
  /** Identifies the file that `#ends` describes: another may have replaced it. */
  #identity = "";
  #lastTurn: Promise<unknown> = Promise.resolve();
  /** Appends that are written together, and their outcomes. */
  #waiting: { readonly calls: Decide[]; readonly outcomes: Promise<readonly (() => boolean)[]> } | undefined;

  constructor(where: Where, id: string) {
    this.#where = where;
    this.#id = id;
    this.#name = sessionFileName(id);
  }

  async load(from: number): Promise<Json[]> {
    const found = await ifThere(stat(this.#path("jsonl"), { bigint: true }));
    if (found === undefined) return [];
    if (this.#recognize(found) && Number(found.size) === this.#startOf(this.#ends.length) && from >= this.#ends.length)
      return [];
    await using handle = await ifThere(open(this.#path("jsonl"), "r"));
    if (handle === undefined) return [];
    const { data, start } = await this.#read(handle, from, false);
    return this.#ends
      .slice(from)
      .map((end, index) => this.#parse(data.subarray(this.#startOf(from + index) - start, end - start), from + index));
  }

  /** The session as lists show it; `undefined` without entries. Reads the log only if its length is unknown. */
  async summary(locked = false): Promise<SessionSummary | undefined> {
    const found = await ifThere(stat(this.#path("jsonl")));
    if (found === undefined) return undefined;
    const state = readState(this.#path("state"), found.size);
    const length = state?.bytes === found.size ? (state.length ?? 0) : await this.#countLines(locked);
    return length === 0 ? undefined : { ...state?.info, id: this.#id, length, updatedAt: Math.floor(found.mtimeMs) };
  }

  /** May be called at any time. */
  async records(): Promise<SessionRecords> {
    const log = await ifThere(stat(this.#path("jsonl")));
    const { lease, stopToken } = readState(this.#path("state"), log?.size ?? 0) ?? {};
    const draft = lease?.held === true ? await readDraft(this.#path("draft")) : undefined;
    return present({ lease, draft, stopToken });
  }

  /** A different text after each change. Blocks on the disk. */
  signature(): string {
    return this.#stats()
      .map((found) => (found === undefined ? "" : `${found.ino} ${found.size} ${found.mtimeNs}`))
      .join();
  }

  /** True when any file of the session exists. Blocks on the disk. */
  exists(): boolean {
    return this.#stats().some((found) => found !== undefined);
  }

  inTurn<Result>(work: (file: this) => Promise<Result>): Promise<Result> {
    const turn = this.#lastTurn.then(() => work(this));
    this.#lastTurn = turn.catch(() => {});
    return turn;
  }

  /** @returns Whether it changed anything. @throws The refusal of `decide`. */
  async change(decide: Decide): Promise<boolean> {
    return await this.inTurn(async () => (await this.#changeAll([decide]))[0]?.() === true);
  }

  /** Like {@link change}, with one write and one sync for all waiting appends: if these fail, so do all appends. */
  async append(decide: Decide): Promise<boolean> {
    if (this.#waiting === undefined) {
      const waiting: Decide[] = [];
      const made = this.inTurn(() => {
        this.#waiting = undefined;
        return this.#changeAll(waiting);
      });
      this.#waiting = { calls: waiting, outcomes: made };
    }
    const { calls, outcomes } = this.#waiting;
    const index = calls.push(decide) - 1;
    return (await outcomes)[index]?.() === true;
  }

  /** @returns For each call, a function that returns whether it changed anything, or throws its refusal. */
  #changeAll(calls: readonly Decide[]): Promise<readonly (() => boolean)[]> {
    return this.#locked(async () => {
      await using handle = await ifThere(open(this.#path("jsonl"), "r+"));
      if (handle === undefined) this.#forget();
      else await this.#read(handle, this.#ends.length, true);
      const length = this.#ends.length;
      const before = readState(this.#path("state"), this.#startOf(length));
      const { outcomes, change } = decideAll(calls, { ...before, length });
      await this.#apply(handle, before, change);
      return outcomes;
    });
  }

  /** Removes all files. @param matches - Must accept the session at that time. @returns Whether it was removed. */
  async remove(matches?: (summary: SessionSummary) => boolean): Promise<boolean> {
    if (!this.exists()) return false;
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
      await syncFolder(this.#where.folder);
      this.#forget();
      return true;
    });
  }

  async #apply(
    handle: FileHandle | undefined,
    before: SessionState | undefined,
    { added = [], draft, ...changed }: SessionChange,
  ): Promise<void> {
    const after = { ...before, ...changed };
    const isHeld = after.lease?.held === true;
    if (draft === null && isHeld) await removeWhole(this.#path("draft"));
    if (added.length > 0) {
      const data = Buffer.from(formatLines(added));
      const length = this.#ends.length;
      if (before !== undefined || after.lease !== undefined || after.info !== undefined)
        writeState(
          this.#path("state"),
          { ...before, length: undefined, bytes: undefined },
          { ...after, length: length + added.length, bytes: this.#startOf(length) + data.length },
        );
      if (handle !== undefined && length > 0) await this.#write(handle, data);
      else {
        // The file's name is durable before anything is written to it.
        if (isShortened(this.#name)) await writeFile(this.#path("id"), JSON.stringify(this.#id), { flush: true });
        await using first = await open(this.#path("jsonl"), constants.O_RDWR | constants.O_CREAT);
        await syncFolder(this.#where.folder);
        await this.#write(first, data);
      }
    } else if (changed.lease !== undefined || changed.stopToken !== undefined) writeState(this.#path("state"), after);
    if (typeof draft === "string") await writeDraft(this.#path("draft"), draft);
    // If this fails, the draft does not count.
    if (draft === null && !isHeld) await removeWhole(this.#path("draft")).catch(() => {});
  }

  async #countLines(locked: boolean): Promise<number> {
    await using handle = await ifThere(open(this.#path("jsonl"), "r"));
    if (handle === undefined) return 0;
    await this.#read(handle, Infinity, locked);
    return this.#ends.length;
  }

  async #write(handle: FileHandle, data: Buffer): Promise<void> {
    const end = this.#startOf(this.#ends.length);
    const found = await handle.stat({ bigint: true });
    this.#identity = identityOf(found);
    // Left by a process that died while writing.
    if (Number(found.size) > end) await handle.truncate(end);
    try {
      for (let at = 0; at < data.length;) at += (await handle.write(data, at, data.length - at, end + at)).bytesWritten;
      await handle.datasync();
    } catch (error) {
      // If this fails as well, the next append truncates.
      await handle.truncate(end).catch(() => {});
      throw error;
    }
    for (const bytes of findLineEnds(data)) this.#ends.push(end + bytes);
  }

  /** Reads from a line, or from the end of the known lines, to the end of the last complete append. */
  async #read(
    handle: FileHandle,
    line: number,
    locked: boolean,
  ): Promise<{ readonly data: Buffer; /** Offset in the file. */ readonly start: number }> {
    const found = await handle.stat({ bigint: true });
    this.#recognize(found);
    const size = Number(found.size);
    const first = Math.min(line, this.#ends.length);
    const start = this.#startOf(first);
    // Bytes that another process is writing may still be truncated.
    if (!locked && size > this.#startOf(this.#ends.length)) await waitForHolder(this.#path("lock"), this.#where.waitMs);
    const data = await readRange(handle, start, size);
    this.#ends.length = first;
    for (const bytes of findLineEnds(data)) this.#ends.push(start + bytes);
    return { data, start };
  }

  #startOf(line: number): number {
    return this.#ends[line - 1] ?? 0;
  }

  /** True when the known line ends are still valid; forgets them otherwise. */
  #recognize(found: BigIntStats): boolean {
    const identity = identityOf(found);
    if (identity === this.#identity && Number(found.size) >= this.#startOf(this.#ends.length)) return true;
    this.#forget();
    this.#identity = identity;
    return false;
  }

  #forget(): void {
    this.#ends = [];
    this.#identity = "";
  }

  #stats(): readonly (BigIntStats | undefined)[] {
    return (["jsonl", "state", "draft"] as const).map((ending) =>
      statSync(this.#path(ending), { bigint: true, throwIfNoEntry: false }),
    );
  }

  #path(ending: Ending): string {
    return join(this.#where.folder, `${this.#name}.${ending}`);
  }

  async #locked<Result>(work: () => Promise<Result>): Promise<Result> {
    const { folder, waitMs, self } = this.#where;
    const lock = (): Promise<() => void> => takeLock(this.#path("lock"), waitMs, self);
    let release = await ifThere(lock());
    if (release === undefined) {
      const created = await mkdir(folder, { recursive: true });
      if (created !== undefined) await syncFolder(dirname(created));
      release = await lock();
    }
    try {
      return await work();
    } finally {
      release();
    }
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

/** Decides calls in order, each on the session that the earlier ones leave. They become one change: otherwise each line would need a state. */
function decideAll(
  calls: readonly Decide[],
  before: Standing,
): { readonly outcomes: readonly (() => boolean)[]; readonly change: SessionChange } {
  const added: string[] = [];
  let change: SessionChange = {};
  const outcomes = calls.map((decide) => {
    try {
      const next = decide({ ...before, ...change, length: before.length + added.length });
      for (const entry of next?.added ?? []) added.push(entry);
      change = { ...change, ...next };
      return () => next !== undefined;
    } catch (refusal) {
      return () => {
        throw refusal;
      };
    }
  });
  return { outcomes, change: { ...change, added } };
}

function identityOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${birthtimeNs}`;
}

/** Largest single read; Node accepts at most 2 GB. */
const MAX_READ_BYTES = 1 << 28;

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
