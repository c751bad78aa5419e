import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { stripVTControlCharacters } from "node:util";
import { Agent, type Json, type SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { ScriptedModel } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Log, recordedLogs } from "../../core/test/doctor/recorded-logs.ts";
import { type Ended, type FakeOptions, MAIN, runHere } from "./support.ts";

const NODE_ARGS = ["--disable-warning=ExperimentalWarning", "--conditions=pollux-source", MAIN, "session"];

const logs = await recordedLogs();
const two = logs["parallel calls, then another message"] ?? [];
const waiting = logs["an approval that is waited for"] ?? [];

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-session-"));
  file = join(folder, "order-17.jsonl");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** The command as a process; paths are told without their folder. */
function runProcess(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...NODE_ARGS, ...args], (error, out, err) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, out: withoutFolder(out), err: withoutFolder(err) });
    });
  });
}

/** The command in this process, with a pipe; paths are told without their folder. */
async function run(...args: string[]): Promise<Ended> {
  const { code, out, err } = await runSession(args);
  return { code, out: withoutFolder(out), err: withoutFolder(err) };
}

const withoutFolder = (text: string): string => text.replaceAll(`${folder}/`, "");

/** The command in this process, with a terminal or a pipe. */
function runSession(args: readonly string[], options: FakeOptions = {}): Promise<Ended> {
  return runHere(["session", ...args], options);
}

async function store(to: SessionStore, id: string, log: Log): Promise<void> {
  await to.append(id, 0, log as unknown as readonly Json[]);
}

/** The session's file, as a store writes it, with its lines changed. */
async function jsonl(log: Log, change: (lines: string[]) => string[] = (lines) => lines): Promise<string> {
  await store(new JsonlStore(folder), "order-17", log);
  const lines = change((await readFile(file, "utf8")).split("\n"));
  await writeFile(file, lines.join("\n"));
  return lines.join("\n");
}

const historyOf = (from: SessionStore, id: string): Promise<readonly unknown[]> =>
  new Agent({ model: new ScriptedModel() }).session({ id, store: from }).history();

describe("pollux session check", () => {
  test("says that a session is fine, and what is worth knowing", async () => {
    await jsonl(two);
    expect(await run("check", file)).toEqual({ code: 0, out: "session order-17: ok, 13 entries\n", err: "" });
    await rm(file);
    await jsonl(waiting);
    expect(await run("check", file)).toEqual({
      code: 0,
      out:
        "line 15: note: the last run waits for call:1.1 (pay: approval); " +
        "resume() continues it; the next message closes it\nsession order-17: ok, 15 entries\n",
      err: "",
    });
  });

  test("has one line for each problem, and changes nothing", async () => {
    const text = await jsonl(two, (lines) => lines.with(3, "{oops"));
    await appendFile(file, '{"v":1,"at":1,"ty');
    const { code, out, err } = await run("check", file);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out.split("\n")).toEqual([
      expect.stringMatching(/^line 4: it is not JSON \(.*\)\. Repair: it is dropped; its content is unknown$/),
      expect.stringMatching(
        /^line 5: a turn refers to step call:1\.\d, which is not in the log\. Repair: the turn is rebuilt from its steps/,
      ),
      "line 14: it was cut off while being written (17 bytes). Repair: it is dropped; its write was never confirmed",
      "session order-17: 3 problems, 14 entries",
      "To repair them: pollux session repair order-17.jsonl",
      "",
    ]);
    expect(await readFile(file, "utf8")).toBe(`${text}{"v":1,"at":1,"ty`);
  });

  test("and the other commands read past a line that nests 100,000 levels", async () => {
    await jsonl(two, (lines) =>
      lines.with(1, (lines[1] ?? "").replace("{", `{"deep":${"[".repeat(100_000)}${"]".repeat(100_000)},`)),
    );
    const deep = "line 2: it nests more than 520 levels";
    expect(await run("check", file)).toMatchObject({ code: 1, out: expect.stringContaining(deep) });
    for (const more of [[], ["--json"]])
      expect(await run("show", file, ...more)).toMatchObject({ code: 1, out: expect.stringContaining("look") });
    expect(await run("repair", file)).toMatchObject({ code: 0, out: expect.stringContaining(deep) });
  });

  test("looks at all sessions of an SQLite file, or at one, and at what is missing in them", async () => {
    const db = join(folder, "sessions.db");
    using sessions = new SqliteStore(db);
    await store(sessions, "fine", two);
    await store(sessions, "hurt", two);
    using database = new DatabaseSync(db);
    database.exec("delete from pollux_entry where position = 2 and session = 2");
    const { code, out } = await run("check", db);
    expect(code).toBe(1);
    expect(out.split("\n")).toEqual([
      "session fine: ok, 13 entries",
      "session hurt, entry 2: it is missing. Repair: it is dropped; its content is unknown",
      expect.stringMatching(/^session hurt, entry \d: a turn refers to step call:1\.0/),
      "session hurt: 2 problems, 13 entries",
      "To repair them: pollux session repair sessions.db",
      "",
    ]);
    expect(await run("check", db, "--session", "fine")).toEqual({
      code: 0,
      out: "session fine: ok, 13 entries\n",
      err: "",
    });
  });
});

