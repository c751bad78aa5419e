/** Capabilities of a model. */
export interface ModelCapabilities {
  /** Such as `gemini-2`, `gemini-3`, `gemini-4`, `gemma`. Thought signatures are valid within one family only. */
  readonly family: string;
  /** How thinking is requested. */
  readonly thinking: "level" | "budget" | "none";
  /** Supported levels, lower case; empty unless `thinking` is `level`. */
  readonly thinkingLevels: readonly string[];
  /** Smallest and largest budget in tokens, and whether 0 (off) is allowed; absent unless `thinking` is `budget`. */
  readonly thinkingBudget?: { readonly min: number; readonly max: number; readonly zero: boolean } | undefined;
  readonly functions: boolean;
  /** Built-in tools and functions in one request. */
  readonly builtInsWithFunctions: boolean;
  /** A JSON schema for the answer and functions in one request. */
  readonly outputWithFunctions: boolean;
  readonly jsonOutput: boolean;
  readonly systemInstruction: boolean;
  /** Media inside function responses (`functionResponse.parts`). */
  readonly mediaInFunctionResponses: boolean;
  readonly imageOutput: boolean;
  readonly streaming: boolean;
  /** Supports explicit caches. */
  readonly explicitCaches: boolean;
  /** Most prompt tokens. */
  readonly inputTokenLimit: number;
  /** The model signs its parts and rejects a call that is sent back without its signature. */
  readonly signaturesRequired: boolean;
}

const BUDGET_2_5 = { min: 1, max: 24_576, zero: true };
const NOT_MINIMAL = ["low", "medium", "high"];
const ALL_LEVELS = ["minimal", ...NOT_MINIMAL];

const GEMINI_3: ModelCapabilities = {
  family: "gemini-3",
  thinking: "level",
  thinkingLevels: NOT_MINIMAL,
  functions: true,
  builtInsWithFunctions: true,
  outputWithFunctions: true,
  jsonOutput: true,
  systemInstruction: true,
  mediaInFunctionResponses: true,
  imageOutput: false,
  streaming: true,
  explicitCaches: true,
  inputTokenLimit: 1_048_576,
  signaturesRequired: true,
};
const GEMINI_4: ModelCapabilities = { ...GEMINI_3, family: "gemini-4" };
const GEMINI_2_5: ModelCapabilities = {
  ...GEMINI_3,
  family: "gemini-2",
  thinking: "budget",
  thinkingLevels: [],
  thinkingBudget: BUDGET_2_5,
  builtInsWithFunctions: false,
  outputWithFunctions: false,
  mediaInFunctionResponses: false,
  signaturesRequired: false,
};

const NO_THINKING = { thinking: "none", thinkingLevels: [], thinkingBudget: undefined } as const;
const GEMINI_2_0: ModelCapabilities = { ...GEMINI_2_5, ...NO_THINKING };
const GEMMA: ModelCapabilities = {
  ...GEMINI_2_0,
  family: "gemma",
  inputTokenLimit: 131_072,
  thinking: "level",
  thinkingLevels: ["minimal", "high"],
};
/** Limits of image models, as observed. */
const IMAGE = {
  imageOutput: true,
  inputTokenLimit: 65_536,
  builtInsWithFunctions: false,
  outputWithFunctions: false,
  jsonOutput: false,
  signaturesRequired: false,
} as const;
/** Speech and transcription: no tools, no JSON, no instructions. */
const SPEECH: ModelCapabilities = {
  ...GEMINI_2_0,
  family: "speech",
  functions: false,
  jsonOutput: false,
  systemInstruction: false,
};

/** The first match wins, so exceptions come before their families. */
const FAMILIES: readonly (readonly [pattern: RegExp, capabilities: ModelCapabilities])[] = [
  [/-tts|-transcribe/, SPEECH],

  [/^gemini-1(?!\d)/, { ...GEMINI_2_0, family: "gemini-1" }],
  [/^gemini-2\.5-.*image/, { ...GEMINI_2_0, ...IMAGE, functions: false, systemInstruction: false }],
  [/^gemini-2\.5-pro/, { ...GEMINI_2_5, thinkingBudget: { min: 128, max: 32_768, zero: false } }],
  [/^gemini-2\.5-flash-lite/, { ...GEMINI_2_5, thinkingBudget: { min: 512, max: 24_576, zero: true } }],
  // Its limits are not documented; these are valid for the models that it can be based on.
  [/^gemini-2\.5-computer-use/, { ...GEMINI_2_5, thinkingBudget: { min: 128, max: 24_576, zero: false } }],
  [/^gemini-2\.5/, GEMINI_2_5],
  [/^gemini-2(?!\d)/, GEMINI_2_0],

  [
    /^gemini-3-pro-image|^nano-banana-pro/,
    {
      ...GEMINI_3,
      ...IMAGE,
      thinking: "budget",
      thinkingLevels: [],
      thinkingBudget: { min: 1, max: 32_768, zero: false },
    },
  ],
  [/nano-banana/, { ...GEMINI_3, ...IMAGE, ...NO_THINKING, functions: false, streaming: false }],
  [/^gemini-3(?!\d).*-image/, { ...GEMINI_3, ...IMAGE, thinkingLevels: ALL_LEVELS }],
  [/^gemini-omni/, { ...GEMINI_3, ...NO_THINKING, builtInsWithFunctions: false, outputWithFunctions: false }],
  [
    /^gemini-robotics/,
    { ...GEMINI_3, builtInsWithFunctions: false, outputWithFunctions: false, thinkingLevels: ALL_LEVELS },
  ],
  [/^gemini-3-pro/, { ...GEMINI_3, thinkingLevels: ["low", "high"] }],
  [/^gemini-(?:3-flash|3\.[156]-flash|flash-lite-latest)/, { ...GEMINI_3, thinkingLevels: ALL_LEVELS }],
  [/^gemini-(?:3(?!\d)|flash-latest|pro-latest)/, GEMINI_3],

  [/^gemini-4-argon/, { ...GEMINI_4, explicitCaches: false }],
  [/^gemini-4-hydrogen/, { ...GEMINI_4, thinkingLevels: [...NOT_MINIMAL, "xhigh"] }],
  [/^gemma-[123](?!\d)/, { ...GEMMA, ...NO_THINKING, functions: false, systemInstruction: false, jsonOutput: false }],
  [/^gemma/, GEMMA],
];

/**
 * Infers a model's capabilities from its ID. A resource prefix such as `models/` is ignored.
 *
 * An unknown ID (a new model, a tuned model, a gateway's own name) gets the capabilities of the newest generation.
 *
 * @see https://ai.google.dev/gemini-api/docs/models
 */
export function inferCapabilities(modelId: string): ModelCapabilities {
  const name = modelId.slice(modelId.lastIndexOf("/") + 1).toLowerCase();
  const known = FAMILIES.find(([pattern]) => pattern.test(name));
  if (known !== undefined) return known[1];
  const generation = /^gemini-(\d+)/.exec(name)?.[1];
  return generation === undefined ? GEMINI_4 : { ...GEMINI_4, family: `gemini-${generation}` };
}

/** True for families before Gemini 3, Gemma and speech: they check signatures and pairing less strictly than newer ones. */
export function isOlderFamily(family: string): boolean {
  return /^(?:gemini-[12]$|gemma|speech)/.test(family);
}
