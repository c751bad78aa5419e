// Takes leases, and tells on its standard output what it got.
//   hold.ts KIND PATH stay          the lease of the session "held", which it watches until it is killed
//   hold.ts KIND PATH leave         the same, and has nothing more to do
//   hold.ts KIND PATH race COUNT    the leases of so many sessions, which others take as well
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
  tell({ pid: process.pid, taken });
} else {
  store.watch("held", () => {});
  tell({ taken: await store.setLease("held", undefined, next) });
  if (mode === "stay") setInterval(() => {}, 1000);
}

function tell(what: unknown): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}
