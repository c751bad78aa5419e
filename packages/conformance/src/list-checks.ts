import type { ListOptions, SessionStore, SessionSummary } from "@pollux/core";
import { same, shortly } from "./steps-harness.ts";
import { buildInfo, buildLease, listIds, plain, refusal, type StoreChecks } from "./store-harness.ts";

/** Text that a database, a pattern or a path expression might misinterpret. */
const AWKWARD_TEXTS: readonly string[] = [
  "",
  "a.b",
  "$.a[0]",
  'quote " and \\ backslash',
  "'; drop table sessions; --",
  "100%_",
  "line\nfeed",
  "nul\u0000inside",
  "é",
  "e\u0301",
  "\u{1f600}",
  "half \ud83d",
  "half \ud83e",
  "constructor",
  "__proto__",
];

/** Sessions are listed, filtered and deleted by their info. */
export const LIST_CHECKS: StoreChecks = {
  "sessions are listed in the order of their ids, by prefix, page by page": async (store) => {
    const ids = ["B", "a", "a-1", "a-10", "a-2", "a_1", "b", "\u{1f600}", "\uffee"];
    for (const id of ids.toReversed()) await store.append(id, 0, [id, "more"]);
    const list = async (options: ListOptions): Promise<string[]> =>
      listIds(await store.list({ order: "id", ...options }));
    const after = (id: string): ListOptions => ({ after: { id, updatedAt: 0 } });
    same(await list({}), ids, "list");
    same(await list({ prefix: "a-" }), ["a-1", "a-10", "a-2"], "prefix a-");
    same(await list({ prefix: "\ud83d" }), ["\u{1f600}"], "prefix of half a character");
    same(await list({ prefix: "c" }), [], "prefix c");
    same(await list({ prefix: "a%" }), [], "prefix a%");
    same(await list(after("a-10")), ids.slice(4), "after a-10");
    same(await list(after("a-11")), ids.slice(4), "after an id that does not exist");
    same(await list({ prefix: "a", limit: 2, ...after("a-1") }), ["a-10", "a-2"], "a page of a prefix");
    same(await list({ limit: 0 }), [], "a page of none");
    same(listIds(await pages(store, { order: "id", limit: 2 })), ids, "pages of two");
  },
  "a page holds 100 sessions by default": async (store) => {
    const ids = Array.from({ length: 101 }, (_, index) => `s${String(index).padStart(3, "0")}`);
    for (const id of ids) await store.append(id, 0, [0]);
    same(listIds(await store.list({ order: "id" })), ids.slice(0, 100), "list");
    same(listIds(await store.list({ order: "id", limit: 200 })), ids, "list 200");
    same((await store.list()).length, 100, "sessions, the most recent first");
  },
  "the list has the length of each log and the time of its last write": async (store, reopen) => {
    const before = Date.now() - 2000;
    await store.append("a", 0, [0]);
    await store.append("b", 0, [0, 1]);
    await store.list();
    await store.append("a", 1, [1, 2]);
    for (const through of [store, await reopen()]) {
      const listed = await through.list({ order: "id" });
      same(
        listed.map(({ id, length }) => [id, length]),
        [
          ["a", 3],
          ["b", 2],
        ],
        "lengths",
      );
      for (const { updatedAt } of listed)
        if (updatedAt < before || updatedAt > Date.now() + 2000)
          throw new Error(`updatedAt should be about now, in milliseconds since the epoch, but is ${updatedAt}`);
    }
  },
  "sessions are listed by their last write, the latest first, and by id where it was at the same time": async (
    store,
    reopen,
  ) => {
    const ids = Array.from({ length: 15 }, (_, index) => `s${index}`);
    await Promise.all(ids.map((id) => store.append(id, 0, [id])));
    for (const id of ["s3", "s14", "s0"]) await writeLast(store, id);
    for (const through of [store, await reopen()]) {
      const listed = await through.list();
      same(listIds(listed.slice(0, 3)), ["s0", "s14", "s3"], "the latest");
      same(listIds(listed.toSorted(byLastWrite)), listIds(listed), "the order");
      same(listIds(listed).toSorted(), ids.toSorted(), "all sessions");
      for (const limit of [1, 2, 7]) same(await pages(through, { limit }), listed, `pages of ${limit}`);
    }
  },
  "pages hold every session once, also while others are written": async (store, reopen) => {
    const other = await reopen();
    const ids = Array.from({ length: 12 }, (_, index) => `s${String(index).padStart(2, "0")}`);
    for (const order of ["recent", "id"] as const) {
      for (const id of ids) await store.append(`${order}/${id}`, 0, [0]);
      let found = 0;
      const listed = await pages(store, { order, prefix: `${order}/`, limit: 3 }, async ([first]) => {
        // One that was seen, and a new one that comes first.
        if (first !== undefined) await other.append(first.id, first.length, ["again"]);
        await other.append(`${order}/${order === "id" ? "!" : "~"}${found++}`, 0, [0]);
      });
      same(
        listIds(listed).toSorted(),
        ids.map((id) => `${order}/${id}`),
        `pages in the order "${order}"`,
      );
    }
  },
  "what a session says about itself is listed as the last append said it": async (store, reopen) => {
    const first = buildInfo({ title: "First", owner: "ann", metadata: { tier: "gold" }, state: "running" });
    const second = buildInfo({ title: AWKWARD_TEXTS.join("|"), metadata: { b: "1", a: "2" }, turns: 3, cost: 0.1 });
    const ended = buildInfo({ state: "stopped", ending: "limit" });
    await store.append("a", 0, [0], { info: first });
    same(await summaryOf(store, "a"), { ...first, id: "a", length: 1 }, "list");
    await store.append("a", 1, [1]);
    same(await summaryOf(store, "a"), { ...first, id: "a", length: 2 }, "list after an append that said nothing");
    await store.append("a", 2, [2], { info: second });
    await refusal(store.append("a", 2, [2], { info: first }));
    for (const through of [store, await reopen()])
      same(await summaryOf(through, "a"), { ...second, id: "a", length: 3 }, "list after an append that said more");
    await store.append("b", 0, [0]);
    same(await summaryOf(store, "b"), { id: "b", length: 1 }, "a session without messages");
    await store.append("c", 0, [0], { info: ended });
    same(await summaryOf(store, "c"), { ...ended, id: "c", length: 1 }, "a session whose last run has ended");
    await store.append("c", 1, [1], { info: first });
    same(await summaryOf(store, "c"), { ...first, id: "c", length: 2 }, "the next run of that session");
  },
  "sessions are found by owner, metadata, state and age, and by all together": async (store, reopen) => {
    await store.append("a-1", 0, [0], { info: buildInfo({ owner: "ann", metadata: { team: "red", tier: "gold" } }) });
    await store.append("a-2", 0, [0], {
      info: buildInfo({ owner: "ann", metadata: { team: "red" }, state: "running" }),
    });
    await store.append("b-1", 0, [0], {
      info: buildInfo({ owner: "bob", metadata: { tier: "red" }, state: "waiting" }),
    });
    await store.append("c-1", 0, [0]);
    await store.append("a-3", 0, [0], { info: buildInfo({ owner: "Ann", state: "stopped" }) });
    await writeLast(store, "b-1");
    const updatedBefore = (await store.list({ limit: 1 }))[0]?.updatedAt;
    const cases: readonly (readonly [ListOptions, readonly string[]])[] = [
      [{ owner: "ann" }, ["a-1", "a-2"]],
      [{ owner: "an" }, []],
      [{ metadata: { team: "red" } }, ["a-1", "a-2"]],
      [{ metadata: { team: "red", tier: "gold" } }, ["a-1"]],
      [{ metadata: { team: "gold" } }, []],
      [{ metadata: { other: "red" } }, []],
      [{ metadata: {} }, ["a-1", "a-2", "a-3", "b-1", "c-1"]],
      [{ state: "idle" }, ["a-1"]],
      [{ state: "stopped" }, ["a-3"]],
      [{ updatedBefore }, ["a-1", "a-2", "a-3", "c-1"]],
      [{ owner: "ann", state: "running", metadata: { team: "red" }, prefix: "a", updatedBefore }, ["a-2"]],
      [{ owner: "ann", prefix: "b" }, []],
      [{ owner: "ann", limit: 1, after: { id: "a-1", updatedAt: 0 } }, ["a-2"]],
    ];
    for (const through of [store, await reopen()]) {
      for (const [options, expected] of cases) {
        same(listIds(await through.list({ order: "id", ...options })), expected, `list ${JSON.stringify(options)}`);
        if (options.after !== undefined) continue;
        const recent = listIds(await through.list(options));
        same(recent.toSorted(), expected, `list ${JSON.stringify(options)}, the most recent first`);
      }
    }
  },
  "owners and metadata are any strings, and no two are the same": async (store, reopen) => {
    for (const [index, text] of AWKWARD_TEXTS.entries()) {
      // A literal would set the prototype.
      const metadata = Object.fromEntries([
        [text, "as a name"],
        ["plain", text],
      ]);
      await store.append(`s${index}`, 0, [0], { info: buildInfo({ owner: text, metadata }) });
    }
    const other = await reopen();
    for (const [index, text] of AWKWARD_TEXTS.entries()) {
      const what = JSON.stringify(text);
      if (text !== "") same(listIds(await other.list({ owner: text })), [`s${index}`], `list of owner ${what}`);
      const named = await other.list({ metadata: Object.fromEntries([[text, "as a name"]]) });
      same(listIds(named), [`s${index}`], `list of metadata named ${what}`);
      same(listIds(await other.list({ metadata: { plain: text } })), [`s${index}`], `list of metadata ${what}`);
      same(listIds(await other.list({ metadata: { [text]: "as a" } })), [], `list of other metadata named ${what}`);
    }
  },
  "sessions are deleted by what is known of them, with all that belongs to them": async (store, reopen) => {
    for (const [id, owner] of Object.entries({ a: "ann", b: "bob", c: "ann", d: "ann" }))
      await store.append(id, 0, [id], {
        info: buildInfo({ owner }),
        lease: { expected: undefined, next: buildLease() },
      });
    await writeLast(store, "d");
    const updatedBefore = (await store.list({ limit: 1 }))[0]?.updatedAt;
    const other = await reopen();
    same(await other.deleteSessions({ owner: "ann", updatedBefore }), 2, "sessions deleted");
    same(await store.deleteSessions({ owner: "nobody" }), 0, "sessions deleted for nobody");
    for (const through of [store, other]) {
      same(listIds(await through.list({ order: "id" })), ["b", "d"], "list");
      for (const id of ["a", "c"])
        same([await through.load(id), await through.records(id)], [[], {}], `what is left of ${id}`);
      same(await through.load("b"), ["b"], "load b");
      same((await through.records("b")).lease, buildLease(), "the lease of b");
    }
    await store.append("a", 0, ["new"]);
    same(await summaryOf(store, "a"), { id: "a", length: 1 }, "a session with the same id");
  },
  "more sessions than a page holds are deleted at once": async (store) => {
    for (let index = 0; index < 120; index++) await store.append(`old/${index}`, 0, [index]);
    await store.append("new", 0, [0]);
    same(await store.deleteSessions({ prefix: "old/" }), 120, "sessions deleted");
    same(listIds(await store.list()), ["new"], "list");
  },
  "deleting without a condition is refused": async (store) => {
    await store.append("a", 0, [0], { info: buildInfo({ metadata: { a: "b" } }) });
    for (const filter of [{}, { prefix: "" }, { owner: undefined }, { metadata: {} }]) {
      const refused = await store.deleteSessions(filter).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!(refused instanceof TypeError))
        throw new Error(`deleteSessions(${JSON.stringify(filter)}) should reject with a TypeError`);
    }
    same(listIds(await store.list()), ["a"], "list");
  },
};

