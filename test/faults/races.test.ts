import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore, type SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { afterAll, expect, test } from "vitest";
import { LocalRival } from "./support/rivals/local-rival.ts";
import { race } from "./support/rivals/race.ts";
import { rivalTally } from "./support/rivals/rival-table.ts";

const tally = rivalTally("two session objects that race");
const folder = mkdtempSync(join(tmpdir(), "pollux-races-"));
afterAll(() => rmSync(folder, { recursive: true }));

const STORES: { readonly [kind: string]: () => readonly [SessionStore, SessionStore] } = {
  memory: () => {
    const store = new MemoryStore();
    return [store, store];
  },
  jsonl: () => [new JsonlStore(folder), new JsonlStore(folder)],
  sqlite: () => [new SqliteStore(join(folder, "s.db")), new SqliteStore(join(folder, "s.db"))],
};

// `races.system.test.ts` has all pairs of acts, many more times, in two processes and on Postgres.
test.each(Object.entries(STORES))(
  "two objects of one session in a %s store act on it at random moments, and nothing is lost or doubled",
  async (row, open) => {
    const [one, other] = open();
    const rivals = [new LocalRival(one), new LocalRival(other)] as const;
    const course = row === "memory" ? { rounds: 2 } : { rounds: 1, every: 4 };
    expect(await race({ store: one, rivals, ...course, tally, row })).toEqual([]);
    for (const store of [one, other]) if ("close" in store) (store as SqliteStore).close();
  },
);
