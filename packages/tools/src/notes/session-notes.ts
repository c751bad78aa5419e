import type { SessionStore } from "@pollux/core";
import { SessionConflictError } from "@pollux/core/errors";
import { isNote, type Note, type NoteChange, type NoteDecision, type NoteStore, withChanges } from "./note-store.ts";

/** Where {@link sessionNotes} keeps its notes. */
export interface SessionNotesOptions {
  /** The store that has the sessions. */
  readonly store: Pick<SessionStore, "load" | "append">;
  /** Id of the session, or any other name, such as a user's, for notes that all of their sessions share. */
  readonly session: string;
}

/** How often a change is retried because another process wrote first. */
const MAX_CONFLICTS = 20;

/**
 * Notes next to a session, in the same store, under the id `notes:<session>`. Any number of processes may write. When you
 * delete the session, delete `notes:<session>` too; `eraseOwner` does.
 */
export function sessionNotes({ store, session }: SessionNotesOptions): NoteStore {
  if (typeof session !== "string" || session.trim() === "")
    throw new TypeError("sessionNotes(): session must not be empty");
  const id = `notes:${session}`;
  return {
    load: async () => notesIn(await store.load(id), id),
    change: async <Result>(decide: (notes: readonly Note[]) => NoteDecision<Result>): Promise<Result> => {
      for (let conflicts = 0; ; conflicts++) {
        const entries = await store.load(id);
        const { changes, result } = decide(notesIn(entries, id));
        if (changes.length === 0) return result;
        try {
          await store.append(id, entries.length, changes.map(entryOf));
          return result;
        } catch (error) {
          if (!(error instanceof SessionConflictError) || conflicts === MAX_CONFLICTS) throw error;
        }
      }
    },
  };
}

type Entry = Awaited<ReturnType<SessionStore["load"]>>[number];

function entryOf(change: NoteChange): Entry {
  if ("remove" in change) return { remove: change.remove };
  const { id, text, updatedAt } = change.put;
  return { put: { id, text, updatedAt } };
}

function notesIn(entries: readonly Entry[], id: string): readonly Note[] {
  return withChanges(
    [],
    entries.map((entry, position) => {
      if (typeof entry === "object" && entry !== null && !Array.isArray(entry)) {
        const { put, remove } = entry as { readonly put?: unknown; readonly remove?: unknown };
        if (isNote(put)) return { put };
        if (typeof remove === "string") return { remove };
      }
      throw new TypeError(`entry ${position} of "${id}" is not a note`);
    }),
  );
}
