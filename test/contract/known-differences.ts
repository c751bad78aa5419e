/** A difference that is understood and stays. */
export interface KnownDifference {
  readonly check: string;
  /** Files it occurs in: a path below the folder, with `*` for any characters. */
  readonly file: string;
  /** Why the library is right all the same. */
  readonly reason: string;
}

/** Each is reported when it occurs, and is itself a failure when it no longer does. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [];
