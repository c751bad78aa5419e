import { constants, type Dirent } from "node:fs";
import { type FileHandle, open, opendir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "@pollux/core";
import { isInside, isOpenedInside, openedPath } from "./real-path.ts";

/** Doesn't follow a link as the last name, and doesn't wait for a pipe. */
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * A folder inside the root, held open. On Linux, everything in it is reached through the open handle, so it stays the same
 * folder even if another one, or a link, is put in its place; elsewhere, its path is checked again after each step.
 */
export class Directory implements AsyncDisposable {
  readonly #handle: FileHandle | undefined;
  readonly #base: string;
  readonly #isHeld: boolean;
  /** The folder's path, with links resolved. */
  readonly real: string;
  readonly #root: string;

  private constructor(handle: FileHandle | undefined, isHeld: boolean, place: { real: string; root: string }) {
    this.#handle = handle;
    this.#isHeld = isHeld;
    this.real = place.real;
    this.#root = place.root;
    this.#base = isHeld && handle !== undefined ? `/proc/self/fd/${handle.fd}` : place.real;
  }

  /** @throws {ToolError} If the folder is not, or no longer, inside the root. */
  static async open(real: string, root: string): Promise<Directory> {
    // Windows can't open folders.
    if (process.platform === "win32") {
      const directory = new Directory(undefined, false, { real, root });
      await directory.check();
      return directory;
    }
    const handle = await open(real, constants.O_RDONLY | constants.O_DIRECTORY | SAFELY);
    try {
      if (!(await isOpenedInside(handle, real, root))) throw moved();
      return new Directory(handle, (await openedPath(handle)) !== undefined, { real, root });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** File system path of an entry; valid as long as the folder is open. */
  at(name: string): string {
    return join(this.#base, name);
  }

  /** Opens a subfolder, but not through a link. */
  async folder(name: string): Promise<Directory> {
    const real = join(this.real, name);
    if (!this.#isHeld) return await Directory.open(real, this.#root);
    const handle = await open(this.at(name), constants.O_RDONLY | constants.O_DIRECTORY | SAFELY);
    return new Directory(handle, true, { real, root: this.#root });
  }

  /** Opens an entry of any kind, but not through a link. The caller closes it. */
  async open(name: string, flags: number = constants.O_RDONLY): Promise<FileHandle> {
    const file = await open(this.at(name), flags | SAFELY, 0o666);
    if (this.#isHeld || (await isOpenedInside(file, this.at(name), this.#root))) return file;
    await file.close();
    throw moved();
  }

  /** The folder's entries, up to `max`, ordered by name. */
  async entries(max: number, signal: AbortSignal): Promise<{ readonly names: Dirent[]; readonly isFull: boolean }> {
    const names: Dirent[] = [];
    let isFull = false;
    for await (const entry of await opendir(this.#base)) {
      signal.throwIfAborted();
      if (names.length >= max) {
        isFull = true;
        break;
      }
      names.push(entry);
    }
    await this.check();
    return { names: names.toSorted((a, b) => (a.name < b.name ? -1 : 1)), isFull };
  }

  /** Fails if the folder's path now leads elsewhere; not needed if the folder is reached through its handle. */
  async check(): Promise<void> {
    if (this.#isHeld) return;
    const real = await realpath(this.real);
    if (real !== this.real || !isInside(this.#root, real)) throw moved();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close();
  }
}

function moved(): ToolError {
  return new ToolError("the folder was moved or replaced by a link while it was being opened; list it again");
}
