import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SessionDamagedError, SessionStoreError } from "@pollux/core/errors";
import { JsonlStore } from "@pollux/core/node";
import { describe, expect, test, vi } from "vitest";
import { thisProcess } from "../../../../src/node/stores/file-lock.ts";
import { stopClock } from "../../../helpers/stop-clock.ts";
import { temporaryFolder } from "../../../helpers/store-process.ts";
import { until } from "../../../helpers/until.ts";

/** A store whose session "s" has the entries 0, { n: 1 } and, of one append, "two" and "three". */
async function filled(): Promise<{ folder: string; file: string; lock: string; store: JsonlStore }> {
  const folder = temporaryFolder();
  const store = new JsonlStore(folder, { lockTimeoutMs: 100 });
  await store.append("s", 0, [0]);
  await store.append("s", 1, [{ n: 1 }]);
  await store.append("s", 2, ["two", "three"]);
  return { folder, file: join(folder, "s.jsonl"), lock: join(folder, "s.lock"), store };
}

function lockOf(fields: object = {}): string {
  return JSON.stringify({ ...thisProcess(), token: randomUUID(), ...fields });
}

/** The number of a process that has ended. */
const deadProcess = spawnSync(process.execPath, ["--version"]).pid;

describe("the files", () => {
  test("are one line of JSON for each entry, and nothing else stays", async () => {
    const { folder, file } = await filled();
    expect(readFileSync(file, "utf8")).toBe('0\n{"n":1}\n"two" \n"three"\n');
    expect(readdirSync(folder)).toEqual(["s.jsonl"]);
  });

  test("have names that hold on any file system, and tell the id", async () => {
    const folder = temporaryFolder();
    const store = new JsonlStore(folder);
    const names = {
      "order-17": "order-17.jsonl",
      "Order 17": "+order%2017.jsonl",
      "user/42": "user%2f42.jsonl",
      ".hidden": "%2ehidden.jsonl",
      "con.x": "%63on.x.jsonl",
      é: "%e9.jsonl",
      "\u{1f600}": "%ud83d%ude00.jsonl",
    };
    for (const id of Object.keys(names)) await store.append(id, 0, [id]);
    expect(readdirSync(folder).toSorted()).toEqual(Object.values(names).toSorted());
  });

  test("of an id that is too long have a shortened name and the id beside it", async () => {
    const folder = temporaryFolder();
    const store = new JsonlStore(folder);
    const id = "Long".repeat(100);
    await store.append(id, 0, [1]);
    const names = readdirSync(folder).toSorted();
    expect(names).toEqual([
      expect.stringMatching(/^\+long\+long.{100,}~[\da-f]{64}\.id$/),
      expect.stringMatching(/^\+long\+long.{100,}~[\da-f]{64}\.jsonl$/),
    ]);
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(200);
    expect(await new JsonlStore(folder).list()).toEqual([{ id, length: 1, updatedAt: expect.any(Number) }]);
    await store.delete(id);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("of other programs are not sessions", async () => {
    const { folder, store } = await filled();
    for (const name of ["notes.txt", "UPPER.jsonl", "sp ace.jsonl", "x~nohash.jsonl", "s.jsonl.bak", "empty.jsonl"]) {
      writeFileSync(join(folder, name), name === "empty.jsonl" ? "" : "1\n");
    }
    expect((await store.list()).map(({ id }) => id)).toEqual(["s"]);
  });

  test("may be replaced: what was remembered of the old one does not count", async () => {
    const { file, store } = await filled();
    expect(await store.load("s")).toHaveLength(4);
    rmSync(file);
    writeFileSync(file, '"another file, longer than the one before"\n"and one more"\n');
    expect(await store.load("s")).toEqual(["another file, longer than the one before", "and one more"]);
    truncateSync(file, 0);
    expect(await store.load("s")).toEqual([]);
    await store.append("s", 0, ["new"]);
    expect(readFileSync(file, "utf8")).toBe('"new"\n');
  });
});

describe("a write that was cut off", () => {
  test("at any byte: none of its entries is read, and the next append takes their place", async () => {
    const whole = '0\n{"n":1}\n';
    const last = '{"text":"\u{1f600}\u2028"} \n"second" \n["third"]\n';
    const bytes = Buffer.from(whole + last);
    for (let length = Buffer.byteLength(whole); length < bytes.length; length++) {
      const folder = temporaryFolder();
      const file = join(folder, "s.jsonl");
      writeFileSync(file, bytes.subarray(0, length));
      const store = new JsonlStore(folder);
      expect(await store.load("s"), `cut at ${length}`).toEqual([0, { n: 1 }]);
      expect(await store.list()).toEqual([{ id: "s", length: 2, updatedAt: expect.any(Number) }]);
      // By one that has read it, and by one that has not.
      await (length % 2 === 0 ? store : new JsonlStore(folder)).append("s", 2, ["next"]);
      expect(readFileSync(file, "utf8"), `cut at ${length}`).toBe(`${whole}"next"\n`);
      expect(await store.load("s", 2)).toEqual(["next"]);
    }
  });

  test("before the first line was whole", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "s.jsonl"), '{"n');
    const store = new JsonlStore(folder);
    expect(await store.load("s")).toEqual([]);
    expect(await store.list()).toEqual([]);
    await store.append("s", 0, [1]);
    expect(readFileSync(join(folder, "s.jsonl"), "utf8")).toBe("1\n");
  });

  test("by a power failure that left zeros", async () => {
    const { file, store, folder } = await filled();
    appendFileSync(file, Buffer.concat([Buffer.from('{"a":1} \n{"b'), Buffer.alloc(5000), Buffer.from("}\n")]));
    expect(await new JsonlStore(folder).load("s")).toEqual([0, { n: 1 }, "two", "three"]);
    await store.append("s", 4, ["next"]);
    expect(readFileSync(file, "utf8")).toBe('0\n{"n":1}\n"two" \n"three"\n"next"\n');
  });
});

