import type { Json } from "@pollux/core";
import { checkLog } from "../../../src/checks/check-log.ts";
import { compareBranches } from "../../../src/inspection/compare-branches.ts";
import type { CheckResult } from "../../../src/inspection/results.ts";
import { searchSession } from "../../../src/inspection/search-session.ts";
import type { SessionFold } from "../../../src/inspection/session-fold.ts";
import { SourceError } from "../../../src/inspection/source.ts";
import { TAKE_AWAYS, takeAway, type TakenFrom } from "../../../src/take-away/take-away.ts";

/**
 * What can be checked, compared and taken away without a server.
 *
 * @param find - Another session of the same files.
 * @throws {SourceError}
 */
export function viewOfFile(
  from: TakenFrom,
  name: string,
  { n, run, with: other = "", withRun, whole, q = "" }: { readonly [name: string]: string },
  find: (id: string) => SessionFold | undefined,
): Json {
  const what = TAKE_AWAYS.find((one) => name === `take-${one}`);
  if (what !== undefined) {
    const query = { ...(n !== undefined && { n: Number(n) }), ...(run !== undefined && { run }) };
    return asJson(takeAway(what, from, query) ?? missing("There is nothing of that in this file."));
  }
  if (name === "causes") return [];
  if (name === "check") return asJson({ log: checkLog(from.fold), tools: [] } satisfies CheckResult);
  if (name === "search") return asJson(searchSession(from.fold, q));
  if (name === "compare") {
    const right = find(other) ?? missing("The file has no session with that id.");
    return asJson(compareBranches(from.fold, right, { runs: [run, withRun], isWhole: whole === "true" }));
  }
  throw new SourceError("read-only", "A dropped file can't be run. Open it with pollux inspect for this.");
}

function missing(message: string): never {
  throw new SourceError("not-found", message);
}

/** These are the types of JSON. */
function asJson(value: unknown): Json {
  return value as Json;
}
