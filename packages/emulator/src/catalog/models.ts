import { findKnownModel, type ModelFacts as SharedFacts } from "@pollux/core/wire";
import type { ModelFacts, ThinkingFacts } from "./model-facts.ts";

export type { ModelFacts } from "./model-facts.ts";

/** Facts about a model that only the service needs. */
type OwnFacts = Omit<ModelFacts, keyof SharedFacts | "id" | "generation"> & Partial<ModelFacts>;

const GEMINI_3: OwnFacts = {
  state: "current",
  generates: true,
  builtIns: true,
  outputWithBuiltIns: true,
  multiturn: true,
  mediaResolution: true,
  imageInput: true,
  audioInput: true,
  signaturesIssued: true,
  callIds: true,
  prefill: true,
  unansweredCalls: false,
  mixedResponses: true,
  strictMatching: false,
  longDecode: false,
  maxCandidates: 1,
};
const FLASH_3_5: OwnFacts = { ...GEMINI_3, strictMatching: true };
const FLASH_3_6: OwnFacts = { ...FLASH_3_5, prefill: false, mixedResponses: false };
const GEMINI_4: OwnFacts = { ...FLASH_3_6, longDecode: true, unaryTokenLimit: 32_768 };
const GEMINI_2_5: OwnFacts = {
  ...GEMINI_3,
  state: "deprecated",
  outputWithBuiltIns: false,
  callIds: false,
  maxCandidates: 8,
};
/** Functions with JSON output, and calls without responses, are recorded with 200; a client does not send them. */
const GEMINI_2_0: OwnFacts = {
  ...GEMINI_2_5,
  state: "shut",
  outputWithFunctions: true,
  unansweredCalls: true,
  signaturesIssued: false,
  mediaResolution: false,
};
const GEMINI_1_5: OwnFacts = { ...GEMINI_2_0, outputWithFunctions: false, unansweredCalls: false };
const NO_SIGNATURES = { state: "current", signaturesIssued: false, mediaResolution: false, maxCandidates: 1 } as const;
const GEMMA_4: OwnFacts = { ...GEMINI_2_5, ...NO_SIGNATURES, audioInput: false };
const SPEECH: OwnFacts = { ...GEMMA_4, builtIns: false, multiturn: false, imageInput: false };
/** Models that support only `embedContent`. */
const EMBEDDING: OwnFacts = { ...SPEECH, family: "embedding", generates: false, outputTokenLimit: 1, generation: 2.5 };
/** Instructions on 2.5 are recorded with 200; a client does not send them. */
const IMAGE = { outputWithBuiltIns: false, maxCandidates: 1, systemInstruction: true };
const PREVIEW = { state: "preview" } as const;
/** The range in the service's error messages. */
const FROM_ZERO: ThinkingFacts = { kind: "budget", levels: [], budget: { min: 0, max: 24_576, zero: true } };
const DEPRECATED = { state: "deprecated" } as const;

