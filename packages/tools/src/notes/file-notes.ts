import { isNote, type Note, type NoteDecision, type NoteStore, withChanges } from "./note-store.ts";

/** Version of the file this release writes. */
const VERSION = 1;

/**
 * Notes in one JSON file, which is replaced as a whole: a crash leaves the old one or the new one. The file is made when the
 * first note is written; its folder has to be there. For one process at a time.
 *
 * @param path - Of the file; relative paths are taken from the working directory at the first use.
 */
export function fileNotes(path: string): NoteStore {
  if (typeof path !== "string" || path.trim() === "") throw new TypeError("fileNotes(): path must not be empty");
  let last: Promise<unknown> = Promise.resolve();
  return {
    load: () => read(path),
    change: <Result>(decide: (notes: readonly Note[]) => NoteDecision<Result>): Promise<Result> => {
      const next = last.then(async () => {
        const notes = await read(path);
        const { changes, result } = decide(notes);
        if (changes.length > 0) await write(path, withChanges(notes, changes));
        return result;
      });
      last = next.catch(() => {}); // the next change does not fail for this one
      return next;
    },
  };
}

async function read(path: string): Promise<readonly Note[]> {
  const { readFile } = await import("node:fs/promises");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  const notes = notesIn(text);
  if (notes === undefined) throw new TypeError(`${path} is not a file of notes; move it away to begin anew`);
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

async function write(path: string, notes: readonly Note[]): Promise<void> {
  const { open, rename, rm } = await import("node:fs/promises");
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
