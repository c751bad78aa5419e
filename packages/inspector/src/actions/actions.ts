import { makeCaseAction } from "../evals/make-case.ts";
import { forkAction, tryForkAction } from "../fork/fork-session.ts";
import { playAction } from "../play/play-action.ts";
import type { ActionHandler } from "../server/handlers.ts";
import { answerAction, resumeAction, sendAction, steerAction, stopAction } from "./act-on-session.ts";

/** All that the page can do with a session, by the last segment of its path. */
export const ACTIONS: Readonly<Record<string, ActionHandler>> = {
  answer: answerAction,
  fork: forkAction,
  "make-case": makeCaseAction,
  play: playAction,
  resume: resumeAction,
  send: sendAction,
  steer: steerAction,
  stop: stopAction,
};

/** Those that change nothing anywhere, and so need no permission. */
export const HARMLESS_ACTIONS: Readonly<Record<string, ActionHandler>> = {
  "try-fork": tryForkAction,
};
