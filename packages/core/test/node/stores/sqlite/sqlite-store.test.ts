import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigurationError, SessionDamagedError, SessionStoreError } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { temporaryFolder } from "../../../helpers/store-process.ts";

afterEach(() => vi.restoreAllMocks());

function open(file: string, options?: ConstructorParameters<typeof SqliteStore>[1]): SqliteStore {
  const store = new SqliteStore(file, options);
  onTestFinished(() => store.close());
  return store;
}

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

describe("closing", () => {
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
