import { type Note, type NoteDecision, type NoteStore, withChanges } from "./note-store.ts";

/** Notes in memory, as long as this object exists. */
export function memoryNotes(first: readonly Note[] = []): NoteStore {
  let notes = first;
  return {
    load: () => Promise.resolve(notes),
    change: async <Result>(decide: (notes: readonly Note[]) => NoteDecision<Result>): Promise<Result> => {
      const { changes, result } = decide(notes);
      notes = withChanges(notes, changes);
      return Promise.resolve(result);
    },
  };
}
