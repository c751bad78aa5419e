import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Json, tryOr } from "../../../internal/json.ts";
import type { Draft, SessionRecords, SessionInfo } from "../../../session/store/store.ts";
import { codeOf } from "../file-lock.ts";

const LINE_FEED = 0x0a;
const SPACE = 0x20;

/**
 * Entries, as JSON, as the lines of one append. Every line but the last has a space before the line feed, which JSON ignores: an append
 * is complete once its last line is there.
 */
export function formatLines(entries: readonly string[]): string {
  return `${entries.join(" \n")}\n`;
}

/** Where each line of the complete appends ends, after its line feed. @param data - Starts where an append starts. */
export function findLineEnds(data: Uint8Array): readonly number[] {
  const ends: number[] = [];
  /** Lines before each append, and after the last complete one. */
  const appends = [0];
  for (let at = data.indexOf(LINE_FEED); at !== -1; at = data.indexOf(LINE_FEED, at + 1)) {
    ends.push(at + 1);
    if (at === 0 || data[at - 1] !== SPACE) appends.push(ends.length);
  }
  // After a power failure, bytes that were never written read as zeros: appends at the end that contain zeros are left out.
  for (let count = appends.pop() ?? 0; count > 0; count = appends.pop() ?? 0) {
    const start = ends[(appends.at(-1) ?? 0) - 1] ?? 0;
    if (!data.subarray(start, ends[count - 1]).includes(0)) return ends.slice(0, count);
  }
  return [];
}

export const utf8: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws {Error} When the bytes are not UTF-8, or not JSON. */
export function parseLine(line: Uint8Array): Json {
  // JSON.parse returns JSON.
  return JSON.parse(utf8.decode(line)) as Json;
}

/** The records beside a log, except the draft, and the log's length at that time. */
export interface SessionState extends Omit<SessionRecords, "draft"> {
  readonly info?: SessionInfo | undefined;
  /** Entries of the log; absent where it was not read. */
  readonly length?: number | undefined;
  /** Bytes of these entries. */
  readonly bytes?: number | undefined;
}

/**
 * The content of a session's `.state` file. An append that comes with a lease or an info changes two files, and must change both or
 * neither. It writes the state first, as `after`, beside the one that holds until then; the last byte of the log decides:
 *
 * - A process that dies before the new `.state` is renamed into place has changed nothing.
 * - One that dies before the last byte of the log leaves an `after` that lies behind the end of the log. Readers use `before`. The
 *   next writer, under the lock, uses `before` as well and replaces the file before it writes to the log, so that its own bytes never
 *   make the old `after` come true.
 * - Once the last byte is written, readers use `after`, whether or not the process lives.
 *
 * A draft counts only while the lease is held. It is removed after a lease was given back, or else before the next is taken.
 *
 * Only the log is synced: everything that a crash of the machine loses here belonged to processes that are gone as well.
 */
interface StateFile {
  readonly before: SessionState;
  /** Only the members that differ. */
  readonly after?: SessionState | undefined;
}

/**
 * The current state; `undefined` when there is none, or the file is damaged. Blocks on the disk, since reading some hundred bytes takes
 * less time than handing it to another thread.
 *
 * @param logBytes - Length of the log in bytes.
 */
export function readState(file: string, logBytes: number): SessionState | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  // Written below, whole: anything else is damage.
  const { before, after } = (tryOr<unknown>(() => JSON.parse(text), undefined) ?? {}) as Partial<StateFile>;
  if (!isState(before) || (after !== undefined && !isState(after))) return undefined;
  return after?.bytes !== undefined && logBytes >= after.bytes ? { ...before, ...after } : before;
}

/** Blocks on the disk, too. @param after - The state after an append. It holds once the log has reached its length. */
export function writeState(file: string, before: SessionState, after?: SessionState): void {
  const differs = ([name, value]: readonly [string, unknown]): boolean =>
    JSON.stringify(value) !== JSON.stringify(before[name as keyof SessionState]);
  const content: StateFile = { before, after: after && Object.fromEntries(Object.entries(after).filter(differs)) };
  writeFileSync(newFileOf(file), JSON.stringify(content));
  renameSync(newFileOf(file), file);
}

