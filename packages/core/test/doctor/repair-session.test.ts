import { Agent, type Json, MemoryStore } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { checkSession, repairSession } from "@pollux/core/doctor";
import { ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { expectRepaired, historyOf, lines, logs, RANDOM_DAMAGES, read } from "./damages.ts";
import type { Log } from "./recorded-logs.ts";

describe.each(Object.entries(logs))("the log of %s", (_name, log) => {
  test("is fine as it was written", () => {
    expect(checkSession(lines(log)).problems).toEqual([]);
    expect(repairSession(lines(log))).toEqual({ entries: log, done: [], refused: undefined });
  });

  const texts = log.map((entry) => JSON.stringify(entry));

  test("opens and can be sent after a repair, with any line gone", async () => {
    for (const index of texts.keys()) await expectRepaired(texts.toSpliced(index, 1));
  });

  test("opens and can be sent after a repair, with any line unreadable", async () => {
    for (const index of texts.keys()) await expectRepaired(texts.with(index, "\u0000\u0000"));
    for (const index of texts.keys()) await expectRepaired(texts.with(index, texts[index]?.slice(0, -1) ?? ""));
  });

  test("opens and can be sent after a repair, with finish reasons damaged", async () => {
    await expectRepaired(texts.map((text) => text.replaceAll('"finishReason":"STOP"', '"finishReason":"STOW"')));
  });

  // More of them: `repair-session.system.test.ts`.
  test.each(Object.entries(RANDOM_DAMAGES))("opens and can be sent after a repair, with %s", async (_what, repairs) => {
    await repairs(texts, 15);
  });
});

const pick = (name: string): Log => logs[name] ?? [];

describe("a repair", () => {
  test("keeps what it does not have to change as it was", () => {
    const log = pick("parallel calls, then another message");
    const turn = log.findIndex(({ type }) => type === "turn");
    const lost = log.findIndex((entry) => entry.type === "step" && entry.step === "call:1.1");
    const { entries, done } = repairSession(lines(log.with(lost, "gone" as never)));
    expect(done).toEqual([
      { position: lost, problem: "it is not a JSON object", remedy: expect.stringMatching(/^it is dropped; /) },
      {
        position: turn,
        problem: "a turn refers to step call:1.1, which is not in the log",
        remedy: "the turn is rebuilt from its steps; calls without an outcome count as cancelled",
      },
    ]);
    expect(entries).toEqual(
      log.toSpliced(lost, 1).with(turn - 1, {
        ...log[turn],
        contents: [
          { model: "model:1" },
          {
            calls: [
              "call:1.0",
              {
                functionResponse: {
                  id: "c2",
                  name: "look",
                  response: { error: "the result of this call was not recorded" },
                },
              },
            ],
          },
        ],
        calls: [{ callId: "call:1.0", step: "call:1.0" }],
      } as never),
    );
    for (const [index, entry] of log.toSpliced(lost, 1).entries())
      if (index !== turn - 1) expect(entries[index]).toBe(entry);
  });

  test("puts the end of a run together from its steps", () => {
    const log = pick("parallel calls, then another message");
    const end = log.findIndex(({ type }) => type === "end");
    const { at: _, ...was } = log[end] as Extract<Log[number], { type: "end" }>;
    const { at, ...rebuilt } = repairSession(lines(log.toSpliced(end, 1))).entries[end] as typeof was & { at: number };
    expect(rebuilt).toEqual({
      ...was,
      stopReason: "aborted",
      error: { name: "AbortError", message: "the run was cut off here" },
    });
    expect(at).toBe(log[end - 1]?.at);
  });

  test("leaves the last run open when only its end is lost, so that resuming it asks nothing again", async () => {
    const log = pick("one message");
    const { entries } = repairSession([
      ...lines(log.slice(0, -1)),
      { problem: "it is not JSON", text: JSON.stringify(log.at(-1)).slice(0, 90) },
    ]);
    expect(entries).toEqual(log.slice(0, -1));
    const store = new MemoryStore();
    await store.append("s", 0, entries as unknown as readonly Json[]);
    const model = ScriptedModel.with({ id: "gemini-3-pro-preview" });
    expect((await new Agent({ model }).session({ id: "s", store }).resume()).text).toBe("Done: Hello.");
    expect(model.requests).toEqual([]);
  });

  test("ends a run for good that lost an entry and could be resumed", async () => {
    for (const name of ["a run that is cut off", "an approval that is waited for"]) {
      const log = pick(name);
      const run = log.findLastIndex(({ type }) => type === "run");
      const { entries } = repairSession(lines(log.with(run + 1, null as never)));
      expect(entries.at(-1)).toMatchObject({
        type: "end",
        stopReason: "damaged",
        error: { code: "session_damaged" },
      });
      expect(entries.at(-1)).not.toHaveProperty("pending");
      const store = new MemoryStore();
      await store.append("s", 0, entries as unknown as readonly Json[]);
      const session = new Agent({ model: new ScriptedModel() }).session({ id: "s", store });
      await expect(session.resume()).rejects.toThrow("nothing to resume");
      await expect(session.continue()).rejects.toThrow("without a result (damaged)");
      const { state, messages } = await readConversation(session);
      expect([state, messages.at(-1)?.state, messages.at(-1)?.stopReason]).toEqual(["idle", "failed", "damaged"]);
    }
  });

  test("ends a run for good whose answer is not in the turn of its calls", () => {
    const texts = pick("a run that is cut off").map((entry) => JSON.stringify(entry));
    const { entries } = repairSession(
      read(
        texts.map((text) =>
          text.replace(/"kind":"model","phase":"work","turn":1/, '"kind":"model","phase":"work","turn":0'),
        ),
      ),
    );
    expect(entries.at(-1)).toMatchObject({ type: "end", stopReason: "damaged", error: { code: "session_damaged" } });
  });

  test("ends a run for good whose payment may be among the entries that belong to no run", () => {
    const log = pick("an approval that was given");
    const begin = log.findIndex((entry) => entry.type === "begin" && entry.step === "call:1.1");
    expect(log[begin + 1]).toMatchObject({ type: "step", step: "call:1.1" });
    const crashed = log
      .slice(0, begin + 2)
      .map((entry, i) => (i < begin ? entry : { ...entry, runId: `damaged-${i}` }));
    const { entries } = repairSession(lines(crashed));
    expect(entries.slice(0, -1)).toEqual(log.slice(0, begin));
    expect(entries.at(-1)).toMatchObject({ type: "end", stopReason: "damaged", error: { code: "session_damaged" } });
  });

  test.each([
    ["callId", /("place":.*?"callId":"call:1\.)1"/, '$14"'],
    ["time", /("place":.*?"time":)1/, "$14"],
    ["question", /("place":.*?"question":")approval/, "$1outcome"],
  ])("puts an answer in the place of its question when the %s of its place is damaged", async (_what, from, to) => {
    const log = pick("an approval that is stored and not yet acted on");
    const texts = log.map((entry) => JSON.stringify(entry));
    const last = texts.at(-1) ?? "";
    const { entries, done } = repairSession(read([...texts.slice(0, -1), last.replace(from, to)]));
    expect(done).toEqual([
      {
        position: log.length - 1,
        problem: expect.stringMatching(/^its place is not its question's/),
        remedy: "its place is corrected",
      },
    ]);
    expect(entries).toEqual(log);
  });

  test.each(["route", "call", "model", "wait"])("corrects the kind of a %s step, which its name tells", (kind) => {
    const log = pick(kind === "wait" ? "an approval that is stored and passed over" : "an approval that is waited for");
    const at = log.findLastIndex((entry) => "place" in entry && entry.place.kind === kind);
    const entry = { ...log[at], ...(kind === "wait" && { type: "begin" }) } as Extract<Log[number], { type: "step" }>;
    const whole = log.with(at, entry);
    const damaged = log.with(at, { ...entry, place: { ...entry.place, kind: "damaged" as never } });
    expect(repairSession(lines(damaged))).toEqual({
      entries: whole,
      done: [
        {
          position: at,
          problem: `its kind damaged is unknown, and its name is that of a ${kind} step`,
          remedy: "its kind is corrected",
        },
      ],
      refused: undefined,
    });
  });

  test("drops a step of an unknown kind under a known name if its value doesn't fit that name", async () => {
    const log = pick("an approval that is stored and not yet acted on");
    const at = log.findIndex((entry) => entry.type === "step" && entry.place.kind === "route");
    const text = JSON.stringify(log[at]).replace('"kind":"route"', '"kind":" oute"').replace('"value":', '"valu ":');
    const { entries, done } = repairSession(lines(log.with(at, JSON.parse(text))));
    expect(done[0]).toEqual({
      position: at,
      problem: "its kind  oute is unknown, and its name is that of a route step",
      remedy: "it is dropped; the result of route:1 is lost",
    });
    expect(entries.at(-1)).toMatchObject({ type: "end", stopReason: "damaged" });
    const store = new MemoryStore();
    await store.append("s", 0, entries as unknown as readonly Json[]);
    const model = new ScriptedModel(() => ({ batches: [[{ text: "On." }]] }));
    const session = new Agent({ model }).session({ id: "s", store });
    expect((await session.send("Go on.", { unfinished: "close" })).text).toBe("On.");
  });

  test("drops an answer in a place where no call is, when nothing tells which question it answers", () => {
    const log = pick("an approval that is stored and not yet acted on");
    const open = log.filter(({ type }) => type !== "end").map((entry) => JSON.stringify(entry));
    const last = open.at(-1)?.replace(/("place":.*?"callId":"call:1\.)1"/, '$14"') ?? "";
    const { entries, done } = repairSession(read([...open.slice(0, -1), last]));
    expect(done.map(({ remedy }) => remedy)).toEqual(["it is dropped; the question is open again"]);
    expect(entries.map(({ type }) => type)).not.toContain("answer");
  });

  test("leaves no end that refers to missing steps when the record of its run's resume is lost, and its last end", async () => {
    const log = pick("an approval that was refused");
    const resume = log.findIndex(({ type }) => type === "resume");
    const texts = log.map((entry) => JSON.stringify(entry));
    const damaged = texts
      .with(resume - 1, texts[resume - 1]?.replace('"call:1.0"', '" all:1.0"') ?? "")
      .with(resume, JSON.stringify({ ...log[resume], runId: "damaged" }))
      .with(texts.length - 1, texts.at(-1)?.slice(1) ?? "");
    const { entries } = repairSession(read(damaged));
    expect(checkSession(lines(entries)).problems).toEqual([]);
    expect((await historyOf(entries)).map(({ role }) => role)).toEqual(["user", "model", "user", "model"]);
  });

  test("leaves no early end that refers to missing steps when the last end is lost", async () => {
    const log = pick("parallel calls, then another message");
    const run = log.findLastIndex(({ type }) => type === "run");
    const early = { ...log.find(({ type }) => type === "end"), runId: (log[run] as { runId: string }).runId };
    const damaged: unknown[] = [...log.slice(0, run + 1), early, ...log.slice(run + 1, -1), { v: 3, type: "end" }];
    const { entries } = repairSession(lines(damaged));
    expect(checkSession(lines(entries)).problems).toEqual([]);
    expect((await historyOf(entries)).at(-1)).toEqual({ role: "model", parts: [{ text: "Done: Thanks." }] });
  });

  test("moves the place up to which a run read its messages to where it is now", async () => {
    const log = pick("steering").slice(0, 8);
    const upTo = (entries: Log): unknown[] =>
      entries.flatMap((entry) => /"upTo":(\d+)/.exec(JSON.stringify(entry))?.[1] ?? []);
    expect(upTo(log)).toEqual(["1", "5"]);
    const { entries } = repairSession(lines(log.map((entry, i) => (i < 4 ? ("gone" as never) : entry))));
    expect(upTo(entries)).toEqual(["1"]);
    const store = new MemoryStore();
    await store.append("s", 0, entries as unknown as readonly Json[]);
    const model = new ScriptedModel(() => ({ batches: [[{ text: "On." }]] }));
    const session = new Agent({ model }).session({ id: "s", store });
    await session.steer("Not lost.");
    await session.send("Go on.");
    expect(model.requests[0]?.contents.slice(-2)).toEqual([
      { role: "user", parts: [{ text: "Go on." }] },
      { role: "user", parts: [{ text: "Not lost." }] },
    ]);
  });

  test("drops a summary when contents it stands for are gone", () => {
    const log = pick("a summary");
    const summaries = (entries: Log): number[] =>
      entries.flatMap((entry, i) => (/"keepFrom":/.test(JSON.stringify(entry)) ? i : []));
    expect(summaries(log).length).toBeGreaterThan(0);
    const { entries, done } = repairSession(lines(log.with(0, {} as never)));
    expect(summaries(entries)).toEqual([]);
    expect(done.map(({ problem }) => problem)).toContain("it is uncertain what its summary replaces");
    // What is damaged later changes nothing before.
    const last = log.length - 1;
    expect(summaries(repairSession(lines(log.with(last, {} as never))).entries)).toEqual(
      summaries(log).filter((i) => i !== last),
    );
  });

  test("takes off a signature that cannot be read, and signs the first call with the placeholder", () => {
    const log = pick("parallel calls, then another message");
    const at = log.findIndex((entry) => entry.type === "step" && entry.step === "model:1");
    const { entries } = repairSession(lines(log.with(at, JSON.parse(JSON.stringify(log[at]).replace("Co4BAX", "!!")))));
    expect(JSON.stringify(entries[at])).toBe(
      JSON.stringify(log[at]).replace(
        /"thoughtSignature":"[^"]*"/,
        '"thoughtSignature":"skip_thought_signature_validator"',
      ),
    );
  });
});