describe("pollux session repair", () => {
  const damage = (lines: string[]): string[] => lines.with(3, "\u0000oops");

  test("writes a file that opens beside the one that does not, and says what is lost", async () => {
    const text = await jsonl(two, damage);
    await expect(historyOf(new JsonlStore(folder), "order-17")).rejects.toThrow(
      /line 4 of [\s\S]*pollux\/cli session repair/,
    );
    const { code, out, err } = await run("repair", file);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^line 4: it is not JSON \(.*\): it is dropped; its content is unknown\n/);
    expect(out).toMatch(
      /\nline 5: a turn refers to step call:1\.\d, which is not in the log: the turn is rebuilt from its steps/,
    );
    expect(out).toMatch(/\nwritten to order-17\.jsonl\.repaired\n$/);
    expect(await readFile(file, "utf8")).toBe(text);
    const repaired = join(folder, "order-17.jsonl.repaired");
    expect(await run("check", repaired)).toEqual({ code: 0, out: "session order-17: ok, 12 entries\n", err: "" });
    expect(await run("repair", file)).toEqual({
      code: 2,
      out: "",
      err: "pollux session: order-17.jsonl.repaired already exists; move it away first\n",
    });
  });

  test("repairs the file itself, keeps what was there, and lets an open store find out", async () => {
    const text = await jsonl(two);
    const sessions = new JsonlStore(folder);
    const before = await historyOf(sessions, "order-17");
    await writeFile(file, damage(text.split("\n")).join("\n"));
    const { code, out } = await run("repair", file, "--in-place");
    expect(code).toBe(0);
    expect(out).toMatch(/\nrepaired order-17\.jsonl; the original is order-17\.jsonl\.bak\n$/);
    expect(await readFile(`${file}.bak`, "utf8")).toBe(damage(text.split("\n")).join("\n"));
    const after = await historyOf(sessions, "order-17");
    expect(after.length).toBe(before.length);
    expect(after[3]).toEqual(before[3]);
    const agent = new Agent({ model: new ScriptedModel(() => ({ batches: [[{ text: "On." }]] })) });
    await agent.session({ id: "order-17", store: sessions }).send("Go on.");
    expect((await run("check", file)).code).toBe(0);
    // What was not changed is as it was, byte for byte.
    const lines = (await readFile(file, "utf8")).split("\n");
    expect(lines.slice(0, 3)).toEqual(
      text
        .split("\n")
        .slice(0, 3)
        .map((line) => line.trimEnd()),
    );
  });

  test("drops a line that was cut off, and has nothing to do after that", async () => {
    const text = await jsonl(two);
    await appendFile(file, '{"v":1');
    expect(await run("repair", "--in-place", file)).toEqual({
      code: 0,
      out:
        "line 14: it was cut off while being written (6 bytes): it is dropped; its write was never confirmed\n" +
        "repaired order-17.jsonl; the original is order-17.jsonl.bak\n",
      err: "",
    });
    expect(await readFile(file, "utf8")).toBe(text.replaceAll(" \n", "\n"));
    await rm(`${file}.bak`);
    expect(await run("repair", "--in-place", file)).toEqual({
      code: 0,
      out: "session order-17: nothing to repair\n",
      err: "",
    });
    expect(existsSync(`${file}.bak`)).toBe(false);
  });

  test("leaves alone what a newer release wrote", async () => {
    const text = await jsonl(two, (lines) => [...lines.slice(0, -1), '{"v":4,"type":"dream"}', ""]);
    const { code, out } = await run("repair", file, "--in-place");
    expect({ code, out }).toEqual({
      code: 1,
      out: "line 14: it and everything after it are newer than version 3: nothing is changed; use the release that wrote it or a newer one\n",
    });
    expect(await readFile(file, "utf8")).toBe(text);
  });

  test.each([["in a copy"], ["in place"]])("repairs sessions of an SQLite file %s, and no others", async (where) => {
    const db = join(folder, "sessions.db");
    using sessions = new SqliteStore(db);
    await store(sessions, "fine", two);
    await store(sessions, "hurt", two);
    await store(sessions, "lost", two.slice(0, 1));
    using database = new DatabaseSync(db);
    database.exec("update pollux_entry set entry = '{' where position = 2 and session = 2");
    database.exec("update pollux_entry set entry = '[]' where session = 3");
    const fine = await historyOf(sessions, "fine");
    const inPlace = where === "in place";
    const { code, out } = await run("repair", db, ...(inPlace ? ["--in-place"] : []));
    expect(code).toBe(0);
    expect(out).toMatch(/^session fine: nothing to repair\nsession hurt, entry 2: it is not JSON/);
    expect(out).toMatch(/\nsession lost, entry 0: it is not a JSON object/);
    using repaired = new SqliteStore(inPlace ? db : `${db}.repaired`);
    expect((await repaired.list({ order: "id" })).map(({ id, length }) => [id, length])).toEqual([
      ["fine", 13],
      ["hurt", 12],
    ]);
    expect(await historyOf(repaired, "fine")).toEqual(fine);
    expect(await historyOf(repaired, "hurt")).toHaveLength(fine.length);
    using kept = new SqliteStore(inPlace ? `${db}.bak` : db);
    await expect(historyOf(kept, "hurt")).rejects.toThrow("entry 2");
    expect((await run("check", inPlace ? db : `${db}.repaired`)).code).toBe(0);
  });
});

