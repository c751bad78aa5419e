import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SessionStoreError } from "@pollux/core/errors";
import { SqliteStore } from "@pollux/core/node";
import { expect, test, vi } from "vitest";
import { EffectsList } from "./support/effects.ts";
import { answerUnknown, problemsOfErrand } from "./support/end-of-errand.ts";
import { DONE, GO, LONG } from "./support/errand.ts";
import { faultTable } from "./support/fault-table.ts";
import { counting, problemsOfError, sessionIn } from "./support/open-store.ts";
import { lostEntries } from "./support/stored-session.ts";

const table = faultTable("databases that are full");
const { tally } = table;

test("a database that may have no more pages stops the run, which goes on when it may", async () => {
  const row = "no more pages, sqlite";
  for (const pages of [0, 1, 2, 3]) {
    const exec = vi.spyOn(DatabaseSync.prototype, "exec");
    using store = new SqliteStore(join(table.places.folder, `pages-${pages}.db`));
    // The connection that the store has just opened.
    const database = exec.mock.contexts.at(-1) as DatabaseSync;
    exec.mockRestore();
    const used = Number(database.prepare("pragma page_count").get()?.["page_count"]);
    database.exec(`pragma max_page_count = ${used + pages}`);
    const { told, acknowledged } = counting(store);
    const effects = new EffectsList();
    const session = sessionIn(told, table.places.world, effects);
    const error: unknown = await session.send(GO).catch((reason: unknown) => reason);
    const atStop = await store.load("s");
    tally.count(row, "times");
    const problems = [
      ...lostEntries(acknowledged(), atStop),
      ...problemsOfError(error, SessionStoreError, /free some space/),
    ];
    if (problems.length === 0) tally.count(row, "stopped, typed");
    database.exec("pragma max_page_count = 100000");
    const { lastRun } = await session.state();
    const first = lastRun === undefined ? await session.send(GO) : await session.resume();
    const result = await answerUnknown(session, first, effects.all);
    if (result.text !== DONE) problems.push(`lost: ended with ${result.stopReason}`);
    problems.push(...problemsOfErrand(LONG, await session.history(), effects.all).filter(isNotOfOnce));
    if (problems.length === 0) tally.count(row, "gone on, right");
    expect(tally.found(row, "", problems)).toEqual([]);
  }
});

/** An idempotent call may have happened without a stored outcome, and repeats under its key. */
function isNotOfOnce(problem: string): boolean {
  return !problem.startsWith("doubled") || problem.includes("pay");
}
