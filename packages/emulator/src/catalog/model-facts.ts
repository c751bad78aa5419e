/** How far a model is from being the one to use. `closed`: existing users only; `shut`: gone. */
export type ModelState = "current" | "preview" | "deprecated" | "closed" | "shut";

/** How thinking is asked for. */
export interface ThinkingFacts {
  readonly kind: "level" | "budget" | "none";
  /** Levels taken, upper case; empty unless `kind` is `level`. */
  readonly levels: readonly string[];
  readonly defaultLevel?: string | undefined;
  /** Tokens; `zero` says whether 0 (off) is taken, -1 always lets the model decide. Absent: budgets are refused. */
  readonly budget?: { readonly min: number; readonly max: number; readonly zero: boolean } | undefined;
}

/** What one model can do, and what it refuses. */
export interface ModelFacts {
  /** Resolved id, the `modelVersion` of answers. */
  readonly id: string;
  /** Signatures are exchanged within one family only. */
  readonly family: "gemini-1" | "gemini-2" | "gemini-3" | "gemini-4" | "gemma" | "speech" | "embedding";
  /** Generation as a number, such as 2.5 or 3.8. */
  readonly generation: number;
  readonly state: ModelState;
  /** False for models of the embedding method only. */
  readonly generates: boolean;
  readonly functions: boolean;
  /** Whether search, URL context and code execution work at all. */
  readonly builtIns: boolean;
  readonly builtInsWithFunctions: boolean;
  readonly thinking: ThinkingFacts;
  /** A JSON answer and functions in one request. */
  readonly outputWithFunctions: boolean;
  readonly jsonOutput: boolean;
  readonly systemInstruction: boolean;
  /** Histories of more than one user turn. */
  readonly multiturn: boolean;
  /** `mediaResolution` may be set. */
  readonly mediaResolution: boolean;
  readonly imageOutput: boolean;
  readonly imageInput: boolean;
  readonly audioInput: boolean;
  readonly streaming: boolean;
  readonly signaturesIssued: boolean;
  /** A call sent back in the current turn without its signature is refused. */
  readonly signaturesRequired: boolean;
  /** The server names its calls. */
  readonly callIds: boolean;
  /** A history that ends in a model turn is continued rather than refused. */
  readonly prefill: boolean;
  /** Other parts after a function response in one content are taken on the Developer API. */
  readonly mixedResponses: boolean;
  /** Responses must carry the id and name of their call. */
  readonly strictMatching: boolean;
  /** Media inside function responses. */
  readonly mediaInFunctionResponses: boolean;
  /** Long answers come in hops with a continuation token. */
  readonly longDecode: boolean;
  /** False where no cached contents can be made. Default: true. */
  readonly explicitCaching?: false | undefined;
  /** Tokens; the most that a unary request without a continuation token may ask for. Absent: `outputTokenLimit`. */
  readonly unaryTokenLimit?: number | undefined;
  readonly maxCandidates: number;
  /** Tokens. */
  readonly inputTokenLimit: number;
  /** Tokens. */
  readonly outputTokenLimit: number;
}
