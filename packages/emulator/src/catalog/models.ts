import { EMBEDDING, GEMINI_1_5, GEMINI_2_0, GEMINI_2_5, GEMINI_3, GEMINI_4, GEMMA_4, SPEECH } from "./families.ts";
import type { ModelFacts, ThinkingFacts } from "./model-facts.ts";

export type { ModelFacts } from "./model-facts.ts";

const level = (levels: string, defaultLevel: string, zero = true): ThinkingFacts => ({
  kind: "level",
  levels: levels.split(" "),
  defaultLevel,
  budget: { min: 1, max: 65_535, zero },
});
const levelOnly = (levels: string, defaultLevel: string): ThinkingFacts => ({
  kind: "level",
  levels: levels.split(" "),
  defaultLevel,
});
const budget = (min: number, max: number, zero: boolean): ThinkingFacts => ({
  kind: "budget",
  levels: [],
  budget: { min, max, zero },
});

const ALL_LEVELS = "MINIMAL LOW MEDIUM HIGH";
const NOT_MINIMAL = "LOW MEDIUM HIGH";
const NO_PREFILL = { prefill: false, mixedResponses: false };
const IMAGE = {
  imageOutput: true,
  functions: false,
  builtInsWithFunctions: false,
  outputWithFunctions: false,
  outputWithBuiltIns: false,
  jsonOutput: false,
  maxCandidates: 1,
  inputTokenLimit: 65_536,
  outputTokenLimit: 32_768,
} as const;
const IMAGE_2_5: ModelFacts = {
  ...GEMINI_2_5,
  ...IMAGE,
  id: "gemini-2.5-flash-image",
  state: "shut",
  thinking: { kind: "none", levels: [] },
};
const FLASH_3_8: ModelFacts = {
  ...GEMINI_3,
  ...NO_PREFILL,
  id: "gemini-3.8-flash",
  generation: 3.8,
  strictMatching: true,
  thinking: level(NOT_MINIMAL, "MEDIUM"),
};
const ARGON: ModelFacts = {
  ...GEMINI_4,
  id: "gemini-4-argon",
  thinking: levelOnly(NOT_MINIMAL, "MEDIUM"),
  explicitCaching: false,
};

