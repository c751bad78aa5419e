import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigurationError, type Draft, type Lease, type SessionInfo } from "@pollux/core";
import {
  SessionConflictError,
  SessionDamagedError,
  SessionLeaseLostError,
  SessionStoreError,
} from "@pollux/core/errors";
import { SqliteStore } from "@pollux/core/node";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { stopClock } from "../../../helpers/stop-clock.ts";
import { temporaryFolder } from "../../../helpers/store-process.ts";

afterEach(() => vi.restoreAllMocks());

function open(file: string, options?: ConstructorParameters<typeof SqliteStore>[1]): SqliteStore {
  const store = new SqliteStore(file, options);
  onTestFinished(() => store.close());
  return store;
}

const INFO: SessionInfo = {
  title: "Red shoes",
  owner: "ann",
  metadata: { team: "red" },
  state: "running",
  createdAt: 1,
  messages: 1,
  turns: 2,
  totalTokens: 3,
  cost: 0,
};

const LEASE: Lease = { token: 1, beat: 0, held: true, runId: "r", durationMs: 15_000 };
const DRAFT: Draft = {
  runId: "r",
  step: "model:1",
  place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
  attempt: 1,
  parts: [],
};

function database(file: string): DatabaseSync {
  const found = new DatabaseSync(file);
  onTestFinished(() => {
    if (found.isOpen) found.close();
  });
  return found;
}

