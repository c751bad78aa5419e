import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import type { TakenFiles } from "../inspection/results.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { curlOf } from "./curl.ts";
import { runTest } from "./run-test.ts";
import { sessionFile } from "./session-file.ts";
import { sessionPage } from "./session-page.ts";
import { withoutPeople } from "./without-people.ts";

/** The session to export. */
export interface TakenFrom {
  readonly fold: SessionFold;
  readonly exchanges: ExchangeFold;
}

/** Kinds of exports. */
export const TAKE_AWAYS = ["curl", "test", "file", "page", "page-without-people"] as const;

export type TakeAway = (typeof TAKE_AWAYS)[number];

/**
 * Exports files about a session. Works in a browser, too.
 *
 * @param query - For `curl`, `n` is the number of the kept request; for `test`, `run` is the run's id, the last one without it.
 * @returns Undefined when there is no such request or run.
 */
export function takeAway(
  what: TakeAway,
  { fold, exchanges }: TakenFrom,
  query: { readonly n?: number | undefined; readonly run?: string | undefined },
): TakenFiles | undefined {
  switch (what) {
    case "curl": {
      const details = exchanges.details(query.n ?? Number.NaN);
      if (details === undefined || details.problem !== undefined) return undefined;
      return {
        files: [curlOf(details)],
        notes: ["Save it and run it with sh. It reads the key from the environment."],
      };
    }
    case "test": {
      const run = query.run === undefined ? fold.runs.at(-1) : fold.run(query.run);
      return run === undefined ? undefined : runTest(fold, exchanges, run);
    }
    case "file":
      return { files: [sessionFile(fold)], notes: [] };
    case "page":
      return {
        files: [sessionPage(fold, Date.now())],
        notes: ["The file has the whole conversation. Read it before you share it."],
      };
    case "page-without-people": {
      const { fold: rest, whole, repeated } = withoutPeople(fold);
      return {
        files: [sessionPage(rest, Date.now(), { whole, repeated })],
        notes: ["The file may still have names and paraphrases of people's words. Read it before you share it."],
      };
    }
  }
}
