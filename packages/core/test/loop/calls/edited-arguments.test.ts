import { Agent, type Approval, type Content, defineTool, MemoryStore, runSoFar, type ToolContext } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { InvalidApprovalError } from "@pollux/core/errors";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces } from "../../helpers/faces.ts";
import { SESSION_FACES } from "../../session/session-faces.ts";
import { answersTo } from "../../helpers/answers.ts";

const NOTE =
  '[edited] the user changed the arguments of pay before approving it; the result above is for: {"amount":5}';

function shop() {
  const paid: number[] = [];
  const calledWith: unknown[] = [];
  const pay = defineTool({
    name: "pay",
    description: "Pays.",
    input: z.object({ amount: z.number() }),
    needsApproval: true,
    run: ({ amount }, context: ToolContext) => {
      paid.push(amount);
      calledWith.push(context.call.args);
      return `paid ${amount}`;
    },
  });
  return { paid, calledWith, tools: [pay] };
}

const textsAfter = (contents: readonly Content[] | undefined): readonly (string | undefined)[] =>
  contents?.at(-1)?.parts.map(({ text }) => text) ?? [];

describe.each(faces)("an approval with other arguments, by %s", (_face, read) => {
  test("runs the call with them; the model's own call stays as it was, and it reads what was run", async () => {
    const { paid, calledWith, tools } = shop();
    const model = new ScriptedModel(call("pay", { amount: 500 }), say("Paid 5."));
    const approve = (): Approval => ({ args: { amount: 5 } });
    const result = await read(new Agent({ model, tools, approve }), "Pay.");
    expect(paid).toEqual([5]);
    expect(calledWith).toEqual([{ amount: 5 }]);
    const sent = model.requests[1]?.contents ?? [];
    expect(sent.map(({ role }) => role)).toEqual(["user", "model", "user", "user"]);
    expect(sent[1]?.parts[0]).toMatchObject({ functionCall: { name: "pay", args: { amount: 500 } } });
    expect(sent[2]?.parts).toMatchObject([{ functionResponse: { name: "pay", response: { output: "paid 5" } } }]);
    expect(textsAfter(sent)).toEqual([NOTE]);
    expect(result.toolCalls).toMatchObject([
      { status: "completed", input: { amount: 5 }, edited: true, output: "paid 5" },
    ]);
  });

  test("fails the run with a typed error if they don't match the schema; nothing runs", async () => {
    const { paid, tools } = shop();
    const model = new ScriptedModel(call("pay", { amount: 500 }), say("Paid."));
    const approve = (): Approval => ({ args: { amount: "five" } });
    const failed = await read(new Agent({ model, tools, approve }), "Pay.").catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(InvalidApprovalError);
    expect(failed).toMatchObject({ code: "invalid_approval", callId: "call:1.0", tool: "pay" });
    expect((failed as Error).message).toMatch(
      /^the arguments given for call:1\.0 \(pay\) do not match its schema: .*amount/,
    );
    expect(runSoFar(failed)?.turns).toBe(1);
    expect(paid).toEqual([]);
  });

  test("is read by hooks", async () => {
    const { tools } = shop();
    const seen: unknown[] = [];
    const model = new ScriptedModel(call("pay", { amount: 500 }), say("Paid 5."));
    const agent = new Agent({
      model,
      tools,
      approve: (): Approval => ({ args: { amount: 5 } }),
      hooks: { beforeCall: ({ call: made }) => void seen.push(made.args) },
    });
    await read(agent, "Pay.");
    expect(seen).toEqual([{ amount: 5 }]);
  });
});

describe.each(SESSION_FACES)("an approval with other arguments, in a session read by %s", (_face, face) => {
  test("is stored: a run that fails afterward and is resumed runs them, and only once", async () => {
    const { paid, tools } = shop();
    const store = new MemoryStore();
    const model = new ScriptedModel(
      call("pay", { amount: 500 }),
      () => Promise.reject(new TypeError("the model is away")),
      say("Paid 5."),
    );
    const open = () => new Agent({ model, tools }).session({ id: "s", store });
    await face.send(open(), "Pay.");
    const { approvals } = await answersTo(open(), { approvals: { "call:1.0": { args: { amount: 5 } } } });
    await expect(face.resume(open(), { approvals })).rejects.toThrow("away");
    const result = await face.resume(open());
    expect(result).toMatchObject({ text: "Paid 5.", toolCalls: [{ input: { amount: 5 }, edited: true }] });
    expect(paid).toEqual([5]);
    expect(textsAfter(model.requests.at(-1)?.contents)).toEqual([NOTE]);
    expect(await open().replay({ runId: result.runId }).result()).toMatchObject({ toolCalls: [{ edited: true }] });
  });

  test("is refused with a typed error before anything is stored, and can be given again", async () => {
    const { paid, tools } = shop();
    const model = new ScriptedModel(call("pay", { amount: 500 }), say("Paid 5."));
    const session = new Agent({ model, tools }).session();
    await face.send(session, "Pay.");
    const wrong = (await answersTo(session, { approvals: { "call:1.0": { args: { amount: "five" } } } })).approvals;
    await expect(face.resume(session, { approvals: wrong })).rejects.toThrow(InvalidApprovalError);
    await expect(session.answer({ approvals: wrong })).rejects.toThrow(InvalidApprovalError);
    await expect(session.continue({ approvals: wrong })).rejects.toThrow(InvalidApprovalError);
    expect((await session.state()).pending).toHaveLength(1);
    expect(
      (await session.continue(await answersTo(session, { approvals: { "call:1.0": { args: { amount: 5 } } } }))).text,
    ).toBe("Paid 5.");
    expect(paid).toEqual([5]);
  });

  test("reaches a tool that runs elsewhere: its question has the arguments to run", async () => {
    const elsewhere = defineTool({
      name: "pay",
      description: "Pays.",
      input: z.object({ amount: z.number() }),
      needsApproval: true,
    });
    const model = new ScriptedModel(call("pay", { amount: 500 }), say("Paid 5."));
    const session = new Agent({ model, tools: [elsewhere] }).session();
    await face.send(session, "Pay.");
    const asked = await face.resume(
      session,
      await answersTo(session, { approvals: { "call:1.0": { args: { amount: 5 } } } }),
    );
    expect("pending" in asked && asked.pending).toEqual([
      {
        turn: 1,
        callId: "call:1.0",
        call: { name: "pay", args: { amount: 5 } },
        question: "outcome",
        token: expect.any(String),
        edited: true,
      },
    ]);
    await face.resume(session, await answersTo(session, { outcomes: { "call:1.0": { output: "paid" } } }));
    expect(textsAfter(model.requests[1]?.contents)).toEqual([NOTE]);
  });

  test("shows the arguments that were run, and that they were changed", async () => {
    const { tools } = shop();
    const model = new ScriptedModel(
      calls({ name: "pay", args: { amount: 500 } }, { name: "pay", args: { amount: 1 } }),
      say("Paid."),
    );
    const session = new Agent({ model, tools }).session();
    await face.send(session, "Pay.");
    await face.resume(
      session,
      await answersTo(session, { approvals: { "call:1.0": { args: { amount: 5 } }, "call:1.1": true } }),
    );
    const { messages } = await readConversation(session);
    const shown = messages.flatMap(({ parts }) => parts).filter(({ type }) => type === "tool-call");
    expect(shown).toMatchObject([{ args: { amount: 5 }, edited: true, state: "done" }, { args: { amount: 1 } }]);
    expect(shown[1]).not.toHaveProperty("edited");
    expect(messages.filter(({ role }) => role === "user")).toHaveLength(1);
  });
});
