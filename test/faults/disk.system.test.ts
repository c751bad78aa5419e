import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { begin, finish } from "./support/begin-and-finish.ts";
import { sideBySide } from "./support/side-by-side.ts";
import { KINDS } from "./support/places.ts";
import { openProcess } from "./support/processes.ts";
import type { Report } from "./support/process-messages.ts";
import { entriesOf, lostEntries } from "./support/stored-session.ts";
import { faultTable } from "./support/fault-table.ts";

const table = faultTable("disks that are full or shut");
const { tally } = table;

/** A failure must be typed, and say what to do. */
function problemsOfStop(report: Report | undefined, advice: RegExp): readonly string[] {
  if (report?.is !== "failed") return [`lost: did not stop: ${JSON.stringify(report)}`];
  if (!report.typed) return [`untyped: ${report.name}: ${report.message}`];
  return advice.test(report.message) ? [] : [`untyped: does not say what to do: ${report.message}`];
}

describe.each(KINDS)("a disk that is full, under a %s store", (kind) => {
  // In units of 512 bytes: a log of lines is small, a database and its own log are not.
  const sizes = kind === "jsonl" ? [1, 4, 9, 16, 23] : [80, 120, 180, 260, 330];

  test("stops the run, keeps what was acknowledged, and says so", async () => {
    const row = `full, ${kind}`;
    const found = await sideBySide(sizes, 2, async (blocks) => {
      const work = table.places.work(table.places.place(kind, `full-${blocks}`));
      const child = openProcess(blocks);
      const [report, acknowledged] = await begin(child, work);
      await child.kill();
      const atStop = await entriesOf(work);
      tally.count(row, "times");
      const problems = [
        ...lostEntries(acknowledged, atStop),
        ...problemsOfStop(report, /free some space|check whether it is full/),
      ];
      if (problems.length === 0) tally.count(row, "stopped, typed");
      problems.push(...(await finish(work)), ...lostEntries(acknowledged, atStop, await entriesOf(work)));
      if (problems.length === 0) tally.count(row, "gone on, right");
      return tally.found(row, `${blocks} blocks`, problems);
    });
    expect(found.flat()).toEqual([]);
  });
});

describe.each(KINDS)("a place that is read-only, under a %s store", (kind) => {
  test("refuses, says so, and is as good as before once it may be written", async () => {
    const row = `read-only, ${kind}`;
    const store = table.places.place(kind, "readonly");
    const work = table.places.work(store);
    const first = openProcess();
    let acknowledged = 0;
    await first.order({ do: "begin", ...work, killPoint: { append: 6, when: "after" } }, (report) => {
      if (report.is === "acknowledged") acknowledged = report.length;
      if (report.is === "at-kill-point") void first.kill();
    });
    const before = await entriesOf(work);
    const files = kind === "jsonl" ? [join(store.path, "s.jsonl")] : [store.path];
    const shut = kind === "jsonl" ? store.path : table.places.folder;
    await chmod(work.effects, 0o666);
    for (const file of files) await chmod(file, 0o444);
    await chmod(shut, 0o555);

    const second = openProcess();
    const report = await second.order({ do: "finish", ...work, asNobody: true });
    await second.kill();
    await chmod(shut, 0o777);
    for (const file of files) await chmod(file, 0o666);
    tally.count(row, "times");
    const problems = [
      ...problemsOfStop(
        report,
        /grant it to this process|put the store (elsewhere|in a writable place)|make it writable|may write to/,
      ),
      ...lostEntries(acknowledged, before, await entriesOf(work)),
    ];
    if (problems.length === 0) tally.count(row, "stopped, typed");
    problems.push(...(await finish(work)));
    if (problems.length === 0) tally.count(row, "gone on, right");
    expect(tally.found(row, "", problems)).toEqual([]);
  });
});
