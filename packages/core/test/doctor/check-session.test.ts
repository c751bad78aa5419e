import { checkSession, type LogLine, repairSession, type SessionEntry } from "@pollux/core";
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
const runId = (two[0] as { runId: string }).runId;

describe("a log is checked for", () => {
  test.each<[string, readonly unknown[], readonly (readonly [position: number, problem: RegExp])[]]>([
    [
      "what is no entry",
      two.with(MODEL, 7 as never),
      [
        [MODEL, /^it is not a JSON object$/],
        [END, /^the end refers to model:1, which is not in the log$/],
        [END, /^the response from look \(id c1\) matches no call$/],
        [END, /^the response from look \(id c2\) matches no call$/],
      ],
    ],
    [
      "an unknown type, whatever objects have under its name",
      [...two, { v: 1, at: 1, type: "constructor" }, { v: 1, at: 1, type: "toString" }],
      [
        [two.length, /^its type "constructor" is unknown$/],
        [two.length + 1, /^its type "toString" is unknown$/],
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
        [END, /model:1/],
        [END, /matches no call/],
        [END, /matches no call/],
      ],
    ],
    [
      "a step outside of its run",
      two.toSpliced(0, 1),
      [
        [0, /^step model:1 belongs to run \S+, whose start is not in the log$/],
        [1, /^step call:1\.0/],
        [2, /^step call:1\.1/],
        [3, /^step model:2/],
        [4, /^step call:2\.0/],
        [5, /^step model:3/],
        [6, /^end belongs to run/],
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
      [
        [END - 1, /^the end refers to call:1\.0, which is not in the log$/],
        [END - 1, /^the call to look \(id c1\) has no response$/],
      ],
    ],
    [
      "responses in another order",
      changed(two, END, '["call:1.0","call:1.1"]', '["call:1.1","call:1.0"]'),
      [[END, /^the responses to look, look are not in call order/]],
    ],
    [
      "an open call at the end of a run",
      changed(two, END, /,\{"calls":\["call:2.0"\]\},\{"model":"model:3"\}/, ""),
      [[END, /^the call to look \(id c3\) has no response$/]],
    ],
    [
      "a response under another name",
      changed(two, CALL, '"name":"look"', '"name":"lock"'),
      [
        [END, /^the call to look \(id c1\) has no response$/],
        [END, /^the response from lock \(id c1\) matches no call$/],
      ],
    ],
    [
      "a signature that is not base64",
      changed(two, MODEL, '"Co4BAX', '"Co4B?X'),
      [[MODEL, /^a signature is not base64$/]],
    ],
    [
      "contents from before behind a run",
      [...two, { v: 1, at: 1, type: "history", parts: [] }],
      [[two.length, /comes after a run$/]],
    ],
    [
      "going back to before a run that is not there",
      [{ v: 2, at: 1, type: "rewind", before: "none" }, ...two, { v: 2, at: 1, type: "rewind", before: "none" }],
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

test("a log that goes on in a newer version is left alone", () => {
  const newer = [...two, { v: 3, at: 1, type: "dream", runId: "x" }, { v: 3, at: 1, type: "end" }];
  const { entries, done, refused } = repairSession(lines(newer));
  expect({ entries, done }).toEqual({ entries: two, done: [] });
  expect(refused).toEqual({
    position: two.length,
    problem: "it and everything after it are newer than version 2",
    remedy: "nothing is changed; use the release that wrote it or a newer one",
  });
  expect(checkSession(lines(newer)).problems).toEqual([refused]);
  // One newer line among others is a damaged one.
  expect(repairSession(lines(changed(two, END, '"v":2', '"v":7'))).refused).toBeUndefined();
});
