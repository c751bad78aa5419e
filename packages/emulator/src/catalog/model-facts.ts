import type { ModelFacts as SharedFacts } from "@pollux/core/wire";

/** Release stage of a model. `closed`: existing users only; `shut`: gone. */
export type ModelState = "current" | "preview" | "deprecated" | "closed" | "shut";

/** How thinking is configured. */
export interface ThinkingFacts {
  readonly kind: "level" | "budget" | "none";
  /** Accepted levels, in upper case; empty unless `kind` is `level`. */
  readonly levels: readonly string[];
  readonly defaultLevel?: string | undefined;
  /** Tokens; `zero` says whether 0 (off) is accepted; -1 always lets the model decide. Absent: budgets are rejected. */
  readonly budget?: { readonly min: number; readonly max: number; readonly zero: boolean } | undefined;
}

/** What a model supports and what it rejects: the client's facts about it, and facts that only the service needs. */
export interface ModelFacts extends Omit<
  SharedFacts,
  "thinking" | "thinkingLevels" | "thinkingBudget" | "defaultLevel"
> {
  /** Resolved id. */
  readonly id: string;
  /** Generation as a number, such as 2.5 or 3.8. */
  readonly generation: number;
  readonly state: ModelState;
  readonly thinking: ThinkingFacts;
  /** False for models that support only the embedding method. */
  readonly generates: boolean;
  /** Whether search, URL context and code execution work at all. */
  readonly builtIns: boolean;
  /** JSON output and built-in tools in one request. */
  readonly outputWithBuiltIns: boolean;
  /** Histories with more than one user turn. */
  readonly multiturn: boolean;
  /** `mediaResolution` may be set. */
  readonly mediaResolution: boolean;
  readonly imageInput: boolean;
  readonly audioInput: boolean;
  readonly signaturesIssued: boolean;
  /** Whether calls have ids. */
  readonly callIds: boolean;
  /** A history that ends in a model turn is continued instead of rejected. */
  readonly prefill: boolean;
  /** Text may follow calls instead of their responses. */
  readonly unansweredCalls: boolean;
  /** On the Developer API, other parts may follow a function response in the same content. */
  readonly mixedResponses: boolean;
  /** Responses must carry the id and name of their call. */
  readonly strictMatching: boolean;
  /** Long answers come in hops, each with a continuation token. */
  readonly longDecode: boolean;
  /** The most tokens that a unary request without a continuation token may ask for. Absent: `outputTokenLimit`. */
  readonly unaryTokenLimit?: number | undefined;
  readonly maxCandidates: number;
}
