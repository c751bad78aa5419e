import { HttpError } from "@pollux/core/serving";
import { compareBranches } from "../inspection/compare-branches.ts";
import { ExchangeFold } from "../inspection/exchange-fold.ts";
import { textOf } from "../inspection/read-values.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { firstHead } from "../replay/kept-head.ts";
import { comparePrompts } from "../replay/compare-prompts.ts";
import type { ViewHandler } from "../server/handlers.ts";
import { readFold } from "./fork-session.ts";

/**
 * Two sessions side by side: `with` is the id of the other one, and `run` and `withRun` are runs of them, if not all is compared. With
 * `whole`, turns count that are the same, and so do the prompts of the last runs.
 */
export const compareView: ViewHandler = async (call) => {
  const { query, store } = call;
  const [other, run, withRun] = [query.get("with") ?? "", query.get("run") ?? "", query.get("withRun") ?? ""];
  const [left, right] = [await call.fold(), await readFold(call, store, other)];
  if (right.length === 0) throw new HttpError(404, "not_found", "There is no session with that id to compare with.");
  const isWhole = query.get("whole") === "true";
  const comparison = compareBranches(left, right, { runs: [run, withRun], isWhole });
  if (!isWhole) return comparison;
  const kept = new ExchangeFold();
  kept.add(await call.exchangesOf(other));
  const prompts = comparePrompts(promptOf(left, await call.exchanges(), run), promptOf(right, kept, withRun));
  return { ...comparison, ...(prompts !== undefined && { prompts }) };
};

function promptOf(fold: SessionFold, exchanges: ExchangeFold, runId: string): Parameters<typeof comparePrompts>[0] {
  const run = runId === "" ? fold.runs.at(-1) : fold.run(runId);
  const head = run && firstHead({ exchanges, run });
  return head && { model: textOf(run?.entry["model"]) ?? "", head };
}
