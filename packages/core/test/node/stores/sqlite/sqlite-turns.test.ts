import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Lease } from "@pollux/core";
import { SessionConflictError, SessionStoreError } from "@pollux/core/errors";
import { openSessionFile, repairSessionFile, SqliteStore, type SqliteStoreOptions } from "@pollux/core/node";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { stopClock } from "../../../helpers/stop-clock.ts";
import { temporaryFolder } from "../../../helpers/store-process.ts";
import { until } from "../../../helpers/until.ts";

afterEach(() => vi.restoreAllMocks());

const LEASE: Lease = { token: 1, beat: 0, held: true, runId: "r", durationMs: 15_000 };

function newFile(): string {
  return join(temporaryFolder(), "sessions.db");
}

function open(file: string, options?: SqliteStoreOptions): SqliteStore {
  const store = new SqliteStore(file, options);
  onTestFinished(() => store.close());
  return store;
}

/** Locks a file as another process would. @returns Unlocks it. */
function lock(file: string, how: "immediate" | "exclusive" = "immediate"): () => void {
  const other = new DatabaseSync(file);
  onTestFinished(() => other.close());
  other.exec(`begin ${how}`);
  return () => other.exec("commit");
}

/** Counts how often a transaction is tried from now on, and how often in a single step of the event loop. */
function watchTries(): { inOneStep(): number; atLeast(count: number): Promise<void> } {
  const exec = vi.spyOn(DatabaseSync.prototype, "exec");
  const tries = (): number => exec.mock.calls.filter(([sql]) => sql === "begin immediate").length;
  let [before, most] = [0, 0];
  const endStep = (): number => {
    const now = tries();
    most = Math.max(most, now - before);
    before = now;
    return now;
  };
  return {
    inOneStep: () => most,
    async atLeast(count) {
      while (endStep() < count) await setImmediate();
    },
  };
}

/** The order in which the sessions of a file were first written. */
function written(file: string): unknown[] {
  const database = new DatabaseSync(file);
  const rows = database.prepare("select id from pollux_session order by number").all();
  database.close();
  return rows.map(({ id }) => id);
}

const NAMES = Array.from({ length: 100 }, (_, index) => `s${index}`);

