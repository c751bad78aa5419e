/** One thing the model wrote down. */
export interface Note {
  /** Eight hexadecimal digits; never used again. */
  readonly id: string;
  readonly text: string;
  /** When it was written or last changed, in milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** One change: a note that is new or takes the place of the one with its id, or one that goes. */
export type NoteChange = { readonly put: Note } | { readonly remove: string };

/** What a change of notes comes to. */
export interface NoteDecision<Result> {
  /** In this order; none when nothing changes. */
  readonly changes: readonly NoteChange[];
  readonly result: Result;
}

/**
 * Where notes live.
 *
 * `change` reads, decides and writes as one: between what `decide` sees and what is written nobody else writes. `decide` is
 * synchronous, may be called more than once, and only its last call counts; when it throws, nothing is written.
 */
export interface NoteStore {
  /** All notes, oldest first. */
  load(): Promise<readonly Note[]>;
  /** Resolves with the decision's result when its changes are kept, all of them or none. */
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

/** True for a note as this release writes it. */
export function isNote(value: unknown): value is Note {
  if (typeof value !== "object" || value === null) return false;
  const { id, text, updatedAt } = value as { readonly [Key in keyof Note]?: unknown };
  return typeof id === "string" && typeof text === "string" && typeof updatedAt === "number";
}
