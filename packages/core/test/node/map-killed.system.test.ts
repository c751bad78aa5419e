import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram, temporaryFolder } from "../helpers/store-process.ts";

test.each([1000])(
  "%i documents survive kills at random: none is lost, none is booked twice, and memory stays flat",
  async (count) => {
    const folder = temporaryFolder();
    const [path, ledger] = [join(folder, "runs.sqlite"), join(folder, "ledger")];
    writeFileSync(ledger, "");
    const args = [path, ledger, String(count)];
    // Each process dies once it has told so much, by its own hand: on a busy machine it would be far on before ours reached it. Items that
    // an earlier one had done come first.
    let kills = 0;
    for (let done = 0; done < count; kills += 1) {
      const diesAt = done + 1 + Math.floor(Math.random() * 120);
      const told = await runProgram("map-documents", [...args, String(diesAt)]).over;
      done = told.filter(({ status }) => status !== undefined).length;
    }
    expect(kills).toBeGreaterThan(5);

    const told = await runProgram("map-documents", args).over;
    const { summary } = told.at(-1) ?? {};
    expect(summary).toMatchObject({ ended: "done", total: count, running: 0, failed: 0 });
    const keys = Array.from({ length: count }, (_, at) => `document-${at}`).toSorted();
    expect(told.flatMap(({ key }) => (typeof key === "string" ? [key] : [])).toSorted()).toEqual(keys);
    expect(readFileSync(ledger, "utf8").trim().split("\n").toSorted()).toEqual(keys);
  },
);

test("memory doesn't grow with the number of documents", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "ledger"), "");
  const told = await runProgram("map-documents", [join(folder, "runs.sqlite"), join(folder, "ledger"), "1000"]).over;
  const heap = (at: number): number => Number(told[at]?.["heap"]);
  expect(heap(999) - heap(199)).toBeLessThan(8 * 2 ** 20);
});
