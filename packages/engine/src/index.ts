// workers
export { batchEvents, type BatchEventsOptions, type EventBatcher, type EventSource } from "./batch-events.ts";
export { cancelledReport } from "./build-report.ts";
export { cancelJobs, type CheckedJobs, JobChecks, timeLeft } from "./job-checks.ts";
export {
  type EngineContext,
  type EngineRun,
  type EngineRunInfo,
  runOnEngine,
  type ServedAgent,
  type WorkerContext,
} from "./run-on-engine.ts";

// clients
export {
  AgentRun,
  type Delivery,
  EngineError,
  type EngineErrorCode,
  type EngineRunState,
  type GuessedQuestion,
  isOver,
  type PendingAnswer,
  possibleNames,
  type Question,
  questionsIn,
  type Receipt,
  unknownRun,
  type WaitOptions,
} from "./agent-run.ts";
export type { EngineEvent } from "./batch-events.ts";
