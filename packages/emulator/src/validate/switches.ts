/** State of a file named by `fileData.fileUri`. */
export type FileState = "active" | "processing" | "forbidden" | "robots";

/**
 * Behavior of the service that isn't publicly known, or that differs between accounts. Every switch defaults to what is safest for
 * a client under test.
 */
export interface StrictSwitches {
  /**
   * False accepts everything that is rejected only on a guess (certainty "guess" in the README's table) or without public evidence
   * ("unsure" there): E-19b, E-32, E-32b, E-32c, E-39, E-40b, E-47, E-48c, E-52, E-55, E-75 and stale continuation tokens.
   * Individual switches take precedence. @defaultValue `true`
   */
  readonly guesses?: boolean | undefined;
  /** E-70: ids to serve although they are not in the catalog; `"gemini"` accepts every `gemini-N...` id. @defaultValue `[]` */
  readonly extraModels?: readonly string[] | "gemini" | undefined;
  /** E-71 and E-70: whether models closed to new users or shut down are served or rejected. @defaultValue `"serve"` */
  readonly retiredModels?: "serve" | "refuse" | undefined;
  /** false rejects everything with the message for unsupported regions. @defaultValue `true` */
  readonly regionSupported?: boolean | undefined;
  /**
   * E-05, E-06, E-18, E-21 and E-35: `"seen"` makes the exceptions that recordings show, with the models and on the surface
   * recorded; `"accept"` makes them everywhere, `"refuse"` nowhere. @defaultValue `"seen"`
   */
  readonly exceptions?: "seen" | "accept" | "refuse" | undefined;
  /** E-01: `v1` as it was before 2026, without tools, system instruction and JSON output. @defaultValue `false` */
  readonly oldV1?: boolean | undefined;
  /** E-39: the upstream of the gateway profile. @defaultValue `"vertex"` */
  readonly cometUpstream?: "vertex" | "developer" | undefined;
  /**
   * E-14: other parts after a function response in one content. `"model"` behaves as observed for each model (rejected on Vertex
   * from Gemini 3 on, on the Developer API from 3.6 on); `"refuse"` rejects them from Gemini 3 on. @defaultValue `"model"`
   */
  readonly mixedResponses?: "model" | "refuse" | "accept" | undefined;
  /**
   * E-15: responses whose id or name doesn't match, from 3.5 on. `"given"` rejects wrong ones; a response without an id, as some
   * SDKs send, answers the first open call of its name. `"refuse"` also rejects those. Where that would be a 400, `"empty"` answers
   * with an empty candidate. @defaultValue `"given"`
   */
  readonly responseMatching?: "given" | "refuse" | "empty" | "accept" | undefined;
  /**
   * E-55: signatures on a part other than the one they were issued for. `"calls"` tolerates them on text parts, like the service.
   * @defaultValue `"calls"`
   */
  readonly movedSignatures?: "refuse" | "calls" | "accept" | undefined;
  /** E-31: longest function name. The documentation says 128, every observed message 64. @defaultValue `64` */
  readonly maxFunctionNameLength?: number | undefined;
  /** E-30: with mode ANY, most enum members in all declarations together. @defaultValue `1_000` */
  readonly maxForcedEnumMembers?: number | undefined;
  /** E-28: largest constraint a schema may compile to, in this emulator's own rough measure. @defaultValue `50_000` */
  readonly maxSchemaStates?: number | undefined;
  /** E-29: deepest nesting of a schema. @defaultValue `32` */
  readonly maxSchemaDepth?: number | undefined;
  /**
   * E-48c, E-48d: false accepts temperature and topP outside their ranges. `"seen"`, which `guesses: false` sets, rejects them only
   * where the service has been seen to do so, on Vertex. @defaultValue `true`
   */
  readonly samplingRanges?: boolean | "seen" | undefined;
  /** E-70: explicit caches on Gemini 4 Carbon and Neon; that they have none is a guess. @defaultValue `"refuse"` */
  readonly explicitCaches?: "refuse" | "accept" | undefined;
  /** E-40b: false accepts pointless or undeclared `allowedFunctionNames`. @defaultValue `true` */
  readonly allowedNames?: boolean | undefined;
  /** E-47: false accepts a response schema without its MIME type. @defaultValue `true` */
  readonly schemaNeedsMimeType?: boolean | undefined;
  /** E-72, E-74, E-79: state of a file. @defaultValue every file is active */
  readonly fileState?: ((fileUri: string) => FileState) | undefined;
  /** E-75: whether the bytes of inline images must start like an image of their type. @defaultValue `false` */
  readonly decodeImages?: boolean | undefined;
  /** D-1: whether `/v1/decisions` exists beside `/v1beta/decisions`; otherwise its address is unknown. @defaultValue `false` */
  readonly decisionsInV1?: boolean | undefined;
  /** D-1: whether the description of an option may be `null`, as the AI SDK sends it. @defaultValue `true` */
  readonly decisionNullDescriptions?: boolean | undefined;
  /** D-1: error codes, `"numbers"` as in all other endpoints or `"words"` as in the Interactions API. @defaultValue `"numbers"` */
  readonly decisionErrors?: "numbers" | "words" | undefined;
  /** D-1: whether a blocked input is answered with `prompt_feedback`, or refused with a 400. @defaultValue `"answer"` */
  readonly blockedDecisions?: "answer" | "refuse" | undefined;
  /** E-78: bytes of the largest body, also of one request of an upload. Larger ones are not kept in memory. @defaultValue `104_857_600` (100 MB) */
  readonly maxBodyBytes?: number | undefined;
}

/** The switches with every default filled in. */
export type ResolvedSwitches = { readonly [Key in keyof StrictSwitches]-?: NonNullable<StrictSwitches[Key]> };

const DEFAULTS: ResolvedSwitches = {
  guesses: true,
  extraModels: [],
  retiredModels: "serve",
  regionSupported: true,
  exceptions: "seen",
  oldV1: false,
  cometUpstream: "vertex",
  mixedResponses: "model",
  responseMatching: "given",
  movedSignatures: "calls",
  maxFunctionNameLength: 64,
  maxForcedEnumMembers: 1_000,
  maxSchemaStates: 50_000,
  maxSchemaDepth: 32,
  samplingRanges: true,
  explicitCaches: "refuse",
  allowedNames: true,
  schemaNeedsMimeType: true,
  fileState: () => "active",
  decodeImages: false,
  decisionsInV1: false,
  decisionNullDescriptions: true,
  decisionErrors: "numbers",
  blockedDecisions: "answer",
  maxBodyBytes: 104_857_600,
};

/** The effect of `guesses: false` on guessed rules that have their own switch. */
const WITHOUT_GUESSES = {
  samplingRanges: "seen",
  explicitCaches: "accept",
  allowedNames: false,
  schemaNeedsMimeType: false,
  movedSignatures: "accept",
} as const satisfies Partial<ResolvedSwitches>;

/** Fills in the defaults; a switch set to `undefined` counts as not set. */
export function resolveSwitches(switches: StrictSwitches = {}): ResolvedSwitches {
  const set = Object.entries(switches).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...(switches.guesses === false && WITHOUT_GUESSES), ...Object.fromEntries(set) };
}
