/** A request's body compared with that of the request before it. */
export interface PrefixComparison {
  readonly sharedBytes: number;
  readonly broken?: BrokenPrefix | undefined;
}

/** Where a request stops being a continuation of the one before. */
export interface BrokenPrefix {
  readonly field: string;
  readonly was?: string | undefined;
  readonly is?: string | undefined;
  readonly lostBytes: number;
}

/** The first place where two bodies differ. */
export interface BodyDifference {
  /** From 0, in the order of the run's requests. */
  readonly request: number;
  /** Step of the request, such as `turn:2`. */
  readonly step: string;
  /** Path of the first value that differs, such as `tools[0].functionDeclarations[3].description`. */
  readonly field: string;
  /** Some text around it in the recorded body; absent where the value is new. */
  readonly was?: string | undefined;
  /** The same of the body as it is built now; absent where the value is gone. */
  readonly is?: string | undefined;
}

export declare function comparePrefix(before: Uint8Array, after: Uint8Array): PrefixComparison;
/** Undefined for equal bodies. */
export declare function compareBodies(
  recorded: Uint8Array,
  built: Uint8Array,
): Omit<BodyDifference, "request" | "step"> | undefined;
