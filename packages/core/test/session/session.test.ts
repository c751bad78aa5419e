import { Agent, defineTool, MemoryStore, type RunEvent, SessionRunningError } from "@pollux/core";
import { SessionConflictError } from "@pollux/core/errors";
import { call, fails, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime } from "../helpers/fake-time.ts";
import { storeLike } from "../helpers/processes.ts";
import { SESSION_FACES } from "./session-faces.ts";

const add = defineTool({
  name: "add",
  description: "Adds.",
  input: z.object({ a: z.number(), b: z.number() }),
  run: ({ a, b }) => a + b,
});

fakeTime("leaps");

describe.each(SESSION_FACES)("a session read by %s", (_face, face) => {
  test("continues the conversation, in another process as well", async () => {
    const store = new MemoryStore();
    const model = new ScriptedModel(call("add", { a: 1, b: 2 }), say("Three."), say("Of course."));
    const first = new Agent({ model, tools: [add] }).session({ id: "sums", store });
    expect((await face.send(first, "1 + 2?")).text).toBe("Three.");

    const second = new Agent({ model, tools: [add] }).session({ id: "sums", store });
    const result = await face.send(second, "Sure?");
    expect(result.text).toBe("Of course.");
    expect(result.added).toEqual([
      { role: "user", parts: [{ text: "Sure?" }] },
      { role: "model", parts: [{ text: "Of course." }] },
    ]);
    const history = await second.history();
    expect(history).toEqual([
      { role: "user", parts: [{ text: "1 + 2?" }] },
      { role: "model", parts: [{ functionCall: { name: "add", args: { a: 1, b: 2 } } }] },
      { role: "user", parts: [{ functionResponse: { name: "add", response: { output: 3 } } }] },
      { role: "model", parts: [{ text: "Three." }] },
      { role: "user", parts: [{ text: "Sure?" }] },
      { role: "model", parts: [{ text: "Of course." }] },
    ]);
    expect(model.requests[2]?.contents).toEqual(history.slice(0, 5));
    expect(await second.state()).toMatchObject({
      runs: 2,
      turns: 3,
      toolCalls: 1,
      lastRun: "finished",
      resumable: false,
      pending: [],
      usage: { requests: 3, totalTokens: 45 },
    });
  });

  test("that fails keeps what was done, takes the next message, and can be resumed before it comes", async () => {
    const store = new MemoryStore();
    const model = new ScriptedModel(call("add", { a: 1, b: 2 }), fails(new Error("down")), say("Three."), say("Fine."));
    const session = new Agent({ model, tools: [add] }).session({ store });
    await expect(face.send(session, "1 + 2?")).rejects.toThrow("down");
    expect(await session.state()).toMatchObject({ lastRun: "failed", resumable: true });
    expect((await face.resume(session)).text).toBe("Three.");
    expect(model.requests[2]?.contents).toEqual(model.requests[1]?.contents);
    expect((await face.send(session, "Thanks.")).text).toBe("Fine.");
    expect((await session.history()).map(({ role }) => role)).toEqual([
      "user",
      "model",
      "user",
      "model",
      "user",
      "model",
    ]);
  });

  test("with nothing to resume says so", async () => {
    const session = new Agent({ model: new ScriptedModel(say("Hi.")) }).session({ id: "a" });
    await expect(face.resume(session)).rejects.toThrow('session "a": it has no run yet; there is nothing to resume');
    await face.send(session, "Hello");
    await expect(face.resume(session)).rejects.toThrow("its last run has ended (finished); there is nothing to resume");
  });

  test("whose limit ended a run continues with a higher one, in the same run", async () => {
    const model = new ScriptedModel(call("add", { a: 1, b: 2 }), call("add", { a: 3, b: 4 }), say("Seven."));
    const session = new Agent({ model, tools: [add] }).session();
    const stopped = await face.send(session, "Add.", { limits: { turns: 1 } });
    expect(stopped).toMatchObject({ stopReason: "limit", limit: { name: "turns", limit: 1, used: 1 } });
    const result = await face.resume(session, { limits: { turns: 5 } });
    expect(result).toMatchObject({ stopReason: "finished", text: "Seven.", turns: 3, runId: stopped.runId });
    expect(model.requests).toHaveLength(3);
  });

  test("is not taken from a run that goes on, and the message is not stored", async () => {
    const store = new MemoryStore();
    const [asked, answered] = [deferred(), deferred()];
    const slow = new ScriptedModel(async () => (asked.resolve(), await answered.promise, say("Mine.")));
    const one = new Agent({ model: slow }).session({ id: "s", store });
    const two = new Agent({ model: new ScriptedModel(say("Yours.")) }).session({ id: "s", store });
    const first = face.send(one, "A");
    await asked.promise;
    await expect(face.send(two, "B")).rejects.toThrow(SessionRunningError);
    answered.resolve();
    expect((await first).text).toBe("Mine.");
    expect((await two.history()).map(({ parts }) => parts[0]?.text)).toEqual(["A", "Mine."]);
    expect((await face.send(two, "B")).text).toBe("Yours.");
  });
});

