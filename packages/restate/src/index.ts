// workers
export type { AgentHandlers } from "./agent-workflow.ts";
export type { LiveEventsOptions } from "./live-feeds.ts";
export { register, type RegisterOptions } from "./register.ts";
export { type AgentsWorker, serveAgents, type ServeAgentsOptions } from "./serve-agents.ts";

// clients
export { RestateRun } from "./agent-run.ts";
export { type AgentsClient, agentsClient, type AgentsClientOptions, type StartOptions } from "./agents-client.ts";
export type { RunState } from "./run-state.ts";

// of every engine
export {
  AgentRun,
  type EngineContext,
  EngineError,
  type EngineErrorCode,
  type EngineEvent,
  type EngineRunInfo,
  type EngineRunState,
  type PendingAnswer,
  type Question,
  type Receipt,
  type WaitOptions,
} from "@pollux/engine";
export type {
  CancelledReport,
  EndedReport,
  EngineInput,
  EngineResult,
  EngineRunInput,
  FailedReport,
  RunReport,
} from "@pollux/core/durable";
