import { type FileHandle, lstat, readlink, realpath } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";

/** Whether a real path is the root or below it. Both must be real paths, since other names may differ only in case. */
export function isInside(root: string, real: string): boolean {
  const inside = relative(root, real);
  return inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/** The real path of an open file, according to the kernel; `undefined` where the kernel doesn't report it (not Linux). */
export async function openedPath(handle: FileHandle): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`);
  } catch {
    // There is no /proc.
    return undefined;
  }
}

/**
 * Whether an open file is inside the root, no matter how the folders on its path changed between checking and opening.
 * If the kernel doesn't report it, the file now at the path must be the one that was opened.
 */
export async function isOpenedInside(handle: FileHandle, path: string, root: string): Promise<boolean> {
  const opened = await openedPath(handle);
  if (opened !== undefined) return isInside(root, opened);
  try {
    const real = await realpath(path);
    const [here, there] = await Promise.all([handle.stat({ bigint: true }), lstat(real, { bigint: true })]);
    return isInside(root, real) && here.dev === there.dev && here.ino === there.ino;
  } catch {
    // It is gone, so nothing proves that it was inside.
    return false;
  }
}
