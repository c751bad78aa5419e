import { checkRequestView, checkView } from "../checks/check-views.ts";
import { compareView } from "../fork/compare-view.ts";
import { replayView } from "../replay/replay-run.ts";
import { causesView } from "./causes-view.ts";
import type { ViewHandler } from "./handlers.ts";

/** What is checked, compared and replayed, by the last segment of its path: see also `showSession`. */
export const VIEWS: Readonly<Record<string, ViewHandler>> = {
  causes: causesView,
  check: checkView,
  "check-request": checkRequestView,
  compare: compareView,
  replay: replayView,
};