describe("opening", () => {
  test("needs a Node that has SQLite, and says so", () => {
    vi.spyOn(process, "getBuiltinModule").mockImplementation(() => undefined);
    expect(() => new SqliteStore(":memory:")).toThrow(ConfigurationError);
    expect(() => new SqliteStore(":memory:")).toThrow(/require Node 22\.13 or later; this is v\d+.*JsonlStore/);
  });

  test("a file that cannot be is an error with its path and what to do", () => {
    const file = join(temporaryFolder(), "no-folder", "sessions.db");
    expect(() => new SqliteStore(file)).toThrow(ConfigurationError);
    expect(() => new SqliteStore(file)).toThrow(
      `The sessions in ${file} cannot be opened: unable to open database file`,
    );
  });

  test("a file that is no database is an error, and is left alone", () => {
    const file = join(temporaryFolder(), "notes.txt");
    const text = "these are my notes. ".repeat(500);
    writeFileSync(file, text);
    expect(() => new SqliteStore(file)).toThrow(/cannot be opened: file is not a database/);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("keeps a write-ahead log, and leaves other tables alone", async () => {
    const file = join(temporaryFolder(), "app.db");
    const other = database(file);
    other.exec("create table orders (id integer primary key); insert into orders values (17)");
    await open(file).append("s", 0, [1]);
    expect({ ...database(file).prepare("pragma journal_mode").get() }).toEqual({ journal_mode: "wal" });
    expect({ ...other.prepare("select id from orders").get() }).toEqual({ id: 17 });
  });
});

test("sessions and entries can be read with SQL, keys in their order", async () => {
  const file = join(temporaryFolder(), "sessions.db");
  await open(file).append("order-17", 0, [{ z: 1, a: { y: 2, b: 3 } }, "two"]);
  const rows = database(file)
    .prepare(
      "select id, length, position, entry from pollux_entry join pollux_session on session = number order by position",
    )
    .all();
  expect(rows.map((row) => ({ ...row }))).toEqual([
    { id: "order-17", length: 2, position: 0, entry: '{"z":1,"a":{"y":2,"b":3}}' },
    { id: "order-17", length: 2, position: 1, entry: '"two"' },
  ]);
});

describe("a file of an earlier release", () => {
  /** As the first version of the tables was. */
  function earlierFile(): string {
    const file = join(temporaryFolder(), "sessions.db");
    const earlier = database(file);
    earlier.exec(`
      pragma journal_mode = wal;
      create table pollux_session (
        number integer primary key, key blob not null unique, id text not null, length integer not null, updated_at integer not null
      ) strict;
      create table pollux_entry (
        session integer not null, position integer not null, entry text not null, primary key (session, position)
      ) strict;
      insert into pollux_session values (7, x'00610062', 'ab', 2, 1700000000000);
      insert into pollux_entry values (7, 0, '"one"'), (7, 1, '"two"');
    `);
    earlier.close();
    return file;
  }

  test("gets what it lacks when it is opened, and keeps what it has", async () => {
    const file = earlierFile();
    const [store, other] = [open(file), open(file)];
    expect(await store.list()).toEqual([{ id: "ab", length: 2, updatedAt: 1_700_000_000_000 }]);
    expect(await store.records("ab")).toEqual({});
    await store.append("ab", 2, ["three"], { info: INFO, lease: { expected: undefined, next: LEASE } });
    await other.setDraft("ab", 1, DRAFT);
    for (const through of [store, other]) {
      expect(await through.load("ab")).toEqual(["one", "two", "three"]);
      expect(await through.list({ owner: "ann", state: "running", metadata: { team: "red" } })).toEqual([
        { ...INFO, id: "ab", length: 3, updatedAt: expect.any(Number) },
      ]);
      expect((await through.records("ab")).lease).toEqual(LEASE);
    }
  });

  test("is still read and written by that release", async () => {
    const file = earlierFile();
    await open(file).append("ab", 2, ["three"], { info: INFO });
    const earlier = database(file);
    earlier.exec(`
      insert into pollux_session (key, id, length, updated_at) values (x'0063', 'c', 1, 1);
      insert into pollux_entry (session, position, entry) values (last_insert_rowid(), 0, '"c"');
    `);
    const store = open(file);
    expect(await store.load("c")).toEqual(["c"]);
    expect((await store.list({ order: "id" })).map(({ id, title }) => [id, title])).toEqual([
      ["ab", "Red shoes"],
      ["c", undefined],
    ]);
  });

  test("is left as it was when it cannot be changed", () => {
    const file = earlierFile();
    const earlier = database(file);
    // In the way of the last thing that is made.
    earlier.exec("create table pollux_session_owner (x)");
    expect(() => new SqliteStore(file)).toThrow(
      /cannot be opened: there is already a table named pollux_session_owner/,
    );
    const columns = earlier.prepare("select name from pragma_table_info('pollux_session')").all();
    expect(columns.map(({ name }) => name)).toEqual(["number", "key", "id", "length", "updated_at"]);
  });
});

/** Counts commits from now on. @returns What each waited for: `full` for a disk sync. */
function watchCommits(): () => readonly string[] {
  const said = vi.spyOn(DatabaseSync.prototype, "exec");
  return () => {
    let mode = "full";
    const commits: string[] = [];
    for (const [sql] of said.mock.calls) {
      mode = /^pragma synchronous = (\w+)$/.exec(sql)?.[1] ?? mode;
      if (sql === "commit") commits.push(mode);
    }
    return commits;
  };
}

describe("the disk", () => {
  test("is waited for by appends and deletions, not by drafts, renewals and requests to stop", async () => {
    const store = open(join(temporaryFolder(), "sessions.db"));
    const commits = watchCommits();
    const renewed = { ...LEASE, beat: 1 };
    await store.append("s", 0, [0], { lease: { expected: undefined, next: LEASE } });
    await store.setDraft("s", 1, DRAFT);
    await store.setLease("s", LEASE, renewed);
    await store.requestStop("s", 1);
    await store.append("s", 1, [1], { lease: { expected: renewed, next: { ...renewed, held: false } } });
    await store.setDraft("s", 1, undefined);
    await store.delete("s");
    await store.deleteSessions({ prefix: "x" });
    const [full, normal] = ["full", "normal"];
    expect(commits()).toEqual([full, normal, normal, normal, full, normal, full, full]);
  });
});

describe("writes of the same turn of the event loop", () => {
  const IDS = Array.from({ length: 250 }, (_, index) => `s${index}`);
  const lease = { expected: undefined, next: LEASE };

  test("share transactions and disk syncs", async () => {
    const store = open(join(temporaryFolder(), "sessions.db"));
    const commits = watchCommits();
    await Promise.all(IDS.map((id) => store.append(id, 0, [id], { lease })));
    expect(commits()).toEqual(["full", "full", "full"]);
    await Promise.all(IDS.map((id) => store.setDraft(id, 1, DRAFT)));
    expect(commits().slice(3)).toEqual(["normal", "normal", "normal"]);
    await Promise.all([store.setDraft("s0", 1, undefined), store.append("s1", 1, ["more"])]);
    expect(commits().slice(6)).toEqual(["full"]);
    for (const id of IDS) {
      expect(await store.load(id)).toEqual(id === "s1" ? [id, "more"] : [id]);
      expect(await store.records(id)).toEqual(id === "s0" ? { lease: LEASE } : { lease: LEASE, draft: DRAFT });
    }
  });

  test("are refused each for itself", async () => {
    const store = open(join(temporaryFolder(), "sessions.db"));
    const commits = watchCommits();
    const settled = await Promise.allSettled([
      store.append("a", 0, ["first"], { lease }),
      store.append("a", 0, ["second"]),
      store.append("a", 1, ["third"], { token: 2 }),
      store.setLease("a", undefined, LEASE),
      store.append("b", 0, ["fourth"]),
    ]);
    expect(settled.map((one) => (one.status === "fulfilled" ? one.value : one.reason))).toEqual([
      undefined,
      expect.any(SessionConflictError),
      expect.any(SessionLeaseLostError),
      false,
      undefined,
    ]);
    expect(commits()).toEqual(["full"]);
    expect([await store.load("a"), await store.load("b")]).toEqual([["first"], ["fourth"]]);
  });

  test.each([
    { how: "undoes the statement", abort: "abort" },
    { how: "undoes the transaction", abort: "rollback" },
  ])("fail each for itself when SQLite $how", async ({ abort }) => {
    const file = join(temporaryFolder(), "sessions.db");
    const store = open(file);
    await store.append("bad", 0, [0]);
    database(file).exec(
      `create trigger full before insert on pollux_entry when new.entry = '"bad"' begin select raise(${abort}, 'no'); end`,
    );
    const settled = await Promise.allSettled([
      store.append("a", 0, ["a"]),
      store.append("bad", 1, ["good", "bad"], { lease }),
      store.append("b", 0, ["b"], { lease }),
      store.setDraft("b", 1, DRAFT),
    ]);
    expect(settled.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason)))).toEqual([
      undefined,
      expect.stringContaining('session "bad": its log cannot be written (no)'),
      undefined,
      undefined,
    ]);
    expect([await store.load("a"), await store.load("bad"), await store.load("b")]).toEqual([["a"], [0], ["b"]]);
    expect([await store.records("bad"), await store.records("b")]).toEqual([{}, { lease: LEASE, draft: DRAFT }]);
    // The next ones are together again.
    const commits = watchCommits();
    await Promise.all(IDS.slice(0, 100).map((id) => store.append(id, 0, [id])));
    expect(commits()).toEqual(["full"]);
  });
});

