/** A note the model wrote. */
export interface Note {
  /** Eight hexadecimal digits; never reused. */
  readonly id: string;
  readonly text: string;
  /** When it was written or last changed, in milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** One change: adds a note, replaces the note with the same id, or removes one. */
export type NoteChange = { readonly put: Note } | { readonly remove: string };

/** The outcome of deciding on a change. */
export interface NoteDecision<Result> {
  /** Applied in order; empty if nothing changes. */
  readonly changes: readonly NoteChange[];
  readonly result: Result;
}

/**
 * Stores notes.
 *
 * `change` reads, decides and writes atomically: nothing else writes between what `decide` sees and what is written. `decide` is
 * synchronous and may be called more than once; only its last call counts. If it throws, nothing is written.
 */
export interface NoteStore {
  /** All notes, oldest first. */
  load(): Promise<readonly Note[]>;
  /** Stores all of the decision's changes or none, then resolves with its result. */
  change<Result>(decide: (notes: readonly Note[]) => NoteDecision<Result>): Promise<Result>;
}

/** Notes after some changes; a changed note moves to the end. */
export function withChanges(notes: readonly Note[], changes: readonly NoteChange[]): readonly Note[] {
  const byId = new Map(notes.map((note) => [note.id, note]));
  for (const change of changes) {
    const id = "put" in change ? change.put.id : change.remove;
    byId.delete(id);
    if ("put" in change) byId.set(id, change.put);
  }
  return [...byId.values()];
}

/** Whether a value is a note in the format of this release. */
export function isNote(value: unknown): value is Note {
  if (typeof value !== "object" || value === null) return false;
  const { id, text, updatedAt } = value as { readonly [Key in keyof Note]?: unknown };
  return typeof id === "string" && typeof text === "string" && typeof updatedAt === "number";
}
