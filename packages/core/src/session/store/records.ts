import type { ModelPlace } from "../../durable/run-log.ts";
import type { Json } from "../../internal/json.ts";
import type { Part } from "../../wire/types/content.ts";

/** Who runs a session. */
export interface Lease {
  /** Fencing token, from 1: grows with each owner. */
  readonly token: number;
  /** Begins with any number, and grows with each renewal. */
  readonly beat: number;
  /** False for a lease that was given back: it remains, so that its token is never used again. */
  readonly held: boolean;
  readonly runId: string;
  /** It has expired when nobody renewed it for so long, in milliseconds. */
  readonly durationMs: number;
  /** The process that holds it, in the words of the store's {@link ProcessKnowledge}; absent where there are none. */
  readonly process?: Json | undefined;
  /** W3C `traceparent` of the run, if it was in a trace when the lease was last renewed. */
  readonly traceparent?: string | undefined;
}

/** The answer under way, as far as it has come. */
export interface Draft {
  readonly runId: string;
  /** Name of the step, such as `model:3`. */
  readonly step: string;
  readonly place: ModelPlace;
  /** From 1: how often its request was sent, in this process. */
  readonly attempt: number;
  /** As they came, neighboring text joined; no function calls. */
  readonly parts: readonly Part[];
  /** Output guardrails have yet to check it: it may be shown while the run is going, and is not kept as it is. */
  readonly guarded?: true | undefined;
  /** The answer is longer than a draft may be. */
  readonly truncated?: true | undefined;
  /** W3C `traceparent` of the run, if it is in a trace. */
  readonly traceparent?: string | undefined;
}

/** What stands beside a session's log: how it is going, where the log says what is finished. */
export interface SessionRecords {
  readonly lease?: Lease | undefined;
  readonly draft?: Draft | undefined;
  /** Token of the lease whose run was asked to stop. */
  readonly stopToken?: number | undefined;
}

/** True when a lease is still the one that was read before. */
export function isSameLease(a: Lease | undefined, b: Lease | undefined): boolean {
  return a?.token === b?.token && a?.beat === b?.beat && a?.held === b?.held;
}
