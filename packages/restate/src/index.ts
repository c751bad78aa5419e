// workers
export type { AgentHandlers } from "./agent-workflow.ts";
export type { LiveEventsOptions } from "./live-feeds.ts";
export { register, type RegisterOptions } from "./register.ts";
export { type AgentsWorker, serveAgents, type ServeAgentsOptions } from "./serve-agents.ts";

// clients
export { AgentRun, type PendingAnswer, type WaitOptions } from "./agent-run.ts";
export { type AgentsClient, agentsClient, type AgentsClientOptions, type StartOptions } from "./agents-client.ts";
export { EngineError, type EngineErrorCode } from "./engine-error.ts";
export type { Question, RunState } from "./run-state.ts";
