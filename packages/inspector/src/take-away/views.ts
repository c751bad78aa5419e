import { checkRequestView, checkView } from "../checks/check-views.ts";
import { compareView } from "../fork/fork-session.ts";
import { replayView } from "../replay/replay-run.ts";
import type { ViewHandlers } from "../server/handlers.ts";

/** What is checked, compared and taken away, by the last segment of its path. */
export const VIEWS: ViewHandlers = {
  check: checkView,
  "check-request": checkRequestView,
  compare: compareView,
  replay: replayView,
};
