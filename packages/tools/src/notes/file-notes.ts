import type * as FileSystemModule from "node:fs/promises";
import { ConfigurationError } from "@pollux/core";
import { isNote, type Note, type NoteDecision, type NoteStore, withChanges } from "./note-store.ts";

/** Version of the file format that this release writes. */
const VERSION = 1;

type FileSystem = typeof FileSystemModule;

/**
 * Notes in one JSON file, which is always replaced as a whole: a crash leaves the old file or the new one. The file is created
 * with the first note; its folder must exist. Only one process may use it at a time.
 *
 * @param path - Path of the file; relative paths are resolved against the working directory at first use.
 * @throws {ConfigurationError} Where there is no file system, as in a web page.
 */
export function fileNotes(path: string): NoteStore {
  if (typeof path !== "string" || path.trim() === "") throw new TypeError("fileNotes(): path must not be empty");
  const disk = fileSystem();
  let last: Promise<unknown> = Promise.resolve();
  return {
    load: () => read(disk, path),
    change: <Result>(decide: (notes: readonly Note[]) => NoteDecision<Result>): Promise<Result> => {
      const next = last.then(async () => {
        const notes = await read(disk, path);
        const { changes, result } = decide(notes);
        if (changes.length > 0) await write(disk, path, withChanges(notes, changes));
        return result;
      });
      last = next.catch(() => {}); // a failed change must not fail the next one
      return next;
    },
  };
}

/** Not an `import`: this entry point also has stores that need no files, and bundlers for web pages would warn about it. */
function fileSystem(): FileSystem {
  const host: { readonly process?: { readonly getBuiltinModule?: (name: string) => unknown } } = globalThis;
  const disk = host.process?.getBuiltinModule?.("node:fs/promises") as FileSystem | undefined;
  if (disk !== undefined) return disk;
  throw new ConfigurationError(
    "fileNotes() requires a file system, and none is available here: use sessionNotes() or memoryNotes().",
  );
}

async function read({ readFile }: FileSystem, path: string): Promise<readonly Note[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  const notes = notesIn(text);
  if (notes === undefined) throw new TypeError(`${path} is not a notes file; move it away to start fresh`);
  return notes;
}

function notesIn(text: string): readonly Note[] | undefined {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof file !== "object" || file === null) return undefined;
  const { version, notes } = file as { readonly version?: unknown; readonly notes?: unknown };
  return version === VERSION && Array.isArray(notes) && notes.every(isNote) ? notes : undefined;
}

async function write({ open, rename, rm }: FileSystem, path: string, notes: readonly Note[]): Promise<void> {
  const fresh = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await open(fresh, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ version: VERSION, notes }, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
