import { makeCaseAction } from "../evals/make-case.ts";
import { forkAction, tryForkAction } from "../fork/fork-session.ts";
import { playAction } from "../play/play-action.ts";
import type { ActionHandlers } from "../server/handlers.ts";
import { refusing } from "../server/library-error.ts";
import { answerAction, resumeAction, sendAction, steerAction, stopAction } from "./act-on-session.ts";

/** All that the page can do with a session, by the last segment of its path. */
export const ACTIONS: ActionHandlers = {
  answer: refusing(answerAction),
  fork: refusing(forkAction),
  "make-case": refusing(makeCaseAction),
  play: refusing(playAction),
  resume: refusing(resumeAction),
  send: refusing(sendAction),
  steer: refusing(steerAction),
  stop: refusing(stopAction),
};

/** Those that change nothing anywhere, and so need no permission. */
export const HARMLESS_ACTIONS: ActionHandlers = {
  "try-fork": refusing(tryForkAction),
};
