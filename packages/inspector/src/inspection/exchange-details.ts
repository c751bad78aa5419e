import type { KeptExchange } from "@pollux/core/exchanges";
import type { BodyDifference } from "@pollux/core/rehearsal";
import type { MoneyFacts } from "./cost.ts";

/** One kept request in the list of a session. */
export interface ExchangeRow extends Pick<
  KeptExchange,
  "runId" | "attempt" | "method" | "url" | "status" | "ended" | "parent"
> {
  /** Index in the session's kept exchanges, from 0. */
  readonly n: number;
  readonly step: string;
  readonly turn: number;
  readonly at: number;
  /** Until the last byte of the answer. */
  readonly ms: number;
  /** Until the first byte of the answer. */
  readonly firstByteMs?: number | undefined;
  readonly error?: string | undefined;
  readonly requestBytes: number;
  /** Length of the common prefix with the previous request of the same conversation. */
  readonly sharedBytes: number;
  /** Index of the previous request in the same conversation: the session's, or that of an agent inside a call. */
  readonly before?: number | undefined;
  readonly promptTokens?: number | undefined;
  readonly cachedTokens?: number | undefined;
  readonly totalTokens?: number | undefined;
  /** For a request of an agent inside a call: facts that the session's log doesn't have. */
  readonly inner?: InnerAnswer | undefined;
  /** Where the request stopped being a continuation of the one before. */
  readonly brokenAt?: PrefixBreak | undefined;
}

/** A request of an agent inside a call, and its answer. */
export interface InnerAnswer {
  /** Name of the agent. */
  readonly agent: string;
  /** First words of the answer, or the functions that it called. */
  readonly text: string;
  /** Only with prices. */
  readonly cost?: number | undefined;
}

/** Where a request differs from the one before it. */
export interface PrefixBreak extends Pick<MoneyFacts, "currency"> {
  /** Path of the first value that differs, such as `tools[0].functionDeclarations[2].description`. */
  readonly field: string;
  /** Most tokens that the cache could have served and did not: an estimate from the bytes. */
  readonly tokens?: number | undefined;
  /** Their extra cost; only with prices. */
  readonly cost?: number | undefined;
}

/** One kept request and its answer, verbatim. Values of secret headers are `[redacted]`. */
export interface ExchangeDetails {
  readonly row: ExchangeRow;
  readonly request: {
    readonly headers: KeptExchange["requestHeaders"];
    /** The body as it was sent, decoded as UTF-8. */
    readonly body: string;
    /** UTF-16 index in `body` up to which it equals the previous request. */
    readonly shared: number;
  };
  readonly response?:
    | (Pick<KeptExchange, "chunks"> & {
        readonly status: number;
        readonly headers: KeptExchange["requestHeaders"];
      })
    | undefined;
  /** Why the body is missing. */
  readonly problem?: string | undefined;
  /** Text around the first difference from the previous request, if it broke the prefix. */
  readonly comparison?: Pick<BodyDifference, "was" | "is"> | undefined;
}
