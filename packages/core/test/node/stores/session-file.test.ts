import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigurationError, type Json, type Lease, type SessionInfo, type SessionStore } from "@pollux/core";
import { checkSession } from "@pollux/core/doctor";
import { JsonlStore, openSessionFile, repairSessionFile, SqliteStore } from "@pollux/core/node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SessionEntry } from "../../../src/session/log/entries.ts";
import { foldInfo, NO_INFO } from "../../../src/session/store/session-info.ts";
import { recordedLogs } from "../../doctor/recorded-logs.ts";

const log = ((await recordedLogs())["parallel calls, then another message"] ?? []) as unknown as readonly Json[];

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "pollux-session-file-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

// What the command line says of such files, and how damaged ones are repaired, is tested with `pollux session`.
describe.each([
  ["line", "Order 17.jsonl", (): SessionStore => new JsonlStore(folder)],
  ["entry", "sessions.db", (): SessionStore => new SqliteStore(join(folder, "sessions.db"))],
])("a file that counts by %s", (unit, name, open) => {
  const id = "order 17";
  const path = (): string => join(folder, unit === "line" ? "order%2017.jsonl" : name);

  test("gives its sessions with their logs, and is not changed", async () => {
    await open().append(id, 0, log);
    const before = await readFile(path());
    using file = await openSessionFile(path());
    expect(file.unit).toBe(unit);
    expect(file.sessions.map((session) => ({ ...session, lines: session.lines() }))).toEqual([
      expect.objectContaining({
        id,
        length: log.length,
        updatedAt: expect.any(Number),
        lines: log.map((value) => ({ value })),
      }),
    ]);
    expect(checkSession(file.sessions[0]?.lines() ?? []).problems).toEqual([]);
    expect(await readFile(path())).toEqual(before);
  });

  test("that is fine is repaired by writing nothing", async () => {
    await open().append(id, 0, log);
    expect(await repairSessionFile(path(), { inPlace: true })).toEqual({
      unit,
      repairs: [{ id, entries: log, done: [], refused: undefined }],
      written: undefined,
      backup: undefined,
    });
  });

  test("is not written over", async () => {
    await open().append(id, 0, log);
    await writeFile(`${path()}.repaired`, "");
    const refused = repairSessionFile(path());
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow(/\.repaired already exists; move it away first$/);
  });

  test("that is not there, or has no such session, is a configuration error", async () => {
    await expect(openSessionFile(join(folder, "none"))).rejects.toThrow(ConfigurationError);
    await open().append(id, 0, log);
    await expect(openSessionFile(path(), { session: "x" })).rejects.toThrow(
      unit === "line" ? /a session can be selected only in an SQLite file/ : /has no session "x"$/,
    );
  });
});

describe.each([
  ["line", (): SessionStore => new JsonlStore(folder), (): string => join(folder, "a.jsonl")],
  ["entry", (): SessionStore => new SqliteStore(join(folder, "a.db")), (): string => join(folder, "a.db")],
])("a repair of a file that counts by %s", (_unit, open, path) => {
  test("keeps the lease, and updates what lists show", async () => {
    const lease: Lease = { token: 4, beat: 2, held: true, runId: "r", durationMs: 15_000 };
    const about: SessionInfo = { state: "running", createdAt: 1, messages: 9, turns: 9, totalTokens: 9, cost: 0 };
    await open().append("a", 0, [...log, "no entry"], { info: about, lease: { expected: undefined, next: lease } });
    const { written } = await repairSessionFile(path(), { inPlace: true });
    expect(written).toBe(path());
    expect(await open().records("a")).toEqual({ lease });
    const length = (await open().load("a")).length;
    expect(await open().list()).toEqual([
      {
        id: "a",
        length,
        updatedAt: expect.any(Number),
        ...foldInfo(NO_INFO, (await open().load("a")) as unknown as readonly SessionEntry[]).info,
      },
    ]);
    await open().append("a", length, [], { token: 4 });
  });
});

test("a database of an earlier release is read and repaired", async () => {
  const path = join(folder, "a.db");
  using earlier = new DatabaseSync(path);
  earlier.exec(`
    create table pollux_session (
      number integer primary key, key blob not null unique, id text not null, length integer not null, updated_at integer not null
    ) strict;
    create table pollux_entry (
      session integer not null, position integer not null, entry text not null, primary key (session, position)
    ) strict;
    insert into pollux_session values (7, x'0061', 'a', ${log.length}, 1);
  `);
  const insert = earlier.prepare("insert into pollux_entry values (7, ?, ?)");
  for (const [position, entry] of log.entries()) insert.run(position, position === 1 ? "{" : JSON.stringify(entry));
  using file = await openSessionFile(path);
  expect(file.sessions.map(({ id, length }) => [id, length])).toEqual([["a", log.length]]);
  const { written, repairs } = await repairSessionFile(path);
  expect(repairs.map(({ done }) => done.length > 0)).toEqual([true]);
  const store = new SqliteStore(written ?? "");
  expect((await store.list()).map(({ id, title }) => [id, title])).toEqual([["a", expect.any(String)]]);
  store.close();
});

test("what a repair left behind when it was killed does not stand in the way of the next", async () => {
  const path = join(folder, "a.jsonl");
  await new JsonlStore(folder).append("a", 0, log);
  const text = await readFile(path, "utf8");
  await writeFile(path, `${text}{"v":1`);
  await writeFile(`${path}.new`, "half a log");
  const { written, backup } = await repairSessionFile(path, { inPlace: true });
  expect({ written, backup }).toEqual({ written: path, backup: `${path}.bak` });
  expect(await new JsonlStore(folder).load("a")).toEqual(log);
});

test("a log is repaired to a copy while its file is locked", async () => {
  await new JsonlStore(folder).append("s", 0, log);
  const file = join(folder, "s.jsonl");
  await writeFile(join(folder, "s.lock"), JSON.stringify({ host: "elsewhere", pid: 1, startedAt: 1, token: "t" }));
  expect(await repairSessionFile(file)).toMatchObject({ repairs: [{ id: "s", done: [] }] });
});
