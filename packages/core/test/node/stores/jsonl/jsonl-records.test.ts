import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppendOptions, Draft, Lease, SessionInfo, SessionRecords, SessionStore } from "@pollux/core";
import { SessionLeaseLostError } from "@pollux/core/errors";
import { JsonlStore } from "@pollux/core/node";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../helpers/store-process.ts";

const LEASE: Lease = { token: 1, beat: 0, held: true, runId: "run-1", durationMs: 15_000 };
const DRAFT: Draft = {
  runId: "run-1",
  step: "model:1",
  place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
  attempt: 1,
  parts: [{ text: "so far" }],
};

function buildInfo(title: string): SessionInfo {
  return { title, owner: "ann", state: "running", createdAt: 1, messages: 1, turns: 2, totalTokens: 3, cost: 0 };
}

/** What a store that has just been opened says of the session "s". */
async function said(
  folder: string,
): Promise<{ entries: unknown; title: unknown; length: unknown; records: SessionRecords }> {
  const store = new JsonlStore(folder);
  const [summary] = await store.list();
  return {
    entries: await store.load("s"),
    title: summary?.title,
    length: summary?.length,
    records: await store.records("s"),
  };
}

describe("an append that changes the lease and the info", () => {
  const FREE = { ...LEASE, held: false };
  const NEXT: Lease = { ...LEASE, token: 2, runId: "run-2" };
  const appends: readonly {
    what: string;
    before: (store: SessionStore) => Promise<unknown>;
    options: AppendOptions;
  }[] = [
    {
      what: "takes the first lease of a session",
      before: async () => {},
      options: { lease: { expected: undefined, next: LEASE }, info: buildInfo("new") },
    },
    {
      what: "takes a lease that was given back",
      before: (store) =>
        store.append("s", 0, ["a"], { lease: { expected: undefined, next: FREE }, info: buildInfo("old") }),
      options: { lease: { expected: FREE, next: NEXT }, info: buildInfo("new") },
    },
    {
      what: "takes a lease over",
      before: (store) =>
        store.append("s", 0, ["a"], { lease: { expected: undefined, next: LEASE }, info: buildInfo("old") }),
      options: { lease: { expected: LEASE, next: NEXT }, info: buildInfo("new") },
    },
    {
      what: "gives a lease back",
      before: async (store) => {
        await store.append("s", 0, ["a"], { lease: { expected: undefined, next: LEASE }, info: buildInfo("old") });
        await store.setDraft("s", 1, DRAFT);
      },
      options: { token: 1, lease: { expected: LEASE, next: FREE }, info: buildInfo("new") },
    },
  ];

  test.each(appends)("and $what is done or not done, wherever its process dies", async ({ before, options }) => {
    const [from, to] = [temporaryFolder(), temporaryFolder()];
    await before(new JsonlStore(from));
    cpSync(from, to, { recursive: true });
    const { length } = await new JsonlStore(from).load("s");
    await new JsonlStore(to).append("s", length, ["b", "c"], options);
    const [undone, done] = [await said(from), await said(to)];
    expect(done).toMatchObject({ length: length + 2, title: "new", records: { lease: options.lease?.next } });

    const [oldLog, newLog] = [from, to].map((folder) => {
      const file = join(folder, "s.jsonl");
      return existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
    });
    const newState = readFileSync(join(to, "s.state"));
    /** A copy in which the process has come so far. */
    const copy = (state: Buffer | undefined, log: number, unfinished: Buffer | undefined): string => {
      const folder = temporaryFolder();
      cpSync(from, folder, { recursive: true });
      if (unfinished !== undefined) writeFileSync(join(folder, "s.state.new"), unfinished);
      if (state !== undefined) writeFileSync(join(folder, "s.state"), state);
      if (log > 0) writeFileSync(join(folder, "s.jsonl"), newLog!.subarray(0, log));
      return folder;
    };
    const died = [
      ...[0, 10, newState.length].map((bytes) => copy(undefined, oldLog!.length, newState.subarray(0, bytes))),
      ...Array.from({ length: newLog!.length - oldLog!.length }, (_, bytes) =>
        copy(newState, oldLog!.length + bytes, undefined),
      ),
    ];
    for (const folder of died) {
      expect(await said(folder)).toEqual(undone);
      // The next append, as long as the one that was cut off, does not make it come true.
      await new JsonlStore(folder).append("s", length, ["x", "y"]);
      const { lease } = undone.records;
      expect(await said(folder)).toEqual({
        ...undone,
        entries: [...(undone.entries as string[]), "x", "y"],
        length: length + 2,
      });
      if (lease?.token !== options.lease?.next.token || lease?.held !== options.lease?.next.held)
        await expect(
          new JsonlStore(folder).append("s", length + 2, ["z"], {
            token: options.lease?.next.held ? options.lease.next.token : 7,
          }),
        ).rejects.toThrow(SessionLeaseLostError);
    }
    // The draft may still be there.
    expect(await said(copy(newState, newLog!.length, undefined))).toEqual(done);
  });

  test("of several that go out together, all are done or none", async () => {
    const folder = temporaryFolder();
    const store = new JsonlStore(folder);
    await Promise.all([
      store.append("s", 0, ["a"], { lease: { expected: undefined, next: LEASE } }),
      store.append("s", 1, ["b"], { token: 1, info: buildInfo("new") }),
      store.append("s", 2, ["c", "d"]),
    ]);
    const log = readFileSync(join(folder, "s.jsonl"));
    expect(await said(folder)).toMatchObject({
      entries: ["a", "b", "c", "d"],
      title: "new",
      records: { lease: LEASE },
    });
    for (let bytes = 1; bytes < log.length; bytes++) {
      writeFileSync(join(folder, "s.jsonl"), log.subarray(0, bytes));
      expect(await said(folder), `cut at ${bytes}`).toMatchObject({ entries: [], records: {} });
    }
  });

  test("a draft whose removal was cut off is not shown to the next that takes the lease", async () => {
    const folder = temporaryFolder();
    const store = new JsonlStore(folder);
    await store.append("s", 0, ["a"], { lease: { expected: undefined, next: LEASE } });
    await store.setDraft("s", 1, DRAFT);
    const draft = readFileSync(join(folder, "s.draft"));
    await store.append("s", 1, ["b"], { lease: { expected: LEASE, next: FREE } });
    for (const take of [
      (lease: Lease) => store.append("s", 2, [], { lease: { expected: FREE, next: lease } }),
      (lease: Lease) => store.setLease("s", FREE, lease),
    ]) {
      writeFileSync(join(folder, "s.draft"), draft);
      expect(await store.records("s")).toEqual({ lease: FREE });
      await take(NEXT);
      expect(await store.records("s")).toEqual({ lease: NEXT });
      await store.setLease("s", NEXT, FREE);
    }
  });
});

