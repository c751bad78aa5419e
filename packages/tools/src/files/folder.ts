import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { ToolError } from "@pollux/core";
import { Directory } from "./directory.ts";
import type { FileToolOptions } from "./file-tool-options.ts";
import { isInside, isOpenedInside } from "./real-path.ts";
import { codeOf, refuse } from "./refusal.ts";

/** An existing place inside a root. */
export interface Place {
  /** Path with `/` between names, as the model sees it; `.` for the root itself if there is only one. */
  readonly path: string;
  /** Path on disk, with links resolved. */
  readonly real: string;
  /** Path of its root, with links resolved. */
  readonly root: string;
}

/** An open file; the code that opened it closes it. */
export interface OpenedFile {
  readonly place: Place;
  readonly file: FileHandle;
  readonly bytes: number;
}

/** The only way from a model's path to the disk: refuses everything outside the roots. */
export class Folder {
  /** Roots by name; a single root has an empty name. */
  readonly #roots: ReadonlyMap<string, string>;
  readonly #hardLinks: boolean;

  constructor(options: FileToolOptions) {
    this.#roots = rootsOf(options);
    this.#hardLinks = options.hardLinks ?? true;
  }

  /** Names of the roots, if there are several. */
  get names(): readonly string[] {
    return this.#roots.has("") ? [] : [...this.#roots.keys()];
  }

  /** @throws {ToolError} If nothing exists at the path, or it is not inside a root. */
  async find(path: string): Promise<Place> {
    const { root: given, names, shown } = this.#locate(path);
    const root = await realpath(given).catch((error: unknown) => refuse(error, "the folder itself"));
    const real = await realpath(join(root, ...names)).catch((error: unknown) => refuse(error, `"${shown}"`));
    if (!isInside(root, real))
      throw new ToolError(`"${shown}" is a link that points outside the folder and is not followed`);
    return { path: shown, real, root };
  }

  /** Whether the path is a folder, or stands for all roots. @throws {ToolError} Like {@link Folder.find}. */
  async isFolder(path: string): Promise<boolean> {
    if (this.names.length > 0 && path.split(/[/\\]/).every((name) => name === "" || name === ".")) return true;
    const place = await this.find(path);
    return (await lstat(place.real).catch((error: unknown) => refuse(error, `"${place.path}"`))).isDirectory();
  }

