/** Where a file named by `fileData.fileUri` stands. */
export type FileState = "active" | "processing" | "forbidden" | "robots";

/**
 * Behaviour that nobody outside can know, or that the service changes from account to account. Every switch has the
 * default that is safest for a client under test.
 */
export interface StrictSwitches {
  /**
   * False lets everything pass that is refused by a guess only (certainty "guess" in the README's table): E-19b, E-32b, E-32c,
   * E-39, E-40b, E-47, E-48c, E-55 and stale continuation tokens. A switch set beside it wins. @defaultValue `true`
   */
  readonly guesses?: boolean | undefined;
  /** E-70: ids served though the catalog lacks them; `"gemini"` lets every `gemini-N...` id through. @defaultValue `[]` */
  readonly extraModels?: readonly string[] | "gemini" | undefined;
  /** E-71 and E-70: what models do that are closed to new users or shut down. @defaultValue `"serve"` */
  readonly retiredModels?: "serve" | "refuse" | undefined;
  /** false refuses everything with the text for unsupported regions. @defaultValue `true` */
  readonly regionSupported?: boolean | undefined;
  /** E-01: `v1` as it was before 2026, without tools, system instruction and JSON output. @defaultValue `false` */
  readonly oldV1?: boolean | undefined;
  /** E-39: which upstream the gateway profile forwards to. @defaultValue `"vertex"` */
  readonly cometUpstream?: "vertex" | "developer" | undefined;
  /**
   * E-14: other parts after a function response in one content. `"model"` follows what was seen of each model (refused on
   * Vertex from Gemini 3 on, on the Developer API from 3.6 on); `"refuse"` refuses from Gemini 3 on. @defaultValue `"model"`
   */
  readonly mixedResponses?: "model" | "refuse" | "accept" | undefined;
  /**
   * E-15: responses whose id or name does not match, from 3.5 on. `"refuse"` is a 400, `"empty"` lets the request through
   * with `mismatched: true` so that the responder answers with an empty candidate. @defaultValue `"refuse"`
   */
  readonly responseMatching?: "refuse" | "empty" | "accept" | undefined;
  /**
   * E-55: signatures on another part than the one they were issued for. `"calls"` tolerates them on text parts, like the
   * service. @defaultValue `"calls"`
   */
  readonly movedSignatures?: "refuse" | "calls" | "accept" | undefined;
  /** E-31: longest function name. The documentation says 128, every observed message 64. @defaultValue `64` */
  readonly maxFunctionNameLength?: number | undefined;
  /** E-30: with mode ANY, how many enum members all declarations may have together. @defaultValue `1_000` */
  readonly maxForcedEnumMembers?: number | undefined;
  /** E-28: size of the constraint a schema compiles to, in this emulator's own rough measure. @defaultValue `50_000` */
  readonly maxSchemaStates?: number | undefined;
  /** E-29: deepest nesting of a schema. @defaultValue `32` */
  readonly maxSchemaDepth?: number | undefined;
  /** E-48c: false lets temperature and topP pass outside their ranges. @defaultValue `true` */
  readonly samplingRanges?: boolean | undefined;
  /** E-40b: false lets pointless or undeclared `allowedFunctionNames` pass. @defaultValue `true` */
  readonly allowedNames?: boolean | undefined;
  /** E-47: false lets a response schema pass without its MIME type. @defaultValue `true` */
  readonly schemaNeedsMimeType?: boolean | undefined;
  /** E-72, E-74, E-79: state of a file. @defaultValue every file is active */
  readonly fileState?: ((fileUri: string) => FileState) | undefined;
  /** E-75: whether inline images must start like an image of their type. @defaultValue `false` */
  readonly decodeImages?: boolean | undefined;
  /** E-78: bytes of the largest body. @defaultValue `104_857_600` (100 MB) */
  readonly maxBodyBytes?: number | undefined;
}

/** The switches with every default filled in. */
export type ResolvedSwitches = { readonly [Key in keyof StrictSwitches]-?: NonNullable<StrictSwitches[Key]> };

const DEFAULTS: ResolvedSwitches = {
  guesses: true,
  extraModels: [],
  retiredModels: "serve",
  regionSupported: true,
  oldV1: false,
  cometUpstream: "vertex",
  mixedResponses: "model",
  responseMatching: "refuse",
  movedSignatures: "calls",
  maxFunctionNameLength: 64,
  maxForcedEnumMembers: 1_000,
  maxSchemaStates: 50_000,
  maxSchemaDepth: 32,
  samplingRanges: true,
  allowedNames: true,
  schemaNeedsMimeType: true,
  fileState: () => "active",
  decodeImages: false,
  maxBodyBytes: 104_857_600,
};

/** What `guesses: false` means for the guessed rules that have a switch of their own. */
const WITHOUT_GUESSES = {
  samplingRanges: false,
  allowedNames: false,
  schemaNeedsMimeType: false,
  movedSignatures: "accept",
} as const satisfies Partial<ResolvedSwitches>;

/** Fills in the defaults; a switch set to `undefined` counts as not set. */
export function resolveSwitches(switches: StrictSwitches = {}): ResolvedSwitches {
  const set = Object.entries(switches).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...(switches.guesses === false && WITHOUT_GUESSES), ...Object.fromEntries(set) };
}
