import type { Json, SessionStore } from "@pollux/core";
import { AWKWARD_ENTRIES, AWKWARD_IDS } from "./awkward-entries.ts";
import { LIST_CHECKS } from "./list-checks.ts";
import { LEASE_CHECKS, RECORD_CHECKS } from "./record-checks.ts";
import { same } from "./steps-harness.ts";
import { isConflict, listIds, refusal, type StoreChecks, verbatim } from "./store-harness.ts";

/** A store to check, empty. */
export interface StoreToCheck {
  readonly store: SessionStore;
  /**
   * Opens the same sessions in another store object, as another process would. Omit it for a store that keeps nothing outside
   * its object; checks then use that object.
   */
  readonly reopen?: (() => Promise<SessionStore>) | undefined;
  /** Called after the check, whether it passed or failed: closes connections and removes files. */
  readonly close?: (() => Promise<void> | void) | undefined;
}

/** One check. */
export interface StoreCheck {
  readonly name: string;
  /** Makes a store, checks it and closes it. @throws {Error} Naming the broken promise. */
  readonly run: () => Promise<void>;
}

/**
 * The contract of {@link SessionStore} as checks for any test runner. They cannot test whether entries survive a crash.
 *
 * @param makeStore - Called for each check; returns a new, empty store.
 *
 * @example
 * describe.each(storeConformance(async () => ({ store: new MyStore() })))("$name", ({ run }) => {
 *   test("holds", run);
 * });
 */
export function storeConformance(makeStore: () => Promise<StoreToCheck> | StoreToCheck): readonly StoreCheck[] {
  const checks = { ...CONTENT_CHECKS, ...WRITER_CHECKS, ...LEASE_CHECKS, ...RECORD_CHECKS, ...LIST_CHECKS };
  return Object.entries(checks).map(([name, run]) => ({
    name,
    run: async () => {
      const made = await makeStore();
      try {
        await run(made.store, made.reopen ?? (async () => made.store));
      } finally {
        await made.close?.();
      }
    },
  }));
}

/** Entries are returned as they were written. */
const CONTENT_CHECKS: StoreChecks = {
  "an unwritten session is empty, not listed, and can be deleted": async (store) => {
    same(await store.load("nobody"), [], "load");
    same(await store.load("nobody", 7), [], "load from 7");
    same(await store.list(), [], "list");
    await store.delete("nobody");
  },
  "entries are returned in order, from any position": async (store) => {
    await store.append("a", 0, [0, 1, 2]);
    await store.append("a", 3, [3]);
    await store.append("a", 4, [4, 5]);
    for (let from = 0; from <= 7; from++)
      same(await store.load("a", from), [0, 1, 2, 3, 4, 5].slice(from), `load from ${from}`);
    // Again: state that the store remembers from the first time must not change the second.
    same(await store.load("a", 4), [4, 5], "load from 4 again");
    same(await store.load("a"), [0, 1, 2, 3, 4, 5], "load again");
  },
  "entries are returned verbatim, including the order of their keys": async (store, reopen) => {
    await store.append("a", 0, AWKWARD_ENTRIES);
    verbatim(await store.load("a"), AWKWARD_ENTRIES);
    verbatim(await (await reopen()).load("a"), AWKWARD_ENTRIES);
  },
  "an entry of 5 MB is returned": async (store, reopen) => {
    const entries: Json[] = [{ text: "0123456789abcdefé\u{1f600}".repeat(250_000) }, "after it"];
    await store.append("a", 0, entries);
    verbatim(await (await reopen()).load("a"), entries);
    same(await store.load("a", 1), ["after it"], "load from 1");
  },
  "many entries are returned": async (store, reopen) => {
    const entries = Array.from({ length: 1000 }, (_, index): Json => ({ index }));
    for (let at = 0; at < 1000; at += 50) await store.append("a", at, entries.slice(at, at + 50));
    verbatim(await (await reopen()).load("a"), entries);
    verbatim(await store.load("a", 777), entries.slice(777));
  },
  "stored entries don't change with the object that was passed or the one that was read": async (store) => {
    const entry = { list: [1] };
    const appending = store.append("a", 0, [entry]);
    entry.list.push(2);
    await appending;
    const [read] = await store.load("a");
    (read as { list: number[] }).list.push(3);
    same(await store.load("a"), [{ list: [1] }], "load");
  },
  "any string is an id, and no two are the same": async (store, reopen) => {
    for (const [index, id] of AWKWARD_IDS.entries()) await store.append(id, 0, [index]);
    const other = await reopen();
    for (const [index, id] of AWKWARD_IDS.entries())
      same(await other.load(id), [index], `load ${JSON.stringify(id.slice(0, 50))}`);
    const ids = [...AWKWARD_IDS].toSorted((a, b) => (a < b ? -1 : 1));
    same(listIds(await other.list({ order: "id", limit: 1000 })), ids, "list");
  },
};

