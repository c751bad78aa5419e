import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Draft, MemoryStore, type SessionStore } from "@pollux/core";
import { SessionConflictError } from "@pollux/core/errors";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { storeConformance } from "@pollux/conformance";
import { describe, expect, test, vi } from "vitest";
import { isSameLease } from "../../core/src/session/store/store.ts";
import { storeLike } from "../../core/test/helpers/processes.ts";
import { stopClock } from "../../core/test/helpers/stop-clock.ts";
import { until } from "../../core/test/helpers/until.ts";

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
function broken(change: (store: MemoryStore) => Partial<SessionStore>): SessionStore {
  const store = new MemoryStore();
  return storeLike(store, change(store));
}

const FAULTS: readonly { fault: string; store: () => SessionStore; noticed: RegExp }[] = [
  {
    fault: "ignores the expected length",
    store: () =>
      broken((store) => ({
        append: async (id, _expected, ...rest) => store.append(id, (await store.load(id)).length, ...rest),
      })),
    noticed: /expected length was accepted/,
  },
  {
    fault: "orders keys anew",
    store: () =>
      broken((store) => ({
        append: (id, expected, entries, options) =>
          store.append(
            id,
            expected,
            entries.map((entry) =>
              typeof entry === "object" && entry !== null && !Array.isArray(entry)
                ? Object.fromEntries(Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1)))
                : entry,
            ),
            options,
          ),
      })),
    noticed: /entry 0 is not verbatim/,
  },
  {
    fault: "takes small letters for capital ones",
    store: () =>
      broken((store) => ({
        load: (id, from) => store.load(id.toLowerCase(), from),
        append: (id, ...rest) => store.append(id.toLowerCase(), ...rest),
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
      broken((store) => ({
        append: (id, expected, entries, options) => store.append(id, expected, entries.slice(0, 2), options),
      })),
    noticed: /expected/,
  },
  {
    fault: "deletes nothing",
    store: () => broken(() => ({ delete: async () => {}, watch: undefined })),
    noticed: /load: expected \[\]/,
  },
  {
    fault: "lists without limit",
    store: () => broken((store) => ({ list: (options) => store.list({ ...options, limit: 1000 }) })),
    noticed: /list/,
  },
  {
    fault: "appends whoever holds the lease",
    store: () =>
      broken((store) => ({
        append: (id, expected, entries, { token: _, ...options } = {}) => store.append(id, expected, entries, options),
      })),
    noticed: /under a lease that is not held was accepted|expected a SessionLeaseLostError/,
  },
  {
    fault: "compares the length before the lease",
    store: () =>
      broken((store) => ({
        append: async (id, expected, entries, options) => {
          const { length } = await store.load(id);
          if (expected !== length) throw new SessionConflictError(id, expected, length);
          return await store.append(id, expected, entries, options);
        },
      })),
    noticed: /expected a SessionLeaseLostError, got SessionConflictError/,
  },
  {
    fault: "changes the lease of an append that it refuses",
    store: () =>
      broken((store) => ({
        append: async (id, expected, entries, options = {}) => {
          const { token, lease } = options;
          if (lease === undefined) return await store.append(id, expected, entries, options);
          await store.append(id, (await store.load(id)).length, [], { token, lease });
          return await store.append(id, expected, entries);
        },
      })),
    noticed: /expected a SessionConflictError, got SessionLeaseLostError/,
  },
  {
    fault: "compares only the token of a lease",
    store: () =>
      broken((store) => ({
        setLease: async (id, expected, next) => {
          const { lease } = await store.records(id);
          return await store.setLease(id, lease?.token === expected?.token ? lease : expected, next);
        },
      })),
    noticed: /setLease for/,
  },
  {
    fault: "reads a lease and writes it later",
    store: () =>
      broken((store) => ({
        setLease: async (id, expected, next) => {
          const { lease } = await store.records(id);
          if (!isSameLease(lease, expected)) return false;
          await new Promise((resolve) => setTimeout(resolve, 1));
          return await store.setLease(id, (await store.records(id)).lease, next);
        },
      })),
    noticed: /winners: expected 1/,
  },
  {
    fault: "takes a draft from anybody",
    store: () =>
      broken((store) => ({
        setDraft: async (id, token, draft) =>
          store.setDraft(id, (await store.records(id)).lease?.token ?? token, draft),
      })),
    noticed: /the draft: expected/,
  },
  {
    fault: "keeps the draft of a lease that was given back",
    store: () => {
      const drafts = new Map<string, Draft | undefined>();
      return broken((store) => ({
        setDraft: async (id, token, draft) => {
          await store.setDraft(id, token, draft);
          drafts.set(id, (await store.records(id)).draft);
        },
        records: async (id) => ({ ...(await store.records(id)), draft: drafts.get(id) }),
      }));
    },
    noticed: /records after it was given back/,
  },
  {
    fault: "lets a late request to stop replace a new one",
    store: () => {
      const stops = new Map<string, number>();
      return broken((store) => ({
        watch: undefined,
        requestStop: async (id, token) => void stops.set(id, token),
        records: async (id) => ({ ...(await store.records(id)), stopToken: stops.get(id) }),
      }));
    },
    noticed: /records after a late request/,
  },
  {
    fault: "keeps records after the session is deleted",
    store: () =>
      broken((store) => ({
        delete: async (id) => {
          const { lease } = await store.records(id);
          await store.delete(id);
          if (lease !== undefined) await store.setLease(id, undefined, lease);
        },
      })),
    noticed: /session a: expected/,
  },
  {
    fault: "pages by position",
    store: () => {
      const places = new Map<string, number>();
      return broken((store) => ({
        list: async (options = {}) => {
          const { after, limit = 100, ...rest } = options;
          const from = after === undefined ? 0 : (places.get(after.id) ?? 0);
          const page = (await store.list({ ...rest, limit: 10_000 })).slice(from, from + limit);
          for (const [index, { id }] of page.entries()) places.set(id, from + index + 1);
          return page;
        },
      }));
    },
    noticed: /pages in the order "recent"|have no end/,
  },
  {
    fault: "forgets what a session said about itself when an append says nothing",
    store: () => {
      const silent = new Set<string>();
      return broken((store) => ({
        append: async (id, expected, entries, options) => {
          await store.append(id, expected, entries, options);
          if (options?.info === undefined) silent.add(id);
        },
        list: async (options) =>
          (await store.list(options)).map(({ id, length, updatedAt, ...info }) => ({
            ...(!silent.has(id) && info),
            id,
            length,
            updatedAt,
          })),
      }));
    },
    noticed: /list after an append that said nothing/,
  },
  {
    fault: "takes metadata for a pattern",
    store: () =>
      broken((store) => ({
        list: async ({ metadata = {}, ...options } = {}) =>
          (await store.list(options)).filter((one) =>
            Object.entries(metadata).every(([name, value]) => one.metadata?.[name]?.includes(value)),
          ),
      })),
    noticed: /list of metadata/,
  },
  {
    fault: "deletes everything when no condition is given",
    store: () =>
      broken((store) => ({
        deleteSessions: async (filter) => store.deleteSessions({ ...filter, updatedBefore: Infinity }),
      })),
    noticed: /should reject with a TypeError/,
  },
  {
    fault: "takes every other process for ended",
    store: () => broken(() => ({ processes: { self: 1, isGone: (process) => process !== 1 } })),
    noticed: /has surely ended: expected false/,
  },
];

describe("the checks", () => {
  test.each(FAULTS)("notice a store that $fault", async ({ store, noticed }) => {
    const checks = storeConformance(() => ({ store: store() }));
    const failures = await Promise.all(checks.map(({ run }) => run().then(() => "", String)));
    expect(failures.filter((failure) => noticed.test(failure))).not.toEqual([]);
  });

  test.each([
    { fault: "never tells", watch: () => () => () => {}, noticed: /were not notified of change 1/ },
    {
      fault: "goes on telling",
      watch: (store: MemoryStore) => (id: string, onChange: () => void) => (store.watch(id, onChange), () => {}),
      noticed: /calls after the end/,
    },
  ])("notice a store that $fault who watches", async ({ watch, noticed }) => {
    stopClock();
    const checks = storeConformance(() => ({ store: broken((store) => ({ watch: watch(store) })) }));
    const failures: string[] = [];
    for (const { run } of checks.filter(({ name }) => name.includes("watch"))) {
      let over = false;
      void run()
        .then(() => "", String)
        .then((failure) => (failures.push(failure), (over = true)));
      await until(() => {
        vi.runAllTimers();
        return over;
      });
    }
    expect(failures.filter((failure) => noticed.test(failure))).toHaveLength(1);
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
