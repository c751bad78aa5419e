import { Agent, calledTool, defineTool, MemoryStore, type RunResult, ToolError } from "@pollux/core";
import { assertGrammar, call, calls, collect, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { faces } from "../../helpers/faces.ts";
import { SESSION_FACES } from "../../session/session-faces.ts";
import { answersTo } from "../../helpers/answers.ts";

const submit = defineTool({
  name: "submit",
  description: "Hands in the report.",
  input: z.object({ title: z.string() }),
  endsRun: true,
  run: ({ title }) => {
    if (title === "") throw new ToolError("a report needs a title");
    return { title, at: new Date(0) };
  },
});
const look = defineTool({ name: "look", description: "Looks.", run: () => 7 });
const REPORT = { title: "Q3", at: "1970-01-01T00:00:00.000Z" };

describe.each(faces)("a tool that ends the run, by %s", (_face, read) => {
  const play = async (...turns: ScriptedTurn[]) => {
    const model = new ScriptedModel(...turns);
    return { model, result: await read(new Agent({ model, tools: [look, submit] }), "Report.") };
  };

  test("gives the run its output; the other calls of the turn are answered, and the history is complete", async () => {
    const { model, result } = await play(calls({ name: "submit", args: { title: "Q3" } }, "look"));
    expect(result).toMatchObject({ stopReason: "finished", output: REPORT, endedBy: "submit", text: "", turns: 1 });
    expect(result.toolCalls).toMatchObject([
      { name: "submit", status: "completed", endedRun: true },
      { name: "look", status: "completed", output: 7 },
    ]);
    expect(result.toolCalls[1]).not.toHaveProperty("endedRun");
    expect(result.contents.at(-1)?.parts).toMatchObject([
      { functionResponse: { name: "submit", response: { output: REPORT } } },
      { functionResponse: { name: "look", response: { output: 7 } } },
    ]);
    expect(model.requests).toHaveLength(1);
  });

  test("does not end it when its call fails, is invalid or is denied", async () => {
    const { result } = await play(call("submit", { title: "" }), call("submit"), say("I give up."));
    expect(result).toMatchObject({ stopReason: "finished", text: "I give up.", output: undefined });
    expect(result).not.toHaveProperty("endedBy");
    const asked = new Agent({
      model: new ScriptedModel(call("submit", { title: "Q3" }), say("Then not.")),
      tools: [{ ...submit, needsApproval: () => true }],
      approve: () => false,
    });
    expect(await read(asked, "Report.")).toMatchObject({ text: "Then not.", output: undefined });
  });

  test("gives the whole output, even if the model would read it shortened", async () => {
    const long = defineTool({
      name: "long",
      description: "Is long.",
      endsRun: true,
      maxResultBytes: 10,
      run: () => ({ text: "x".repeat(100) }),
    });
    const result = await read(new Agent({ model: new ScriptedModel(call("long")), tools: [long] }), "Go.");
    expect(result).toMatchObject({ output: { text: "x".repeat(100) }, toolCalls: [{ status: "shortened" }] });
  });

  test("takes the first of two in call order", async () => {
    const { result } = await play(
      calls(
        { name: "submit", args: { title: "" } },
        { name: "submit", args: { title: "A" } },
        { name: "submit", args: { title: "B" } },
      ),
    );
    expect(result).toMatchObject({ output: { title: "A" } });
    expect(result.toolCalls.filter((one) => "endedRun" in one)).toMatchObject([{ callId: "call:1.1" }]);
  });

  test("takes precedence over stop rules, and costs no request for the output schema", async () => {
    const model = ScriptedModel.with({ id: "gemini-2.5-flash" }, call("submit", { title: "Q3" }));
    const agent = new Agent({ model, tools: [submit], stopWhen: [calledTool("submit")] });
    const result = await agent.run("Report.", { output: z.object({ other: z.string() }) });
    expect(result).toMatchObject({ stopReason: "finished", output: REPORT });
    expect(model.requests).toHaveLength(1);
  });

  test("gives its output to the agent that has the run as a tool", async () => {
    const writer = new Agent({
      model: new ScriptedModel(call("submit", { title: "Q3" })),
      tools: [submit],
      name: "writer",
    });
    const model = new ScriptedModel(call("writer", { task: "Write." }), say("Written."));
    const result = await read(new Agent({ model, tools: [writer.asTool({ description: "Writes." })] }), "Go.");
    expect(result.toolCalls).toMatchObject([{ status: "completed", output: REPORT }]);
  });
});

describe.each(SESSION_FACES)("a session whose run was ended by a tool, read by %s", (_face, face) => {
  test("continues with the next message, and gives the same when it is replayed", async () => {
    const model = new ScriptedModel(call("submit", { title: "Q3" }), say("You're welcome."));
    const session = new Agent({ model, tools: [submit] }).session();
    const first = await face.send(session, "Report.");
    expect(first).toMatchObject({ output: REPORT, endedBy: "submit" });
    expect(await session.state()).toMatchObject({ lastRun: "finished", resumable: false });
    expect(await session.replay().result()).toMatchObject({ output: REPORT, endedBy: "submit" });
    expect((await face.send(session, "Thanks.")).text).toBe("You're welcome.");
    expect(model.requests[1]?.contents.map(({ role }) => role)).toEqual(["user", "model", "user", "user"]);
  });

  test("hears a message that was sent before the end", async () => {
    const store = new MemoryStore();
    const model = new ScriptedModel(call("submit", { title: "Q3" }), call("submit", { title: "Q4" }));
    const steered = defineTool({
      name: "submit",
      description: "Hands in the report.",
      input: z.object({ title: z.string() }),
      endsRun: true,
      run: async ({ title }) => {
        if (title === "Q3") await new Agent({ model, tools: [] }).session({ id: "s", store }).steer("No, Q4.");
        return title;
      },
    });
    const result = await face.send(new Agent({ model, tools: [steered] }).session({ id: "s", store }), "Report.");
    expect(result).toMatchObject({ output: "Q4", turns: 2 });
  });

  test("takes the output of a tool that runs elsewhere", async () => {
    const elsewhere = defineTool({ name: "sign", description: "Has the user sign.", endsRun: true });
    const session = new Agent({ model: new ScriptedModel(call("sign")), tools: [elsewhere] }).session();
    await face.send(session, "Sign.");
    const result = await face.resume(
      session,
      await answersTo(session, { outcomes: { "call:1.0": { output: { signed: true } } } }),
    );
    expect(result).toMatchObject({ stopReason: "finished", output: { signed: true }, endedBy: "sign" });
  });
});

test("the last event has the output, and the grammar holds", async () => {
  const agent = new Agent({ model: new ScriptedModel(call("submit", { title: "Q3" })), tools: [submit] });
  const { events } = await collect(agent.stream("Report."));
  assertGrammar(events);
  expect(events.at(-1)).toMatchObject({ type: "run-end", result: { output: REPORT, endedBy: "submit" } });
});

test("the output of a result is typed by the tools that can end it", async () => {
  const agent = new Agent({ model: new ScriptedModel(call("submit", { title: "Q3" })), tools: [submit, look] });
  const result = await agent.run("Report.");
  if (result.stopReason === "finished")
    expectTypeOf(result.output).toEqualTypeOf<{ readonly title: string; readonly at: string } | undefined>();
  const none = await new Agent({ model: new ScriptedModel(say("Hi.")), tools: [look] }).run("Hi.");
  if (none.stopReason === "finished") expectTypeOf(none.output).toEqualTypeOf<undefined>();
  expectTypeOf<Extract<RunResult<string>, { stopReason: "finished" }>["output"]>().toEqualTypeOf<string>();
});