/** Every model this emulator serves, oldest first. */
export const MODELS: readonly ModelFacts[] = [
  served("gemini-1.5-flash", GEMINI_1_5),
  served("gemini-1.5-pro", GEMINI_1_5),
  served("gemini-2.0-flash", GEMINI_2_0),
  served("gemini-2.0-flash-lite", GEMINI_2_0),
  served("gemini-2.0-flash-thinking-exp", { ...GEMINI_2_0, thinking: FROM_ZERO }),
  served("gemini-2.0-flash-preview-image-generation", { ...GEMINI_2_0, ...IMAGE, outputWithFunctions: false }),
  served("gemini-2.5-pro", { ...GEMINI_2_5, state: "shut" }),
  served("gemini-2.5-flash", { ...GEMINI_2_5, state: "closed", thinking: FROM_ZERO }),
  served("gemini-2.5-flash-lite", GEMINI_2_5),
  served("gemini-2.5-flash-image", { ...GEMINI_2_5, ...IMAGE, state: "shut" }),
  served("gemini-2.5-computer-use-preview-10-2025", { ...GEMINI_2_5, ...PREVIEW }),
  served("gemini-3-pro-preview", { ...GEMINI_3, ...DEPRECATED }),
  served("gemini-3-flash-preview", { ...GEMINI_3, ...PREVIEW }),
  served("gemini-3-pro-image", { ...GEMINI_3, ...IMAGE }),
  served("gemini-3.1-pro-preview", { ...GEMINI_3, ...PREVIEW }),
  served("gemini-3.1-pro-preview-customtools", { ...GEMINI_3, ...PREVIEW }),
  served("gemini-3.1-flash-lite", GEMINI_3),
  served("gemini-3.1-flash-image", { ...GEMINI_3, ...IMAGE }),
  served("gemini-3.1-flash-lite-image", { ...GEMINI_3, ...IMAGE }),
  served("gemini-2.5-flash-preview-tts", { ...SPEECH, ...PREVIEW }),
  served("gemini-3.1-flash-tts-preview", { ...SPEECH, ...PREVIEW }),
  served("gemini-3.8-flash-tts", SPEECH),
  served("gemini-3.8-flash-lite-tts", SPEECH),
  served("gemini-3.5-transcribe", { ...SPEECH, audioInput: true }),
  served("gemini-3.5-flash", { ...FLASH_3_5, ...DEPRECATED }),
  served("gemini-3.5-flash-lite", FLASH_3_6),
  served("gemini-3.6-flash", FLASH_3_6),
  served("gemini-3.7-flash", { ...FLASH_3_6, ...DEPRECATED }),
  served("gemini-3.8-flash", FLASH_3_6),
  served("gemini-robotics-er-1.6-preview", { ...GEMINI_3, ...PREVIEW }),
  served("gemini-robotics-er-2-preview", { ...GEMINI_3, ...PREVIEW }),
  served("gemini-nano-banana-2.1", { ...FLASH_3_6, ...IMAGE, strictMatching: false, generation: 3.8 }),
  served("gemini-4-argon", GEMINI_4),
  served("gemini-4-carbon", GEMINI_4),
  served("gemini-4-hydrogen", { ...GEMINI_4, unaryTokenLimit: 65_536 }),
  served("gemini-4-neon", GEMINI_4),
  served("gemma-4-26b-a4b-it", GEMMA_4),
  served("gemma-4-31b-it", GEMMA_4),
  served("gemini-embedding-001", { ...EMBEDDING, inputTokenLimit: 2_048 }),
  served("gemini-embedding-2", EMBEDDING),
];

/** Adds the client's facts to a model; one that only embeds gets the facts of a speech model. */
function served(id: string, own: OwnFacts): ModelFacts {
  const facts = findKnownModel(id) ?? findKnownModel("gemini-3.8-flash-tts");
  if (facts === undefined) throw new Error(`core does not know ${id}`);
  const { thinking: kind, thinkingLevels, defaultLevel, thinkingBudget, ...shared } = facts;
  const generation = Number(/^gem(?:ini|ma)-(\d+(?:\.\d+)?)/.exec(id)?.[1] ?? 3);
  // Gemini 3 accepts budgets for compatibility, which the client does not use.
  const tolerated = { min: 1, max: 65_535, zero: !/3\.6|3\.1-pro/.test(id) };
  const budget = kind === "level" && shared.family === "gemini-3" ? tolerated : thinkingBudget;
  const levels = thinkingLevels.map((level) => level.toUpperCase());
  const thinking: ThinkingFacts = { kind, levels, defaultLevel: defaultLevel?.toUpperCase(), budget };
  return { ...shared, generation, thinking, ...own, id };
}

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
export const NEWEST_FLASH: ModelFacts = findModel("gemini-3.8-flash") ?? served("gemini-3.8-flash", FLASH_3_6);

/** Facts of the model with this id or alias; undefined if it is not in the catalog. */
export function findModel(id: string): ModelFacts | undefined {
  const resolved = Object.hasOwn(ALIASES, id) ? ALIASES[id] : id;
  return MODELS.find((model) => model.id === resolved);
}
