/** One kept request in the list of a session. */
export interface ExchangeRow {
  /** Index in the session's kept exchanges, from 0. */
  readonly n: number;
  readonly runId: string;
  readonly step?: string | undefined;
  readonly turn?: number | undefined;
  /** HTTP attempt of the step, from 1. */
  readonly attempt: number;
  readonly at: number;
  /** Until the last byte of the answer. */
  readonly ms: number;
  /** Until the first byte of the answer. */
  readonly firstByteMs?: number | undefined;
  readonly method: string;
  /** Without key. */
  readonly url: string;
  /** Absent if there was no answer. */
  readonly status?: number | undefined;
  readonly ended: "complete" | "failed" | "cancelled";
  readonly error?: string | undefined;
  readonly requestBytes: number;
  /** Bytes at the beginning that the request before it in the same conversation has too. */
  readonly sharedBytes: number;
  readonly newBytes: number;
  readonly responseBytes: number;
  readonly chunks: number;
  /** Index of the request before it in the same conversation: that of the session, or of an agent inside a call. */
  readonly before?: number | undefined;
  /** The step of another run that the run is inside of. */
  readonly parent?: { readonly runId: string; readonly step: string } | undefined;
  readonly promptTokens?: number | undefined;
  readonly cachedTokens?: number | undefined;
  readonly totalTokens?: number | undefined;
  /** Of a request of an agent inside a call: what the session's log doesn't have. */
  readonly inner?: InnerAnswer | undefined;
  /** Where the request stopped being a continuation of the one before. */
  readonly brokenAt?: PrefixBreak | undefined;
}

/** A request of an agent inside a call, and its answer. */
export interface InnerAnswer {
  /** Name of the agent. */
  readonly agent: string;
  /** First words of the answer, or names of the functions that it called. */
  readonly text: string;
  /** Only with prices. */
  readonly cost?: number | undefined;
}

/** A request that doesn't continue the one before it. */
export interface PrefixBreak {
  /** Index of the exchange it is compared with. */
  readonly before: number;
  /** Path of the first value that differs, such as `tools[0].functionDeclarations[2].description`. */
  readonly field: string;
  /** Bytes of the request before that field. */
  readonly byte: number;
  /** Tokens that could have been read from the cache and were not, at most: an estimate from the bytes. */
  readonly tokens?: number | undefined;
  /** What they cost more; only with prices. */
  readonly cost?: number | undefined;
  /** Of `cost`, if the price list says it. */
  readonly currency?: string | undefined;
}

/** One kept request and its answer, verbatim. */
export interface ExchangeDetails {
  readonly row: ExchangeRow;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: readonly HeaderView[];
    /** The body as it was sent, decoded as UTF-8. */
    readonly body: string;
    /** UTF-16 index in `body` up to which it equals the request before. */
    readonly shared: number;
    /** Size of the body when it is not text. */
    readonly binaryBytes?: number | undefined;
  };
  readonly response?:
    | {
        readonly status: number;
        readonly headers: readonly HeaderView[];
        readonly chunks: readonly ChunkView[];
      }
    | undefined;
  readonly error?: string | undefined;
  /** Why the body is missing. */
  readonly problem?: string | undefined;
  /** What differs from the request before, where it differs at all. */
  readonly comparison?: ExchangeComparison | undefined;
}

/** A header as it was sent; values of secret ones are `[redacted]`. */
export type HeaderView = readonly [name: string, value: string];

/** A piece of the answer as it crossed. */
export interface ChunkView {
  /** Since the request was sent. */
  readonly ms: number;
  readonly text: string;
}

/** A request and the one before it, around the first difference. */
export interface ExchangeComparison {
  readonly before: number;
  readonly field: string;
  /** Some text around the difference in the request before; absent where the value is new. */
  readonly was?: string | undefined;
  /** The same of this request; absent where the value is gone. */
  readonly is?: string | undefined;
}
