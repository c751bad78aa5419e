import { Agent, approve, defineTool, MemoryStore, type Session, type SessionEntry } from "@pollux/core";
import { checkSession, type LogLine, outlineSession, repairSession } from "@pollux/core/doctor";
import { SessionDamagedError } from "@pollux/core/errors";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { recordedLogs } from "./recorded-logs.ts";

const logs = await recordedLogs();
const two = logs["parallel calls, then another message"] ?? [];

const lines = (log: readonly unknown[]): LogLine[] => log.map((value) => ({ value }));

/** The log with one entry changed, as JSON. */
function changed(log: readonly SessionEntry[], at: number, from: string | RegExp, to: string): readonly unknown[] {
  const text = JSON.stringify(log[at]);
  const other = text.replace(from, to);
  expect(other).not.toBe(text);
  return log.with(at, JSON.parse(other));
}

const find = (log: readonly SessionEntry[], type: string, step?: string): number =>
  log.findIndex((entry) => entry.type === type && (step === undefined || ("step" in entry && entry.step === step)));

const END = find(two, "end");
const MODEL = find(two, "step", "model:1");
const CALL = find(two, "step", "call:1.0");
const TURN = find(two, "turn");
const waiting = logs["an approval that is waited for"] ?? [];
const ROUTE = waiting.findLastIndex((entry) => entry.type === "step" && entry.place.kind === "route");
const runId = (two[0] as { runId: string }).runId;

describe("a log is checked for", () => {
  test.each<[string, readonly unknown[], readonly (readonly [position: number, problem: RegExp])[]]>([
    [
      "what is no entry",
      two.with(MODEL, 7 as never),
      [
        [MODEL, /^it is not a JSON object$/],
        [TURN, /^a turn refers to step model:1, which is not in the log$/],
      ],
    ],
    [
      "a type that nobody has for such members",
      changed(two, CALL, '"type":"step"', '"type":"stop"'),
      [
        [CALL, /^its type "stop" is unknown, but it has the members of a known one$/],
        [TURN, /^a turn refers to step call:1\.0, which is not in the log$/],
      ],
    ],
    [
      "a missing member",
      changed(two, END, '"turns":3,', ""),
      [
        [0, /^run \S+ has no end, and another run follows$/],
        [END, /^its turns is not a whole number$/],
      ],
    ],
    [
      "an unknown stop reason",
      changed(two, two.length - 1, '"finished"', '"finishd"'),
      [[two.length - 1, /^its stopReason is unknown$/]],
    ],
    [
      "a damaged content",
      changed(two, MODEL, '"role":"model"', '"role":"modle"'),
      [
        [MODEL, /response\.content\.role is neither "user" nor "model"$/],
        [TURN, /model:1/],
      ],
    ],
    [
      "a step outside of its run",
      two.toSpliced(0, 1),
      [
        [0, /^step model:1 belongs to run \S+, whose start is not in the log$/],
        [1, /^step call:1\.0/],
        [2, /^step call:1\.1/],
        [3, /^turn belongs to run/],
        [4, /^step model:2/],
        [5, /^step call:2\.0/],
        [6, /^turn belongs to run/],
        [7, /^step model:3/],
        [8, /^end belongs to run/],
      ],
    ],
    [
      "a step in another run",
      [...two, two[CALL]],
      [[two.length, /^step call:1\.0 belongs to run \S+, but is inside another$/]],
    ],
    [
      "a damaged runId",
      changed(two, CALL, runId, "someone-else"),
      [[CALL, /^it belongs to run someone-else, which never started, but is in the middle of run/]],
    ],
    [
      "a damaged runId of a run",
      changed(two, 0, runId, "someone-else"),
      [[0, /^it starts run someone-else, but the entries after it belong to run/]],
    ],
    [
      "a step that is recorded twice",
      two.toSpliced(CALL, 0, two[CALL] as never),
      [[CALL, /^call:1\.0 is recorded again later$/]],
    ],
    [
      "an end that speaks of what is not there",
      two.toSpliced(CALL, 1),
      [[TURN - 1, /^a turn refers to step call:1\.0, which is not in the log$/]],
    ],
    [
      "responses in another order",
      changed(two, TURN, '["call:1.0","call:1.1"]', '["call:1.1","call:1.0"]'),
      [[TURN, /^the responses to look, look are not in call order/]],
    ],
    [
      "an open call at the end of a run",
      changed(two, TURN + 3, ',{"calls":["call:2.0"]}', ""),
      [[TURN + 3, /^the call to look \(id c3\) has no response$/]],
    ],
    [
      "a response under another name",
      changed(two, CALL, '"name":"look"', '"name":"lock"'),
      [
        [TURN, /^the call to look \(id c1\) has no response$/],
        [TURN, /^the response from lock \(id c1\) matches no call$/],
      ],
    ],
    [
      "a signature that is not base64",
      changed(two, MODEL, '"Co4BAX', '"Co4B?X'),
      [[MODEL, /^a signature is not base64$/]],
    ],
    [
      "a reason for asking that lacks where the content came from",
      changed(waiting, ROUTE, '"untrusted":', '"untruste ":'),
      [
        [ROUTE, /^its outcome\.value\[1\]\.because\.untrusted is not an array$/],
        [waiting.length - 1, /^run \S+ ended with "needs-approval", and entries of it are lost$/],
      ],
    ],
    [
      "such a reason at the end of a run",
      changed(waiting, waiting.length - 1, '"because":{"reach"', '"because":{" each"'),
      [[waiting.length - 1, /^its pending\[0\]\.because\.reach is not a non-empty string$/]],
    ],
    [
      "the kind of a step that has the name of another kind",
      changed(waiting, ROUTE, '"kind":"route"', '"kind":" oute"'),
      [[ROUTE, /^its kind {2}oute is unknown, and its name is that of a route step$/]],
    ],
    [
      "contents from before behind a run",
      [...two, { v: 3, at: 1, type: "history", parts: [] }],
      [[two.length, /comes after a run$/]],
    ],
    [
      "going back to before a run that is not there",
      [{ v: 3, at: 1, type: "rewind", before: "none" }, ...two, { v: 3, at: 1, type: "rewind", before: "none" }],
      [
        [0, /^it goes back to before run none, which is not part of the conversation$/],
        [two.length + 1, /^it goes back to before run none, which is not part of the conversation$/],
      ],
    ],
    ["a run without end before another", two.toSpliced(END, 1), [[0, /^run \S+ has no end, and another run follows$/]]],
  ])("%s", (_what, log, problems) => {
    const found = checkSession(lines(log)).problems;
    expect(found.map(({ position, problem }) => [position, problem])).toEqual(
      problems.map(([position, problem]) => [position, expect.stringMatching(problem)]),
    );
  });

  test("a line that was cut off, which nobody relies on", () => {
    const log: LogLine[] = [...lines(two), { problem: "it was cut off while being written (12 bytes)", torn: true }];
    expect(checkSession(log)).toEqual({
      problems: [
        {
          position: two.length,
          problem: "it was cut off while being written (12 bytes)",
          remedy: "it is dropped; its write was never confirmed",
        },
      ],
      notes: [],
    });
    expect(repairSession(log).entries).toEqual(two);
  });

  test("a signature of another origin", () => {
    const [first] = two;
    const from = find(two.slice(1), "run") + 1;
    const other = two.slice(0, END + 1).map((entry) => ("runId" in entry ? { ...entry, runId: "other" } : entry));
    const foreign = { ...first, runId: "other", origin: { endpoint: "https://proxy", family: "gemini-3" } };
    const found = checkSession(lines([...two.slice(0, from), foreign, ...other.slice(1)])).problems;
    expect(found.map(({ problem }) => problem)).toEqual([
      expect.stringMatching(
        /^a signature was made by gemini-3 at \S+, but is in a run of gemini-3 at https:\/\/proxy$/,
      ),
      expect.stringMatching(/^a signature was made by/),
    ]);
  });
});

