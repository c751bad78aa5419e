import type { Note } from "./note-store.ts";

/** The notes that hold words of the query, those with most of them first, newer ones before older ones; all for no words. */
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

/** True when two texts say the same but for case, accents, and space. */
export function sameText(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

function plain(text: string): string {
  return text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase().replaceAll(/\s+/g, " ").trim();
}
