import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { SessionConflictError } from "../../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../../errors/session-errors.ts";
import { type Draft, isSameLease, type Lease } from "../../../session/store/records.ts";
import type { AppendOptions, SessionInfo } from "../../../session/store/store.ts";
import { codeOf } from "../processes.ts";

/** What stands beside a log, but for the draft; and how long the log was then. */
export interface SessionState {
  readonly lease?: Lease | undefined;
  readonly stopToken?: number | undefined;
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
 * - One that dies before the last byte of the log leaves an `after` that lies behind the end of the log. Readers go by `before`. The
 *   next writer, under the lock, goes by `before` as well and replaces the file before it writes to the log, so that its own bytes never
 *   make the old `after` come true.
 * - Once the last byte is written, readers go by `after`, whether or not the process lives.
 *
 * A draft counts only while the lease is held. It is removed after a lease was given back, or else before the next is taken.
 *
 * None of this is synced: the log is, and what a crash of the machine takes away here belonged to processes that are gone as well.
 */
interface StateFile {
  readonly before: SessionState;
  /** Only what differs. */
  readonly after?: SessionState | undefined;
}

/**
 * The state that holds; `undefined` when there is none, or the file is damaged. Waits for the disk, as reading some hundred bytes takes
 * less time than handing it to another thread.
 *
 * @param logBytes - How long the log is, in bytes.
 */
export function readState(file: string, logBytes: number): SessionState | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const found = parseJson(text);
  if (!isStateFile(found)) return undefined;
  const { before, after } = found;
  return after?.bytes !== undefined && logBytes >= after.bytes ? { ...before, ...after } : before;
}

/** Waits for the disk, too. @param after - What an append makes of it. It holds once the log is as long as it says. */
export function writeState(file: string, before: SessionState, after?: SessionState): void {
  const content: StateFile = { before, ...(after !== undefined && { after: difference(before, after) }) };
  writeFileSync(newFileOf(file), JSON.stringify(content));
  renameSync(newFileOf(file), file);
}

function difference(before: SessionState, after: SessionState): SessionState {
  const info = JSON.stringify(after.info) === JSON.stringify(before.info) ? undefined : after.info;
  return { ...after, info, lease: after.lease === before.lease ? undefined : after.lease, stopToken: undefined };
}

/** `undefined` when there is none, or the file is damaged. */
export async function readDraft(file: string): Promise<Draft | undefined> {
  const text = await ifThere(readFile(file, "utf8"));
  // Written from this type, whole: anything else is damage.
  const found = (text === undefined ? undefined : parseJson(text)) as Partial<Draft> | null | undefined;
  return Array.isArray(found?.parts) ? (found as Draft) : undefined;
}

/** Whoever reads it meanwhile reads the old one or the new one. @param text - The draft as JSON. */
export async function writeDraft(file: string, text: string): Promise<void> {
  await writeFile(newFileOf(file), text);
  await rename(newFileOf(file), file);
}

/** Removes a file, and what a process that died while replacing it left. */
export async function removeWhole(file: string): Promise<void> {
  await rm(newFileOf(file), { force: true });
  await rm(file, { force: true });
}

function newFileOf(file: string): string {
  return `${file}.new`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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

function isStateFile(value: unknown): value is StateFile {
  if (typeof value !== "object" || value === null) return false;
  const { before, after } = value as Partial<StateFile>;
  return isState(before) && (after === undefined || isState(after));
}

function isState(value: unknown): value is SessionState {
  if (typeof value !== "object" || value === null) return false;
  const { lease } = value as SessionState;
  return lease === undefined || (typeof lease.token === "number" && typeof lease.beat === "number");
}

/** One append, as lines. */
export interface LinesToAppend extends AppendOptions {
  readonly expectedLength: number;
  /** Number of lines. */
  readonly count: number;
  readonly lines: string;
}

/** What some appends come to. */
export interface AppendPlan {
  /** For each append why it is refused, or `undefined`. */
  readonly refusals: readonly (SessionConflictError | SessionLeaseLostError | undefined)[];
  /** Lines of those that are not refused. */
  readonly lines: readonly string[];
  /** After them; without its `bytes`. */
  readonly state: SessionState & { readonly length: number };
  /** The lease changes. */
  readonly setsLease: boolean;
  /** No draft from before is one of the lease that is held then. */
  readonly dropsDraft: boolean;
}

/** Decides in order which appends are refused. @param length - Of the log. */
export function planAppends(
  id: string,
  appends: readonly LinesToAppend[],
  before: SessionState,
  length: number,
): AppendPlan {
  const lines: string[] = [];
  let state = { ...before, length };
  let [setsLease, dropsDraft] = [false, false];
  const refusals = appends.map((one) => {
    const refusal = refusalOf(id, one, state);
    if (refusal !== undefined) return refusal;
    if (one.count > 0) {
      lines.push(one.lines);
      state = { ...state, length: state.length + one.count, info: one.info ?? state.info };
    }
    if (one.lease !== undefined) {
      setsLease = true;
      dropsDraft ||= state.lease?.held !== true || !one.lease.next.held;
      state = { ...state, lease: one.lease.next };
    }
    return undefined;
  });
  return { refusals, lines, state, setsLease, dropsDraft };
}

function refusalOf(
  id: string,
  { token, lease, expectedLength }: LinesToAppend,
  now: SessionState & { readonly length: number },
): SessionConflictError | SessionLeaseLostError | undefined {
  const holds = now.lease?.held === true ? now.lease.token : undefined;
  if (token !== undefined && token !== holds) return new SessionLeaseLostError(id, token);
  if (lease !== undefined && !isSameLease(now.lease, lease.expected))
    return new SessionLeaseLostError(id, lease.expected?.token);
  return expectedLength === now.length ? undefined : new SessionConflictError(id, expectedLength, now.length);
}
