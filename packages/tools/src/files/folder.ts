import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { ToolFailure } from "@pollux/core";

/** A place inside the folder that exists. */
export interface Place {
  /** Path from the root with `/` between names, `.` for the root itself: what the model knows it by. */
  readonly path: string;
  /** Where it is on the disk, links resolved. */
  readonly real: string;
}

/** The only way from a model's path to the disk: everything that leads out of the root is refused. */
export class Folder {
  readonly #root: string;

  constructor(root: string) {
    if (typeof root !== "string" || root.trim() === "")
      throw new TypeError("file tools need a root: the folder they may look into");
    this.#root = root;
  }

  /** @throws {ToolFailure} When nothing is there, or it is not inside the root. */
  async find(path: string): Promise<Place> {
    const names = path.split(/[/\\]/).filter((name) => name !== "" && name !== ".");
    if (isAbsolute(path) && names.length > 0)
      throw new ToolFailure(`"${path}" is absolute; give a path inside the folder, such as "${names.at(-1)}"`);
    if (names.includes("..") || path.includes("\0"))
      throw new ToolFailure(`"${path}" may lead out of the folder; give a path without ".."`);
    const shown = names.length === 0 ? "." : names.join("/");
    const root = await realpath(this.#root).catch((error: unknown) => refuse(error, "the folder itself"));
    const real = await realpath(join(root, ...names)).catch((error: unknown) => refuse(error, `"${shown}"`));
    const inside = relative(root, real);
    if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside))
      throw new ToolFailure(`"${shown}" is a link that leads out of the folder, and is not followed`);
    return { path: shown, real };
  }

  /**
   * Opens a regular file for reading; the caller closes it.
   *
   * @throws {ToolFailure} Also for folders, devices, pipes and sockets.
   */
  async open(path: string): Promise<{ readonly place: Place; readonly file: FileHandle; readonly bytes: number }> {
    const place = await this.find(path);
    // Not following guards against a link put there since; not blocking, against a pipe that nobody writes to.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    const file = await open(place.real, flags).catch((error: unknown) => refuse(error, `"${place.path}"`));
    try {
      const stats = await file.stat();
      if (stats.isDirectory())
        throw new ToolFailure(`"${place.path}" is a folder; use list_files to see what is in it`);
      if (!stats.isFile()) throw new ToolFailure(`"${place.path}" is a device, a pipe or a socket, and cannot be read`);
      return { place, file, bytes: stats.size };
    } catch (error) {
      await file.close();
      throw error;
    }
  }
}

const REASONS: { readonly [code: string]: string } = {
  ENOENT: "does not exist; use list_files to see what there is",
  ENOTDIR: "does not exist: a file stands where a folder would have to; use list_files to see what there is",
  EACCES: "may not be read by this program",
  EPERM: "may not be read by this program",
  ELOOP: "is a link that leads in circles",
  ENAMETOOLONG: "is too long to be a path",
  EISDIR: "is a folder; use list_files to see what is in it",
  ENXIO: "is a device, a pipe or a socket, and cannot be read",
};

/** Says in the model's words what the file system said; what it does not know goes on as it is. */
export function refuse(error: unknown, what: string): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = REASONS[code];
  if (reason === undefined) throw error;
  throw new ToolFailure(`${what} ${reason}`, { cause: error });
}