describe("a damaged line", () => {
  test.each([
    { what: "is no JSON", damage: (text: string) => text.replace('{"n":1}', '{"n":1') },
    { what: "is empty", damage: (text: string) => text.replace('{"n":1}', "") },
    { what: "is no UTF-8", damage: (text: string) => Buffer.from(text.replace('{"n":1}', '"\u00ff"'), "latin1") },
  ])("in the middle that $what is an error with its file, its number and what to do", async ({ damage }) => {
    const { file, store } = await filled();
    writeFileSync(file, damage(readFileSync(file, "utf8")));
    const error: unknown = await store.load("s").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionDamagedError);
    expect(error).toMatchObject({ sessionId: "s", code: "session_damaged" });
    expect(String(error)).toContain(`line 2 of ${file} is damaged`);
    expect(String(error)).toContain(`npx @pollux/cli session repair ${file}`);
    expect(await store.load("s", 2)).toEqual(["two", "three"]);
  });
});

describe("a place that cannot be written", () => {
  test("is an error that says what to do", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    const store = new JsonlStore(join(folder, "file", "sessions"));
    const error: unknown = await store.append("s", 0, [1]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionStoreError);
    expect(String(error)).toMatch(/session "s": its log cannot be written: part of the path is not a folder/);
    await expect(store.list()).rejects.toThrow(/^sessions cannot be listed: part of the path is not a folder/);
  });

  test("is created with the first append, with all folders above it", async () => {
    const folder = join(temporaryFolder(), "a", "b");
    const store = new JsonlStore(folder);
    expect([await store.load("s"), await store.list()]).toEqual([[], []]);
    await store.delete("s");
    await store.append("s", 0, [1]);
    expect(readdirSync(folder)).toEqual(["s.jsonl"]);
  });
});

