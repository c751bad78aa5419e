import { findSequence, unitsOf } from "./find-sequence.ts";
import { nearMiss } from "./near-miss.ts";
import { Work } from "./work.ts";

/** One exact replacement. */
export interface TextEdit {
  /** Must occur in the text exactly once. */
  readonly old_text: string;
  readonly new_text: string;
  /** Replace all occurrences. */
  readonly all?: boolean | undefined;
}

/** How edits are applied. */
export interface EditOptions {
  readonly isCrlf: boolean;
  /** Most characters that the text may have after each edit. */
  readonly maxCharacters: number;
  readonly signal: AbortSignal;
}

/** Approximate cost of searching and replacing. */
const STEPS_PER_CHARACTER = 4;

/** The text after all edits, or why one of them can't be applied, in words for the model. */
export type Edited = { readonly text: string; readonly replaced: number } | { readonly problem: string };

/** Applies each edit to the result of the previous ones, all or none. In a text with `\r\n` lines, edits may use `\n`. */
export async function applyEdits(
  before: string,
  edits: readonly TextEdit[],
  { isCrlf, maxCharacters, signal }: EditOptions,
): Promise<Edited> {
  let text = before;
  let replaced = 0;
  const work = new Work();
  for (const [index, edit] of edits.entries()) {
    // Each edit searches the whole text.
    work.add(STEPS_PER_CHARACTER * (text.length + edit.old_text.length));
    await work.pause();
    signal.throwIfAborted();
    const [wanted, instead] = [edit.old_text, edit.new_text].map((part) => (isCrlf ? toCrlf(part) : part)) as [
      string,
      string,
    ];
    const which = edits.length === 1 ? "old_text" : `edits[${index}].old_text`;
    if (wanted === instead) return { problem: `${which} and new_text are the same` };
    const places = findSequence(unitsOf(text), unitsOf(wanted));
    if (places.length === 0) {
      const [there] = findSequence(unitsOf(text), unitsOf(instead), 1);
      const done =
        there === undefined
          ? ""
          : `; new_text is already at line ${lineAt(text, there)}: has this edit been made already?`;
      return { problem: `${which} is not in the file: ${nearMiss(text, wanted)}${done}` };
    }
    if (places.length > 1 && edit.all !== true) {
      const lines = places.slice(0, 10).map((place) => lineAt(text, place));
      const more = places.length > 10 ? " and more" : "";
      return {
        problem: `${which} occurs ${places.length} times in the file (lines ${lines.join(", ")}${more}); include more of the surrounding text, or set all`,
      };
    }
    const length = text.length + places.length * (instead.length - wanted.length);
    if (length > maxCharacters)
      return {
        problem: `with ${which}, the file would have ${length} characters; at most ${maxCharacters} are allowed`,
      };
    text = replaceAt(text, places, wanted.length, instead);
    replaced += places.length;
  }
  return { text, replaced };
}

function toCrlf(text: string): string {
  return text.replaceAll(/\r?\n/g, "\r\n");
}

function replaceAt(text: string, places: readonly number[], length: number, instead: string): string {
  let end = 0;
  const pieces = places.map((place) => {
    const piece = text.slice(end, place) + instead;
    end = place + length;
    return piece;
  });
  return pieces.join("") + text.slice(end);
}

function lineAt(text: string, place: number): number {
  return text.slice(0, place).split("\n").length;
}
