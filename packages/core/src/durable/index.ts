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
export type { NamedStep, Op, Outcome, RecordedStep, Steering, Step, StepError, Steps } from "./steps.ts";
export type { Json } from "../internal/json.ts";

// built-in steps
export { journal, type JournalLog, type JournalOptions, passThrough, type PassThroughOptions } from "./journal.ts";

// the contents of a run's log
export type { AnsweredCall, ClosedTurn, TurnStep } from "./closed-turn.ts";
export {
  buildCallId,
  LOOP_VERSION,
  type Steered,
  type GuardrailAction,
  type PrefixField,
  stepName,
  type StepPlace,
  VERSION_STEP,
  waitName,
} from "./run-log.ts";
export { type MeantCall, readStandIn } from "../tool/stand-in.ts";

// for adapters of engines: @pollux/engine builds on these
export { ownApprove } from "../agent/agent.ts";
export { buildContents } from "../agent/run-input.ts";
export type {
  CancelledReport,
  EndedReport,
  EngineInput,
  EngineResult,
  EngineRunInput,
  FailedReport,
  OmittedMember,
  RunReport,
} from "../agent/run-report.ts";
export { LoopVersionError } from "../errors/run-errors.ts";
export { groundingResponses, readSources } from "../loop/build-result.ts";
export { nextCheckAt } from "../tool/job.ts";
export { withoutKnown } from "../tool/reads.ts";
export { attachRunSoFar, type RunSoFar, runSoFar } from "../loop/result.ts";

// questions to a run, and their answers
export type { Approval, ExternalOutcome, PendingCall, PendingQuestion } from "../tool/tool.ts";
