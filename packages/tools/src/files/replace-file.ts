import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, lstat, rename, unlink } from "node:fs/promises";
import { ToolError } from "@pollux/core";
import type { Directory } from "./directory.ts";
import { versionOf } from "./file-version.ts";
import type { Folder, Place } from "./folder.ts";
import { codeOf, refuse } from "./refusal.ts";

/** A file to write: its place and its current content. */
export interface Target {
  readonly place: Place;
  readonly parent: Directory;
  readonly name: string;
  /** Absent if the file doesn't exist yet. */
  readonly now?: { readonly bytes: Uint8Array; readonly version: string; readonly mode: FileMode } | undefined;
}

interface FileMode {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Holds a file's folder open, reads the file, and lets `change` decide what to do with it.
 *
 * @throws {ToolError} If it is not a regular file, is too large or must not be written.
 */
export async function withTarget<Result>(
  folder: Folder,
  path: string,
  maxBytes: number,
  change: (target: Target) => Promise<Result>,
): Promise<Result> {
  const { place, parent, name } = await folder.parentOf(path);
  await using directory = parent;
  const now = await readNow(directory, name, { folder, shown: place.path, maxBytes });
  return await change({ place, parent: directory, name, now });
}

async function readNow(
  directory: Directory,
  name: string,
  { folder, shown, maxBytes }: { readonly folder: Folder; readonly shown: string; readonly maxBytes: number },
): Promise<Target["now"]> {
  const stats = await lstat(directory.at(name)).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    return refuse(error, `"${shown}"`, "write");
  });
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) throw new ToolError(`"${shown}" is a broken link and is not followed`);
  if (stats.isDirectory()) throw new ToolError(`"${shown}" is a folder; specify the path of a file`);
  if (!stats.isFile()) throw new ToolError(`"${shown}" is a device, a pipe or a socket, and cannot be written`);
  // Also opened for writing, so that a protected file stays unchanged: a rename would ignore its mode.
  const opened = await directory
    .open(name, constants.O_RDWR)
    .catch((error: unknown) => refuse(error, `"${shown}"`, "write"));
  await using file = opened;
  const exact = await file.stat({ bigint: true });
  if (!exact.isFile()) throw new ToolError(`"${shown}" was replaced in the meantime; list the folder again`);
  folder.checkLinks(exact, shown);
  if (exact.size > maxBytes)
    throw new ToolError(`"${shown}" has ${exact.size} bytes; only files of up to ${maxBytes} bytes can be changed`);
  const mode = { mode: Number(exact.mode) & 0o7777, uid: Number(exact.uid), gid: Number(exact.gid) };
  return { bytes: await file.readFile(), version: versionOf(exact), mode };
}

/**
 * Replaces a file's content in one step: readers see the old file or the new one, never a part. Mode and, if permitted,
 * owner are preserved.
 *
 * @returns The version of the written file.
 * @throws {ToolError} If the file was changed or created in the meantime.
 */
export async function replaceFile({ place, parent, name, now }: Target, bytes: Uint8Array): Promise<string> {
  const temporary = `.${randomUUID()}.pollux-tmp`;
  const refused = (error: unknown): never => refuse(error, `"${place.path}"`, "write");
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const file = await parent.open(temporary, flags).catch(refused);
  try {
    try {
      await file.writeFile(bytes);
      if (now !== undefined) await keepMode(file, now.mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await parent.check();
    if (now === undefined) await putNew(parent, temporary, name);
    else await putInstead(parent, temporary, { name, version: now.version, shown: place.path });
  } catch (error) {
    await unlink(parent.at(temporary)).catch(() => undefined);
    return refused(error);
  }
  // Another process may already have deleted the file.
  return versionOf(await lstat(parent.at(name), { bigint: true }).catch(refused));
}

async function keepMode(file: FileHandle, { mode, uid, gid }: FileMode): Promise<void> {
  const made = await file.stat();
  // Only the superuser can change a file's owner; for other users, the copy is their own.
  if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid).catch(() => undefined);
  await file.chmod(mode);
}

/** Creating a link fails if the file has been created in the meantime; a rename would overwrite it. */
async function putNew(parent: Directory, temporary: string, name: string): Promise<void> {
  try {
    await link(parent.at(temporary), parent.at(name));
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw error;
    // A disk without hard links.
    const isThere = await lstat(parent.at(name)).then(
      () => true,
      () => false,
    );
    if (isThere) throw error;
    await rename(parent.at(temporary), parent.at(name));
    return;
  }
  await unlink(parent.at(temporary));
}

async function putInstead(
  parent: Directory,
  temporary: string,
  { name, version, shown }: { readonly name: string; readonly version: string; readonly shown: string },
): Promise<void> {
  const found = await lstat(parent.at(name), { bigint: true }).catch(() => undefined);
  if (found === undefined || versionOf(found) !== version)
    throw new ToolError(`"${shown}" was changed by someone else in the meantime; read it again`);
  await rename(parent.at(temporary), parent.at(name));
}
