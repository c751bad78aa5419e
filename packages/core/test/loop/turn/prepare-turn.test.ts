import {
  Agent,
  type Content,
  defineTool,
  googleSearch,
  MemoryStore,
  type PrepareTurn,
  type RunEvent,
  type TurnInfo,
} from "@pollux/core";
import { assertGrammar, call, collect, empty, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventsOf, faces, typed } from "../../helpers/faces.ts";
import { answersTo } from "../../helpers/answers.ts";

const add = defineTool({ name: "add", description: "x", run: () => 3 });
const look = defineTool({ name: "look", description: "x", run: () => "seen" });
const send = defineTool({ name: "send", description: "x", run: () => "sent" });

const breaks = (events: readonly RunEvent[]): unknown[] =>
  events.flatMap((event) => (event.type === "prefix-break" ? [[event.turn, ...event.fields]] : []));

/** A model that answers after one call. */
const afterCall = (name = "add"): ScriptedModel => new ScriptedModel(call(name), say("Done."));

describe.each(faces)("a prepared turn, by %s", (face, read) => {
  test("gets the run's progress, and leaves the request unchanged when it returns nothing", async () => {
    const seen: TurnInfo[] = [];
    const model = new ScriptedModel(call("add"), empty(), say("Done."));
    const agent = new Agent({ model, tools: [add], hooks: { prepareTurn: (turn) => void seen.push(turn) } });
    const result = await read(agent, "Go.", { runId: "r", metadata: { tenant: 1 } });
    expect(result.stopReason).toBe("finished");
    expect(
      seen.map(({ turn, attempt, phase, toolCalls, contents, runId, metadata, model: id }) => ({
        turn,
        attempt,
        phase,
        toolCalls,
        contents: contents.length,
        runId,
        metadata,
        id,
      })),
    ).toEqual([
      { turn: 1, attempt: 0, phase: "work", toolCalls: 0, contents: 1, ...RUN },
      { turn: 2, attempt: 0, phase: "work", toolCalls: 1, contents: 3, ...RUN },
      { turn: 2, attempt: 1, phase: "work", toolCalls: 1, contents: 3, ...RUN },
    ]);
    expect(seen[1]?.usage.totalTokens).toBeGreaterThan(0);
    expect(model.requests[1]?.contents).toEqual(result.contents.slice(0, 3));
  });

  test("changes instructions and settings for that turn only, and says where the prefix breaks", async () => {
    const model = afterCall();
    const agent = new Agent({
      model,
      tools: [add],
      instructions: "Be brief.",
      settings: { temperature: 1 },
      hooks: {
        prepareTurn: ({ turn }) =>
          turn === 2 ? { instructions: "Be long.", settings: { temperature: 0, topP: 0.5 } } : undefined,
      },
    });
    await read(agent, "Go.");
    expect(model.requests.map(({ instructions, settings }) => ({ instructions, settings }))).toEqual([
      { instructions: "Be brief.", settings: { temperature: 1 } },
      { instructions: "Be long.", settings: { temperature: 0, topP: 0.5 } },
    ]);
  });

  test("offers some of the tools by name: the declarations stay, and other calls find no tool", async () => {
    const model = new ScriptedModel(call("send"), call("add"), say("Done."));
    const prepareTurn: PrepareTurn = ({ turn }) => (turn < 3 ? { tools: ["add", "look"] } : {});
    const agent = new Agent({ model, tools: [add, look, send], hooks: { prepareTurn } });
    const { toolCalls } = await read(agent, "Go.");
    expect(toolCalls.map(({ name, status }) => [name, status])).toEqual([
      ["send", "failed"],
      ["add", "completed"],
    ]);
    expect(model.requests.map(({ functions }) => functions.length)).toEqual([3, 3, 3]);
    expect(model.requests.map(({ calling }) => calling)).toEqual([
      { mode: "VALIDATED", allowedFunctionNames: ["add", "look"] },
      { mode: "VALIDATED", allowedFunctionNames: ["add", "look"] },
      undefined,
    ]);
  });

  test("offers no tools at all", async () => {
    const model = new ScriptedModel(say("Done."));
    await read(new Agent({ model, tools: [add], hooks: { prepareTurn: () => ({ tools: [] }) } }), "Go.");
    expect(model.requests[0]).toMatchObject({ functions: [{ name: "add" }], calling: { mode: "NONE" } });
  });

  test("offers other tools, which its calls use", async () => {
    const model = afterCall("look");
    const prepareTurn: PrepareTurn = ({ turn }) => (turn === 1 ? { tools: ["add", look] } : undefined);
    const { toolCalls } = await read(new Agent({ model, tools: [add], hooks: { prepareTurn } }), "Go.");
    expect(toolCalls).toMatchObject([{ name: "look", status: "completed", output: "seen" }]);
    expect(model.requests.map(({ functions }) => functions.map(({ name }) => name))).toEqual([
      ["add", "look"],
      ["add"],
    ]);
  });

  test("leaves declarations out where a model cannot be allowed functions by name", async () => {
    const model = ScriptedModel.with({ id: "gemma-4-31b" }, say("Done."));
    await read(new Agent({ model, tools: [add, look], hooks: { prepareTurn: () => ({ tools: ["look"] }) } }), "Go.");
    expect(model.requests[0]).toMatchObject({ functions: [{ name: "look" }], calling: undefined });
  });

  test("forces a call in any turn", async () => {
    const model = new ScriptedModel(call("add"), call("look"), say("Done."));
    const prepareTurn: PrepareTurn = ({ turn }) => (turn === 2 ? { toolChoice: { only: ["look"] } } : undefined);
    await read(new Agent({ model, tools: [add, look], hooks: { prepareTurn } }), "Go.");
    expect(model.requests.map(({ calling }) => calling)).toEqual([
      undefined,
      { mode: "ANY", allowedFunctionNames: ["look"] },
      undefined,
    ]);
  });

  test("sends other contents, and the history keeps everything", async () => {
    const model = afterCall();
    const shorten = (contents: readonly Content[]): readonly Content[] => contents.slice(-3);
    const agent = new Agent({
      model,
      tools: [add],
      hooks: { prepareTurn: ({ contents }) => ({ contents: shorten(contents) }) },
    });
    const history: readonly Content[] = [
      { role: "user", parts: [{ text: "Hi." }] },
      { role: "model", parts: [{ text: "Hello." }] },
      { role: "user", parts: [{ text: "Go." }] },
    ];
    const result = await read(agent, history);
    expect(model.requests[1]?.contents).toEqual(result.contents.slice(2, 5));
    expect(result.contents).toHaveLength(6);
  });

  test("asks another model, without the signatures that it cannot read, and pays its price", async () => {
    const own = new ScriptedModel(call("add", {}, { thoughtSignature: "b3du" }), say("Done."));
    const other = ScriptedModel.with({ id: "gemini-4-other" }, call("look", {}, { thoughtSignature: "b3RoZXI=" }));
    const agent = new Agent({
      model: own,
      tools: [add, look],
      prices: (id) => (id === "gemini-4-other" ? { input: 1, output: 1 } : { input: 0, output: 0 }),
      hooks: { prepareTurn: ({ turn }) => (turn === 2 ? { model: other } : undefined) },
    });
    const result = await read(agent, "Go.");
    expect(result).toMatchObject({ stopReason: "finished", text: "Done." });
    const signature = (contents: readonly Content[] | undefined, at: number): unknown =>
      contents?.[at]?.parts[0]?.thoughtSignature;
    expect(signature(other.requests[0]?.contents, 1)).toBe("skip_thought_signature_validator");
    expect(signature(own.requests[1]?.contents, 1)).toBe("b3du");
    expect(signature(own.requests[1]?.contents, 3)).toBe("skip_thought_signature_validator");
    // The history has what each model said, as it was.
    expect([signature(result.contents, 1), signature(result.contents, 3)]).toEqual(["b3du", "b3RoZXI="]);
    expect(result.cost).toBeGreaterThan(0);
  });

  test("is the last one of a typed answer, too, which takes no tools", async () => {
    const phases: unknown[] = [];
    const model = new ScriptedModel(say("Three."), say('{"n":3}'));
    const agent = new Agent({
      model,
      tools: [googleSearch()],
      hooks: {
        prepareTurn: ({ phase, turn }) => (
          phases.push([turn, phase]),
          { settings: { thinking: "low" as const }, tools: [] }
        ),
      },
    });
    const result = await typed(face, agent, "Go.", { output: z.object({ n: z.number() }) });
    expect(result).toMatchObject({ stopReason: "finished", output: { n: 3 } });
    expect(phases).toEqual([
      [1, "work"],
      [2, "output"],
    ]);
    expect(model.requests[1]).toMatchObject({ settings: { thinking: "low" }, functions: [], calling: undefined });
  });

  test.each<[string, PrepareTurn, string]>([
    [
      "a tool that does not exist",
      () => ({ tools: ["ad"] }),
      'prepareTurn names "ad", which is not among the tools. Did you mean "add"?',
    ],
    [
      "a choice of a tool that is not offered",
      () => ({ tools: ["look"], toolChoice: { only: ["add"] } }),
      'toolChoice names "add"',
    ],
    ["a tool choice that is none", () => ({ toolChoice: null as never }), "toolChoice must be"],
    ["a setting that the model does not support", () => ({ settings: { thinking: "xhigh" as never } }), "thinking"],
    [
      "an id, when the agent was given a model object",
      () => ({ model: "gemini-flash-latest" }),
      'return gemini("gemini-flash-latest", …)',
    ],
  ])("refuses %s", async (_what, prepareTurn, message) => {
    const model = ScriptedModel.with({ id: "gemini-3.8-flash" });
    const agent = new Agent({ model, tools: [add, look], hooks: { prepareTurn } });
    await expect(read(agent, "Go.")).rejects.toThrow(message);
  });
});

