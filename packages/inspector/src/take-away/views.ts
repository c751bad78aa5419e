import { checkRequestView, checkView } from "../checks/check-views.ts";
import { compareView } from "../fork/compare-view.ts";
import { searchSession } from "../inspection/search-session.ts";
import { replayView } from "../replay/replay-run.ts";
import { causesView } from "../server/causes-view.ts";
import type { ViewHandler, ViewHandlers } from "../server/handlers.ts";
import { HttpError } from "../server/http.ts";
import { refusing } from "../server/library-error.ts";
import { TAKE_AWAYS, takeAway, type TakeAway } from "./take-away.ts";

/** What is checked, compared and taken away, by the last segment of its path. */
export const VIEWS: ViewHandlers = {
  causes: causesView,
  check: refusing(checkView),
  "check-request": refusing(checkRequestView),
  compare: refusing(compareView),
  replay: refusing(replayView),
  search: async (call) => searchSession(await call.fold(), call.query.get("q") ?? ""),
  ...Object.fromEntries(TAKE_AWAYS.map((what) => [`take-${what}`, takeAwayView(what)])),
};

function takeAwayView(what: TakeAway): ViewHandler {
  return async (call) => {
    const from = { fold: await call.fold(), exchanges: await call.exchanges() };
    const [n, run] = [call.query.get("n"), call.query.get("run")];
    const query = { ...(n !== null && { n: Number(n) }), ...(run !== null && { run }) };
    const taken = takeAway(what, from, query);
    if (taken === undefined) throw new HttpError(404, "not-found", "There is nothing of that in this session.");
    return taken;
  };
}