test("a message while a run is going is refused", async () => {
  const session = new Agent({ model: new ScriptedModel(say("One."), say("Two.")) }).session({ id: "s" });
  const first = session.send("1", { runId: "r1" });
  await expect(session.send("2")).rejects.toThrow(
    'session "s" is running (run r1). Wait for it, steer() or stop() it, or send with { whileRunning:',
  );
  expect((await first).text).toBe("One.");
  expect((await session.send("2")).text).toBe("Two.");
});

test("an aborted run answers its open calls as cancelled, and the next message comes after them", async () => {
  const abort = new AbortController();
  const wait = defineTool({
    name: "wait",
    description: "x",
    run: () => (abort.abort(new Error("enough")), new Promise(() => {})),
  });
  const session = new Agent({ model: new ScriptedModel(call("wait"), say("Still here.")), tools: [wait] }).session();
  await expect(session.send("Wait.", { signal: abort.signal })).rejects.toThrow("enough");
  expect(await session.state()).toMatchObject({ lastRun: "aborted" });
  expect((await session.history()).at(-1)).toEqual({
    role: "user",
    parts: [
      { functionResponse: { name: "wait", response: { error: "cancelled: the run ended before this call finished" } } },
    ],
  });
  expect((await session.send("Hello?")).text).toBe("Still here.");
});

test("leaving the events ends the run as aborted and frees the session", async () => {
  const session = new Agent({ model: new ScriptedModel(hangs("Once"), say("Yes.")) }).session();
  for await (const event of session.stream("Tell me.")) if (event.type === "text-delta") break;
  expect(await session.state()).toMatchObject({ lastRun: "aborted", runs: 1 });
  expect((await session.send("Are you there?")).text).toBe("Yes.");
});

test("the end of a run is stored before its last event is seen", async () => {
  const store = new MemoryStore();
  const session = new Agent({ model: new ScriptedModel(say("Hi.")) }).session({ id: "s", store });
  let stored: unknown;
  for await (const event of session.stream("Hello")) {
    if (event.type === "run-end") stored = (await store.load("s")).at(-1);
  }
  expect(stored).toMatchObject({ type: "end", stopReason: "finished", open: [{ contents: [{ model: "model:1" }] }] });
});

test("what the model said is in the log once, and the history grows no entry", async () => {
  const store = new MemoryStore();
  const long = "x".repeat(1_000);
  const session = new Agent({ model: new ScriptedModel(call("add", { a: 1, b: 1 }), say(long)), tools: [add] }).session(
    {
      id: "s",
      store,
    },
  );
  await session.send("Go.");
  const text = JSON.stringify(await store.load("s"));
  expect(text.split(long)).toHaveLength(2);
  expect((await store.load("s")).map((entry) => (entry as { type: string }).type)).toEqual([
    "run",
    "step",
    "step",
    "turn",
    "step",
    "end",
  ]);
});

describe("typed output", () => {
  test("is checked for a message and for a resumed run", async () => {
    const output = z.object({ sum: z.number() });
    const model = new ScriptedModel(fails(new Error("down")), say('{"sum":3}'));
    const session = new Agent({ model }).session();
    await expect(session.send("1 + 2?", { output })).rejects.toThrow("down");
    const result = await session.resume({ output });
    expect(result.stopReason === "finished" && result.output.sum).toBe(3);
  });
});

