import { defineTool, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import { findNotes, sameText } from "./find-notes.ts";
import { memoryNotes } from "./memory-notes.ts";
import type { Note, NoteDecision, NoteStore } from "./note-store.ts";

/** Options of {@link noteTools}. */
export interface NoteToolOptions {
  /** Where to keep the notes. @defaultValue `memoryNotes()`, which don't outlive the process */
  readonly store?: NoteStore | undefined;
  /** Most notes. @defaultValue 200 */
  readonly maxNotes?: number | undefined;
  /** Most characters per note. @defaultValue 2_000 */
  readonly maxCharacters?: number | undefined;
  /** Notes per search if the model sets no limit. @defaultValue 10 */
  readonly pageSize?: number | undefined;
}

/** A note as the model sees it. */
export interface ShownNote {
  readonly id: string;
  readonly text: string;
  /** ISO 8601, UTC. */
  readonly updated: string;
}

/** The result of writing a note. */
export interface WrittenNote {
  readonly id: string;
  /** Present if a note with the same text already existed; it was not changed. */
  readonly duplicate?: true | undefined;
}

/** The result of a search. */
export interface FoundNotes {
  /** Best first. */
  readonly notes: readonly ShownNote[];
  /** Matching notes, including those not shown. */
  readonly found: number;
  /** All notes in the store. */
  readonly total: number;
}

/**
 * `write_note`, `search_notes`, `update_note` and `delete_note`: a small memory for the model.
 *
 * The model reads notes as data in function responses, never as instructions. Text that a page or a user got the model to
 * write down is still that page's or user's text.
 *
 * @throws {TypeError} If a bound is not an integer of at least 1.
 */
export function noteTools(options: NoteToolOptions = {}): Tool[] {
  const store = options.store ?? memoryNotes();
  const bounds = {
    maxNotes: wholeNumber("maxNotes", options.maxNotes ?? 200),
    maxCharacters: wholeNumber("maxCharacters", options.maxCharacters ?? 2_000),
  };
  const pageSize = wholeNumber("pageSize", options.pageSize ?? 10);
  return [writeNote(store, bounds), searchNotes(store, pageSize), updateNote(store, bounds), deleteNote(store)];
}

interface Bounds {
  readonly maxNotes: number;
  readonly maxCharacters: number;
}

function writeNote(store: NoteStore, { maxNotes, maxCharacters }: Bounds): Tool<{ text: string }, WrittenNote> {
  return defineTool({
    name: "write_note",
    reads: "trusted",
    description:
      "Saves one fact worth remembering, as a self-contained sentence. Search first: update an existing note rather than adding another.",
    input: z.object({ text: z.string().trim().min(1).max(maxCharacters).describe("The fact") }),
    run: ({ text }) =>
      store.change((notes): NoteDecision<WrittenNote> => {
        const known = notes.find((note) => sameText(note.text, text));
        if (known !== undefined) return { changes: [], result: { id: known.id, duplicate: true } };
        if (notes.length >= maxNotes)
          throw new ToolError(`there are already ${notes.length} notes, the maximum; delete or merge some`);
        const id = freshId(notes);
        return { changes: [{ put: { id, text, updatedAt: Date.now() } }], result: { id } };
      }),
  });
}

function searchNotes(
  store: NoteStore,
  pageSize: number,
): Tool<{ query?: string | undefined; limit?: number | undefined }, FoundNotes> {
  return defineTool({
    name: "search_notes",
    description:
      "Searches the notes saved in this and earlier conversations. Without a query, returns the newest notes.",
    input: z.object({
      query: z.string().max(500).optional().describe("A few keywords"),
      limit: z.int().min(1).max(50).optional().describe(`Maximum number of notes (default ${pageSize})`),
    }),
    effects: "none",
    // Notes outlive the conversation in which somebody may have dictated them.
    reads: ["untrusted", "private"],
    run: async ({ query = "", limit = pageSize }): Promise<FoundNotes> => {
      const notes = await store.load();
      const found = findNotes(notes, query);
      return { notes: found.slice(0, limit).map(shown), found: found.length, total: notes.length };
    },
  });
}

function updateNote(store: NoteStore, { maxCharacters }: Bounds): Tool<{ id: string; text: string }, WrittenNote> {
  return defineTool({
    name: "update_note",
    reads: "trusted",
    description: "Replaces the text of a note.",
    input: z.object({
      id: z.string().describe("ID of the note, from search_notes"),
      text: z.string().trim().min(1).max(maxCharacters).describe("The complete new text"),
    }),
    run: ({ id, text }) =>
      store.change((notes): NoteDecision<WrittenNote> => {
        if (!notes.some((note) => note.id === id)) throw new ToolError(noSuchNote(id));
        const known = notes.find((note) => note.id !== id && sameText(note.text, text));
        if (known !== undefined)
          throw new ToolError(`note ${known.id} already says that; delete ${id} instead, or write something else`);
        return { changes: [{ put: { id, text, updatedAt: Date.now() } }], result: { id } };
      }),
  });
}

function deleteNote(store: NoteStore): Tool<{ id: string }, { id: string; deleted: boolean }> {
  return defineTool({
    name: "delete_note",
    reads: "trusted",
    description: "Deletes a note that is wrong or no longer useful.",
    input: z.object({ id: z.string().describe("ID of the note, from search_notes") }),
    // If the call is repeated after a crash, the note is already gone: not a failure.
    run: ({ id }) =>
      store.change((notes) => {
        const deleted = notes.some((note) => note.id === id);
        return { changes: deleted ? [{ remove: id }] : [], result: { id, deleted } };
      }),
  });
}

function noSuchNote(id: string): string {
  return `there is no note ${JSON.stringify(id.slice(0, 40))}; use search_notes to find the IDs`;
}

function shown({ id, text, updatedAt }: Note): ShownNote {
  return { id, text, updated: new Date(updatedAt).toISOString() };
}

function freshId(notes: readonly Note[]): string {
  for (;;) {
    const id = crypto.randomUUID().slice(0, 8);
    if (!notes.some((note) => note.id === id)) return id;
  }
}

function wholeNumber(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TypeError(`noteTools(): ${option} must be an integer of at least 1, got ${String(value)}`);
}
