// Entry "@pollux/core/rehearsal": runs with stand-ins for the model, the tools, the people and the clock. Names only.
export type { Rehearsal, RehearsedCall, RehearsedRun } from "../tool/tool.ts";
export {
  type BodyDifference,
  compareBodies,
  type PrefixComparison,
  type BrokenPrefix,
  comparePrefix,
} from "./compare-bodies.ts";
export { cutExchanges, cutLog, type CutLog, type CutPoint } from "./cut-recording.ts";
export {
  changedCalls,
  type RecordedCall,
  recordedCalls,
  RecordedOutcomes,
  type RecordedOutcome,
} from "./recorded-calls.ts";
export { type Recording, replayRun, type ReplayOptions, type ReplayReport } from "./replay-run.ts";
export { type ScrubCounts, type ScrubOptions, scrubRecording, type ScrubbedRecording } from "./scrub-recording.ts";
export type { ScrubbedText } from "./scrub-texts.ts";
