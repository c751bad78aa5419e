import { makeCaseAction } from "../evals/make-case.ts";
import { forkAction, tryForkAction, compareView } from "../fork/fork-session.ts";
import { playAction } from "../play/play-action.ts";
import type { ActionHandler, ViewHandler } from "../server/handlers.ts";
import { answerAction, resumeAction, sendAction, steerAction, stopAction } from "./act-on-session.ts";
import { checkRequestView, checkView } from "../checks/check-views.ts";
import { replayView } from "../replay/replay-run.ts";
import { causesView } from "../server/causes-view.ts";

/** Everything the page can do with a session, by the last segment of its path. */
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

/** Actions that change nothing, and so need no permission. */
export const HARMLESS_ACTIONS: Readonly<Record<string, ActionHandler>> = {
  "try-fork": tryForkAction,
};

/** Checks, comparisons and replays, by the last segment of their path: see also `showSession`. */
export const VIEWS: Readonly<Record<string, ViewHandler>> = {
  causes: causesView,
  check: checkView,
  "check-request": checkRequestView,
  compare: compareView,
  replay: replayView,
};
