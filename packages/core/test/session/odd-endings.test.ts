import { Agent, defineTool } from "@pollux/core";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { SESSION_FACES, waits } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });

const answers = (contents: readonly { readonly parts: readonly object[] }[] | undefined): unknown =>
  contents
    ?.at(-1)
    ?.parts.map((part) => (part as { functionResponse?: { response: unknown } }).functionResponse?.response);

const after = <T>(ms: number, value: T): Promise<T> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(value), ms);
  });

describe.each(SESSION_FACES)("a session read by %s", (_face, face) => {
  fakeTime("leaps");

  test("says that a run was aborted, also when it waits for a person by then", async () => {
    const abort = new AbortController();
    const slow = defineTool({
      name: "slow",
      description: "x",
      // The other call waits by then.
      run: () => (void idle().then(() => abort.abort(new Error("enough"))), new Promise<string>(() => {})),
    });
    const model = new ScriptedModel(calls("slow", "pay"), say("Done."));
    const session = new Agent({ model, tools: [slow, pay] }).session();
    await expect(face.send(session, "Go.", { signal: abort.signal })).rejects.toThrow("enough");
    expect(await session.state()).toMatchObject({ lastRun: "aborted", resumable: true, pending: [] });
    expect(answers(await session.history())).toEqual([
      { error: "cancelled: the run ended before this call finished" },
      { error: "cancelled: the run ended before this call finished" },
    ]);
  });

  test("does not hide that a hook threw, when another call of the turn waits", async () => {
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const tools = [look, pay];
    const model = new ScriptedModel(calls("look", "pay"), say("Done."));
    const session = new Agent({ model, tools }).session();
    const beforeCall = (): never => {
      throw new Error("broken hook");
    };
    await expect(face.send(session, "Go.", { hooks: { beforeCall } })).rejects.toThrow("broken hook");
    expect(waits(await face.resume(session))).toEqual(["call:1.1 approval"]);
    expect((await face.resume(session, await answersTo(session, { approvals: { "call:1.1": true } }))).text).toBe(
      "Done.",
    );
  });

  test("says that a run was aborted for a reason that is no error", async () => {
    const abort = new AbortController();
    const session = new Agent({
      model: new ScriptedModel(() => (abort.abort("stop"), after(5, say("late")))),
    }).session();
    await expect(face.send(session, "Go.", { signal: abort.signal })).rejects.toBe("stop");
    expect(await session.state()).toMatchObject({ lastRun: "aborted" });
  });

  test.each([[null], [{ deny: 5 }], ["yes"]])("takes %j for a no, and can go on", async (answer) => {
    const model = new ScriptedModel(call("pay"), say("Then not."));
    const session = new Agent({ model, tools: [pay] }).session();
    await face.send(session, "Go.");
    const approvals = { "call:1.0": answer as never }; // as a form on the web may send it
    expect((await face.resume(session, await answersTo(session, { approvals }))).text).toBe("Then not.");
    expect(answers(model.requests[1]?.contents)).toEqual([{ error: "not run: the user denied this call" }]);
  });

  test("takes an output that is undefined as null, as a tool's", async () => {
    const photo = defineTool({ name: "photo", description: "x" });
    const model = new ScriptedModel(call("photo"), say("Done."));
    const session = new Agent({ model, tools: [photo] }).session();
    await face.send(session, "Go.");
    await face.resume(session, await answersTo(session, { outcomes: { "call:1.0": { output: undefined } } }));
    expect(answers(model.requests[1]?.contents)).toEqual([{ output: null }]);
  });

  test("ends with the limit when somebody takes longer to approve than the run has, and asks again when resumed", async () => {
    const model = new ScriptedModel(call("pay"), say("Done."));
    const session = new Agent({ model, tools: [pay] }).session();
    const late = await face.send(session, "Go.", { limits: { wallTimeMs: 30 }, approve: () => after(500, true) });
    expect(late).toMatchObject({ stopReason: "limit", limit: { name: "wallTimeMs" }, turns: 1 });
    expect(answers(late.contents)).toEqual([{ error: "cancelled: the run ended before this call finished" }]);
    const replayed = await session.replay({ limits: { wallTimeMs: 30 }, approve: () => false }).result();
    expect(replayed).toMatchObject({ stopReason: "limit", turns: 1 });
    expect((await face.resume(session, { approve: () => true })).text).toBe("Done.");
    expect(answers(model.requests[1]?.contents)).toEqual([{ output: "paid" }]);
  });

  test.each([
    ["its own time", { timeoutMs: 20 }, {}, "pay timed out after 20 ms"],
    ["the run's time", {}, { wallTimeMs: 30 }, "cancelled: the run ended before this call finished"],
  ])("does not say that nothing happened when a once call ran out of %s", async (_name, tool, limits, why) => {
    const model = new ScriptedModel(call("pay"), say("Done."));
    const once = defineTool({
      name: "pay",
      description: "x",
      effects: "once",
      ...tool,
      run: () => after(500, "paid"),
    });
    const session = new Agent({ model, tools: [once], limits }).session();
    await face.send(session, "Go.");
    expect(answers((await session.history()).slice(0, 3))).toEqual([
      { error: `${why}; it is unknown whether this call took effect; check before repeating it` },
    ]);
  });
});

test("an iterator that is dropped before its first event does not keep the session from other messages", async () => {
  const session = new Agent({ model: new ScriptedModel(say("Hello.")) }).session();
  const stream = session.stream("Go.");
  for (const reader of [stream, stream]) await reader[Symbol.asyncIterator]().return(undefined);
  expect((await session.send("Go.")).text).toBe("Hello.");
});

describe.each(SESSION_FACES)("an abort, in a session read by %s", (_face, face) => {
  test("tells the model of a call that must happen once, and had begun, that nobody knows", async () => {
    const abort = new AbortController();
    const once = defineTool({
      name: "once",
      description: "x",
      effects: "once",
      run: () => (abort.abort(new Error("enough")), new Promise(() => {})),
    });
    const session = new Agent({ model: new ScriptedModel(call("once"), say("I will look.")), tools: [once] }).session();
    await expect(face.send(session, "Pay.", { signal: abort.signal })).rejects.toThrow("enough");
    expect(answers(await session.history())).toEqual([
      {
        error:
          "cancelled: the run ended before this call finished; it is unknown whether this call took effect; check before repeating it",
      },
    ]);
    expect((await face.send(session, "And?")).text).toBe("I will look.");
  });
});