describe("a file that another process holds", () => {
  test("is waited for, without holding up this one", async () => {
    const file = join(temporaryFolder(), "sessions.db");
    const store = open(file);
    const other = database(file);
    other.exec("begin immediate");
    const appending = store.append("s", 0, [1]);
    // Who held this process up meanwhile would wait for ever.
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await store.load("s")).toEqual([]);
    other.exec("commit");
    await appending;
    expect(await store.load("s")).toEqual([1]);
  });

  test("and does not give back is an error that says what to do", async () => {
    const file = join(temporaryFolder(), "sessions.db");
    const store = open(file, { lockTimeoutMs: 100 });
    const other = database(file);
    other.exec("begin immediate");
    const error: unknown = await store.append("s", 0, [1]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionStoreError);
    expect(String(error)).toMatch(
      /session "s": its log cannot be written: another process has the file locked; try again.*\(database is locked\)/,
    );
    // Reading goes on.
    expect(await store.load("s")).toEqual([]);
    other.exec("rollback");
    await store.append("s", 0, [1]);
  });
});

describe("what cannot be written or read", () => {
  test("is an error that says what to do, and writes nothing", async () => {
    const file = join(temporaryFolder(), "sessions.db");
    const store = open(file);
    await store.append("s", 0, [0]);
    // A disk that is full after the first of two rows.
    database(file).exec(
      "create trigger full before insert on pollux_entry when new.position = 2 begin select raise(abort, 'no'); end",
    );
    const error: unknown = await store.append("s", 1, [1, 2]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionStoreError);
    expect(await store.load("s")).toEqual([0]);
    await store.append("s", 1, [1]);
    expect((await store.list()).map(({ id, length }) => [id, length])).toEqual([["s", 2]]);
  });

  test("an entry that is not JSON is damage, with its position", async () => {
    const file = join(temporaryFolder(), "sessions.db");
    const store = open(file);
    await store.append("s", 0, [0, 1, 2]);
    database(file).exec("update pollux_entry set entry = '{' where position = 1");
    const error: unknown = await store.load("s").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionDamagedError);
    expect(String(error)).toContain('session "s" cannot be read: entry 1 is not JSON');
    expect(await store.load("s", 2)).toEqual([2]);
  });
});

test("a summary that is damaged counts as none", async () => {
  const file = join(temporaryFolder(), "sessions.db");
  const store = open(file);
  await store.append("s", 0, [0], { info: INFO });
  database(file).exec("update pollux_session set info = '{'");
  expect(await store.list()).toEqual([{ id: "s", length: 1, updatedAt: expect.any(Number) }]);
});

describe("closing", () => {
  test("a store that is watched leaves no timer running", async () => {
    stopClock();
    const store = new SqliteStore(":memory:");
    store.watch("s", () => {});
    expect(vi.getTimerCount()).toBe(1);
    store.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a store that was closed says so; closing it again does nothing", async () => {
    const store = new SqliteStore(":memory:");
    store.close();
    store.close();
    await expect(store.append("s", 0, [1])).rejects.toThrow(/the store is closed; open a new one/);
    await expect(store.load("s")).rejects.toBeInstanceOf(SessionStoreError);
  });

  test("is done by `using` and `await using`", async () => {
    const kept: SqliteStore[] = [];
    {
      using store = new SqliteStore(":memory:");
      await using other = new SqliteStore(":memory:");
      kept.push(store, other);
      await Promise.all(kept.map((one) => one.append("s", 0, [1])));
    }
    for (const store of kept) await expect(store.load("s")).rejects.toThrow(/closed/);
  });
});
