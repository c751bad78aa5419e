import { Agent, defineTool, MemoryStore, type RunResult, type Tool, type ToolCall, ModelRetry } from "@pollux/core";
import { call, calls, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventsOf, faces } from "../helpers/faces.ts";
import { SESSION_FACES } from "../session/session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

const add = defineTool({
  name: "add",
  description: "Adds.",
  input: z.object({ a: z.number(), b: z.number().default(1) }),
  run: ({ a, b }) => {
    if (a < 0) throw new ModelRetry("use positive numbers");
    return { sum: a + b, at: new Date(0) };
  },
});
const big = defineTool({ name: "big", description: "Is long.", maxResultBytes: 20, run: () => "x".repeat(100) });
const none = defineTool({ name: "none", description: "Gives nothing.", run: () => {} });

/** Without what differs from run to run. */
const essence = ({ toolCalls }: Pick<RunResult<unknown>, "toolCalls">): object[] =>
  toolCalls.map(({ durationMs, ...rest }) => {
    expect(durationMs).toBeGreaterThanOrEqual(0);
    return rest;
  });

describe.each(faces)("the calls of a result, by %s", (_face, read) => {
  const play = async (tools: readonly Tool[], ...turns: ScriptedTurn[]) =>
    read(new Agent({ model: new ScriptedModel(...turns), tools }), "Go.");

  test("are listed oldest first, as the model made them and as they ended", async () => {
    const result = await play(
      [add, big, none],
      calls({ name: "add", args: { a: 1 } }, { name: "add", args: { a: "x" } }),
      calls({ name: "add", args: { a: -1 } }, "big", "none", "nope"),
      say("Done."),
    );
    const nope = { kind: "not-found", message: expect.stringContaining("nope") as unknown };
    const invalid = { kind: "bad-input", message: expect.stringContaining("a") as unknown };
    expect(essence(result)).toEqual([
      {
        status: "completed",
        callId: "call:1.0",
        turn: 1,
        name: "add",
        input: { a: 1 },
        output: { sum: 2, at: "1970-01-01T00:00:00.000Z" },
      },
      { status: "failed", callId: "call:1.1", turn: 1, name: "add", input: { a: "x" }, error: invalid },
      {
        status: "failed",
        callId: "call:2.0",
        turn: 2,
        name: "add",
        input: { a: -1 },
        error: { kind: "bad-input", message: "use positive numbers" },
      },
      {
        status: "shortened",
        callId: "call:2.1",
        turn: 2,
        name: "big",
        input: {},
        output: expect.stringMatching(/^x{18}\n/) as unknown,
      },
      { status: "completed", callId: "call:2.2", turn: 2, name: "none", input: {}, output: null },
      { status: "failed", callId: "call:2.3", turn: 2, name: "nope", input: {}, error: nope },
    ]);
  });

  test("are none of a run that made none, and none of a chat's earlier runs", async () => {
    expect((await play([add], say("Hi."))).toolCalls).toEqual([]);
    const chat = new Agent({ model: new ScriptedModel(call("none"), say("."), say("Bye.")), tools: [none] }).session();
    expect((await chat.send("Go.")).toolCalls).toHaveLength(1);
    expect((await chat.send("Bye.")).toolCalls).toEqual([]);
  });

  test("have what a hook decided", async () => {
    const agent = new Agent({
      model: new ScriptedModel(calls({ name: "add", args: { a: 1 } }, "none", "big"), say("Done.")),
      tools: [add, none, big],
      hooks: {
        beforeCall: ({ call: { name } }) =>
          name === "none" ? { deny: "not now" } : name === "big" ? { output: "small" } : undefined,
        afterCall: ({ outcome }) =>
          outcome.ok && outcome.output !== "small" ? { ok: true, output: "changed" } : undefined,
      },
    });
    expect(essence(await read(agent, "Go."))).toMatchObject([
      { status: "completed", output: "changed" },
      { status: "failed", error: { kind: "denied" } },
      { status: "completed", output: "small" },
    ]);
  });

  test("of a waiting run include the waiting ones", async () => {
    const pay = { ...add, name: "pay", declaration: { ...add.declaration, name: "pay" }, needsApproval: () => true };
    const outside = defineTool({ name: "outside", description: "Runs elsewhere." });
    const result = await play([none, pay, outside], calls({ name: "pay", args: { a: 1 } }, "none", "outside"));
    expect(essence(result)).toEqual([
      { status: "pending", callId: "call:1.0", turn: 1, name: "pay", input: { a: 1 }, question: "approval" },
      { status: "completed", callId: "call:1.1", turn: 1, name: "none", input: {}, output: null },
      { status: "pending", callId: "call:1.2", turn: 1, name: "outside", input: {}, question: "outcome" },
    ]);
  });
});

describe.each(SESSION_FACES)("the calls of a result in a session read by %s", (_face, face) => {
  test("are complete after a resume, and after answers from outside", async () => {
    const store = new MemoryStore();
    const outside = defineTool({ name: "outside", description: "Runs elsewhere." });
    const open = (...turns: ScriptedTurn[]) =>
      new Agent({ model: new ScriptedModel(...turns), tools: [add, big, outside] }).session({ id: "s", store });
    await face.send(open(call("add", { a: 1 }), calls("big", "outside")), "Go.");
    const session = open(say("Done."));
    const result = await face.resume(
      session,
      await answersTo(session, { outcomes: { "call:2.1": { output: { found: 3 } } } }),
    );
    expect(essence(result)).toMatchObject([
      { status: "completed", callId: "call:1.0", name: "add", output: { sum: 2 } },
      { status: "shortened", callId: "call:2.0", name: "big" },
      { status: "completed", callId: "call:2.1", name: "outside", output: { found: 3 } },
    ]);
    expect((await session.replay().result()).toolCalls).toEqual(result.toolCalls);
  });
});

test("the events of a call have its name, and say when the output was shortened", async () => {
  const model = new ScriptedModel(calls("none", "big", "nope"), say("Done."));
  const { events } = await eventsOf(new Agent({ model, tools: [none, big] }), "Go.");
  const ends = events.flatMap((event) => (event.type === "tool-end" ? [event] : []));
  const starts = events.flatMap((event) => (event.type === "tool-start" ? [event.name] : []));
  expect(new Set(starts)).toEqual(new Set(["none", "big", "nope"]));
  expect(Object.fromEntries(ends.map(({ name, outcome }) => [name, outcome]))).toMatchObject({
    none: { ok: true, output: null },
    big: { ok: true, output: expect.any(String) as unknown, shortened: true },
    nope: { ok: false, kind: "not-found" },
  });
  expect(ends.find(({ name }) => name === "none")?.outcome).not.toHaveProperty("shortened");
  const end = events.at(-1);
  expect(end?.type === "run-end" ? end.result : undefined).not.toHaveProperty("toolCalls");
});

test("a call without static types can be read by hand", async () => {
  const tools: readonly Tool[] = [add];
  const { toolCalls } = await new Agent({ model: new ScriptedModel(call("add", { a: 2 }), say(".")), tools }).run(
    "Go.",
  );
  const [only]: readonly ToolCall[] = toolCalls;
  expect(only?.status === "completed" ? only.output : undefined).toMatchObject({ sum: 3 });
});
