/** Something an answer rests on. */
export interface Source {
  /** 1 for the first source of the run; what `[1]` in {@link renderMarkdown}'s text means. */
  readonly number: number;
  readonly kind: "web" | "maps" | "image" | "document" | "url" | "other";
  readonly uri?: string | undefined;
  readonly title?: string | undefined;
  /** The grounding chunk as it came. */
  readonly chunk: unknown;
}

/** A range of the answer that sources support. */
export interface Citation {
  /** First UTF-16 index in the result's `text`. */
  readonly start: number;
  /** Index after the last; `text.slice(start, end)` is what is supported. */
  readonly end: number;
  /** What the service says the range holds. */
  readonly text: string;
  /** {@link Source.number}s, ascending. */
  readonly sources: readonly number[];
  /** How the range was found: where the service said, near it (the service's offsets drift), or not at all. */
  readonly match: "exact" | "moved" | "unverified";
}

/** What grounding a run had. */
export interface Grounding {
  readonly sources: readonly Source[];
  /** Ranges of the final answer's text, in order of `start`. */
  readonly citations: readonly Citation[];
  /** What was searched for. */
  readonly searchQueries: readonly string[];
  /** HTML that the terms of use require to be shown next to a grounded answer; empty when nothing was searched. */
  readonly searchEntryPoints: readonly string[];
  /** How search reached the model: in the same request, by a request of its own, or not at all. */
  readonly groundedBy: "native" | "delegated" | "none";
}