describe("the lock", () => {
  test("of a process that died is taken over by one of those who wait", async () => {
    const { folder, lock, store } = await filled();
    writeFileSync(lock, lockOf({ pid: deadProcess }));
    const stores = Array.from({ length: 10 }, () => new JsonlStore(folder));
    const settled = await Promise.allSettled(stores.map((one, index) => one.append("s", 4, [index])));
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await store.load("s", 4)).toEqual([settled.findIndex(({ status }) => status === "fulfilled")]);
    expect(readdirSync(folder)).toEqual(["s.jsonl"]);
  });

  test.skipIf(process.platform !== "linux")("of a process whose number another one has now is taken over", async () => {
    const { lock, store } = await filled();
    writeFileSync(lock, lockOf({ began: "1" }));
    await store.append("s", 4, ["next"]);
    expect(await store.load("s", 4)).toEqual(["next"]);
  });

  test("whose taker died while taking it over is taken over, too", async () => {
    const { folder, lock, store } = await filled();
    const pid = deadProcess;
    writeFileSync(lock, lockOf({ pid, token: "first" }));
    writeFileSync(`${lock}.first`, lockOf({ pid, token: "second" }));
    writeFileSync(`${lock}.first.second`, lockOf({ pid, token: "third" }));
    await store.append("s", 4, ["next"]);
    expect(readdirSync(folder)).toEqual(["s.jsonl"]);
  });

  test("of a running process is waited for, but not forever", async () => {
    const { folder, lock, store } = await filled();
    writeFileSync(lock, lockOf());
    const error: unknown = await store.append("s", 4, ["next"]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionStoreError);
    expect(String(error)).toContain(`it has been locked by process ${process.pid} on `);
    expect(String(error)).toContain(`delete ${lock}`);
    await expect(store.delete("s")).rejects.toThrow(/it has been locked by process/);
    stopClock();
    const appending = new JsonlStore(folder).append("s", 4, ["next"]);
    for (let look = 0; look < 3; look++) {
      await until(() => vi.getTimerCount() === 1);
      expect(await store.load("s", 4)).toEqual([]);
      vi.runAllTimers();
    }
    rmSync(lock);
    await vi.runAllTimersAsync();
    await appending;
    expect(await store.load("s", 4)).toEqual(["next"]);
  });

  test.each([
    { who: "another machine", text: lockOf({ host: "elsewhere" }), afterMs: 61_000 },
    { who: "a process that died before it wrote its name", text: "", afterMs: 3000 },
  ])("of $who is given up after a time", async ({ text, afterMs }) => {
    const { lock, store } = await filled();
    stopClock();
    writeFileSync(lock, text);
    const locked = store.append("s", 4, ["next"]).catch(String);
    await until(() => vi.getTimerCount() === 1);
    await vi.runAllTimersAsync();
    expect(await locked).toMatch(/it has been locked by/);
    const then = (Date.now() - afterMs) / 1000;
    utimesSync(lock, then, then);
    await store.append("s", 4, ["next"]);
    expect(await store.load("s", 4)).toEqual(["next"]);
  });

  test("keeps others from reading what may still be taken back", async () => {
    const { file, lock, store } = await filled();
    writeFileSync(lock, lockOf());
    appendFileSync(file, '"not acknowledged"\n');
    await expect(store.load("s")).rejects.toThrow(/it has been locked by/);
    stopClock();
    const loading = store.load("s");
    await until(() => vi.getTimerCount() === 1);
    truncateSync(file, readFileSync(file).length - '"not acknowledged"\n'.length);
    rmSync(lock);
    await vi.runAllTimersAsync();
    expect(await loading).toEqual([0, { n: 1 }, "two", "three"]);
  });

  test("left by a dead process does not keep others from reading", async () => {
    const { file, lock, store } = await filled();
    writeFileSync(lock, lockOf({ pid: deadProcess }));
    appendFileSync(file, '"whole"\n');
    expect(await store.load("s", 4)).toEqual(["whole"]);
  });
});

test("more sessions than are remembered are all there", async () => {
  const folder = temporaryFolder();
  const store = new JsonlStore(folder);
  const ids = Array.from({ length: 1100 }, (_, index) => `s${index}`);
  for (const id of ids) writeFileSync(join(folder, `${id}.jsonl`), `"${id}"\n`);
  expect(await Promise.all(ids.map((id) => store.load(id)))).toEqual(ids.map((id) => [id]));
  // The first ones were forgotten, the others not.
  expect(await Promise.all(ids.slice(0, 200).map((id) => store.load(id, 1)))).toEqual(
    Array.from({ length: 200 }, () => []),
  );
});
