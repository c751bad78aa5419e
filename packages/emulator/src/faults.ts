import {
  emptyStop,
  finishReason,
  malformedCall,
  maxTokens,
  maxTokensMidCall,
  noCandidates,
  onlyThoughts,
  promptBlocked,
  safety,
  unexpectedToolCall,
} from "./fault/answer-faults.ts";
import {
  brokenArgs,
  callDespiteNone,
  driftingOffsets,
  duplicateIds,
  missingIds,
  undeclaredCall,
} from "./fault/misbehavior.ts";
import {
  inputTokenQuota,
  perDayQuota,
  perMinuteQuota,
  plainQuota,
  prepaidEmpty,
  spendRate,
  tierWithoutModel,
} from "./fault/quota-faults.ts";
import {
  apiError,
  arrayWrappedError,
  cancelled,
  deadlineExceeded,
  gatewayStatus,
  htmlPage,
  internalError,
  overloaded,
} from "./fault/status-faults.ts";
import {
  closeEarly,
  closeMidJson,
  errorInStream,
  gatewayErrorInStream,
  reset,
  slowFirstByte,
  stall,
  usageOnlyChunk,
} from "./fault/stream-faults.ts";

/** The type of {@link faults}. */
export interface Faults {
  readonly perMinuteQuota: typeof perMinuteQuota;
  readonly perDayQuota: typeof perDayQuota;
  readonly inputTokenQuota: typeof inputTokenQuota;
  readonly tierWithoutModel: typeof tierWithoutModel;
  readonly plainQuota: typeof plainQuota;
  readonly prepaidEmpty: typeof prepaidEmpty;
  readonly spendRate: typeof spendRate;
  readonly apiError: typeof apiError;
  readonly overloaded: typeof overloaded;
  readonly internalError: typeof internalError;
  readonly deadlineExceeded: typeof deadlineExceeded;
  readonly cancelled: typeof cancelled;
  readonly htmlPage: typeof htmlPage;
  readonly arrayWrappedError: typeof arrayWrappedError;
  readonly gatewayStatus: typeof gatewayStatus;
  readonly errorInStream: typeof errorInStream;
  readonly gatewayErrorInStream: typeof gatewayErrorInStream;
  readonly closeEarly: typeof closeEarly;
  readonly closeMidJson: typeof closeMidJson;
  readonly reset: typeof reset;
  readonly stall: typeof stall;
  readonly slowFirstByte: typeof slowFirstByte;
  readonly usageOnlyChunk: typeof usageOnlyChunk;
  readonly emptyStop: typeof emptyStop;
  readonly onlyThoughts: typeof onlyThoughts;
  readonly noCandidates: typeof noCandidates;
  readonly malformedCall: typeof malformedCall;
  readonly unexpectedToolCall: typeof unexpectedToolCall;
  readonly maxTokensMidCall: typeof maxTokensMidCall;
  readonly maxTokens: typeof maxTokens;
  readonly safety: typeof safety;
  readonly finishReason: typeof finishReason;
  readonly promptBlocked: typeof promptBlocked;
  readonly driftingOffsets: typeof driftingOffsets;
  readonly brokenArgs: typeof brokenArgs;
  readonly duplicateIds: typeof duplicateIds;
  readonly missingIds: typeof missingIds;
  readonly undeclaredCall: typeof undeclaredCall;
  readonly callDespiteNone: typeof callDespiteNone;
}

/** All faults, by name. Use with `createEmulator({ faults: [{ at: 1, fault: faults.overloaded() }] })`. */
export const faults: Faults = {
  perMinuteQuota,
  perDayQuota,
  inputTokenQuota,
  tierWithoutModel,
  plainQuota,
  prepaidEmpty,
  spendRate,
  apiError,
  overloaded,
  internalError,
  deadlineExceeded,
  cancelled,
  htmlPage,
  arrayWrappedError,
  gatewayStatus,
  errorInStream,
  gatewayErrorInStream,
  closeEarly,
  closeMidJson,
  reset,
  stall,
  slowFirstByte,
  usageOnlyChunk,
  emptyStop,
  onlyThoughts,
  noCandidates,
  malformedCall,
  unexpectedToolCall,
  maxTokensMidCall,
  maxTokens,
  safety,
  finishReason,
  promptBlocked,
  driftingOffsets,
  brokenArgs,
  duplicateIds,
  missingIds,
  undeclaredCall,
  callDespiteNone,
};