describe("the files beside a log", () => {
  async function filled(): Promise<{ folder: string; store: JsonlStore }> {
    const folder = temporaryFolder();
    const store = new JsonlStore(folder);
    await store.append("s", 0, ["a"], { lease: { expected: undefined, next: LEASE }, info: buildInfo("a title") });
    await store.setDraft("s", 1, DRAFT);
    await store.requestStop("s", 1);
    return { folder, store };
  }

  test("are one for the draft and one for everything else", async () => {
    const { folder, store } = await filled();
    expect(readdirSync(folder).toSorted()).toEqual(["s.draft", "s.jsonl", "s.state"]);
    expect(await store.records("s")).toEqual({ lease: LEASE, draft: DRAFT, stopToken: 1 });
  });

  test("are gone with the session, also the ones that a killed process left", async () => {
    for (const remove of [
      (store: SessionStore) => store.delete("s"),
      (store: SessionStore) => store.deleteSessions({ owner: "ann" }),
    ]) {
      const { folder, store } = await filled();
      for (const name of ["s.state.new", "s.draft.new"]) writeFileSync(join(folder, name), "{");
      await remove(store);
      expect(readdirSync(folder)).toEqual([]);
    }
    const { folder, store } = await filled();
    await store.setLease("no entries", undefined, LEASE);
    await store.delete("no entries");
    expect(readdirSync(folder).toSorted()).toEqual(["s.draft", "s.jsonl", "s.state"]);
  });

  test.each(["", "{", "null", "[]", '"text"', '{"before":1}', '{"before":{"lease":{}}}', "\0\0\0\0"])(
    "count as absent when they are damaged: %j",
    async (text) => {
      const { folder, store } = await filled();
      writeFileSync(join(folder, "s.draft"), text);
      expect(await store.records("s")).toEqual({ lease: LEASE, stopToken: 1 });
      writeFileSync(join(folder, "s.state"), text);
      expect(await store.records("s")).toEqual({});
      expect(await store.list()).toEqual([{ id: "s", length: 1, updatedAt: expect.any(Number) }]);
      await store.append("s", 1, ["b"]);
      expect(await store.load("s")).toEqual(["a", "b"]);
      expect(await store.setLease("s", undefined, LEASE)).toBe(true);
      expect(await store.records("s")).toEqual({ lease: LEASE });
    },
  );

  test("tell a list how long a log is, so that it is not read", async () => {
    const { folder, store } = await filled();
    await store.append("s", 1, ["b", "c"], { token: 1 });
    const file = join(folder, "s.jsonl");
    writeFileSync(file, "x".repeat(readFileSync(file).length));
    for (const order of ["recent", "id"] as const)
      expect(await new JsonlStore(folder).list({ order })).toEqual([
        { ...buildInfo("a title"), id: "s", length: 3, updatedAt: expect.any(Number) },
      ]);
  });

  test("do not keep an earlier release from appending", async () => {
    const { folder, store } = await filled();
    // It knows the log only.
    writeFileSync(join(folder, "s.jsonl"), '"a"\n"b"\n');
    expect(await said(folder)).toEqual({
      entries: ["a", "b"],
      title: "a title",
      length: 2,
      records: { lease: LEASE, draft: DRAFT, stopToken: 1 },
    });
    await store.append("s", 2, ["c"], { token: 1, info: buildInfo("new") });
    expect(await said(folder)).toMatchObject({ entries: ["a", "b", "c"], length: 3, title: "new" });
  });
});

