import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runProgram, temporaryFolder } from "../helpers/store-process.ts";
import type { Kind } from "./programs/open-store.ts";

const kinds: readonly Kind[] = ["jsonl", "sqlite"];

describe.each(kinds)("a session of 10,000 turns in a %s store", (kind) => {
  test("opens, and takes an append at the cost of one of 10 turns", { timeout: 60_000 }, async () => {
    const [figures = {}] = await runProgram("measure-sizes", [kind, join(temporaryFolder(), "sessions")]).over;
    console.log(kind, figures);
    const of = (name: string): number => Number(figures[name]);
    expect([of("short contents"), of("long contents")]).toEqual([20, 20_000]);
    expect(of("long open ms")).toBeLessThan(5000);
    // Appending 200 times takes less than as long as opening may.
    expect(of("long append ms") * 200).toBeLessThan(5000);
    if (process.platform !== "linux") return;
    // The log is read once. SQLite reads whole pages of 4 KB, and its tree has one level or two more.
    expect(of("long open bytes")).toBeLessThan(3 * 12_000_000);
    expect(of("long append bytes")).toBeLessThan(2.5 * of("short append bytes"));
    expect(of("long append bytes")).toBeLessThan(kind === "jsonl" ? 5000 : 100_000);
    expect(of("long refresh bytes")).toBeLessThan(kind === "jsonl" ? 500 : 20_000);
  });
});