/** The contract for several writers. */
const WRITER_CHECKS: StoreChecks = {
  "an append that expects another length is refused with both lengths, and writes nothing": async (store) => {
    await store.append("a", 0, [0, 1]);
    for (const expected of [0, 1, 3, 100]) {
      const error = await refusal(store.append("a", expected, ["x"]));
      same([error.sessionId, error.expectedLength, error.actualLength], ["a", expected, 2], "the error");
    }
    const error = await refusal(store.append("b", 1, ["x"]));
    same([error.sessionId, error.expectedLength, error.actualLength], ["b", 1, 0], "the error");
    same(await store.load("a"), [0, 1], "load a");
    same(await store.load("b"), [], "load b");
  },
  "an empty append writes nothing, and is refused like any other": async (store) => {
    await store.append("a", 0, []);
    same(await store.list(), [], "list");
    await refusal(store.append("a", 1, []));
    await store.append("a", 0, [0]);
    await store.append("a", 1, []);
    await refusal(store.append("a", 0, []));
    same(await store.load("a"), [0], "load");
  },
  "of concurrent appends that expect the same length, one wins and writes all of its entries": async (
    store,
    reopen,
  ) => {
    const other = await reopen();
    for (let round = 0; round < 10; round++) {
      const settled = await Promise.allSettled(
        Array.from({ length: 8 }, (_, writer) =>
          (writer % 2 === 0 ? store : other).append(
            "a",
            round * 3,
            [0, 1, 2].map((n): Json => [round, writer, n]),
          ),
        ),
      );
      const winners = settled.flatMap(({ status }, writer) => (status === "fulfilled" ? [writer] : []));
      same(winners.length, 1, "winners");
      for (const one of settled) if (one.status === "rejected") isConflict(one.reason);
      const expected = [0, 1, 2].map((n): Json => [round, winners[0] ?? -1, n]);
      same(await store.load("a", round * 3), expected, "the entries of the winner");
      same(await other.load("a", round * 3), expected, "the entries of the winner, read elsewhere");
    }
  },
  "two writers that read again after a conflict lose nothing and write nothing twice": async (store, reopen) => {
    let conflicts = 0;
    const write = async (writer: number, through: SessionStore): Promise<void> => {
      for (let n = 0; n < 30;) {
        const { length } = await through.load("a");
        try {
          await through.append("a", length, [[writer, n]]);
          n++;
        } catch (error) {
          isConflict(error);
          if (++conflicts > 1000) throw new Error("a writer that reads again keeps being refused", { cause: error });
        }
      }
    };
    await Promise.all([write(0, store), write(1, await reopen())]);
    const all = (await store.load("a")) as readonly (readonly [number, number])[];
    for (const writer of [0, 1]) {
      same(
        all.filter(([by]) => by === writer).map(([, n]) => n),
        [...Array(30).keys()],
        `the entries of writer ${writer}`,
      );
    }
    same(all.length, 60, "entries");
  },
  "a deleted session is gone, and its id is free": async (store, reopen) => {
    await store.append("a", 0, [0, 1]);
    await store.append("ab", 0, [2]);
    const other = await reopen();
    await other.load("a");
    await store.delete("a");
    for (const through of [store, other]) {
      same(await through.load("a"), [], "load");
      same(listIds(await through.list()), ["ab"], "list");
    }
    await refusal(other.append("a", 2, ["x"]));
    await store.append("a", 0, ["new", "too", "more"]);
    same(await other.load("a"), ["new", "too", "more"], "load after it was written again");
    same(await store.load("ab"), [2], "the other session");
  },
  "another process sees appends from before and after it opened the store": async (store, reopen) => {
    await store.append("a", 0, [0]);
    const other = await reopen();
    same(await other.load("a"), [0], "load");
    await store.append("a", 1, [1]);
    same(await other.load("a", 1), [1], "load from 1");
    await other.append("a", 2, [2, 3]);
    same(await store.load("a", 2), [2, 3], "load from 2");
    same(await other.load("a", 4), [], "load from the end");
  },
};
