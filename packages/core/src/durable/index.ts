// the step contract
export { describeError } from "./describe-error.ts";
export { isRunSuspended, RunSuspended } from "./run-suspended.ts";
export { settleStep, type SettleStepOptions, VALUE_TOO_LARGE } from "./settle-step.ts";
export type { Steered, Steering } from "./steering.ts";
export type { Op, Outcome, Step, StepError, Steps } from "./steps.ts";
export { isWaitTimedOut, waitTimedOut } from "./wait-timed-out.ts";
export type { Json } from "../internal/json.ts";

// steps that come with the library
export { journal, type JournalLog, type JournalOptions } from "./journal.ts";
export { passThrough, type PassThroughOptions } from "./pass-through.ts";

// runs on an engine
export { batchEvents, type BatchEventsOptions, type EventBatcher, type EventSource } from "../agent/batch-events.ts";
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
} from "../agent/engine-run.ts";
export { type EngineRun, runOnEngine } from "../agent/run-on-engine.ts";
export { cancelledReport } from "../agent/run-report.ts";
export { LoopVersionError } from "../errors/session-errors.ts";
export { LOOP_VERSION } from "../loop/loop-version.ts";
export { type RunSoFar, runSoFar } from "../loop/run-so-far.ts";

// what is waited for
export { type OutsideOutcome, waitName } from "../loop/pending.ts";
export type { Approval, PendingCall, PendingQuestion } from "../tool/approval.ts";