test.each(Object.entries(logs))("a log whose process died at any time has no problems: %s", (_name, log) => {
  for (let length = 1; length <= log.length; length++)
    expect(checkSession(lines(log.slice(0, length))).problems, `${length} entries`).toEqual([]);
});

test("a step in a turn that no run has makes its run final, since no session resumes it", async () => {
  const log = logs["an approval that is waited for"] ?? [];
  const at = log.findLastIndex((entry) => entry.type === "step" && entry.step === "call:1.0");
  const damaged = changed(log, at, '"kind":"call","turn":1', '"kind":"call","turn":0');
  const { problems } = checkSession(lines(damaged));
  expect(problems.map(({ problem }) => problem)).toEqual([
    expect.stringMatching(/^run \S+ ended with "needs-approval", and entries of it are lost$/),
  ]);
  const open = async (entries: readonly unknown[]): Promise<Session> => {
    const store = new MemoryStore();
    await store.append("s", 0, entries as never);
    return new Agent({ model: new ScriptedModel(say("Hello.")) }).session({ id: "s", store });
  };
  const session = await open(damaged);
  const approvals = approve((await session.state()).pending);
  await expect(session.resume({ approvals })).rejects.toThrow(SessionDamagedError);
  const repaired = await open(repairSession(lines(damaged)).entries);
  expect((await repaired.send("Hi")).text).toBe("Hello.");
});

describe("a log is noted for", () => {
  test.each([
    ["an approval that is waited for", "the last run waits for call:1.1 (pay: approval)"],
    ["a run that is cut off", "the last run is not over"],
  ])("%s", (name, note) => {
    const { problems, notes } = checkSession(lines(logs[name] ?? []));
    expect(problems).toEqual([]);
    expect(notes.map(({ problem }) => problem)).toEqual([note]);
  });

  test("first calls without signature", () => {
    const log = changed(two, MODEL, /,"thoughtSignature":"[^"]*"/, "");
    expect(checkSession(lines(log))).toEqual({
      problems: [],
      notes: [
        {
          position: MODEL,
          problem: "the first call of a turn has no signature, although its model signs each",
          remedy: "a placeholder is sent where one is required; the model does not see its earlier thoughts",
        },
      ],
    });
  });
});

