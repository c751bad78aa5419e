// What sessions are made of, behind one import: `session-doors.ts` and `agent/session.ts` load it with the first use of a session, so that an
// agent that remembers nothing carries nothing of it.
export { SessionLog } from "./log/session-log.ts";
export { eraseOwner } from "./runs/erase-owner.ts";
export { NextRun } from "./runs/next-run.ts";
export { answerCalls, listPendingCalls } from "./runs/session-answers.ts";
