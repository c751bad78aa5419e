/** A range of a text, in UTF-16 units, and the numbers of the sources that support it. */
export interface CitedRange {
  readonly start: number;
  readonly end: number;
  readonly sources: readonly string[];
}

/** Id of a source in the page, which citations link to. */
export function sourceAnchor(messageId: string, number: string): string {
  return `source-${messageId}-${number}`;
}