test("a session that was written to after it was listed is not deleted for its age", async () => {
  const folder = temporaryFolder();
  const store = new JsonlStore(folder);
  await store.append("s", 0, ["a"]);
  const updatedBefore = ((await store.list())[0]?.updatedAt ?? 0) + 1;
  const list = store.list.bind(store);
  store.list = async (options) => {
    const found = await list(options);
    let { length } = await store.load("s");
    while (((await list())[0]?.updatedAt ?? 0) < updatedBefore) await store.append("s", length++, ["again"]);
    return found;
  };
  expect(await store.deleteSessions({ updatedBefore })).toBe(0);
  expect((await list()).map(({ id }) => id)).toEqual(["s"]);
});

test("an append is done although a draft that waits with it cannot be written", async () => {
  const folder = temporaryFolder();
  const store = new JsonlStore(folder);
  await store.append("s", 0, [{ n: 0 }], { lease: { expected: undefined, next: LEASE } });
  // Nothing can be renamed to a folder.
  mkdirSync(join(folder, "s.draft", "full"), { recursive: true });
  const [draft, append] = await Promise.allSettled([store.setDraft("s", 1, DRAFT), store.append("s", 1, [{ n: 1 }])]);
  expect([draft?.status, append?.status]).toEqual(["rejected", "fulfilled"]);
  expect(await store.load("s")).toEqual([{ n: 0 }, { n: 1 }]);
});
