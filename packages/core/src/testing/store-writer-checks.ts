import type { Json } from "../internal/json.ts";
import type { SessionStore } from "../session/store.ts";
import { type Check, idsOf, isConflict, refusal, same } from "./check-values.ts";

/** What several writers may rely on. */
export const WRITER_CHECKS: readonly Check[] = [
  [
    "an append that expects another length is refused, with both lengths, and writes nothing",
    async (store) => {
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
  ],
  [
    "an append of nothing writes nothing, and is refused like any other",
    async (store) => {
      await store.append("a", 0, []);
      same(await store.list(), [], "list");
      await refusal(store.append("a", 1, []));
      await store.append("a", 0, [0]);
      await store.append("a", 1, []);
      await refusal(store.append("a", 0, []));
      same(await store.load("a"), [0], "load");
    },
  ],
  [
    "of appends at once that expect the same length one wins, and writes all of its entries",
    async (store, reopen) => {
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
  ],
  [
    "two writers that read again after a conflict lose nothing and write nothing twice",
    async (store, reopen) => {
      let conflicts = 0;
      const write = async (writer: number, through: SessionStore): Promise<void> => {
        for (let n = 0; n < 30;) {
          const { length } = await through.load("a");
          try {
            await through.append("a", length, [[writer, n]]);
            n++;
          } catch (error) {
            isConflict(error);
            if (++conflicts > 1000)
              throw new Error("a writer that reads again is refused again and again", { cause: error });
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
  ],
  [
    "a deleted session is gone, and its id free",
    async (store, reopen) => {
      await store.append("a", 0, [0, 1]);
      await store.append("ab", 0, [2]);
      const other = await reopen();
      await other.load("a");
      await store.delete("a");
      for (const through of [store, other]) {
        same(await through.load("a"), [], "load");
        same(idsOf(await through.list()), ["ab"], "list");
      }
      await refusal(other.append("a", 2, ["x"]));
      await store.append("a", 0, ["new", "too", "more"]);
      same(await other.load("a"), ["new", "too", "more"], "load after it was written anew");
      same(await store.load("ab"), [2], "the other session");
    },
  ],
  [
    "another process sees what was appended, and what was appended since",
    async (store, reopen) => {
      await store.append("a", 0, [0]);
      const other = await reopen();
      same(await other.load("a"), [0], "load");
      await store.append("a", 1, [1]);
      same(await other.load("a", 1), [1], "load from 1");
      await other.append("a", 2, [2, 3]);
      same(await store.load("a", 2), [2, 3], "load from 2");
      same(await other.load("a", 4), [], "load from the end");
    },
  ],
];
