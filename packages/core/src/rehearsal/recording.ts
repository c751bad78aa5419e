import type { Json } from "../internal/json.ts";

/** What was recorded of a session. */
export interface Recording {
  /** Its id, which instructions and hooks may read. @defaultValue "recording" */
  readonly sessionId?: string | undefined;
  /** Entries of its log, as a store has them. */
  readonly log: readonly Json[];
  /** Entries that `keepExchanges` wrote; empty when requests were not kept. */
  readonly exchanges: readonly Json[];
}
