import { afterEach, describe, expect, test, vi } from "vitest";
import { fakeTime, idle } from "../../core/test/helpers/fake-time.ts";
import type { PostgresStore, PostgresStoreOptions } from "../src/index.ts";
import { onePool } from "./support/one-pool.ts";

const place = onePool();
const opened: PostgresStore[] = [];

// Time stands: what arrives without it was notified.
fakeTime("stands");

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

function open(options: PostgresStoreOptions = {}): PostgresStore {
  const store = place.open({ listen: true, ...options });
  opened.push(store);
  return store;
}

/** Watches a session. `next` resolves with the next change that was not yet waited for. */
function watch(
  store: PostgresStore,
  id: string,
): { readonly next: () => Promise<void>; readonly changes: () => number } {
  const seen = { changes: 0, waited: 0, wake: () => {} };
  store.watch(id, () => {
    seen.changes++;
    seen.wake();
  });
  return {
    changes: () => seen.changes,
    next: async () => {
      seen.waited++;
      while (seen.changes < seen.waited) await new Promise<void>((resolve) => (seen.wake = resolve));
      seen.waited = seen.changes;
    },
  };
}

/** Resolves once something holds; time stands. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await idle();
}

/** A store that hears notifications about `a`, which has an entry; and what watches it. */
async function listening(): Promise<{ readonly store: PostgresStore; readonly watched: ReturnType<typeof watch> }> {
  const store = open();
  await store.append("a", 0, [1]);
  const watched = watch(store, "a");
  // The first look, when the connection listens.
  await watched.next();
  return { store, watched };
}

