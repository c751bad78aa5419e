import type { SessionStore } from "@pollux/core";
import type { Tally } from "../tally.ts";
import type { Act } from "./acts.ts";
import type { RemoteRival } from "./remote-rival.ts";
import type { ActReport, HoldPoint } from "./rival-messages.ts";
import { problemsOfStory } from "./settled-session.ts";

/** Lease of the paused runs, in milliseconds. */
const LEASE_MS = 300;

/** A paused process, and another one that takes over its session. */
export interface PausedRound {
  readonly store: SessionStore;
  readonly rivals: readonly [RemoteRival, RemoteRival];
  readonly id: string;
  /** A place in the run, or a time in milliseconds after its start. */
  readonly where: HoldPoint | { readonly afterMs: number };
  /** The other's act in the meantime. */
  readonly act: Act;
  /** Whether the paused process wakes up during the other's work or after it. */
  readonly wakes: "during" | "after";
  readonly tally: Tally;
  readonly row: string;
}

/** Pauses a process past the lease of its run, lets another take over, and wakes it up. */
export async function pausedRound(round: PausedRound): Promise<readonly string[]> {
  const { store, rivals, id, where, act, wakes, tally, row } = round;
  const [paused, other] = rivals;
  const hold = "at" in where ? where : undefined;
  await paused.prepare({ id, beginning: "running", asks: false, seed: 7, leaseMs: LEASE_MS, hold });
  await ("afterMs" in where ? delay(where.afterMs) : paused.held(id));
  paused.pause();
  const work = other.act({
    id,
    act,
    message: `Task, ${act} ${id}.`,
    delayMs: 0,
    seed: 11,
    leaseMs: LEASE_MS,
    sameObject: false,
  });
  const wake = async (): Promise<void> => {
    paused.wake();
    await paused.letGo(id);
  };
  // About the time when the other notices the expired lease.
  if (wakes === "during") await delay(LEASE_MS + 20);
  const waking = wakes === "during" ? wake() : undefined;
  const report = await work;
  await (waking ?? wake());
  const [mine, others] = await Promise.all([paused.settle(id), other.settle(id)]);
  const reports: readonly ActReport[] = [report, ...(mine.began === undefined ? [] : [mine.began])];
  tally.count(row, "rounds");
  const lost = mine.began?.error?.code === "session_lease_lost";
  tally.count(row, lost ? "lost its lease" : mine.began?.error === undefined ? "finished itself" : "stopped");
  for (const { act: one, error } of reports)
    if (one !== "begin") tally.count(row, error === undefined ? "done" : "refused");
  // Work of the paused process must not happen again under another key.
  const effects = [...mine.effects, ...others.effects];
  return tally.found(
    row,
    `${id}, ${JSON.stringify(where)}, ${act}, wakes ${wakes}`,
    await problemsOfStory({ store, id, reports, effects, isCutOff: false }),
  );
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
