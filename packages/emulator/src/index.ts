export { createEmulator, type Emulator } from "./emulator.ts";
export type { EmulatorOptions } from "./emulator-options.ts";
export type { ListenOptions, RunningServer } from "@pollux/core/serving";
export type { LoggedRequest } from "./request-log.ts";
export type { Framing } from "./respond/framing.ts";
export type { Profile } from "./validate/types.ts";
export type { FileState, StrictSwitches } from "./validate/switches.ts";
export type { FileSearchOptions, StoredDocument } from "./file-search/file-search-options.ts";
export type { FileOptions, UploadedFile } from "./files/file-options.ts";
export type { DecisionOptions, ScriptedDecision } from "./decisions/answer-decisions.ts";
export type { DecisionQuestion, DecisionRequest } from "./decisions/decision-request.ts";
export type { InteractionOptions } from "./interactions/answer-interactions.ts";
export type { InteractionRequest } from "./interactions/check-interaction.ts";
export { FILE_SEARCH_RULES } from "./file-search/file-search-rules.ts";
export { INTERACTION_RULES, type InteractionCertainty } from "./interactions/interaction-rules.ts";
export type { ResearchPassage, ResearchScript } from "./interactions/research.ts";
export type { ProjectWebhook } from "./interactions/webhook-sender.ts";
export type { CacheOptions } from "./caches/cache-options.ts";
export type { ModelFacts, ThinkingFacts } from "./catalog/model-facts.ts";

// Brains
export type { Brain, BrainTurn } from "./brain/brain.ts";
export { script, type Script, type ScriptLine, type ScriptOptions } from "./brain/script.ts";
export type { ReplayRequest } from "./brain/fit-exchange.ts";
export { replay } from "./brain/replay.ts";
export { loadRecording, type Recording, type ReplayExchange } from "./brain/recording.ts";

// Recording traffic
export { recordFetch, type RecordFetchOptions, type RecordingFetch } from "./record/record-fetch.ts";
export type {
  AnswerDigest,
  DigestText,
  JsonFields,
  RecordedBody,
  RecordedEnd,
  RecordedExchange,
  RecordedToolStep,
  RecordingFile,
} from "./record/recording-format.ts";

// Answers
export {
  type Answer,
  answeredCall,
  type AnswerPart,
  call,
  calls,
  codeExecution,
  empty,
  fault,
  finishes,
  grounded,
  type GroundedSource,
  join,
  json,
  parts,
  type RecordedAnswer,
  say,
  type ScriptedCall,
  type Search,
  type SearchSource,
  think,
} from "./brain/answer.ts";

// Faults
export { faults, type Faults } from "./faults.ts";
export type { BrokenArgs } from "./fault/break-args.ts";
export type {
  AnswerFault,
  CutFault,
  Fault,
  FaultRequest,
  FaultRule,
  MisbehaviorFault,
  SlowFault,
  StatusFault,
  StreamErrorFault,
  UsageChunkFault,
} from "./fault/fault.ts";