/** Every model this emulator serves, oldest first. */
export const MODELS: readonly ModelFacts[] = [
  { ...GEMINI_1_5, id: "gemini-1.5-flash" },
  { ...GEMINI_1_5, id: "gemini-1.5-pro" },
  { ...GEMINI_2_0, id: "gemini-2.0-flash" },
  { ...GEMINI_2_0, id: "gemini-2.0-flash-lite" },
  { ...GEMINI_2_0, id: "gemini-2.0-flash-thinking-exp", thinking: budget(0, 24_576, true) },
  { ...GEMINI_2_0, ...IMAGE, id: "gemini-2.0-flash-preview-image-generation" },
  { ...GEMINI_2_5, id: "gemini-2.5-pro", state: "shut", thinking: budget(128, 32_768, false) },
  { ...GEMINI_2_5, id: "gemini-2.5-flash", state: "closed", thinking: budget(0, 24_576, true) },
  { ...GEMINI_2_5, id: "gemini-2.5-flash-lite", thinking: budget(512, 24_576, true) },
  IMAGE_2_5,
  {
    ...GEMINI_2_5,
    id: "gemini-2.5-computer-use-preview-10-2025",
    state: "preview",
    thinking: budget(128, 32_768, true),
  },
  { ...GEMINI_3, id: "gemini-3-pro-preview", state: "deprecated", thinking: level("LOW HIGH", "HIGH") },
  { ...GEMINI_3, id: "gemini-3-flash-preview", state: "preview", thinking: level(ALL_LEVELS, "HIGH") },
  {
    ...GEMINI_3,
    ...IMAGE,
    id: "gemini-3-pro-image",
    functions: true,
    signaturesRequired: false,
    thinking: budget(1, 32_768, false),
  },
  {
    ...GEMINI_3,
    id: "gemini-3.1-pro-preview",
    generation: 3.1,
    state: "preview",
    thinking: level(NOT_MINIMAL, "HIGH", false),
  },
  {
    ...GEMINI_3,
    id: "gemini-3.1-pro-preview-customtools",
    generation: 3.1,
    state: "preview",
    thinking: level(NOT_MINIMAL, "HIGH", false),
  },
  { ...GEMINI_3, id: "gemini-3.1-flash-lite", generation: 3.1, thinking: level(ALL_LEVELS, "MINIMAL") },
  {
    ...GEMINI_3,
    ...IMAGE,
    id: "gemini-3.1-flash-image",
    functions: true,
    generation: 3.1,
    signaturesRequired: false,
    thinking: level(ALL_LEVELS, "MINIMAL"),
  },
  {
    ...GEMINI_3,
    ...IMAGE,
    id: "gemini-3.1-flash-lite-image",
    functions: true,
    generation: 3.1,
    signaturesRequired: false,
    thinking: level(ALL_LEVELS, "MINIMAL"),
  },
  { ...SPEECH, id: "gemini-2.5-flash-preview-tts", generation: 2.5, state: "preview" },
  { ...SPEECH, id: "gemini-3.1-flash-tts-preview", generation: 3.1, state: "preview" },
  { ...SPEECH, id: "gemini-3.8-flash-tts", generation: 3.8 },
  { ...SPEECH, id: "gemini-3.8-flash-lite-tts", generation: 3.8 },
  { ...SPEECH, id: "gemini-3.5-transcribe", generation: 3.5, audioInput: true },
  {
    ...GEMINI_3,
    id: "gemini-3.5-flash",
    generation: 3.5,
    state: "deprecated",
    strictMatching: true,
    thinking: level(ALL_LEVELS, "MEDIUM"),
  },
  {
    ...GEMINI_3,
    ...NO_PREFILL,
    id: "gemini-3.5-flash-lite",
    generation: 3.5,
    strictMatching: true,
    thinking: level(ALL_LEVELS, "MINIMAL"),
  },
  {
    ...GEMINI_3,
    ...NO_PREFILL,
    id: "gemini-3.6-flash",
    generation: 3.6,
    strictMatching: true,
    thinking: level(ALL_LEVELS, "MEDIUM", false),
  },
  {
    ...GEMINI_3,
    ...NO_PREFILL,
    id: "gemini-3.7-flash",
    generation: 3.7,
    state: "deprecated",
    strictMatching: true,
    thinking: level(NOT_MINIMAL, "MEDIUM"),
  },
  FLASH_3_8,
  {
    ...GEMINI_3,
    id: "gemini-robotics-er-1.6-preview",
    state: "preview",
    builtInsWithFunctions: false,
    thinking: level(ALL_LEVELS, "MINIMAL"),
  },
  {
    ...GEMINI_3,
    id: "gemini-robotics-er-2-preview",
    state: "preview",
    builtInsWithFunctions: false,
    thinking: level(ALL_LEVELS, "MINIMAL"),
  },
  {
    ...GEMINI_3,
    ...NO_PREFILL,
    ...IMAGE,
    id: "gemini-nano-banana-2.1",
    generation: 3.8,
    streaming: false,
    signaturesRequired: false,
    thinking: { kind: "none", levels: [] },
  },
  ARGON,
  { ...GEMINI_4, id: "gemini-4-carbon", thinking: levelOnly(NOT_MINIMAL, "MEDIUM") },
  {
    ...GEMINI_4,
    id: "gemini-4-hydrogen",
    unaryTokenLimit: 65_536,
    thinking: levelOnly(`${NOT_MINIMAL} XHIGH`, "HIGH"),
  },
  { ...GEMMA_4, id: "gemma-4-26b-a4b-it" },
  { ...GEMMA_4, id: "gemma-4-31b-it" },
  { ...EMBEDDING, id: "gemini-embedding-001", inputTokenLimit: 2_048 },
  { ...EMBEDDING, id: "gemini-embedding-2" },
];

/** Other ids of the same models: the service's aliases, and the dated previews that preceded them. */
export const ALIASES: Readonly<Record<string, string>> = {
  "gemini-flash-latest": "gemini-3.8-flash",
  "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
  "gemini-pro-latest": "gemini-3.1-pro-preview",
  "gemini-1.5-flash-latest": "gemini-1.5-flash",
  "gemini-1.5-flash-001": "gemini-1.5-flash",
  "gemini-1.5-flash-002": "gemini-1.5-flash",
  "gemini-1.5-pro-002": "gemini-1.5-pro",
  "gemini-2.0-flash-001": "gemini-2.0-flash",
  "gemini-2.0-flash-exp": "gemini-2.0-flash",
  "gemini-2.0-flash-exp-image-generation": "gemini-2.0-flash-preview-image-generation",
  "gemini-2.0-flash-lite-001": "gemini-2.0-flash-lite",
  "gemini-2.0-flash-thinking-exp-1219": "gemini-2.0-flash-thinking-exp",
  "gemini-2.0-flash-thinking-exp-01-21": "gemini-2.0-flash-thinking-exp",
  "gemini-2.5-flash-preview-05-20": "gemini-2.5-flash",
  "gemini-2.5-flash-lite-preview-06-17": "gemini-2.5-flash-lite",
  "gemini-2.5-pro-preview-05-06": "gemini-2.5-pro",
  "gemini-2.5-flash-image-preview": "gemini-2.5-flash-image",
  "gemini-3-pro-image-preview": "gemini-3-pro-image",
  "nano-banana-pro-preview": "gemini-3-pro-image",
  "gemini-3.1-flash-image-preview": "gemini-3.1-flash-image",
};

/** The model used for operations that name none. */
export const NEWEST_FLASH: ModelFacts = FLASH_3_8;

/** Facts of the model with this id or alias; undefined if it is not in the catalog. */
export function findModel(id: string): ModelFacts | undefined {
  const resolved = Object.hasOwn(ALIASES, id) ? ALIASES[id] : id;
  return MODELS.find((model) => model.id === resolved);
}