  /**
   * Opens a regular file for reading; the caller closes it.
   *
   * @throws {ToolError} Also for folders, devices, pipes and sockets.
   */
  async open(path: string, flags: number = constants.O_RDONLY): Promise<OpenedFile> {
    const place = await this.find(path);
    const doing = flags === constants.O_RDONLY ? "read" : "write";
    const refused = (error: unknown): never => refuse(error, `"${place.path}"`, doing);
    // Merely opening some devices has side effects.
    checkRegular(await lstat(place.real).catch(refused), place.path);
    // NOFOLLOW guards against a link created since then; NONBLOCK, against a pipe without a writer.
    const safely = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    const file = await open(place.real, flags | safely).catch(refused);
    try {
      if (!(await isOpenedInside(file, place.real, place.root)))
        throw new ToolError(`"${place.path}" was moved out of the folder while it was being opened`);
      const stats = await file.stat();
      checkRegular(stats, place.path);
      this.checkLinks(stats, place.path);
      return { place, file, bytes: stats.size };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Whether an open file has too many hard links to be used. */
  isLinked({ nlink }: { readonly nlink: number | bigint }): boolean {
    return !this.#hardLinks && nlink > 1;
  }

  /** @throws {ToolError} If an open file has too many hard links to be used. */
  checkLinks(stats: { readonly nlink: number | bigint }, path: string): void {
    if (this.isLinked(stats))
      throw new ToolError(`"${path}" has more than one hard link and may also be outside the folder; use another file`);
  }

  /**
   * The folder that contains or would contain a file, held open, and the file's name in it. Links that stay inside are
   * followed; missing folders on the way are created.
   */
  async parentOf(path: string): Promise<{ readonly place: Place; readonly parent: Directory; readonly name: string }> {
    const { names, shown } = this.#locate(path);
    const existing = await this.#findIfThere(path);
    if (names.length === 0 || (existing !== undefined && existing.real === existing.root))
      throw new ToolError(`"${shown}" is a folder; specify the path of a file`);
    const refused = (error: unknown): never => refuse(error, `"${shown}"`, "write");
    if (existing !== undefined) {
      const parent = await Directory.open(dirname(existing.real), existing.root).catch(refused);
      return { place: existing, parent, name: basename(existing.real) };
    }
    const parts = shown.split("/");
    const missing = [parts.pop() ?? ""];
    let start = await this.#findIfThere(parts.join("/"));
    while (start === undefined) {
      missing.unshift(parts.pop() ?? "");
      start = await this.#findIfThere(parts.join("/"));
    }
    const name = missing.pop() ?? "";
    const parent = await makeFolders(await Directory.open(start.real, start.root).catch(refused), missing).catch(
      refused,
    );
    return { place: { path: shown, real: join(parent.real, name), root: start.root }, parent, name };
  }

  async #findIfThere(path: string): Promise<Place | undefined> {
    try {
      return await this.find(path);
    } catch (error) {
      // The root itself must exist.
      if (error instanceof ToolError && codeOf(error.cause) === "ENOENT" && this.#locate(path).names.length > 0)
        return undefined;
      throw error;
    }
  }

  #locate(path: string): { readonly root: string; readonly names: string[]; readonly shown: string } {
    const names = path.split(/[/\\]/).filter((name) => name !== "" && name !== ".");
    if (isAbsolute(path) && names.length > 0)
      throw new ToolError(`"${path}" is absolute; use a path inside the folder, such as "${names.at(-1)}"`);
    if (names.includes("..") || path.includes("\0"))
      throw new ToolError(`"${path}" may point outside the folder; use a path without ".."`);
    const shown = names.length === 0 ? "." : names.join("/");
    const only = this.#roots.get("");
    if (only !== undefined) return { root: only, names, shown };
    const [first = "", ...rest] = names;
    const root = this.#roots.get(first);
    if (root === undefined)
      throw new ToolError(`"${shown}" is in none of the folders; start the path with ${this.names.join(" or ")}`);
    return { root, names: rest, shown };
  }
}

/** Descends, creating missing folders, and closes the folders on the way. */
async function makeFolders(start: Directory, names: readonly string[]): Promise<Directory> {
  let directory = start;
  for (const name of names) {
    await using above = directory;
    await mkdir(above.at(name)).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
    directory = await above.folder(name);
  }
  return directory;
}

function rootsOf({ root, roots }: FileToolOptions): Map<string, string> {
  const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";
  if (root !== undefined && roots === undefined && isText(root)) return new Map([["", root]]);
  const named: [string, string][] =
    roots === undefined
      ? []
      : Array.isArray(roots)
        ? roots.map((folder: string) => [basename(resolve(folder)), folder])
        : Object.entries(roots as { readonly [name: string]: string });
  if (root !== undefined || named.length === 0 || !named.every(([, folder]) => isText(folder)))
    throw new TypeError("file tools require root or roots, the folders they may access");
  const wrong = named.find(([name], index) => !isName(name) || named.findIndex(([other]) => other === name) < index);
  if (wrong !== undefined)
    throw new TypeError(`file tools: roots: "${wrong[0]}" is not a distinct name; use { name: folder } instead`);
  return new Map(named);
}

function isName(name: string): boolean {
  return name.trim() !== "" && !/[/\\\0]/.test(name) && name !== "." && name !== "..";
}

function checkRegular(stats: { isDirectory(): boolean; isFile(): boolean }, path: string): void {
  if (stats.isDirectory()) throw new ToolError(`"${path}" is a folder; use list_files to see what is in it`);
  if (!stats.isFile()) throw new ToolError(`"${path}" is a device, a pipe or a socket, and cannot be read`);
}
