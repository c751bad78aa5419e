import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkSession, ConfigurationError, type Json, type SessionStore } from "@pollux/core";
import { JsonlStore, openSessionFile, repairSessionFile, SqliteStore } from "@pollux/core/node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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
