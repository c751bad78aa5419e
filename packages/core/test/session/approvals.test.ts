import { Agent, defineTool, MemoryStore, type PendingCall } from "@pollux/core";
import { assertGrammar, call, calls, collect, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { faces } from "../helpers/faces.ts";
import { kinds, SESSION_FACES, waits } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

function shop() {
  const done: string[] = [];
  const look = defineTool({ name: "look", description: "Looks.", run: () => (done.push("look"), "shoes") });
  const pay = defineTool({
    name: "pay",
    description: "Pays.",
    input: z.object({ amount: z.number() }),
    needsApproval: ({ amount }) => amount > 10,
    run: ({ amount }) => (done.push(`pay ${amount}`), `paid ${amount}`),
  });
  return { done, tools: [look, pay] };
}

const answers = (contents: readonly { readonly parts: readonly object[] }[] | undefined): unknown =>
  contents
    ?.at(-1)
    ?.parts.map((part) => (part as { functionResponse?: { response: unknown } }).functionResponse?.response);

describe.each(SESSION_FACES)("a call that needs approval, in a session read by %s", (_face, face) => {
  test("ends the run, while the other calls of the turn are done; a yes in another process runs it", async () => {
    const { done, tools } = shop();
    const store = new MemoryStore();
    const model = new ScriptedModel(calls("look", { name: "pay", args: { amount: 20 } }), say("Bought."));
    const asked = await face.send(new Agent({ model, tools }).session({ id: "s", store }), "Buy shoes.");
    expect(asked.stopReason).toBe("needs-approval");
    expect(waits(asked)).toEqual(["call:1.1 approval"]);
    expect(done).toEqual(["look"]);
    expect(answers(asked.contents)).toEqual([
      { output: "shoes" },
      { error: "not run: the answer this call was waiting for never arrived" },
    ]);

    const later = new Agent({ model, tools }).session({ id: "s", store });
    expect((await later.state()).pending).toEqual([
      {
        turn: 1,
        callId: "call:1.1",
        call: { name: "pay", args: { amount: 20 } },
        question: "approval",
        token: expect.any(String),
      },
    ]);
    const result = await face.resume(later, await answersTo(later, { approvals: { "call:1.1": true } }));
    expect(result.text).toBe("Bought.");
    expect(done).toEqual(["look", "pay 20"]);
    expect(answers(model.requests[1]?.contents)).toEqual([{ output: "shoes" }, { output: "paid 20" }]);
    expect((await later.state()).runs).toBe(1);
  });

  test.each([
    ["a reason", { deny: "too dear" }, "not run: the user denied this call: too dear"],
    ["none", false, "not run: the user denied this call"],
  ] as const)("that is denied with %s reaches the model as data", async (_name, denial, error) => {
    const { done, tools } = shop();
    const model = new ScriptedModel(call("pay", { amount: 20 }), say("Then not."));
    const session = new Agent({ model, tools }).session();
    await face.send(session, "Buy.");
    expect((await face.resume(session, await answersTo(session, { approvals: { "call:1.0": denial } }))).text).toBe(
      "Then not.",
    );
    expect(answers(model.requests[1]?.contents)).toEqual([{ error }]);
    expect(done).toEqual([]);
  });

  test("waits on while only some have their answer", async () => {
    const { done, tools } = shop();
    const model = new ScriptedModel(
      calls({ name: "pay", args: { amount: 20 } }, { name: "pay", args: { amount: 30 } }),
      say("Done."),
    );
    const session = new Agent({ model, tools }).session();
    expect(waits(await face.send(session, "Buy."))).toEqual(["call:1.0 approval", "call:1.1 approval"]);
    const half = await face.resume(session, await answersTo(session, { approvals: { "call:1.1": true } }));
    expect(waits(half)).toEqual(["call:1.0 approval"]);
    expect(
      (await face.resume(session, await answersTo(session, { approvals: { "call:1.0": { deny: "one is enough" } } })))
        .text,
    ).toBe("Done.");
    expect(done).toEqual(["pay 30"]);
  });

  test("is asked for again, and the outcomes of the other calls of its turn stay", async () => {
    const { done, tools } = shop();
    const model = new ScriptedModel(calls("look", { name: "pay", args: { amount: 20 } }), say("As you like."));
    const session = new Agent({ model, tools }).session();
    const asked = await face.send(session, "Buy shoes.");
    const responses = [{ output: "shoes" }, { error: "not run: the answer this call was waiting for never arrived" }];
    const again = await face.resume(session);
    for (const result of [asked, again, await session.continue(), await session.replay().result()]) {
      expect(waits(result)).toEqual(["call:1.1 approval"]);
      expect(answers(result.contents)).toEqual(responses);
    }
    const { events } = await collect(session.continueStream());
    assertGrammar(events);
    expect(kinds(events)).toEqual(
      expect.arrayContaining(["tool-pending call:1.1", "tool-start call:1.0", "tool-end call:1.0"]),
    );

    await face.send(session, "Never mind.");
    expect(answers(model.requests[1]?.contents.slice(0, -1))).toEqual(responses);
    expect(done).toEqual(["look"]);
  });

  test("that its rule lets pass, or whose arguments are wrong, asks nobody", async () => {
    const { done, tools } = shop();
    const model = new ScriptedModel(call("pay", { amount: 5 }), call("pay", { amount: "all" }), say("Done."));
    const session = new Agent({ model, tools }).session();
    expect((await face.send(session, "Buy.")).text).toBe("Done.");
    expect(done).toEqual(["pay 5"]);
  });

  test("is answered as not run by the next message, which can be refused instead", async () => {
    const { done, tools } = shop();
    const model = new ScriptedModel(call("pay", { amount: 20 }), say("As you like."));
    const session = new Agent({ model, tools }).session({ id: "s" });
    await face.send(session, "Buy.");
    await expect(face.send(session, "Never mind.", { unfinished: "refuse" })).rejects.toThrow(
      'session "s": its last run waits for an answer',
    );
    expect((await face.send(session, "Never mind.")).text).toBe("As you like.");
    expect(model.requests[1]?.contents.map(({ role }) => role)).toEqual(["user", "model", "user", "user"]);
    expect(done).toEqual([]);
  });

  test("refuses an answer to a call that doesn't wait", async () => {
    const { tools } = shop();
    const session = new Agent({ model: new ScriptedModel(call("pay", { amount: 20 })), tools }).session();
    await face.send(session, "Buy.");
    await expect(face.resume(session, await answersTo(session, { approvals: { "call:9.0": true } }))).rejects.toThrow(
      /^approvals: "call:9\.0" is not the token of an open question; waiting: "[0-9a-f]{16}" \(call:1\.0, pay: approval\)$/,
    );
    await expect(
      face.resume(session, await answersTo(session, { outcomes: { "call:1.0": { output: 1 } } })),
    ).rejects.toThrow("is not the token of an open question");
    expect(await session.state()).toMatchObject({ lastRun: "needs-approval" });
  });
});

describe.each(faces)("an approve callback, by %s", (_face, face) => {
  test("is asked while the run waits, and a no reaches the model", async () => {
    const { done, tools } = shop();
    const asked: PendingCall[] = [];
    const agent = new Agent({
      model: new ScriptedModel(
        calls({ name: "pay", args: { amount: 20 } }, { name: "pay", args: { amount: 30 } }),
        say("Done."),
      ),
      tools,
      approve: (pending) => (asked.push(pending), pending.callId === "call:1.0" || { deny: "no" }),
    });
    const result = await face(agent, "Buy.");
    expect(result.text).toBe("Done.");
    expect(done).toEqual(["pay 20"]);
    expect(asked.map(({ callId, question }) => [callId, question])).toEqual([
      ["call:1.0", "approval"],
      ["call:1.1", "approval"],
    ]);
    expect(answers(result.contents.slice(0, 3))).toEqual([
      { output: "paid 20" },
      { error: "not run: the user denied this call: no" },
    ]);
  });

  test("that throws ends the run with its error; one that hangs ends with the abort", async () => {
    const { tools } = shop();
    const script = () => new ScriptedModel(call("pay", { amount: 20 }));
    const approve = () => Promise.reject(new Error("no terminal"));
    await expect(face(new Agent({ model: script(), tools, approve }), "Buy.")).rejects.toThrow("no terminal");
    const abort = new AbortController();
    const hang = (): Promise<boolean> => (abort.abort(new Error("enough")), new Promise(() => {}));
    await expect(
      face(new Agent({ model: script(), tools, approve: hang }), "Buy.", { signal: abort.signal }),
    ).rejects.toThrow("enough");
  });

  test("is not there: a run without a session ends with what waits, and contents that can be sent", async () => {
    const { tools } = shop();
    const result = await face(new Agent({ model: new ScriptedModel(call("pay", { amount: 20 })), tools }), "Buy.");
    expect(result).toMatchObject({ stopReason: "needs-approval", text: "" });
    expect(waits(result)).toEqual(["call:1.0 approval"]);
    expect(answers(result.contents)).toEqual([
      { error: "not run: the answer this call was waiting for never arrived" },
    ]);
  });

  test("is asked about every call when the rule itself fails", async () => {
    const odd = defineTool({
      name: "odd",
      description: "x",
      needsApproval: () => {
        throw new Error("broken rule");
      },
      run: () => "ran",
    });
    const approve = vi.fn<() => boolean>(() => false);
    await face(new Agent({ model: new ScriptedModel(call("odd"), say("Ok.")), tools: [odd], approve }), "Go.");
    expect(approve).toHaveBeenCalledOnce();
  });
});

describe.each(SESSION_FACES)("a tool without run, in a session read by %s", (_face, face) => {
  const photo = defineTool({ name: "photo", description: "Takes a photo.", input: z.object({ of: z.string() }) });
  const ask = { of: "the door" };

  test("is answered from outside", async () => {
    const model = new ScriptedModel(call("photo", ask), say("A red door."));
    const session = new Agent({ model, tools: [photo] }).session();
    const asked = await face.send(session, "What color is the door?");
    expect(asked.stopReason).toBe("needs-outcome");
    expect(waits(asked)).toEqual(["call:1.0 outcome"]);
    const result = await face.resume(
      session,
      await answersTo(session, { outcomes: { "call:1.0": { output: { color: "red" } } } }),
    );
    expect(result.text).toBe("A red door.");
    expect(answers(model.requests[1]?.contents)).toEqual([{ output: { color: "red" } }]);
  });

  test("is answered with an error from outside", async () => {
    const model = new ScriptedModel(call("photo", ask), say("No camera."));
    const session = new Agent({ model, tools: [photo] }).session();
    await face.send(session, "Door?");
    await face.resume(session, await answersTo(session, { outcomes: { "call:1.0": { error: "no camera" } } }));
    expect(answers(model.requests[1]?.contents)).toEqual([{ error: "no camera" }]);
  });

  test("gets no call with wrong arguments", async () => {
    const model = new ScriptedModel(call("photo", { of: 7 }), say("Sorry."));
    const session = new Agent({ model, tools: [photo] }).session();
    expect((await face.send(session, "Door?")).text).toBe("Sorry.");
  });

  test("may need approval first", async () => {
    const guarded = defineTool({ name: "photo", description: "x", needsApproval: true });
    const model = new ScriptedModel(call("photo"), say("Done."));
    const session = new Agent({ model, tools: [guarded] }).session();
    expect(waits(await face.send(session, "Go."))).toEqual(["call:1.0 approval"]);
    expect(waits(await face.resume(session, await answersTo(session, { approvals: { "call:1.0": true } })))).toEqual([
      "call:1.0 outcome",
    ]);
    expect(
      (await face.resume(session, await answersTo(session, { outcomes: { "call:1.0": { output: 1 } } }))).text,
    ).toBe("Done.");
  });
});

test("the events of a run that waits, and of the run that goes on, keep their grammar", async () => {
  const { tools } = shop();
  const model = new ScriptedModel(calls("look", { name: "pay", args: { amount: 20 } }), say("Bought."));
  const session = new Agent({ model, tools }).session();
  const first = await collect(session.stream("Buy shoes."));
  expect(kinds(first.events)).toEqual([
    "run-start",
    "turn-start",
    "part",
    "part",
    "response",
    "tool-pending call:1.1",
    "tool-start call:1.0",
    "tool-end call:1.0",
    "turn-end",
    "run-end",
  ]);
  const second = await collect(session.resumeStream(await answersTo(session, { approvals: { "call:1.1": true } })));
  expect(kinds(second.events)).toEqual([
    "run-start",
    "turn-start",
    "part",
    "part",
    "response",
    "tool-pending call:1.1",
    "tool-start call:1.1",
    "tool-end call:1.1",
    "tool-start call:1.0",
    "tool-end call:1.0",
    "turn-end",
    "turn-start",
    "text-delta",
    "response",
    "turn-end",
    "run-end",
  ]);
  for (const { events } of [first, second]) assertGrammar(events);
});