const RUN = { runId: "r", metadata: { tenant: 1 }, id: "gemini-scripted" };

describe("the prefix", () => {
  const run = async (prepareTurn: PrepareTurn): Promise<unknown[]> => {
    const model = new ScriptedModel(call("add"), call("look"), say("Done."));
    const agent = new Agent({
      model,
      tools: [add, look, googleSearch()],
      instructions: "Be brief.",
      hooks: { prepareTurn },
    });
    const { events, error } = await eventsOf(agent, "Go.");
    expect(error).toBeUndefined();
    assertGrammar(events);
    return breaks(events);
  };

  test("holds when tools are chosen by name, a choice is made or settings change", async () => {
    expect(await run(({ turn }) => (turn === 2 ? { tools: ["look", "googleSearch"] } : {}))).toEqual([]);
    expect(await run(({ turn }) => (turn === 2 ? { toolChoice: "required" } : {}))).toEqual([]);
    expect(await run(({ turn }) => (turn === 2 ? { settings: { thinking: "low" } } : {}))).toEqual([]);
  });

  test("is reported where it breaks, and where it comes back", async () => {
    expect(await run(({ turn }) => (turn === 2 ? { instructions: "Be long." } : {}))).toEqual([
      [2, "instructions"],
      [3, "instructions"],
    ]);
    expect(await run(({ turn }) => (turn > 1 ? { tools: [add, look] } : {}))).toEqual([[2, "tools"]]);
    expect(await run(({ turn, contents }) => (turn === 3 ? { contents: contents.slice(-3) } : {}))).toEqual([
      [3, "contents"],
    ]);
  });

  test("is not broken by the same change in all turns", async () => {
    expect(await run(() => ({ instructions: "Be long." }))).toEqual([]);
  });

  test("is in the log and in what observers see", async () => {
    const lines: object[] = [];
    const info = (facts: object): void => void lines.push(facts);
    const seen: unknown[] = [];
    const agent = new Agent({
      model: afterCall(),
      tools: [add],
      logger: { trace() {}, debug() {}, info, warn() {}, error() {} },
      observers: [
        { observe: (one) => void (one.type === "prefix-break" && seen.push([one.step.name, ...one.fields])) },
      ],
      hooks: { prepareTurn: ({ turn }) => (turn === 2 ? { instructions: "Now." } : undefined) },
    });
    await agent.run("Go.");
    expect(seen).toEqual([["model:2", "instructions"]]);
    expect(lines).toContainEqual(expect.objectContaining({ turn: 2, fields: ["instructions"] }));
  });
});

