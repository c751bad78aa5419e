import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore, type SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { storeConformance } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";

function folder(): string {
  return mkdtempSync(join(tmpdir(), "pollux-store-"));
}

describe.each(storeConformance(() => ({ store: new MemoryStore() })))("MemoryStore: $name", ({ run }) => {
  test("holds", run);
});

const sqlite = storeConformance(() => {
  const inside = folder();
  const open: SqliteStore[] = [];
  const reopen = async (): Promise<SqliteStore> => {
    const store = new SqliteStore(join(inside, "sessions.db"));
    open.push(store);
    return store;
  };
  const store = new SqliteStore(join(inside, "sessions.db"));
  open.push(store);
  return {
    store,
    reopen,
    close: () => {
      for (const one of open) one.close();
      rmSync(inside, { recursive: true });
    },
  };
});

describe.each(sqlite)("SqliteStore: $name", ({ run }) => {
  test("holds", run);
});

describe.each(storeConformance(() => ({ store: new SqliteStore(":memory:") })))(
  "SqliteStore in memory: $name",
  ({ run }) => {
    test("holds", run);
  },
);

const jsonl = storeConformance(() => {
  const inside = folder();
  return {
    store: new JsonlStore(join(inside, "sessions")),
    reopen: async () => new JsonlStore(join(inside, "sessions")),
    close: () => rmSync(inside, { recursive: true }),
  };
});

describe.each(jsonl)("JsonlStore: $name", ({ run }) => {
  test("holds", run);
});

/** A MemoryStore with one promise broken. */
function broken(change: (store: SessionStore) => Partial<SessionStore>): SessionStore {
  const store = new MemoryStore();
  const whole: SessionStore = {
    load: (id, from) => store.load(id, from),
    append: (id, expected, entries) => store.append(id, expected, entries),
    list: (options) => store.list(options),
    delete: (id) => store.delete(id),
  };
  return { ...whole, ...change(whole) };
}

const FAULTS: readonly { fault: string; store: () => SessionStore; noticed: RegExp }[] = [
  {
    fault: "ignores the expected length",
    store: () =>
      broken((store) => ({
        append: async (id, _expected, entries) => store.append(id, (await store.load(id)).length, entries),
      })),
    noticed: /expected length was accepted/,
  },
  {
    fault: "orders keys anew",
    store: () =>
      broken((store) => ({
        append: (id, expected, entries) =>
          store.append(
            id,
            expected,
            entries.map((entry) =>
              typeof entry === "object" && entry !== null && !Array.isArray(entry)
                ? Object.fromEntries(Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1)))
                : entry,
            ),
          ),
      })),
    noticed: /entry 0 is not verbatim/,
  },
  {
    fault: "takes small letters for capital ones",
    store: () =>
      broken((store) => ({
        load: (id, from) => store.load(id.toLowerCase(), from),
        append: (id, expected, entries) => store.append(id.toLowerCase(), expected, entries),
      })),
    noticed: /got \[\]|changed by another writer/,
  },
  {
    fault: "ignores where to load from",
    store: () => broken((store) => ({ load: (id) => store.load(id) })),
    noticed: /load from 1/,
  },
  {
    fault: "writes a part of an append",
    store: () =>
      broken((store) => ({ append: (id, expected, entries) => store.append(id, expected, entries.slice(0, 2)) })),
    noticed: /expected/,
  },
  { fault: "deletes nothing", store: () => broken(() => ({ delete: async () => {} })), noticed: /load: expected \[\]/ },
  {
    fault: "lists without limit",
    store: () => broken((store) => ({ list: (options) => store.list({ ...options, limit: 1000 }) })),
    noticed: /list/,
  },
];

describe("the checks", () => {
  test.each(FAULTS)("notice a store that $fault", async ({ store, noticed }) => {
    const checks = storeConformance(() => ({ store: store() }));
    const failures = await Promise.all(checks.map(({ run }) => run().then(() => "", String)));
    expect(failures.filter((failure) => noticed.test(failure))).not.toEqual([]);
  });

  test("close what they opened, also when they fail", async () => {
    let closed = 0;
    const checks = storeConformance(() => ({
      store: broken(() => ({ load: async () => [1] })),
      close: () => void closed++,
    }));
    await Promise.allSettled(checks.map(({ run }) => run()));
    expect(closed).toBe(checks.length);
  });
});