describe("while another process has the file locked", () => {
  test.each([
    { stores: "one store", openAll: (file: string) => Array<SqliteStore>(100).fill(open(file)), writes: 1 },
    { stores: "a store each", openAll: (file: string) => NAMES.map(() => open(file)), writes: 100 },
  ])("100 sessions with $stores hold up no step of the event loop, and write in their order", async (row) => {
    const { openAll, writes } = row;
    const file = newFile();
    const stores = openAll(file);
    const unlock = lock(file);
    const tries = watchTries();
    const appending = NAMES.map((name, index) => stores[index]?.append(name, 0, [index]));
    await tries.atLeast(55);
    unlock();
    await Promise.all([...appending, tries.atLeast(55 + writes)]);
    // A step has timers and immediates; a try may end as one and go on as the other.
    expect(tries.inOneStep()).toBeLessThanOrEqual(2);
    expect(written(file)).toEqual(NAMES);
  });

  test("SQLite itself never waits", async () => {
    const file = newFile();
    const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
    await open(file).append("s", 0, [0]);
    using _read = await openSessionFile(file);
    const databases = [...new Set(prepare.mock.contexts)].filter((one) => one instanceof DatabaseSync);
    expect(databases.map((database) => ({ ...database.prepare("pragma busy_timeout").get() }))).toEqual([
      { timeout: 0 },
      { timeout: 0 },
    ]);
  });

  test("everything that writes waits in one order; a call that comes later does not overtake", async () => {
    const file = newFile();
    const store = open(file);
    const link = join(temporaryFolder(), "link.db");
    symlinkSync(file, link);
    const other = open(link);
    await store.append("old", 0, [0]);
    const unlock = lock(file);
    const done: string[] = [];
    const waits = [
      store.append("s", 0, [0]).then(() => done.push("append")),
      other.setLease("s", undefined, LEASE).then((isSet) => done.push(`lease ${isSet}`)),
      store
        .setDraft("s", 1, {
          runId: "r",
          step: "model:1",
          place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
          attempt: 1,
          parts: [],
        })
        .then(() => done.push("draft")),
      other.requestStop("s", 1).then(() => done.push("stop")),
      store.delete("old").then(() => done.push("delete")),
      other.deleteSessions({ prefix: "o" }).then((count) => done.push(`deleted ${count}`)),
    ];
    await setImmediate();
    unlock();
    waits.push(store.append("old", 0, [1]).then(() => done.push("late")));
    await Promise.all(waits);
    expect(done).toEqual(["append", "lease true", "draft", "stop", "delete", "deleted 0", "late"]);
    expect(await store.load("old")).toEqual([1]);
    expect(await store.records("s")).toEqual({
      lease: LEASE,
      draft: {
        runId: "r",
        step: "model:1",
        place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
        attempt: 1,
        parts: [],
      },
      stopToken: 1,
    });
  });

  test("a write that is refused in its turn does not keep up the next ones", async () => {
    const file = newFile();
    const store = open(file);
    const unlock = lock(file);
    const waits = [store.append("a", 0, [0]), store.append("a", 0, ["again"]), store.append("b", 0, [0])];
    unlock();
    const settled = await Promise.allSettled(waits);
    expect(settled.map((one) => (one.status === "fulfilled" ? "done" : one.reason))).toEqual([
      "done",
      expect.any(SessionConflictError),
      "done",
    ]);
  });

  test("reads and notifications go on", async () => {
    const file = newFile();
    const [store, other] = [open(file), open(file)];
    await store.append("s", 0, [0], { lease: { expected: undefined, next: LEASE } });
    const unlock = lock(file);
    const told = new Promise<void>((resolve) => store.watch("s", resolve));
    const appending = other.append("s", 1, [1]);
    expect(await store.load("s")).toEqual([0]);
    expect(await store.records("s")).toEqual({ lease: LEASE });
    expect(await store.list()).toHaveLength(1);
    unlock();
    await Promise.all([appending, told]);
    expect(await store.load("s")).toEqual([0, 1]);
  });

  test("each call has its limit, then an error that says what to do, and no timer is left", async () => {
    const file = newFile();
    const [brief, patient] = [open(file, { lockTimeoutMs: 1000 }), open(file, { lockTimeoutMs: 3000 })];
    const unlock = lock(file);
    stopClock();
    const errors: unknown[] = [];
    for (let index = 0; index < 10; index++) brief.append(`s${index}`, 0, [0]).catch((error) => errors.push(error));
    const waiting = patient.append("s", 0, [0]).catch((error: unknown) => error);
    await until(() => vi.getTimerCount() === 1);
    await vi.advanceTimersByTimeAsync(999);
    expect(errors).toEqual([]);
    await vi.advanceTimersByTimeAsync(50);
    expect(errors).toEqual(Array(10).fill(expect.any(SessionStoreError)));
    expect(String(errors[3])).toMatch(
      /session "s3": its log cannot be written: another process has the file locked; try again, or find that process/,
    );
    await vi.advanceTimersByTimeAsync(3000);
    expect(await waiting).toBeInstanceOf(SessionStoreError);
    expect(vi.getTimerCount()).toBe(0);
    unlock();
    await brief.append("s", 0, ["free again"]);
  });

  test("closing a store ends its waits, not those of others", async () => {
    const file = newFile();
    const [store, other] = [open(file), open(file)];
    const unlock = lock(file);
    stopClock();
    const appending = Promise.all(NAMES.map((name) => store.append(name, 0, [0]).catch(String)));
    const going = other.append("other", 0, [0]);
    await until(() => vi.getTimerCount() === 1);
    store.close();
    expect(await appending).toEqual(
      NAMES.map((name) =>
        expect.stringContaining(`"${name}": its log cannot be written: the store is closed; open a new one`),
      ),
    );
    expect(vi.getTimerCount()).toBe(1);
    unlock();
    await vi.advanceTimersByTimeAsync(20);
    await going;
    expect(written(file)).toEqual(["other"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a store that is closed while it alone waits leaves no timer", async () => {
    const file = newFile();
    const store = open(file);
    lock(file);
    stopClock();
    const appending = store.append("s", 0, [0]).catch(String);
    await until(() => vi.getTimerCount() === 1);
    store.close();
    expect(await appending).toMatch(/the store is closed/);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a file that is locked when it is opened", () => {
  test("is opened at once, and gets its tables when it is free", async () => {
    const file = newFile();
    const unlock = lock(file, "exclusive");
    const store = open(file);
    const waits = [store.append("s", 0, [0]), store.load("none"), store.list({ prefix: "none" }), store.records("s")];
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    unlock();
    expect(await Promise.all(waits)).toEqual([undefined, [], [], {}]);
    expect(await open(file).load("s")).toEqual([0]);
  });

  test("and stays so is an error of each call, with what to do", async () => {
    const file = newFile();
    const unlock = lock(file, "exclusive");
    const store = open(file, { lockTimeoutMs: 0 });
    for (const call of [() => store.append("s", 0, [0]), () => store.load("s"), () => store.list()])
      await expect(call()).rejects.toThrow(/another process has the file locked; try again, or find that process/);
    unlock();
    await store.append("s", 0, [0]);
    expect(await store.load("s")).toEqual([0]);
  });
});

describe("a session file that is locked", () => {
  async function damagedFile(): Promise<string> {
    const file = newFile();
    await open(file).append("s", 0, ["not an entry"]);
    return file;
  }

  test("is read all the same, and repaired when it is free", async () => {
    const file = await damagedFile();
    const unlock = lock(file);
    using read = await openSessionFile(file);
    expect(read.sessions.map(({ id, length }) => [id, length])).toEqual([["s", 1]]);
    const tries = watchTries();
    const repairing = repairSessionFile(file, { inPlace: true });
    await tries.atLeast(55);
    unlock();
    expect((await repairing).written).toBe(file);
    expect(await open(file).load("s")).toEqual([]);
  });

  test("and stays so cannot be repaired, and the error says what to do", async () => {
    const file = await damagedFile();
    lock(file);
    stopClock();
    const repairing = repairSessionFile(file, { inPlace: true }).catch((error: unknown) => error);
    await until(() => vi.getTimerCount() === 1);
    await vi.advanceTimersByTimeAsync(10_050);
    const error = await repairing;
    expect(error).toBeInstanceOf(SessionStoreError);
    expect(String(error)).toContain(
      `"${file}": its sessions cannot be written: another process has the file locked; try again, or find that process`,
    );
    expect(vi.getTimerCount()).toBe(0);
  });
});