describe("a session", () => {
  const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });

  test("does not prepare a recorded turn again, and keeps the tools that it offered", async () => {
    const turns: number[] = [];
    const prepareTurn: PrepareTurn = ({ turn }) => {
      turns.push(turn);
      return turn === 1 ? { tools: ["pay"], instructions: "Pay." } : undefined;
    };
    const store = new MemoryStore();
    const model = new ScriptedModel(
      { ...call("pay"), batches: [...call("pay").batches, ...call("add").batches] },
      say("Paid."),
    );
    const agent = new Agent({ model, tools: [add, pay], hooks: { prepareTurn } });
    expect((await agent.session({ id: "s", store }).send("Go.")).stopReason).toBe("needs-approval");
    const { events, result } = await collect(
      agent
        .session({ id: "s", store })
        .resumeStream(await answersTo(agent.session({ id: "s", store }), { approvals: { "call:1.0": true } })),
    );
    assertGrammar(events);
    expect(turns).toEqual([1, 2]);
    expect(result.toolCalls.map(({ name, status }) => [name, status])).toEqual([
      ["pay", "completed"],
      ["add", "failed"],
    ]);
  });

  test("prepares a turn once more for tools that only this turn had", async () => {
    const turns: number[] = [];
    const prepareTurn: PrepareTurn = ({ turn }) => (turns.push(turn), turn === 1 ? { tools: [pay] } : undefined);
    const store = new MemoryStore();
    const agent = new Agent({ model: afterCall("pay"), tools: [add], hooks: { prepareTurn } });
    await agent.session({ id: "s", store }).send("Go.");
    const session = agent.session({ id: "s", store });
    const result = await session.resume(await answersTo(session, { approvals: { "call:1.0": true } }));
    expect(result.toolCalls).toMatchObject([{ name: "pay", status: "completed", output: "paid" }]);
    expect(turns).toEqual([1, 1, 2]);
    expect((await collect(session.replay())).result.contents).toEqual(result.contents);
  });

  test("repeats where the prefix broke, and knows later which model wrote what", async () => {
    const other = ScriptedModel.with({ id: "gemini-4-other" }, call("add", {}, { thoughtSignature: "b3RoZXI=" }));
    const model = new ScriptedModel(say("Done."), say("Bye."));
    const store = new MemoryStore();
    const prepareTurn: PrepareTurn = ({ turn, contents }) =>
      turn === 1 && contents.length === 1 ? { model: other } : undefined;
    const agent = new Agent({ model, tools: [add], hooks: { prepareTurn } });
    const first = await collect(agent.session({ id: "s", store }).stream("Go."));
    expect(breaks(first.events)).toEqual([[2, "model"]]);
    const again = agent.session({ id: "s", store });
    expect(breaks((await collect(again.replay())).events)).toEqual([[2, "model"]]);
    await again.send("Bye.");
    const sent = JSON.stringify(model.requests[1]?.contents);
    expect(sent).not.toContain("b3RoZXI=");
    expect(sent).toContain("skip_thought_signature_validator");
  });

  test("in a chat, the next message goes to its own model without foreign signatures", async () => {
    const other = ScriptedModel.with({ id: "gemini-4-other" }, call("add", {}, { thoughtSignature: "b3RoZXI=" }));
    const model = new ScriptedModel(say("Done."), say("Bye."));
    const prepareTurn: PrepareTurn = ({ contents }) => (contents.length === 1 ? { model: other } : undefined);
    const chat = new Agent({ model, tools: [add], hooks: { prepareTurn } }).session();
    await chat.send("Go.");
    await chat.send("Bye.");
    expect(JSON.stringify(model.requests[1]?.contents)).not.toContain("b3RoZXI=");
  });
});

