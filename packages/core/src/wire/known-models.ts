import { nearestName, type Words } from "../internal/option-names.ts";
import { wordsIn } from "../internal/text.ts";

/** Known facts about a model: the client sends it nothing else, and the emulator accepts nothing else. */
export interface ModelFacts {
  /** Such as `gemini-2`, `gemini-3`, `gemini-4`, `gemma`. Thought signatures are valid within one family only. */
  readonly family: string;
  /** How thinking is requested. */
  readonly thinking: "level" | "budget" | "none";
  /** Supported levels, lower case; empty unless `thinking` is `level`. */
  readonly thinkingLevels: readonly string[];
  /** Level of a request that names none; absent if unknown. */
  readonly defaultLevel?: string | undefined;
  /** Smallest and largest budget in tokens, and whether 0 (off) is allowed; absent where the client sends no budget. */
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
  /** Office and OpenDocument files, such as .docx and .ods, as input and in function responses. */
  readonly officeInput: boolean;
  readonly imageOutput: boolean;
  readonly audioOutput: boolean;
  readonly streaming: boolean;
  /** Supports explicit caches. */
  readonly explicitCaches: boolean;
  /** Fewest prompt tokens for the service's implicit cache; absent if it has none, or if unknown. */
  readonly implicitCacheTokens?: number | undefined;
  /** Most prompt tokens. */
  readonly inputTokenLimit: number;
  /** Most tokens of an answer. */
  readonly outputTokenLimit: number;
  /** The model signs its parts and rejects a call that is sent back without its signature. */
  readonly signaturesRequired: boolean;
  /** The model that answers in place of this one, which is deprecated. */
  readonly routedTo?: string | undefined;
}

/** Media types of the files that `officeInput` stands for. */
export const OFFICE_TYPE: RegExp =
  /^application\/(?:msword|vnd\.ms-(?:excel|powerpoint)|vnd\.openxmlformats-officedocument\.(?:wordprocessingml\.document|spreadsheetml\.sheet|presentationml\.presentation)|vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation))$/;

const NOT_MINIMAL = ["low", "medium", "high"];
const ALL_LEVELS = { thinkingLevels: ["minimal", ...NOT_MINIMAL] };
const MINIMAL = { ...ALL_LEVELS, defaultLevel: "minimal" };
const HIGH = { defaultLevel: "high" };
const XHIGH = { ...HIGH, thinkingLevels: [...NOT_MINIMAL, "xhigh"] };
const NO_MIXING = { builtInsWithFunctions: false, outputWithFunctions: false };
const NO_THINKING = { thinking: "none", thinkingLevels: [], defaultLevel: undefined } as const;

const GEMINI_3: ModelFacts = {
  family: "gemini-3",
  thinking: "level",
  thinkingLevels: NOT_MINIMAL,
  defaultLevel: "medium",
  functions: true,
  builtInsWithFunctions: true,
  outputWithFunctions: true,
  jsonOutput: true,
  systemInstruction: true,
  mediaInFunctionResponses: true,
  officeInput: false,
  imageOutput: false,
  audioOutput: false,
  streaming: true,
  explicitCaches: true,
  implicitCacheTokens: 4096,
  signaturesRequired: true,
  inputTokenLimit: 1_048_576,
  outputTokenLimit: 65_536,
};
/** That only implicit caches work on Carbon and Neon is a guess. */
const GEMINI_4: ModelFacts = { ...GEMINI_3, family: "gemini-4", explicitCaches: false, implicitCacheTokens: 6144 };
const OLD = {
  family: "gemini-2",
  mediaInFunctionResponses: false,
  implicitCacheTokens: undefined,
  signaturesRequired: false,
};
const GEMINI_2_0: ModelFacts = { ...GEMINI_3, ...NO_THINKING, ...NO_MIXING, ...OLD, outputTokenLimit: 8_192 };
const BUDGETED = { implicitCacheTokens: 2048, outputTokenLimit: 65_536 };
const GEMINI_2_5: ModelFacts = { ...withBudget(GEMINI_2_0, 1, 24_576, true), ...BUDGETED };
const NO_TOOLS = { functions: false, jsonOutput: false, systemInstruction: false };
const OFF_OR_ON = { thinking: "level", defaultLevel: "minimal", thinkingLevels: ["minimal", "high"] } as const;
const GEMMA_4 = { family: "gemma", inputTokenLimit: 262_144, outputTokenLimit: 32_768 };
const GEMMA: ModelFacts = { ...GEMINI_2_0, ...OFF_OR_ON, ...GEMMA_4 };
/** Limits of image models, as observed. */
const DRAWS = { imageOutput: true, jsonOutput: false, signaturesRequired: false };
const IMAGE = { ...NO_MIXING, ...DRAWS, inputTokenLimit: 65_536, outputTokenLimit: 32_768 };
const OLD_IMAGE = { ...NO_THINKING, ...IMAGE, ...NO_TOOLS, thinkingBudget: undefined };
/** Speech and transcription: no tools, no JSON, no instructions. */
const SPEAKS = { family: "speech", audioOutput: true };
const SPEECH: ModelFacts = { ...GEMINI_2_0, ...NO_TOOLS, ...SPEAKS, inputTokenLimit: 8_192, outputTokenLimit: 16_384 };

