// workers
export type { WatchOptions } from "./executors.ts";
export type { LiveOptions } from "./live-run.ts";
export { type AgentsWorker, serveAgents, type ServeAgentsOptions } from "./serve-agents.ts";
export { takeOver, type TakenOver, type TakeOverOptions } from "./take-over.ts";

// clients
export { AgentRun, type EventsOptions, type PendingAnswer, type WaitOptions } from "./agent-run.ts";
export { type AgentsClient, agentsClient, type AgentsClientOptions, type StartOptions } from "./agents-client.ts";
export { EngineError, type EngineErrorCode } from "./engine-error.ts";
export type { PollOptions } from "./connection.ts";
export type { DatabaseOptions } from "./database.ts";
export type { Question } from "./protocol.ts";
export type { RunState } from "./run-state.ts";
