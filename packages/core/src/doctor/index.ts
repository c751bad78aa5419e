// Entry "@pollux/core/doctor": checks, repairs and outlines stored sessions. Names only.
export type { LogLine, SessionProblem } from "./read-log.ts";
export { checkSession, repairSession, type SessionCheck, type SessionRepair } from "./repair-session.ts";
export {
  type AddedContent,
  type AnsweredQuestion,
  type HeldCall,
  type HistoryOutline,
  outlineSession,
  type RunOutline,
  sessionHistory,
  type SessionOutline,
  type SessionTotals,
} from "./outline-session.ts";
export { type CallInTurn, readCalls } from "../model/history/open-calls.ts";
export { type EndEntry, ENTRY_VERSION } from "../session/log/entries.ts";
export type { OutsideAnswer } from "../tool/pending-call.ts";
export { describeLog } from "../session/store/session-info.ts";
export { percentileOf, sumTotals } from "../session/store/totals.ts";
