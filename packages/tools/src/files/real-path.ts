import { type FileHandle, lstat, readlink, realpath } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";

/** Whether a real path is the root or below it. Both have to be real: names that differ in case only are one name then. */
export function isInside(root: string, real: string): boolean {
  const inside = relative(root, real);
  return inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/** Where what was opened really is, by the kernel's word; `undefined` where there is no such word (not Linux). */
export async function openedPath(handle: FileHandle): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`);
  } catch {
    // No /proc here.
    return undefined;
  }
}

/**
 * Whether what was opened lies inside the root, whatever was done to the folders on the way between looking and opening.
 * Without the kernel's word, what stands at the path now has to be the very thing that was opened.
 */
export async function isOpenedInside(handle: FileHandle, path: string, root: string): Promise<boolean> {
  const opened = await openedPath(handle);
  if (opened !== undefined) return isInside(root, opened);
  try {
    const real = await realpath(path);
    const [here, there] = await Promise.all([handle.stat({ bigint: true }), lstat(real, { bigint: true })]);
    return isInside(root, real) && here.dev === there.dev && here.ino === there.ino;
  } catch {
    // It is gone, so nothing shows that it was inside.
    return false;
  }
}
