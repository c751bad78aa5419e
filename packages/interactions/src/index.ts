export { InteractionsClient } from "./interactions-client.ts";
export type { FollowOptions, GetOptions, InteractionsClientOptions, WaitOptions } from "./interactions-client.ts";
export { deepResearch, reportResearch } from "./deep-research.ts";
export type {
  DeepResearchOptions,
  ReportResearchOptions,
  ResearchPlan,
  ResearchProgress,
  ResearchReport,
} from "./deep-research.ts";
export { readResult, type InteractionResult } from "./read-result.ts";
export { StepsBuilder } from "./steps-builder.ts";
export { InteractionStreamError, OutcomeUnknownError } from "./errors.ts";
export type { AgentRequest, CreateRequest, ModelRequest, WebhookConfig } from "./types/request.ts";
export type {
  Annotation,
  Content,
  Interaction,
  InteractionStatus,
  InteractionTool,
  InteractionUsage,
  OneOf,
  Step,
} from "./types/interaction.ts";
export type { InteractionEvent, StepDelta } from "./types/events.ts";
