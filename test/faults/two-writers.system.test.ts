import { describe, expect, test } from "vitest";
import { begin, finish } from "./support/begin-and-finish.ts";
import { sideBySide } from "./support/side-by-side.ts";
import { KINDS } from "./support/places.ts";
import { type AgentProcess, openProcess } from "./support/processes.ts";
import type { Report, Work } from "./support/process-messages.ts";
import { faultTable } from "./support/fault-table.ts";

const table = faultTable("two processes at one session");
const { tally } = table;

describe.each(KINDS)("two processes that write to one session of a %s store", (kind) => {
  test("are distinguished: one continues, the other follows or stops, nothing is lost", async () => {
    const row = `two writers, ${kind}`;
    // The second takes over at each of six entries.
    const rounds = 12;
    const found = await sideBySide(Array.from({ length: rounds }), 2, async (_, round) => {
      const work = table.places.work(table.places.place(kind, `writers-${round}`));
      const pair = [openProcess(), openProcess()] as const;
      await Promise.all(pair.map((child) => child.ready()));
      tally.count(row, "times");
      const problems: string[] = [];
      // At once, or the second takes over in the middle.
      const reports = round % 2 === 0 ? await atOnce(pair, work) : await takenOver(pair, work, 2 + (round % 12));
      for (const report of reports) {
        if (report?.is === "failed" && !report.typed) problems.push(`untyped: ${report.name}: ${report.message}`);
        if (report?.is === "failed" && report.typed) tally.count(row, "stopped, typed");
        if (report === undefined) problems.push("lost: a process died");
      }
      problems.push(...(await finish(work)));
      if (problems.length === 0) tally.count(row, "gone on, right");
      await Promise.all(pair.map((child) => child.kill()));
      return tally.found(row, `round ${round}`, problems);
    });
    expect(found.flat()).toEqual([]);
  });
});

type Pair = readonly [AgentProcess, AgentProcess];

/** Both send one message: its run id starts one errand, which the other process follows. */
async function atOnce(pair: Pair, work: Work): Promise<readonly (Report | undefined)[]> {
  const ended = await Promise.all(pair.map((child) => begin(child, { ...work, runId: `errand-${work.id}` })));
  return ended.map(([report]) => report);
}

async function takenOver([first, second]: Pair, work: Work, atEntry: number): Promise<readonly (Report | undefined)[]> {
  let other: Promise<Report | undefined> | undefined;
  const over = first.order({ do: "begin", ...work }, (one) => {
    if (one.is !== "acknowledged" || one.length < atEntry) return;
    // The outcome of a call can be checked when the first process no longer works on it.
    other ??= second.order({ do: "finish", ...work, asks: true }, (two) => {
      if (two.is === "asks") void over.then(() => second.allow());
    });
  });
  const report = await over;
  return [report, await other];
}
