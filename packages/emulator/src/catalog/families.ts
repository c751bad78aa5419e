import type { ModelFacts } from "./model-facts.ts";

/** Gemini 3 to 3.8: what most of its models have in common. */
export const GEMINI_3: ModelFacts = {
  id: "",
  family: "gemini-3",
  generation: 3,
  state: "current",
  generates: true,
  functions: true,
  builtIns: true,
  builtInsWithFunctions: true,
  thinking: { kind: "none", levels: [] },
  outputWithFunctions: true,
  outputWithBuiltIns: true,
  jsonOutput: true,
  systemInstruction: true,
  multiturn: true,
  mediaResolution: true,
  imageOutput: false,
  imageInput: true,
  audioInput: true,
  streaming: true,
  signaturesIssued: true,
  signaturesRequired: true,
  callIds: true,
  prefill: true,
  unansweredCalls: false,
  mixedResponses: true,
  strictMatching: false,
  mediaInFunctionResponses: true,
  longDecode: false,
  maxCandidates: 1,
  inputTokenLimit: 1_048_576,
  outputTokenLimit: 65_536,
};

/** Gemini 4: long decode, levels only, no prefill. */
export const GEMINI_4: ModelFacts = {
  ...GEMINI_3,
  family: "gemini-4",
  generation: 4,
  prefill: false,
  mixedResponses: false,
  strictMatching: true,
  longDecode: true,
  unaryTokenLimit: 32_768,
};

/** Gemini 2.5: budgets, and one kind of tool or output at a time. */
export const GEMINI_2_5: ModelFacts = {
  ...GEMINI_3,
  family: "gemini-2",
  generation: 2.5,
  state: "deprecated",
  builtInsWithFunctions: false,
  outputWithFunctions: false,
  outputWithBuiltIns: false,
  signaturesRequired: false,
  callIds: false,
  mediaInFunctionResponses: false,
  maxCandidates: 8,
};

/** Gemini 2.0: no thinking, no signatures; functions with JSON output, and calls without responses, are recorded with 200. */
export const GEMINI_2_0: ModelFacts = {
  ...GEMINI_2_5,
  generation: 2,
  state: "shut",
  outputWithFunctions: true,
  unansweredCalls: true,
  signaturesIssued: false,
  mediaResolution: false,
  outputTokenLimit: 8_192,
};

/** Gemini 1.5: like 2.0, with the older search tool. */
export const GEMINI_1_5: ModelFacts = {
  ...GEMINI_2_0,
  family: "gemini-1",
  generation: 1.5,
  outputWithFunctions: false,
  unansweredCalls: false,
};

/** Gemma 4: functions, but no built-in tools with them, and no signatures. */
export const GEMMA_4: ModelFacts = {
  ...GEMINI_2_5,
  family: "gemma",
  generation: 4,
  state: "current",
  thinking: { kind: "level", levels: ["MINIMAL", "HIGH"], defaultLevel: "MINIMAL" },
  signaturesIssued: false,
  mediaResolution: false,
  audioInput: false,
  maxCandidates: 1,
  inputTokenLimit: 262_144,
  outputTokenLimit: 32_768,
};

/** Text to speech and speech to text: no tools, no JSON, no thinking. */
export const SPEECH: ModelFacts = {
  ...GEMINI_2_5,
  family: "speech",
  state: "current",
  functions: false,
  builtIns: false,
  jsonOutput: false,
  systemInstruction: false,
  multiturn: false,
  mediaResolution: false,
  imageInput: false,
  audioInput: false,
  signaturesIssued: false,
  maxCandidates: 1,
  inputTokenLimit: 8_192,
  outputTokenLimit: 16_384,
};

/** Models that support only `embedContent`. */
export const EMBEDDING: ModelFacts = {
  ...SPEECH,
  family: "embedding",
  state: "current",
  generates: false,
  inputTokenLimit: 8_192,
  outputTokenLimit: 1,
};
