import { statSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SessionStore } from "@pollux/core";
import { storeLike } from "../../../packages/core/test/helpers/processes.ts";
import { EffectsList } from "./effects.ts";
import { answerUnknown } from "./end-of-errand.ts";
import { DONE, GO } from "./errand.ts";
import type { FaultTable } from "./fault-table.ts";
import { counting, openStore, sessionIn } from "./open-store.ts";
import type { StorePlace } from "./process-messages.ts";
import { lostEntries, withStore } from "./stored-session.ts";

/** Cuts the growing file at and around the end of each append, and continues from the rest; every nth cut. */
export async function tornWrites(
  table: FaultTable,
  kind: StorePlace["kind"],
  every: number,
): Promise<readonly string[]> {
  const row = `torn write, ${kind}`;
  const whole = table.places.place(kind, "whole");
  // SQLite writes into its own log until it is closed.
  const grows = kind === "jsonl" ? join(whole.path, "s.jsonl") : `${whole.path}-wal`;
  const problems: string[] = [];
  await using opened = openStore(whole);
  const states = await errandWithStates(table, opened.store, () => statSync(grows).size);
  const all = await readFile(grows);
  const expected = await opened.store.load("s");
  const cuts = states.flatMap(({ bytes }, index) => {
    const next = states[index + 1]?.bytes ?? bytes;
    return [bytes, ...(next > bytes ? [bytes + 1, Math.floor((bytes + next) / 2), next - 1] : [])];
  });
  for (const [index, cut] of cuts.entries()) {
    if (index % every !== 0) continue;
    const torn = table.places.place(kind, `torn-${index}`);
    if (kind === "sqlite") await copyFile(whole.path, torn.path);
    const before = await withStore(kind === "jsonl" ? torn : table.places.place(kind, `none-${index}`), (store) =>
      store.load("s"),
    );
    if (before.length > 0) problems.push("lost: a new store is not empty");
    if (kind === "jsonl") await withStore(torn, (store) => store.append("s", 0, [{ any: "thing" }]));
    await writeFile(kind === "jsonl" ? join(torn.path, "s.jsonl") : `${torn.path}-wal`, all.subarray(0, cut));
    table.tally.count(row, "times");
    const found = await withStore(torn, async (store) => {
      const acknowledged = entriesAt(states, cut);
      const there = await store.load("s");
      const wrong = lostEntries(acknowledged, there, expected);
      if (there.length > acknowledged)
        return [...wrong, `doubled: ${there.length} entries, ${acknowledged} acknowledged`];
      const why = await goOnIn(table, store);
      if (why === undefined) table.tally.count(row, "gone on, right");
      return [...wrong, ...(why === undefined ? [] : [why])];
    });
    problems.push(...table.tally.found(row, `cut at ${cut} of ${all.length}`, found));
  }
  return problems;
}

/** A whole errand, with the state of the store's files after each append. */
export async function errandWithStates(
  table: FaultTable,
  store: SessionStore,
  sizeNow: () => number,
): Promise<readonly State[]> {
  const states: State[] = [];
  const { told } = counting(store, async (entries) => {
    // Synchronously, since renewals of the lease make the file longer, too.
    states.push({ entries, bytes: sizeNow() });
  });
  const session = sessionIn(told, table.places.world);
  const { text } = await session.send(GO);
  if (text !== DONE) throw new Error(`The errand ended with ${text}.`);
  return states;
}

interface State {
  readonly entries: number;
  /** Size of the growing file. */
  readonly bytes: number;
}

/** How many entries were acknowledged at this size of the file. */
function entriesAt(states: readonly State[], bytes: number): number {
  return states.findLast((state) => state.bytes <= bytes)?.entries ?? 0;
}

/** Continues a store's session until its errand is done. */
async function goOnIn(table: FaultTable, store: SessionStore): Promise<string | undefined> {
  const effects = new EffectsList();
  // According to the file, this process holds the session; the real writer would have died with its last bytes.
  const after = storeLike(store, { processes: { self: "after the crash", isGone: () => true } });
  const session = sessionIn(after, table.places.world, effects);
  const { lastRun } = await session.state();
  if (lastRun === "finished") return undefined;
  const result = lastRun === undefined ? await session.send(GO) : await session.resume();
  const { text } = await answerUnknown(session, result, effects.all);
  return text === DONE ? undefined : `lost: ended with ${text}`;
}
