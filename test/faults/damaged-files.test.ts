import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SessionDamagedError, type SessionStore } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { EffectsList } from "./support/effects.ts";
import { answerUnknown } from "./support/end-of-errand.ts";
import { DONE, GO } from "./support/errand.ts";
import { FULL } from "./support/full.ts";
import { counting, openStore, problemsOfError, sessionIn } from "./support/open-store.ts";
import { KINDS } from "./support/places.ts";
import { lostEntries, withStore } from "./support/stored-session.ts";
import { faultTable } from "./support/fault-table.ts";

const table = faultTable("files that are torn or damaged");
const { tally } = table;

/** A whole errand, with the state of the store's files after each append. */
async function errandWithStates(store: SessionStore, sizeNow: () => Promise<number>): Promise<readonly State[]> {
  const states: State[] = [];
  const { told } = counting(store, async (entries) => void states.push({ entries, bytes: await sizeNow() }));
  const session = sessionIn(told, table.places.world);
  expect((await session.send(GO)).text).toBe(DONE);
  return states;
}

interface State {
  readonly entries: number;
  /** Size of the file that grows. */
  readonly bytes: number;
}

/** How many entries were acknowledged when a file had this size. */
function entriesAt(states: readonly State[], bytes: number): number {
  return states.findLast((state) => state.bytes <= bytes)?.entries ?? 0;
}

/** Goes on with a store's session until its errand is done. */
async function goOnIn(store: SessionStore): Promise<string | undefined> {
  const effects = new EffectsList();
  const session = sessionIn(store, table.places.world, effects);
  const { lastRun } = await session.state();
  if (lastRun === "finished") return undefined;
  const result = lastRun === undefined ? await session.send(GO) : await session.resume();
  const { text } = await answerUnknown(session, result, effects.all);
  return text === DONE ? undefined : `lost: ended with ${text}`;
}

describe.each(KINDS)("a write that was torn, in a %s store", (kind) => {
  test("takes back what was not acknowledged, and nothing else", { timeout: 120_000 }, async () => {
    const row = `torn write, ${kind}`;
    const whole = table.places.place(kind, "whole");
    // SQLite writes into its own log until it is closed.
    const grows = kind === "jsonl" ? join(whole.path, "s.jsonl") : `${whole.path}-wal`;
    const problems: string[] = [];
    await using opened = openStore(whole);
    const states = await errandWithStates(opened.store, async () => (await stat(grows)).size);
    const all = await readFile(grows);
    const expected = await opened.store.load("s");
    const cuts = states.flatMap(({ bytes }, index) => {
      const next = states[index + 1]?.bytes ?? bytes;
      return [bytes, ...(next > bytes ? [bytes + 1, Math.floor((bytes + next) / 2), next - 1] : [])];
    });
    for (const [index, cut] of cuts.entries()) {
      const torn = table.places.place(kind, `torn-${index}`);
      if (kind === "sqlite") await copyFile(whole.path, torn.path);
      const before = await withStore(kind === "jsonl" ? torn : table.places.place(kind, `none-${index}`), (store) =>
        store.load("s"),
      );
      expect(before).toEqual([]);
      if (kind === "jsonl") await withStore(torn, (store) => store.append("s", 0, [{ any: "thing" }]));
      await writeFile(kind === "jsonl" ? join(torn.path, "s.jsonl") : `${torn.path}-wal`, all.subarray(0, cut));
      tally.count(row, "times");
      const found = await withStore(torn, async (store) => {
        const acknowledged = entriesAt(states, cut);
        const there = await store.load("s");
        const wrong = lostEntries(acknowledged, there, expected);
        if (there.length > acknowledged)
          return [...wrong, `doubled: ${there.length} entries, ${acknowledged} acknowledged`];
        // Going on takes long; all table.places matter, but not each at each time.
        if (!FULL && index % 4 !== 0) return wrong;
        const why = await goOnIn(store);
        if (why === undefined) tally.count(row, "gone on, right");
        return [...wrong, ...(why === undefined ? [] : [why])];
      });
      problems.push(...tally.found(row, `cut at ${cut} of ${all.length}`, found));
    }
    expect(tally.found(row, "", problems)).toEqual([]);
  });
});

describe.each(KINDS)("a %s store that is damaged in the middle", (kind) => {
  test("is not read past the damage, and not written to", { timeout: 60_000 }, async () => {
    const row = `damaged, ${kind}`;
    const whole = table.places.place(kind, "good");
    {
      await using opened = openStore(whole);
      await errandWithStates(opened.store, async () => 0);
    }
    const problems: string[] = [];
    for (const [index, damage] of (kind === "jsonl" ? JSONL_DAMAGE : SQLITE_DAMAGE).entries()) {
      const hurt = table.places.place(kind, `hurt-${index}`);
      await damage(whole.path, hurt.path);
      const file = kind === "jsonl" ? join(hurt.path, "s.jsonl") : hurt.path;
      const bytes = await readFile(file);
      tally.count(row, "times");
      const advice = kind === "jsonl" ? /line \d+ of .*s\.jsonl is damaged .*repair/ : /restore it|repair|no JSON/;
      const found: string[] = [];
      for (const act of [read, send, resume]) {
        const error: unknown = await withStore(hurt, act).catch((reason: unknown) => reason);
        found.push(...problemsOfError(error, SessionDamagedError, advice));
      }
      if (!bytes.equals(await readFile(file))) found.push("lost: the file was written to");
      if (found.length === 0) tally.count(row, "stopped, typed");
      problems.push(...tally.found(row, `damage ${index}`, found));
    }
    expect(tally.found(row, "", problems)).toEqual([]);
  });
});

const read = (store: SessionStore): Promise<unknown> => store.load("s");
const send = (store: SessionStore): Promise<unknown> => sessionIn(store, table.places.world).send(GO);
const resume = (store: SessionStore): Promise<unknown> => sessionIn(store, table.places.world).resume();

type Damage = (from: string, to: string) => Promise<void>;

/** Changes the bytes of a log that lines made. */
function inLines(change: (bytes: Buffer) => Buffer): Damage {
  return async (from, to) => {
    await withStore({ kind: "jsonl", path: to }, (store) => store.append("s", 0, [{ any: "thing" }]));
    await writeFile(join(to, "s.jsonl"), change(await readFile(join(from, "s.jsonl"))));
  };
}

const LINE_FEED = 0x0a;

function middleLine(bytes: Buffer): number {
  return bytes.indexOf(LINE_FEED, Math.floor(bytes.length / 2)) + 1;
}

const JSONL_DAMAGE: readonly Damage[] = [
  // A byte that is no JSON.
  inLines((bytes) =>
    Buffer.concat([bytes.subarray(0, middleLine(bytes)), Buffer.from("x"), bytes.subarray(middleLine(bytes) + 1)]),
  ),
  // A block of the disk that reads as zeros.
  inLines((bytes) => {
    const at = Math.floor(bytes.length / 3);
    return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(512), bytes.subarray(at + 512)]);
  }),
  // A part that is missing.
  inLines((bytes) => Buffer.concat([bytes.subarray(0, 300), bytes.subarray(400)])),
];

const SQLITE_DAMAGE: readonly Damage[] = [
  // Pages that read as zeros, behind the first, which says what the file is.
  async (from, to) => {
    const bytes = await readFile(from);
    await writeFile(to, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096)]));
  },
  // An entry that is no JSON.
  async (from, to) => {
    await copyFile(from, to);
    const database = new DatabaseSync(to);
    database.exec(
      "update pollux_entry set entry = substr(entry, 2) where position = 4; pragma wal_checkpoint(truncate)",
    );
    database.close();
  },
];
