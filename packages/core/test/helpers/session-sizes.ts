import { join } from "node:path";
import { expect } from "vitest";
import type { Kind } from "../node/programs/open-store.ts";
import { runProgram, temporaryFolder } from "./store-process.ts";

/** Expects a session of so many turns to open in time proportional to its length, and to append at the cost of a short session. */
export async function expectCheapAppends(kind: Kind, turns: number, appends: number): Promise<void> {
  const args = [kind, join(temporaryFolder(), "sessions"), String(turns), String(appends)];
  const [figures = {}] = await runProgram("measure-sizes", args).over;
  console.log(kind, figures);
  const of = (name: string): number => Number(figures[name]);
  expect([of("short contents"), of("tenth contents"), of("long contents")]).toEqual([20, turns / 5, turns * 2]);
  // The session is ten times as long: quadratic work would take a hundred times as long.
  expect(of("long open us")).toBeLessThan(40 * of("tenth open us"));
  // Work proportional to the length would take hundreds of times as long in a session of 10,000 turns.
  expect(of("long append us")).toBeLessThan(60 * of("short append us"));
  if (process.platform !== "linux") return;
  // The log is read once, with 1200 bytes a turn. SQLite reads whole pages of 4 KB, and its tree has one level or two more.
  expect(of("long open bytes")).toBeLessThan(3 * 1200 * turns);
  expect(of("long append bytes")).toBeLessThan(2.5 * of("short append bytes"));
  expect(of("long mean append bytes")).toBeLessThan(kind === "jsonl" ? 5000 : 100_000);
  // The summary of its runs is stored beside the lease.
  expect(of("long refresh bytes")).toBeLessThan(kind === "jsonl" ? 1000 : 20_000);
}
