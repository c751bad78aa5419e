// workers
export type { WatchOptions } from "./executors.ts";
export type { LiveOptions } from "./live-run.ts";
export { type AgentsWorker, serveAgents, type ServeAgentsOptions } from "./serve-agents.ts";
export { takeOver, type TakenOver, type TakeOverOptions } from "./take-over.ts";

// clients
export { DbosRun, type EventsOptions } from "./agent-run.ts";
export { type AgentsClient, agentsClient, type AgentsClientOptions, type StartOptions } from "./agents-client.ts";
export type { PollOptions } from "./connection.ts";
export type { DatabaseOptions } from "./database.ts";

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