/** A session as it is listed, without the time of its last write. */
async function summaryOf(store: SessionStore, id: string): Promise<unknown> {
  const { updatedAt: _, ...rest } = (await store.list({ prefix: id, order: "id", limit: 1 }))[0] ?? { updatedAt: 0 };
  return plain(rest);
}

/** All pages of a list. @param between - Called after each page, with its sessions. */
async function pages(
  store: SessionStore,
  options: ListOptions,
  between: (page: readonly SessionSummary[]) => Promise<void> = async () => {},
): Promise<readonly SessionSummary[]> {
  const all: SessionSummary[] = [];
  for (let count = 0; count < 100; count++) {
    const page = await store.list({ ...options, after: all.at(-1) });
    if (page.length === 0) return all;
    all.push(...page);
    await between(page);
  }
  throw new Error(`the pages of ${all.length} sessions have no end`);
}

/** Appends to a session until it is the one written last, however coarse the clock is. */
async function writeLast(store: SessionStore, id: string): Promise<void> {
  for (let count = 0; count < 100; count++) {
    await store.append(id, (await store.load(id)).length, ["again"]);
    const found = await store.list({ limit: 1000 });
    const at = found.find((one) => one.id === id)?.updatedAt ?? 0;
    if (found.every((one) => one.id === id || one.updatedAt < at)) return;
    await shortly();
  }
  throw new Error("updatedAt should grow with each append");
}

/** The order of a list: by UTF-16 units of the id where two were written at the same time, the later id first. */
function byLastWrite(a: SessionSummary, b: SessionSummary): number {
  if (a.updatedAt !== b.updatedAt) return b.updatedAt - a.updatedAt;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}