/** By id, without a path, `-preview` and version. The first match wins, so exceptions come before their families. */
const MODELS: readonly (readonly [ids: RegExp, facts: ModelFacts])[] = [
  [/^gemini-3\.5-transcribe$/, { ...SPEECH, audioOutput: false }],
  [/^gemini-(?:2|3\.[18]).*-tts$/, SPEECH],

  [/^gemini-1(?!\d)/, { ...GEMINI_2_0, family: "gemini-1" }],
  [/^gemini-2\.5-.*image/, { ...GEMINI_2_5, ...OLD_IMAGE }],
  [/^gemini-2\.5-pro/, withBudget(GEMINI_2_5, 128, 32_768, false)],
  [/^gemini-2\.5-flash-lite/, withBudget(GEMINI_2_5, 512, 24_576, true)],
  // Its limits are not documented; these are valid for the models that it can be based on.
  [/^gemini-2\.5-computer-use/, withBudget(GEMINI_2_5, 128, 24_576, false)],
  [/^gemini-2\.5/, GEMINI_2_5],
  [/^gemini-2\.0-.*image/, { ...GEMINI_2_0, ...OLD_IMAGE }],
  [/^gemini-2(?!\d)/, GEMINI_2_0],

  [/^(?:gemini-3-pro-image|nano-banana-pro)$/, withBudget({ ...GEMINI_3, ...NO_THINKING, ...IMAGE }, 1, 32_768, false)],
  [/^gemini-nano-banana-2\.1$/, { ...GEMINI_3, ...NO_THINKING, ...IMAGE, functions: false, streaming: false }],
  [/^gemini-3\.1-flash(?:-lite)?-image$/, { ...GEMINI_3, ...IMAGE, ...MINIMAL }],
  // Their output is unknown.
  [/^gemini-omni-/, { ...GEMINI_3, ...NO_THINKING, ...NO_MIXING, imageOutput: true, audioOutput: true }],
  [/^gemini-robotics-er-(?:1\.6|2)$/, { ...GEMINI_3, ...NO_MIXING, ...MINIMAL }],
  [/^gemini-3-pro$/, { ...GEMINI_3, ...HIGH, thinkingLevels: ["low", "high"] }],
  [/^gemini-3-flash$/, { ...GEMINI_3, ...ALL_LEVELS, ...HIGH, implicitCacheTokens: 1024 }],
  [/^gemini-(?:3\.1-pro(?:-preview-customtools)?|pro-latest)$/, { ...GEMINI_3, ...HIGH }],
  [/^gemini-(?:3\.[15]-flash-lite|flash-lite-latest)$/, { ...GEMINI_3, ...MINIMAL }],
  [/^gemini-3\.5-flash$/, { ...GEMINI_3, ...ALL_LEVELS, routedTo: "gemini-3.6-flash" }],
  [/^gemini-3\.6-flash$/, { ...GEMINI_3, ...ALL_LEVELS }],
  [/^gemini-3\.7-flash$/, { ...GEMINI_3, routedTo: "gemini-3.8-flash" }],
  [/^gemini-(?:3\.8-flash|flash-latest)$/, GEMINI_3],

  [/^gemini-4-(?:argon|carbon)$/, GEMINI_4],
  [/^gemini-4-hydrogen$/, { ...GEMINI_4, ...XHIGH, implicitCacheTokens: 4096, officeInput: true }],
  [/^gemini-4-neon$/, { ...GEMINI_4, ...XHIGH }],
  [/^gemma-[123](?!\d)/, { ...GEMMA, ...NO_THINKING, ...NO_TOOLS, inputTokenLimit: 131_072 }],
  [/^gemma-4-/, GEMMA],
];

