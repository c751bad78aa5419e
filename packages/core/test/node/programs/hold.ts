// Takes leases, and writes to standard output which ones it got.
//   hold.ts KIND PATH stay          the lease of the session "held", which it watches until it is killed
//   hold.ts KIND PATH leave         the same, then has nothing more to do
//   hold.ts KIND PATH race COUNT    the leases of so many sessions, competing with other processes
import { writeSync } from "node:fs";
import type { Lease } from "@pollux/core";
import { SessionLeaseLostError } from "@pollux/core/errors";
import { type Kind, openStore } from "./open-store.ts";

const [kind = "", path = "", mode = "", count = "0"] = process.argv.slice(2);
// The tests name no others.
const store = openStore(kind as Kind, path, { lockTimeoutMs: 60_000 });
const next: Lease = {
  token: 1,
  beat: 0,
  held: true,
  runId: `run-${process.pid}`,
  durationMs: 15_000,
  process: store.processes.self,
};

if (mode === "race") {
  const taken: number[] = [];
  for (let n = 0; n < Number(count); n++) {
    try {
      await store.append(`s${n}`, 0, [process.pid, "begins"], { lease: { expected: undefined, next } });
      taken.push(n);
    } catch (error) {
      if (!(error instanceof SessionLeaseLostError)) throw error;
    }
  }
  print({ pid: process.pid, taken });
} else {
  store.watch("held", () => {});
  print({ taken: await store.setLease("held", undefined, next) });
  if (mode === "stay") setInterval(() => {}, 1000);
}

function print(line: unknown): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
