/** A line that matches. */
export interface SearchMatch {
  /** Line number, from 1. */
  readonly line: number;
  /** The line, or the part around the match if it is long. */
  readonly text: string;
  /** Lines before it that no other match includes; absent if none were requested. */
  readonly before?: readonly string[] | undefined;
  /** Lines after it, up to the next match; absent if none were requested. */
  readonly after?: readonly string[] | undefined;
}

/** Most characters shown of a line. */
const SHOWN = 300;

/** Collects the matching lines of one file with the lines around them, each line once. */
export class MatchWindow {
  readonly matches: SearchMatch[] = [];
  readonly #context: number;
  #before: string[] = [];
  #after: string[] | undefined;
  #number = 0;

  constructor(context: number) {
    this.#context = context;
  }

  /** Whether no match needs more lines after it. */
  get isSettled(): boolean {
    return this.#after === undefined || this.#after.length >= this.#context;
  }

  /** Adds the next line; `matchStart` is where a match begins in it. */
  line(text: string, matchStart: number | undefined): void {
    this.#number++;
    if (matchStart === undefined) {
      if (!this.isSettled) this.#after?.push(shown(text, 0));
      else if (this.#context > 0) this.#before = [...this.#before, shown(text, 0)].slice(-this.#context);
      return;
    }
    this.#after = [];
    const match = { line: this.#number, text: shown(text, matchStart) };
    this.matches.push(this.#context === 0 ? match : { ...match, before: this.#before, after: this.#after });
    this.#before = [];
  }
}

function shown(text: string, start: number): string {
  if (text.length <= SHOWN) return text;
  const from = Math.max(0, Math.min(start - SHOWN / 3, text.length - SHOWN));
  const part = text.slice(from, from + SHOWN).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "");
  return `${from > 0 ? "…" : ""}${part}${from + SHOWN < text.length ? "…" : ""}`;
}
