import type { Faults } from "../faults.ts";

/** The faults with one id. */
export interface ListedFault {
  readonly id: string;
  /** Names in `faults`. */
  readonly names: readonly (keyof Faults)[];
  /** Like {@link Rule.certainty}, for the status and the text, or for the behavior. */
  readonly certainty: "R" | "I" | "G";
}

/** Every fault, once. */
export const FAULT_LIST: readonly ListedFault[] = [
  { id: "Q-1", names: ["perMinuteQuota"], certainty: "R" },
  { id: "Q-2", names: ["perDayQuota"], certainty: "R" },
  { id: "Q-3", names: ["tierWithoutModel"], certainty: "R" },
  { id: "Q-4", names: ["plainQuota"], certainty: "R" },
  { id: "Q-5", names: ["prepaidEmpty"], certainty: "I" },
  { id: "Q-6", names: ["spendRate"], certainty: "I" },
  { id: "Q-7", names: ["inputTokenQuota"], certainty: "R" },
  { id: "S-1", names: ["overloaded"], certainty: "R" },
  { id: "S-2", names: ["internalError"], certainty: "I" },
  { id: "S-3", names: ["deadlineExceeded"], certainty: "I" },
  { id: "S-4", names: ["cancelled"], certainty: "I" },
  { id: "S-5", names: ["htmlPage"], certainty: "I" },
  { id: "S-6", names: ["errorInStream"], certainty: "I" },
  { id: "S-7", names: ["closeEarly", "closeMidJson", "reset"], certainty: "I" },
  { id: "S-8", names: ["emptyStop", "onlyThoughts", "usageOnlyChunk", "noCandidates"], certainty: "R" },
  {
    id: "S-9",
    names: ["malformedCall", "unexpectedToolCall", "maxTokensMidCall", "maxTokens", "safety", "finishReason"],
    certainty: "R",
  },
  { id: "S-10", names: ["promptBlocked"], certainty: "R" },
  { id: "S-11", names: ["stall", "slowFirstByte"], certainty: "I" },
  { id: "S-12", names: ["arrayWrappedError"], certainty: "I" },
  { id: "S-13", names: ["gatewayStatus", "gatewayErrorInStream"], certainty: "R" },
  { id: "M-1", names: ["driftingOffsets"], certainty: "R" },
  { id: "M-2", names: ["brokenArgs"], certainty: "I" },
  { id: "M-3", names: ["duplicateIds"], certainty: "G" },
  { id: "M-4", names: ["missingIds"], certainty: "R" },
  { id: "M-5", names: ["undeclaredCall"], certainty: "I" },
  { id: "M-6", names: ["callDespiteNone"], certainty: "G" },
  { id: "any", names: ["apiError"], certainty: "I" },
];
