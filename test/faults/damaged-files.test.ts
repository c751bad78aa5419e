import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SessionStore } from "@pollux/core";
import { SessionDamagedError } from "@pollux/core/errors";
import { describe, expect, test } from "vitest";
import { GO } from "./support/errand.ts";
import { faultTable } from "./support/fault-table.ts";
import { openStore, problemsOfError, sessionIn } from "./support/open-store.ts";
import { KINDS } from "./support/places.ts";
import { withStore } from "./support/stored-session.ts";
import { errandWithStates, tornWrites } from "./support/torn-writes.ts";

const table = faultTable("files that are torn or damaged");
const { tally } = table;

// `torn-writes.system.test.ts` cuts at every append.
test.each(KINDS)(
  "a write that was torn, in a %s store, takes back what was not acknowledged, and nothing else",
  async (kind) => {
    expect(await tornWrites(table, kind, 9)).toEqual([]);
  },
);

describe.each(KINDS)("a %s store that is damaged in the middle", (kind) => {
  test("is not read past the damage, and not written to", async () => {
    const row = `damaged, ${kind}`;
    const whole = table.places.place(kind, "good");
    {
      await using opened = openStore(whole);
      await errandWithStates(table, opened.store, () => 0);
    }
    const problems: string[] = [];
    for (const [index, damage] of (kind === "jsonl" ? JSONL_DAMAGE : SQLITE_DAMAGE).entries()) {
      const hurt = table.places.place(kind, `hurt-${index}`);
      await damage(whole.path, hurt.path);
      const file = kind === "jsonl" ? join(hurt.path, "s.jsonl") : hurt.path;
      const bytes = await readFile(file);
      tally.count(row, "times");
      const advice = kind === "jsonl" ? /line \d+ of .*s\.jsonl is damaged .*repair/ : /restore it|repair|not JSON/;
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

/** Changes the bytes of a log of lines. */
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
  // A byte that breaks the JSON.
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
  // Pages that read as zeros, after the first one, which identifies the file.
  async (from, to) => {
    const bytes = await readFile(from);
    await writeFile(to, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096)]));
  },
  // An entry that is not JSON.
  async (from, to) => {
    await copyFile(from, to);
    const database = new DatabaseSync(to);
    database.exec(
      "update pollux_entry set entry = substr(entry, 2) where position = 4; pragma wal_checkpoint(truncate)",
    );
    database.close();
  },
];
