// the step contract
export {
  describeError,
  isRunSuspended,
  isWaitTimedOut,
  MAX_VALUE_BYTES,
  RunSuspended,
  settleStep,
  type SettleStepOptions,
  VALUE_TOO_LARGE,
  waitTimedOut,
} from "./steps.ts";
export type { Op, Outcome, RecordedStep, Steering, Step, StepError, Steps } from "./steps.ts";
export type { Json } from "../internal/json.ts";

// built-in steps
export { journal, type JournalLog, type JournalOptions, passThrough, type PassThroughOptions } from "./journal.ts";

// what the log of a run holds
export { LOOP_VERSION, parseStepName, type Steered, type StepName, waitName } from "./run-log.ts";

// runs on an engine
export {
  AgentRun,
  type Delivery,
  EngineError,
  type EngineErrorCode,
  type EngineRunState,
  isOver,
  type PendingAnswer,
  type Question,
  questionsIn,
  type Receipt,
  unknownRun,
  type WaitOptions,
} from "../agent/engine/agent-run.ts";
export {
  batchEvents,
  type BatchEventsOptions,
  type EventBatcher,
  type EventSource,
} from "../agent/engine/batch-events.ts";
export type {
  CancelledReport,
  EndedReport,
  EngineEvent,
  EngineInput,
  EngineResult,
  EngineRunInput,
  FailedReport,
  OmittedMember,
  RunReport,
} from "../agent/engine/run-report.ts";
export {
  type EngineContext,
  type EngineRun,
  type EngineRunInfo,
  runOnEngine,
  type ServedAgent,
  type WorkerContext,
} from "../agent/engine/run-on-engine.ts";
export { cancelledReport } from "../agent/engine/run-report.ts";
export { LoopVersionError } from "../errors/run-errors.ts";
export { type RunSoFar, runSoFar } from "../loop/result.ts";

// questions to a run, and their answers
export type { Approval, ExternalOutcome, PendingCall, PendingQuestion } from "../tool/tool.ts";
