import type { Json } from "../internal/json.ts";
import { AWKWARD_ENTRIES, AWKWARD_IDS } from "./awkward-entries.ts";
import { type Check, idsOf, same, verbatim } from "./check-values.ts";

/** What is stored comes back, and is listed. */
export const CONTENT_CHECKS: readonly Check[] = [
  [
    "a session nobody wrote is empty, not listed, and can be deleted",
    async (store) => {
      same(await store.load("nobody"), [], "load");
      same(await store.load("nobody", 7), [], "load from 7");
      same(await store.list(), [], "list");
      await store.delete("nobody");
    },
  ],
  [
    "entries come back in order, from any position",
    async (store) => {
      await store.append("a", 0, [0, 1, 2]);
      await store.append("a", 3, [3]);
      await store.append("a", 4, [4, 5]);
      for (let from = 0; from <= 7; from++) {
        same(await store.load("a", from), [0, 1, 2, 3, 4, 5].slice(from), `load from ${from}`);
      }
      // Once more: what a store remembers of the first time must not change the second.
      same(await store.load("a", 4), [4, 5], "load from 4 again");
      same(await store.load("a"), [0, 1, 2, 3, 4, 5], "load again");
    },
  ],
  [
    "entries come back verbatim, the order of their keys included",
    async (store, reopen) => {
      await store.append("a", 0, AWKWARD_ENTRIES);
      verbatim(await store.load("a"), AWKWARD_ENTRIES);
      verbatim(await (await reopen()).load("a"), AWKWARD_ENTRIES);
    },
  ],
  [
    "an entry of 5 MB comes back",
    async (store, reopen) => {
      const entries: Json[] = [{ text: "0123456789abcdefé\u{1f600}".repeat(250_000) }, "after it"];
      await store.append("a", 0, entries);
      verbatim(await (await reopen()).load("a"), entries);
      same(await store.load("a", 1), ["after it"], "load from 1");
    },
  ],
  [
    "many entries come back",
    async (store, reopen) => {
      const entries = Array.from({ length: 1000 }, (_, index): Json => ({ index }));
      for (let at = 0; at < 1000; at += 50) await store.append("a", at, entries.slice(at, at + 50));
      verbatim(await (await reopen()).load("a"), entries);
      verbatim(await store.load("a", 777), entries.slice(777));
    },
  ],
  [
    "what was stored does not change with the object that was given, nor with the one that was read",
    async (store) => {
      const entry = { list: [1] };
      const appending = store.append("a", 0, [entry]);
      entry.list.push(2);
      await appending;
      const [read] = await store.load("a");
      (read as { list: number[] }).list.push(3);
      same(await store.load("a"), [{ list: [1] }], "load");
    },
  ],
  [
    "any text is an id, and no two are the same",
    async (store, reopen) => {
      for (const [index, id] of AWKWARD_IDS.entries()) await store.append(id, 0, [index]);
      const other = await reopen();
      for (const [index, id] of AWKWARD_IDS.entries()) {
        same(await other.load(id), [index], `load ${JSON.stringify(id.slice(0, 50))}`);
      }
      const ids = [...AWKWARD_IDS].toSorted((a, b) => (a < b ? -1 : 1));
      same(idsOf(await other.list({ limit: 1000 })), ids, "list");
    },
  ],
  [
    "sessions are listed in the order of their ids, by prefix, page by page",
    async (store) => {
      const ids = ["B", "a", "a-1", "a-10", "a-2", "a_1", "b", "\u{1f600}", "\uffee"];
      for (const id of ids.toReversed()) await store.append(id, 0, [id, "more"]);
      same(idsOf(await store.list()), ids, "list");
      same(idsOf(await store.list({ prefix: "a-" })), ["a-1", "a-10", "a-2"], "prefix a-");
      same(idsOf(await store.list({ prefix: "\ud83d" })), ["\u{1f600}"], "prefix of half a letter");
      same(idsOf(await store.list({ prefix: "c" })), [], "prefix c");
      same(idsOf(await store.list({ prefix: "a%" })), [], "prefix a%");
      same(idsOf(await store.list({ after: "a-10" })), ids.slice(4), "after a-10");
      same(idsOf(await store.list({ after: "a-11" })), ids.slice(4), "after an id that is not there");
      same(idsOf(await store.list({ prefix: "a", after: "a-1", limit: 2 })), ["a-10", "a-2"], "a page of a prefix");
      const pages: string[] = [];
      for (let page = await store.list({ limit: 2 }); page.length > 0 && pages.length <= ids.length;) {
        pages.push(...idsOf(page));
        page = await store.list({ limit: 2, after: pages.at(-1) });
      }
      same(pages, ids, "pages of two");
    },
  ],
  [
    "a page holds a hundred sessions unless told otherwise",
    async (store) => {
      const ids = Array.from({ length: 101 }, (_, index) => `s${String(index).padStart(3, "0")}`);
      for (const id of ids) await store.append(id, 0, [0]);
      same(idsOf(await store.list()), ids.slice(0, 100), "list");
      same(idsOf(await store.list({ limit: 200 })), ids, "list 200");
    },
  ],
  [
    "the list tells how long a log is and when it was last written to",
    async (store, reopen) => {
      const before = Date.now() - 2000;
      await store.append("a", 0, [0]);
      await store.append("b", 0, [0, 1]);
      await store.list();
      await store.append("a", 1, [1, 2]);
      for (const through of [store, await reopen()]) {
        const listed = await through.list();
        same(
          listed.map(({ id, length }) => [id, length]),
          [
            ["a", 3],
            ["b", 2],
          ],
          "lengths",
        );
        for (const { updatedAt } of listed) {
          if (updatedAt < before || updatedAt > Date.now() + 2000) {
            throw new Error(`updatedAt should be about now, in milliseconds since the epoch, and is ${updatedAt}`);
          }
        }
      }
    },
  ],
];