/** `undefined` when there is none, or the file is damaged. */
export async function readDraft(file: string): Promise<Draft | undefined> {
  const text = await ifThere(readFile(file, "utf8"));
  // Written from this type, whole: anything else is damage.
  const found = tryOr<unknown>(() => JSON.parse(text ?? ""), undefined) as Partial<Draft> | null | undefined;
  return Array.isArray(found?.parts) ? (found as Draft) : undefined;
}

/** A reader gets either the old one or the new one. @param text - The draft as JSON. */
export async function writeDraft(file: string, text: string): Promise<void> {
  await writeFile(newFileOf(file), text);
  await rename(newFileOf(file), file);
}

/** Removes a file, and the one left by a process that died while replacing it. */
export async function removeWhole(file: string): Promise<void> {
  await rm(newFileOf(file), { force: true });
  await rm(file, { force: true });
}

function newFileOf(file: string): string {
  return `${file}.new`;
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

function isState(value: unknown): value is SessionState {
  if (typeof value !== "object" || value === null) return false;
  const { lease } = value as SessionState;
  return lease === undefined || (typeof lease.token === "number" && typeof lease.beat === "number");
}

/** Longest name without extension; common file systems accept 255 bytes. */
const MAX_LENGTH = 180;

/** Separates the start of the id from its hash in a shortened name; never part of a full one. */
const CUT = "~";

/** Names that Windows reserves for devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/;

/**
 * The name of a session's files, without extension. Different ids have different names, even on file systems that ignore case or
 * normalize letters: lowercase letters, digits, `_`, `-` and inner dots stay as they are, an uppercase letter becomes `+` and its
 * lowercase form, everything else `%` and its code.
 *
 * A name that would be too long is shortened to its start and a hash: {@link isShortened}.
 */
export function sessionFileName(id: string): string {
  let name = "";
  for (let i = 0; i < id.length; i++) name += encodeUnit(id.charAt(i));
  // A leading dot hides a file.
  if (name.startsWith(".")) name = `%2e${name.slice(1)}`;
  if (DEVICE.test(name)) name = percent(name.charCodeAt(0)) + name.slice(1);
  if (name.length <= MAX_LENGTH) return name;
  // UTF-16, because UTF-8 has no lone surrogates.
  const hash = createHash("sha256").update(Buffer.from(id, "utf16le")).digest("hex");
  return `${name.slice(0, MAX_LENGTH - hash.length - 1)}${CUT}${hash}`;
}

/** True for a name that does not contain the whole id. */
export function isShortened(name: string): boolean {
  return name.includes(CUT);
}

/** The id in a full name; `undefined` when the file is not a session's. */
function sessionIdOf(name: string): string | undefined {
  const id = name
    .replaceAll(/\+([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replaceAll(/%u([\da-f]{4})|%([\da-f]{2})/g, (_, wide: string | undefined, narrow: string | undefined) =>
      String.fromCharCode(Number.parseInt(wide ?? narrow ?? "", 16)),
    );
  return sessionFileName(id) === name ? id : undefined;
}

/** The id of the session with this file name, for a shortened one from its `.id` file. `undefined` when it is not a session's. */
export async function readSessionId(folder: string, name: string): Promise<string | undefined> {
  if (!isShortened(name)) return sessionIdOf(name);
  try {
    const id: unknown = JSON.parse(await readFile(join(folder, `${name}.id`), "utf8"));
    return typeof id === "string" && sessionFileName(id) === name ? id : undefined;
  } catch {
    // Deleted meanwhile, or not completely written: not a session.
    return undefined;
  }
}

function encodeUnit(unit: string): string {
  if (/[\da-z_.-]/.test(unit)) return unit;
  return /[A-Z]/.test(unit) ? `+${unit.toLowerCase()}` : percent(unit.charCodeAt(0));
}

function percent(code: number): string {
  return code < 0x100 ? `%${code.toString(16).padStart(2, "0")}` : `%u${code.toString(16).padStart(4, "0")}`;
}