// Ids for completion in editors, and for suggestions when one is misspelled.
const GENERAL = "gemini-flash-latest gemini-flash-lite-latest gemini-pro-latest gemma-4-26b-a4b-it gemma-4-31b-it";
const NEWEST = "gemini-4-argon gemini-4-carbon gemini-4-hydrogen gemini-4-neon gemini-3.8-flash gemini-3.6-flash";
const OLDER = "gemini-3.5-flash-lite gemini-3.1-pro-preview gemini-3.1-flash-lite gemini-3-flash-preview";
const OTHERS =
  "gemini-nano-banana-2.1 gemini-3.1-flash-image gemini-3-pro-image gemini-3.8-flash-tts gemini-3.5-transcribe";

/** The id of a model: any text. Editors suggest the ids of current models. */
export type ModelId = Words<typeof GENERAL | typeof NEWEST | typeof OLDER | typeof OTHERS> | (string & {});

/** A suggestion for a misspelled id: ` (did you mean "gemini-3.8-flash"?)`; empty if the id resembles no known one, or is one itself. */
export function suggestModel(id: string): string {
  const name = id.slice(id.lastIndexOf("/") + 1);
  const nearest = nearestName(name, wordsIn(GENERAL, NEWEST, OLDER, OTHERS));
  return nearest === undefined || nearest === name ? "" : ` (did you mean "${nearest}"?)`;
}

/** Assumed facts about an unknown model: one of the newest generation, to which anything may be sent. */
const UNKNOWN_MODEL: ModelFacts = {
  ...GEMINI_4,
  thinkingLevels: [...MINIMAL.thinkingLevels, "xhigh"],
  defaultLevel: undefined,
  thinkingBudget: { min: 0, max: Infinity, zero: true },
  officeInput: true,
  imageOutput: true,
  audioOutput: true,
  explicitCaches: true,
  implicitCacheTokens: undefined,
};

/** Known facts about the model with this id, if any; a path, `-preview` and the version at the end are ignored. */
export function findKnownModel(id: string): ModelFacts | undefined {
  const name = id.slice(id.lastIndexOf("/") + 1).toLowerCase();
  const base = name.replace(/(?:-preview)?(?:-\d+)*$/, "");
  return MODELS.find(([ids]) => ids.test(base) || ids.test(name))?.[1];
}

/** Capabilities of a model. */
export type ModelCapabilities = ModelFacts;

/** Infers a model's capabilities from its ID. An unknown model gets those of the newest generation, and none of your settings are rejected. */
export function inferCapabilities(modelId: string): ModelCapabilities {
  const known = findKnownModel(modelId);
  if (known !== undefined) return known;
  if (/-(?:tts|transcribe)/.test(modelId))
    return { ...UNKNOWN_MODEL, family: "speech", systemInstruction: false, audioOutput: /-tts/.test(modelId) };
  const generation = /(?:^|\/)gemini-(\d+)[^/]*$/i.exec(modelId)?.[1];
  return generation === undefined ? UNKNOWN_MODEL : { ...UNKNOWN_MODEL, family: `gemini-${generation}` };
}

/** True for families before Gemini 3, Gemma and speech: they check signatures and pairing less strictly than newer families. */
export function isOlderFamily(family: string): boolean {
  return /^(?:gemini-[12]$|gemma|speech)/.test(family);
}

function withBudget(facts: ModelFacts, min: number, max: number, zero: boolean): ModelFacts {
  return { ...facts, thinking: "budget", thinkingBudget: { min, max, zero } };
}