describe("a fork", () => {
  test("begins with the history up to any place that leaves no call open", async () => {
    const model = new ScriptedModel(call("add", { a: 1, b: 2 }), say("Three."), say("Five."), say("Other."));
    const session = new Agent({ model, tools: [add] }).session({ id: "a" });
    await session.send("1 + 2?");
    await session.send("And 2 more?");
    const fork = await session.fork({ id: "b", contents: 4 });
    expect(await fork.history()).toEqual((await session.history()).slice(0, 4));
    await fork.send("And 3 more?");
    expect(model.requests[3]?.contents.map(({ parts }) => parts[0]?.text)).toEqual([
      "1 + 2?",
      undefined,
      undefined,
      "Three.",
      "And 3 more?",
    ]);
    expect(await session.history()).toHaveLength(6);
    await expect(session.fork({ contents: 2 })).rejects.toThrow(
      "fork: a call is unanswered after 2 contents; cut at 1 or 3",
    );
    await expect(session.fork({ contents: 7 })).rejects.toThrow("fork: contents must be an integer from 0 to 6");
    await expect(session.fork({ id: "b" })).rejects.toThrow(SessionConflictError);
  });
});

describe("entries", () => {
  const NEWER = { v: 99, type: "run", at: 0 };
  test.each([
    ["of a newer release", NEWER, "entry 0: it has version 99, written by a newer release; this one reads version 3"],
    [
      "from before the first release",
      { v: 2, type: "info", at: 0 },
      "entry 0: it has version 2, from before the first release",
    ],
    ["that are none", 7, "entry 0: it is not a JSON object"],
    ["without a version", { type: "run" }, "entry 0: it has no version and type"],
  ])("%s are an error that says so", async (_name, entry, problem) => {
    const store = new MemoryStore();
    await store.append("s", 0, [entry]);
    const session = new Agent({ model: new ScriptedModel() }).session({ id: "s", store });
    await expect(session.history()).rejects.toThrow(problem);
  });
});

test("history of another endpoint or family goes out without its signatures, and is kept as it was", async () => {
  const store = new MemoryStore();
  const signed = { functionCall: { name: "add", args: { a: 1, b: 2 } }, thoughtSignature: "c2lnbmVk" };
  const old = ScriptedModel.with({ id: "gemini-3-flash-preview" }, { batches: [[signed]] }, say("Three."));
  await new Agent({ model: old, tools: [add] }).session({ id: "s", store }).send("1 + 2?");
  const model = ScriptedModel.with({ id: "gemini-2.5-flash" }, say("Yes."));
  const session = new Agent({ model, tools: [add] }).session({ id: "s", store });
  await session.send("Sure?");
  expect(model.requests[0]?.contents[1]?.parts).toEqual([{ functionCall: signed.functionCall }]);
  expect((await session.history())[1]?.parts).toEqual([signed]);
});

test("a store that cannot be written ends the run with an error that says what to do, and a resume goes on", async () => {
  const store = new MemoryStore();
  let broken = false;
  const failing = storeLike(store, {
    append: (...args) =>
      broken ? Promise.reject(new Error("ENOSPC: no space left on device")) : store.append(...args),
  });
  const ran: string[] = [];
  const note = defineTool({ name: "note", description: "x", run: () => ((broken = true), ran.push("note"), "ok") });
  const model = new ScriptedModel(call("note"), say("Noted."));
  const session = new Agent({ model, tools: [note] }).session({ id: "s", store: failing });
  const events: RunEvent["type"][] = [];
  await expect(
    (async () => {
      for await (const event of session.stream("Note it.")) events.push(event.type);
    })(),
  ).rejects.toThrow(
    'session "s": could not be written, so the run stops here; fix the cause and call resume(): ENOSPC: no space left on device',
  );
  broken = false;
  const result = await new Agent({ model, tools: [{ ...note, run: () => (ran.push("again"), "ok") }] })
    .session({ id: "s", store: failing })
    .resume();
  expect(result.text).toBe("Noted.");
  // Its outcome was never acknowledged, so it ran again, under the same key.
  expect(ran).toEqual(["note", "again"]);
});

test("entries of types that a later release writes for a run mean nothing to this one", async () => {
  const store = new MemoryStore();
  const session = new Agent({ model: new ScriptedModel(say("Hello."), say("Bye.")) }).session({ id: "s", store });
  const { runId } = await session.send("Hello?");
  const { length } = await store.load("s");
  await store.append("s", length, [{ v: 3, at: 1, type: "note", runId, outcome: null, token: "t" }]);
  expect((await session.send("Bye?")).text).toBe("Bye.");
});