describe("a watched session", () => {
  test("reports every kind of write by another store at once, and nothing else", async () => {
    const { watched } = await listening();
    const other = open();
    const lease = { token: 1, beat: 0, held: true, runId: "r", durationMs: 1000 };
    const writes: readonly (() => Promise<unknown>)[] = [
      () => other.append("a", 1, [2], { lease: { expected: undefined, next: lease } }),
      () => other.setLease("a", lease, { ...lease, beat: 1 }),
      () =>
        other.setDraft("a", 1, {
          runId: "r",
          step: "model:1",
          place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
          attempt: 1,
          parts: [{ text: "So" }],
        }),
      () => other.setDraft("a", 1, undefined),
      () => other.requestStop("a", 1),
      () => other.setLease("a", { ...lease, beat: 1 }, { ...lease, beat: 1, held: false }),
      () => other.append("a", 2, [], { lease: { expected: { ...lease, beat: 1, held: false }, next: lease } }),
      () => other.deleteSessions({ prefix: "a" }),
      () => other.delete("a"),
    ];
    for (const write of writes) {
      const before = watched.changes();
      await other.append(crypto.randomUUID(), 0, [1]);
      await other.setLease("a", { ...lease, token: 9 }, lease);
      await write();
      await watched.next();
      expect(watched.changes()).toBe(before + 1);
    }
  });

  test("tells of writes through the same store once", async () => {
    const { store, watched } = await listening();
    await store.append("a", 1, [2]);
    await watched.next();
    const other = watch(open(), "a");
    await other.next();
    await store.append("a", 2, [3]);
    await other.next();
    expect(watched.changes()).toBe(3);
  });

  test("is looked at every second where nothing listens, and only while it is watched", async () => {
    const store = open({ listen: false });
    const other = open({ listen: false });
    await store.append("a", 0, [1]);
    const watched = watch(store, "a");
    const looks = (): number => place.pool.sent.filter((sql) => sql.includes("xmin")).length;
    await vi.advanceTimersByTimeAsync(1000);
    await watched.next();
    await other.append("a", 1, [2]);
    await vi.advanceTimersByTimeAsync(1000);
    await watched.next();
    await vi.advanceTimersByTimeAsync(1000);
    await until(() => looks() === 3);
    await idle();
    expect(watched.changes()).toBe(2);
    expect(place.pool.clients.size).toBe(0);
    await store.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect(looks()).toBe(3);
  });

  test("is looked at where a pooler accepts LISTEN and delivers nothing", async () => {
    place.pool.muted = true;
    const store = open();
    await store.append("a", 0, [1]);
    const watched = watch(store, "a");
    await until(() => place.pool.sent.some((sql) => sql.includes("pg_notify($1::text, $2::text)")));
    await vi.advanceTimersByTimeAsync(1000);
    await watched.next();
    await open().append("a", 1, [2]);
    await vi.advanceTimersByTimeAsync(1000);
    await watched.next();
    // The connection that heard nothing is given back, and tried again later.
    await vi.advanceTimersByTimeAsync(3000);
    await until(() => place.pool.clients.size === 0);
    place.pool.muted = false;
    await vi.advanceTimersByTimeAsync(200);
    await open().append("a", 2, [3]);
    await watched.next();
  });

  test("is looked at again when notifications begin to arrive during a look", async () => {
    const store = open();
    await store.append("a", 0, [1]);
    place.pool.muted = true;
    const watched = watch(store, "a");
    await until(() => place.pool.sent.some((sql) => sql.includes("pg_notify($1::text, $2::text)")));
    await vi.advanceTimersByTimeAsync(1000);
    await watched.next();
    // The connection that hears nothing is replaced; a look has read its rows when the next one begins to hear.
    let letGo: (() => void) | undefined;
    place.pool.after = (sql) =>
      sql.includes("xmin") && letGo === undefined ? new Promise((resolve) => (letGo = resolve)) : undefined;
    await vi.advanceTimersByTimeAsync(1000);
    await until(() => letGo !== undefined);
    await open().append("a", 1, [2]);
    place.pool.muted = false;
    await vi.advanceTimersByTimeAsync(3000);
    await until(() => place.pool.clients.size === 0);
    await vi.advanceTimersByTimeAsync(100);
    await until(() => place.pool.sent.filter((sql) => sql.includes("pg_notify($1::text, $2::text)")).length === 2);
    // Whether it has heard by then makes no difference to what is told.
    for (let turn = 0; turn < 100; turn++) await idle();
    letGo?.();
    await watched.next();
  });

  test("is reported again after the connection broke, with the changes made meanwhile", async () => {
    const { watched } = await listening();
    const before = [...place.pool.clients];
    expect(before).toHaveLength(1);
    before[0]?.[1]();
    expect(place.pool.clients.size).toBe(0);
    await open().append("a", 1, [2]);
    expect(watched.changes()).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    await watched.next();
    expect(place.pool.clients.size).toBe(1);
    await open().append("a", 2, [3]);
    await watched.next();
  });

  test("is checked now and then although the connection listens, in case it broke silently", async () => {
    const { watched } = await listening();
    place.pool.muted = true;
    await open().append("a", 1, [2]);
    await vi.advanceTimersByTimeAsync(30_000);
    await watched.next();
  });

  test("is reported through a new connection when the listening one no longer answers", async () => {
    const { watched } = await listening();
    place.pool.before = (sql) => (sql.includes("xmin") ? new Promise(() => {}) : undefined);
    place.pool.muted = true;
    await vi.advanceTimersByTimeAsync(30_000);
    await until(() => place.pool.sent.filter((sql) => sql.includes("xmin")).length === 2);
    expect(place.pool.clients.size).toBe(1);
    place.pool.reset();
    // The limit of a query, then the pause before the next connection.
    await vi.advanceTimersByTimeAsync(30_000);
    await until(() => place.pool.clients.size === 0);
    await vi.advanceTimersByTimeAsync(100);
    await open().append("a", 1, [2]);
    await watched.next();
  });

  test("takes no connection from a pool that has only one", async () => {
    place.pool.options.max = 1;
    const store = open();
    await store.migrate();
    const watched = watch(store, "a");
    await vi.advanceTimersByTimeAsync(1000);
    await watched.next();
    expect(place.pool.sent.filter((sql) => sql.startsWith("listen"))).toEqual([]);
  });

  test("costs one connection for all watchers, which is given back when nobody watches any more", async () => {
    const { store } = await listening();
    const ends = ["a", "b", "c"].map((id) => store.watch(id, () => {}));
    expect(place.pool.clients.size).toBe(1);
    for (const end of ends) end();
    await vi.advanceTimersByTimeAsync(10_000);
    // The one of `listening`.
    expect(place.pool.clients.size).toBe(1);
    const only = open();
    only.watch("a", () => {})();
    await until(() => place.pool.clients.size === 2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(place.pool.clients.size).toBe(1);
    await store.close();
    expect(place.pool.clients.size).toBe(0);
  });
});

test("an append succeeds even if its notification fails", async () => {
  const store = open();
  await store.migrate();
  place.pool.before = (sql) => {
    if (sql.includes("count(pg_notify")) throw new Error("notification queue is full");
  };
  await store.append("a", 0, [1]);
  expect(await store.load("a")).toEqual([1]);
});

test("simultaneous appends share a notification", async () => {
  const store = open();
  await store.migrate();
  await Promise.all(Array.from({ length: 20 }, (_, index) => store.append(`s${index}`, 0, [1])));
  expect(place.pool.sent.filter((sql) => sql.includes("count(pg_notify")).length).toBeLessThan(20);
});