describe("pollux session show", () => {
  test("prints the conversation without colors into a pipe, and its history as JSON", async () => {
    await jsonl(two);
    const { code, out, err } = await run("show", file, "--thoughts", "--width", "60");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(
      /^Session order-17: 2 runs, 13 entries\n\nRun 1, \S+ \S+ UTC, gemini-3-pro-preview\n {2}user {4}Look twice\.\n {2}thought Two at once\./,
    );
    expect(out).not.toContain("\u001b");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(60);
    const json = await run("show", "--json", file);
    expect(JSON.parse(json.out)).toEqual(await historyOf(new JsonlStore(folder), "order-17"));
  });

  test("takes a terminal's width, and colors unless it is asked not to", async () => {
    await jsonl(two);
    const { out } = await runSession(["show", file], { isTTY: true, columns: 40 });
    expect(out).toContain("\u001b[1;36muser\u001b[0m    Look twice.\n");
    expect(
      Math.max(
        ...stripVTControlCharacters(out)
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(40);
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }])
      expect((await runSession(["show", file], { isTTY: true, columns: 40, env })).out).toBe(
        stripVTControlCharacters(out),
      );
  });

  test.each([{ columns: 0 }, { columns: undefined }, { columns: 0, env: { COLUMNS: "72" } }])(
    "takes a pipe's width on a terminal that tells none: $columns, $env",
    async (terminal) => {
      await jsonl(two);
      const columns = "env" in terminal ? "72" : "100";
      const piped = await run("show", file, "--width", columns);
      const { code, out } = await runSession(["show", file], { isTTY: true, ...terminal });
      expect({ code, out: stripVTControlCharacters(out) }).toEqual({ code: 0, out: piped.out });
    },
  );

  test("shows of a damaged session what a repair would leave", async () => {
    await jsonl(two, (lines) => lines.with(3, "{oops"));
    const { code, out, err } = await run("show", file);
    expect(code).toBe(1);
    expect(out).toContain("  failed  look: the result of this call was not recorded\n");
    expect(err).toBe(
      "pollux session: 2 problems; shown as a repair would leave it. See: pollux session check order-17.jsonl\n",
    );
  });

  test("lists the sessions of an SQLite file, and shows one", async () => {
    const db = join(folder, "sessions.db");
    using sessions = new SqliteStore(db);
    await store(sessions, "user/1", two);
    await store(sessions, "user/2", waiting);
    const { code, out, err } = await run("show", db);
    expect({ code, err }).toEqual({ code: 0, err: "pollux session: 2 sessions; show one with --session ID\n" });
    expect(out).toMatch(/^user\/1 13 entries, last written \S+Z\nuser\/2 15 entries, last written \S+Z\n$/);
    expect((await run("show", db, "--session", "user/2")).out).toMatch(/^Session user\/2: 2 runs, 15 entries\n/);
    expect(await run("show", db, "--session", "user/3")).toEqual({
      code: 2,
      out: "",
      err: 'pollux session: sessions.db has no session "user/3"\n',
    });
  });

  test("ends quietly when the reader has had enough", async () => {
    await jsonl(Array.from({ length: 300 }, () => two).flat());
    const child = spawn(process.execPath, [...NODE_ARGS, "show", file]);
    let err = "";
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect({ code, err }).toEqual({ code: 0, err: expect.not.stringContaining("EPIPE") });
  });
});

