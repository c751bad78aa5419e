// The code of sessions behind one import. `store-operations.ts` and `agent/session.ts` load it with the first use of a session, so an agent
// without sessions doesn't pay for it.
export { SessionLog } from "./log/session-log.ts";
export { eraseOwner } from "./runs/erase-owner.ts";
export { NextRun } from "./runs/next-run.ts";
export { answerCalls, listPendingCalls } from "./runs/session-answers.ts";
