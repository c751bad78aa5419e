import type { Note } from "./note-store.ts";

/** The notes that contain words of the query: most words first, then newest first. Without words, all notes. */
export function findNotes(notes: readonly Note[], query: string): readonly Note[] {
  const words = [...new Set(plain(query).match(/[\p{L}\p{N}]+/gu))];
  const newest = notes.toReversed();
  if (words.length === 0) return query.trim() === "" ? newest : [];
  return newest
    .map((note) => {
      const text = plain(note.text);
      return { note, hits: words.filter((word) => text.includes(word)).length };
    })
    .filter(({ hits }) => hits > 0)
    .toSorted((a, b) => b.hits - a.hits)
    .map(({ note }) => note);
}

/** Whether two texts are the same except for case, accents, and space. */
export function sameText(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

function plain(text: string): string {
  return text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase().replaceAll(/\s+/g, " ").trim();
}