describe("a tool choice", () => {
  test("of an unknown name is refused when the agent is made, with the nearest name", () => {
    const model = new ScriptedModel();
    expect(() => new Agent({ model, tools: [add, look], toolChoice: { only: ["lok"] } })).toThrow(
      'toolChoice names "lok", which is not among the tools. Did you mean "look"? There are: add, look.',
    );
    expect(() => new Agent({ model, tools: [add], toolChoice: { only: [] } })).toThrow("toolChoice.only is empty");
    expect(() => new Agent({ model, tools: [add], toolChoice: "add" as never })).toThrow('{ only: ["add"] }');
  });

  test("of an unknown name is refused when the run starts, for tools that are only known then", async () => {
    const model = new ScriptedModel();
    const agent = new Agent({ model, tools: (_run) => [add], toolChoice: { only: ["ad"] } });
    await expect(agent.run("Go.")).rejects.toThrow('Did you mean "add"?');
    expect(
      () => void new Agent({ model, tools: [add] }).stream("Go.", { toolChoice: { only: ["x"] } }).result(),
    ).not.toThrow();
    await expect(new Agent({ model, tools: [add] }).run("Go.", { toolChoice: { only: ["x"] } })).rejects.toThrow(
      "toolChoice names",
    );
    expect(model.requests).toHaveLength(0);
  });
});