test("what a newer program added to a log, and this one does not know, stays as it is", () => {
  const runOnly = { v: 3, at: 1, type: "note", runId, state: "begun", place: { kind: "job", turn: 1 } };
  const strange: readonly unknown[] = [
    { v: 3, at: 1, type: "constructor" },
    { v: 3, at: 1, type: "weather", contents: 7 },
  ];
  const [run, ...rest] = two;
  const own = [{ ...run, priority: "high" }, ...rest.slice(0, END - 1), runOnly, ...rest.slice(END - 1)];
  const wider: readonly unknown[] = [...strange, ...own, ...strange];
  expect(checkSession(lines(wider))).toEqual({ problems: [], notes: [] });
  expect(repairSession(lines(wider))).toEqual({ entries: wider, done: [], refused: undefined });
  // Also where there is something to do.
  const lost = wider.indexOf(own[CALL]);
  const { entries, done } = repairSession(lines(wider.toSpliced(lost, 1)));
  expect(done.length).toBeGreaterThan(0);
  for (const entry of [...strange, runOnly]) expect(entries).toContain(entry);
  expect(entries[2]).toMatchObject({ type: "run", priority: "high" });
});

test("a log that goes on in a newer version is left alone", () => {
  const newer = [...two, { v: 4, at: 1, type: "dream", runId: "x" }, { v: 4, at: 1, type: "end" }];
  const { entries, done, refused } = repairSession(lines(newer));
  expect({ entries, done }).toEqual({ entries: two, done: [] });
  expect(refused).toEqual({
    position: two.length,
    problem: "it and everything after it are newer than version 3",
    remedy: "nothing is changed; use the release that wrote it or a newer one",
  });
  expect(checkSession(lines(newer)).problems).toEqual([refused]);
  // One newer line among others is a damaged one.
  expect(repairSession(lines(changed(two, END, '"v":3', '"v":7'))).refused).toBeUndefined();
});

describe("an entry that nests 100,000 levels", () => {
  const deep: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);

  test.each(two.map((entry, position) => [position, entry.type] as const))("as entry %i, %s, is damage", (position) => {
    const log = two.with(position, { ...two[position], deep } as never);
    const { problems } = checkSession(lines(log));
    expect(problems).toContainEqual({
      position,
      problem: "it nests more than 520 levels",
      remedy: expect.stringMatching(/^it is dropped; /),
    });
    expect(checkSession(lines(repairSession(lines(log)).entries)).problems).toEqual([]);
  });

  test("is damage without a type, too", () => {
    expect(checkSession(lines([deep, { deep }])).problems).toHaveLength(2);
  });
});

test("a run that is resumed keeps the size of its context, and the date of its prices", () => {
  const log = logs["an approval that was given"] ?? [];
  const place = log.findIndex(({ type }) => type === "resume");
  const priced = log.slice(0, place + 1).map((entry) => {
    return entry.type === "end" ? { ...entry, cost: 1, pricesAsOf: "2026-01-01" } : entry;
  });
  const { contextTokens } = outlineSession(priced.slice(0, -1)).totals.usage;
  expect(contextTokens).toBeGreaterThan(0);
  expect(outlineSession(priced).totals).toMatchObject({ pricesAsOf: "2026-01-01", usage: { contextTokens } });
  const end = priced.find(({ type }) => type === "end");
  if (end?.type !== "end") throw new Error("it has an end");
  const { pricesAsOf: _, ...undated } = end;
  expect(outlineSession([...priced, undated]).totals).toMatchObject({ cost: 1, pricesAsOf: "2026-01-01" });
});

test("a step at a place that is none says what may stand there", () => {
  const log = logs["an approval that was given"] ?? [];
  const { problems } = checkSession(lines(changed(log, find(log, "step", "model:1"), '"work"', '"play"')));
  expect(problems[0]?.problem).toBe("its place.phase is not work or output");
});

test("a run that may be resumed ends for good when one of its turns has lost its number", async () => {
  const store = new MemoryStore();
  const look = defineTool({ name: "look", description: "Looks.", run: () => "shoes" });
  const model = new ScriptedModel(call("look"), call("look"));
  await new Agent({ model, tools: [look], limits: { turns: 2 } }).session({ id: "s", store }).send("Go.");
  const log = (await store.load("s")) as unknown as SessionEntry[];
  const { entries, done } = repairSession(lines(changed(log, find(log, "step", "model:1"), '"turn":1', '"turn":0')));
  expect(entries.at(-1)).toMatchObject({ type: "end", stopReason: "damaged" });
  expect(done.at(-1)?.problem).toMatch(/ended with "limit", and entries of it are lost$/);
});