describe("pollux session", () => {
  test.each([
    ["a damaged session", 1, (): string[] => ["show", file]],
    ["no command", 2, (): string[] => []],
  ])("as a process says the same, and ends with its code: %s", async (_what, code, args) => {
    await jsonl(two, (lines) => lines.with(3, "{oops"));
    const ended = await runProcess(...args());
    expect(ended).toEqual(await run(...args()));
    expect(ended).toMatchObject({ code, err: expect.stringMatching(/^pollux session: ./) });
  });

  test("explains itself", async () => {
    const { code, out } = await run("--help");
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: pollux session show FILE/);
    expect((await run("repair", "--help")).out).toBe(out);
  });

  test.each([
    [[], /^pollux session: Specify a command: show, check, repair or erase\nTry pollux session --help\n$/],
    [["mend", "x"], /Unknown command "mend"/],
    [["check"], /check needs a file/],
    [["check", "/no/such/file"], /cannot be read: ENOENT/],
    [["check", tmpdir()], /cannot be read: EISDIR/],
    [["check", "a", "b"], /Unexpected argument "b"/],
    [["check", "a", "--json"], /--json works with show, not with check/],
    [["show", "a", "--in-place"], /--in-place works with repair, not with show/],
    [["show", "a", "--json", "--thoughts"], /--json prints the whole history/],
    [["show", "a", "--width", "wide"], /--width must be an integer/],
    [["show", MAIN, "--session", "x"], /a session can be selected only in an SQLite file/],
    [["--what"], /Unknown option '--what'/],
  ])("%j is no command line", async (args, message) => {
    const { code, out, err } = await runSession(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
  });

  test("accepts an empty file, and reports a database of another program", async () => {
    await writeFile(file, "");
    expect(await run("check", file)).toEqual({ code: 0, out: "session order-17: ok, 0 entries\n", err: "" });
    const db = join(folder, "other.db");
    using database = new DatabaseSync(db);
    database.exec("create table t (x)");
    const { code, err } = await run("check", db);
    expect(code).toBe(2);
    expect(err).toMatch(/^pollux session: other\.db has no readable sessions: no such table: pollux_entry\n/);
  });
});

describe("erase", () => {
  const info = { state: "idle", createdAt: 1, messages: 1, turns: 1, totalTokens: 1, cost: 0 } as const;

  test.each(["SQLite", "JSONL"])("removes what a store of kind %s has of one owner, and counts it", async (kind) => {
    const path = kind === "SQLite" ? join(folder, "chats.sqlite") : folder;
    const open = (): SqliteStore | JsonlStore => (kind === "SQLite" ? new SqliteStore(path) : new JsonlStore(path));
    const kept = join(folder, "exchanges");
    const exchanges = new JsonlStore(kept);
    const sessions = open();
    for (const [id, owner] of [
      ["a", "ann"],
      ["b", "ann"],
      ["c", "bob"],
    ] as const) {
      await sessions.append(id, 0, two as unknown as readonly Json[], { info: { ...info, owner } });
      await exchanges.append(id, 0, [{ type: "exchange" }]);
    }
    if ("close" in sessions) sessions.close();
    expect(await run("erase", path, "--owner", "ann", "--exchanges", kept)).toEqual({
      code: 0,
      err: "",
      out: "sessions: 2\ndrafts: 0\nnotes: 0\nexchanges: 2\nstoppedRuns: 0\n",
    });
    const left = open();
    expect((await left.list()).map(({ id }) => id)).toEqual(["c"]);
    expect((await exchanges.list()).map(({ id }) => id)).toEqual(["c"]);
    if ("close" in left) left.close();
  });

  test("needs an owner and a store that is there", async () => {
    expect(await run("erase", file)).toMatchObject({
      code: 2,
      err: expect.stringContaining("erase needs an owner: pollux session erase STORE --owner ID"),
    });
    expect(await run("erase", file, "--owner", "ann", "--session", "a")).toMatchObject({
      code: 2,
      err: expect.stringContaining("it cannot be combined with --session"),
    });
    expect(await run("erase", join(folder, "none.sqlite"), "--owner", "ann")).toMatchObject({
      code: 2,
      err: expect.stringContaining("no such file"),
    });
    expect(existsSync(join(folder, "none.sqlite"))).toBe(false);
  });
});
