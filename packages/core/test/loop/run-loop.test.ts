import {
  Agent,
  type AgentOptions,
  afterTurns,
  calledTool,
  type Content,
  defineTool,
  type RunResult,
  ToolError,
  ModelRetry,
} from "@pollux/core";
import {
  call,
  calls,
  costs,
  cut,
  empty,
  finishes,
  malformed,
  parts,
  say,
  ScriptedModel,
  think,
  join,
  undeclared,
  blocked,
} from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventsOf, faces } from "../helpers/faces.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";

const getWeather = defineTool({
  name: "get_weather",
  description: "Current weather in a city.",
  input: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, celsius: city.length }),
});

const user = (text: string): Content => ({ role: "user", parts: [{ text }] });
const answered = (
  ...responses: readonly [name: string, response: Record<string, unknown>, id?: string][]
): Content => ({
  role: "user",
  parts: responses.map(([name, response, id]) => ({
    functionResponse: id === undefined ? { name, response } : { id, name, response },
  })),
});

describe.each(faces)("%s", (_face, read) => {
  fakeTime("leaps");

  test("answers parallel calls in call order, with ids and names as received, then the question", async () => {
    const asks = calls(
      { name: "get_weather", args: { city: "Oslo" }, id: "a1", thoughtSignature: "c2ln" },
      { name: "get_weather", args: { city: "Rome" } },
    );
    const model = new ScriptedModel(asks, say("It is ", "4 °C."));
    const result = await read(new Agent({ model, tools: [getWeather] }), "Weather?");
    const history: Content[] = [
      user("Weather?"),
      {
        role: "model",
        parts: [
          { functionCall: { id: "a1", name: "get_weather", args: { city: "Oslo" } }, thoughtSignature: "c2ln" },
          { functionCall: { name: "get_weather", args: { city: "Rome" } } },
        ],
      },
      answered(
        ["get_weather", { output: { city: "Oslo", celsius: 4 } }, "a1"],
        ["get_weather", { output: { city: "Rome", celsius: 4 } }],
      ),
    ];
    expect(model.requests[1]?.contents).toEqual(history);
    expect(result).toMatchObject({ stopReason: "finished", text: "It is 4 °C.", turns: 2, output: undefined });
    expect(result.contents).toEqual([...history, { role: "model", parts: [{ text: "It is 4 °C." }] }]);
    expect(result.added).toEqual(result.contents);
    expect(result.usage).toMatchObject({
      requests: 2,
      inputTokens: 20,
      outputTokens: 10,
      totalTokens: 30,
      contextTokens: 10,
    });
    model.assertSpent();
  });

  test("goes on from a history, and `added` is what this run brought", async () => {
    const model = new ScriptedModel(say("Ada."));
    const before: Content[] = [user("I am Ada."), { role: "model", parts: [{ text: "Hello." }] }];
    const result = await read(new Agent({ model }), [...before, user("Who am I?")]);
    expect(result.added).toEqual([user("Who am I?"), { role: "model", parts: [{ text: "Ada." }] }]);
    expect(result.contents.slice(0, 2)).toEqual(before);
  });

  test("sends instructions, settings and declarations with every request, the same objects each time", async () => {
    const model = new ScriptedModel(call("get_weather", { city: "Oslo" }), say("Cold."));
    await read(
      new Agent({
        model,
        instructions: "Be brief.",
        tools: [getWeather],
        settings: { temperature: 0.5, thinking: "low" },
      }),
      "Weather?",
      { settings: { seed: 0 } },
    );
    for (const request of model.requests) {
      expect(request).toMatchObject({
        instructions: "Be brief.",
        settings: { temperature: 0.5, thinking: "low", seed: 0 },
      });
      expect(request.functions.map(({ name }) => name)).toEqual(["get_weather"]);
    }
  });

  test.each([
    ["a throw", () => Promise.reject(new Error("disk on fire")), "get_weather failed with an internal error"],
    ["a ToolError", () => Promise.reject(new ToolError("no station there")), "no station there"],
    ["a ModelRetry", () => Promise.reject(new ModelRetry("use English names")), "use English names"],
  ])("%s is data for the model and does not end the run", async (_what, run, message) => {
    const model = new ScriptedModel(call("get_weather", { city: "Oslo" }), say("Sorry."));
    const tool = defineTool({ name: "get_weather", description: "x", input: z.object({ city: z.string() }), run });
    const result = await read(new Agent({ model, tools: [tool] }), "Weather?");
    expect(result.stopReason).toBe("finished");
    expect(model.requests[1]?.contents.at(-1)).toEqual(answered(["get_weather", { error: message }]));
  });

  test("an unknown name and bad arguments are data too, with what to do about it", async () => {
    const model = new ScriptedModel(
      calls({ name: "get_whether", args: { city: "Oslo" } }, { name: "get_weather", args: { town: "Oslo" } }),
      say("Sorry."),
    );
    await read(new Agent({ model, tools: [getWeather] }), "Weather?");
    const [unknown, bad] = model.requests[1]?.contents.at(-1)?.parts ?? [];
    expect(unknown?.functionResponse?.response["error"]).toContain("get_weather");
    expect(bad?.functionResponse?.response["error"]).toContain("city");
  });

  test("a tool that keeps getting invalid calls is disabled for the run", async () => {
    const wrong = call("get_weather", {});
    const model = new ScriptedModel(wrong, wrong, wrong, wrong, wrong, say("I give up."));
    let runs = 0;
    const tool = defineTool({
      name: "get_weather",
      description: "x",
      input: z.object({ city: z.string() }),
      maxModelRetries: 3,
      run: () => runs++,
    });
    await read(new Agent({ model, tools: [tool], limits: { repeats: Number.POSITIVE_INFINITY } }), "Weather?");
    const last = model.requests[5]?.contents.at(-1)?.parts[0]?.functionResponse?.response["error"];
    expect(last).toBe("not run: get_weather is disabled for this run after 4 invalid calls; continue without it");
    expect(runs).toBe(0);
  });

  test("a tool that exceeds its time limit is answered as timed out", async () => {
    const tool = defineTool({ name: "wait", description: "x", timeoutMs: 10, run: () => new Promise(() => {}) });
    const model = new ScriptedModel(call("wait"), say("Gave up waiting."));
    await read(new Agent({ model, tools: [tool] }), "Wait.");
    expect(model.requests[1]?.contents.at(-1)).toEqual(answered(["wait", { error: "wait timed out after 10 ms" }]));
  });

  test("thoughts, signatures, empty signed text and unknown parts go back as they came", async () => {
    const given = [
      { text: "hm", thought: true },
      { functionCall: { id: "x", name: "get_weather", args: { city: "Oslo" } }, thoughtSignature: "AAA=" },
      { hologram: { angle: 3 }, thoughtSignature: "BBB=" },
      { text: "", thoughtSignature: "CCC=" },
    ] as unknown as Content["parts"];
    const model = new ScriptedModel(parts(...given), say("Done."));
    await read(new Agent({ model, tools: [getWeather] }), "Weather?");
    expect(JSON.stringify(model.requests[1]?.contents[1]?.parts)).toBe(JSON.stringify(given));
  });

  test("forces a call in the first turn only", async () => {
    const model = new ScriptedModel(call("get_weather", { city: "Oslo" }), say("Cold."));
    await read(new Agent({ model, tools: [getWeather] }), "Weather?", { toolChoice: { only: ["get_weather"] } });
    expect(model.requests.map(({ calling }) => calling)).toEqual([
      { mode: "ANY", allowedFunctionNames: ["get_weather"] },
      undefined,
    ]);
  });

  test("`none` holds for all turns", async () => {
    const model = new ScriptedModel(say("No."));
    await read(new Agent({ model, tools: [getWeather] }), "Weather?", { toolChoice: "none" });
    expect(model.requests[0]?.calling).toEqual({ mode: "NONE" });
  });

  describe("endings", () => {
    const endOf = async (model: ScriptedModel, options: Partial<AgentOptions> = {}): Promise<RunResult> =>
      read(new Agent({ model, tools: [getWeather], ...options }), "Go.");

    test("an answer after a nudge is a success, and the nudge stays in the history", async () => {
      const model = new ScriptedModel(empty(), empty(), say("Here."));
      const result = await endOf(model);
      expect(result).toMatchObject({ stopReason: "finished", text: "Here." });
      expect(result.contents).toHaveLength(3);
    });

    test("calls that cannot be read end as bad-call, with the model's words", async () => {
      const result = await endOf(new ScriptedModel(malformed("m1"), malformed("m2"), malformed("m3"), malformed("m4")));
      expect(result).toMatchObject({
        stopReason: "bad-call",
        finishReason: "MALFORMED_FUNCTION_CALL",
        finishMessage: "m4",
        usage: { requests: 4 },
      });
      expect(result.contents.filter(({ role }) => role === "model")).toEqual([]);
    });

    test("a call of something undeclared is asked for again with the names there are", async () => {
      const model = new ScriptedModel(undeclared("rm"), undeclared("rm"), undeclared("rm"));
      expect(await endOf(model)).toMatchObject({ stopReason: "bad-call", finishReason: "UNEXPECTED_TOOL_CALL" });
      expect(model.requests[2]?.contents.at(-1)?.parts[0]?.text).toContain("Available: get_weather.");
    });

    test("an undeclared call that came through is answered with an error", async () => {
      const model = new ScriptedModel(join(call("rm", {}), finishes("UNEXPECTED_TOOL_CALL")), say("All right."));
      expect(await endOf(model)).toMatchObject({ stopReason: "finished" });
      expect(model.requests[1]?.contents.at(-1)?.parts[0]?.functionResponse?.response["error"]).toContain(
        "get_weather",
      );
    });

    test("a cut-off text is truncated, and kept", async () => {
      const result = await endOf(new ScriptedModel(cut("Once upon")));
      expect(result).toMatchObject({ stopReason: "truncated", text: "Once upon" });
      expect(result.contents.at(-1)).toEqual({ role: "model", parts: [{ text: "Once upon" }] });
    });

    test("thoughts that used up the limit are truncated, and leave nothing behind", async () => {
      const result = await endOf(new ScriptedModel(cut()));
      expect(result).toMatchObject({ stopReason: "truncated", text: "", contents: [user("Go.")] });
    });

    test("calls of a cut-off answer are not run but answered, and the model may try again", async () => {
      let runs = 0;
      const tool = defineTool({
        name: "get_weather",
        description: "x",
        input: z.object({ city: z.string() }),
        run: () => ++runs,
      });
      const model = new ScriptedModel(join(call("get_weather", { city: "Oslo" }), cut()), say("Never mind."));
      expect(await endOf(model, { tools: [tool] })).toMatchObject({ stopReason: "finished" });
      expect(runs).toBe(0);
      expect(model.requests[1]?.contents.at(-1)?.parts[0]?.functionResponse?.response["error"]).toContain("cut off");
    });

    test("calls that are cut off every time end as truncated", async () => {
      const cutCall = join(call("get_weather", { city: "Oslo" }), cut());
      expect(await endOf(new ScriptedModel(cutCall, cutCall, cutCall))).toMatchObject({
        stopReason: "truncated",
        turns: 3,
      });
    });

    test("a withheld answer is blocked, with its reason, and is not kept", async () => {
      const result = await endOf(new ScriptedModel(join(say("I would"), blocked("PROHIBITED_CONTENT", "no"))));
      expect(result).toMatchObject({
        stopReason: "blocked",
        finishReason: "PROHIBITED_CONTENT",
        finishMessage: "no",
        safetyRatings: [],
        contents: [user("Go.")],
      });
    });

    test("an unknown finish reason is never a success", async () => {
      expect(await endOf(new ScriptedModel(join(say("Hm."), finishes("VIBES"))))).toMatchObject({
        stopReason: "unknown-finish",
        finishReason: "VIBES",
        text: "Hm.",
      });
    });

    test.each(["FUNCTION_CALL", "TOOL_CALLS", "tool_calls", "tool_use"])(
      "calls that end with a gateway's word, %s, are answered, and the word is reported unchanged",
      async (word) => {
        const asks = join(say("Let me look."), call("get_weather", { city: "Oslo" }, { id: "a1" }), finishes(word));
        const model = new ScriptedModel(asks, say("4 °C."));
        const result = await endOf(model);
        expect(result).toMatchObject({ stopReason: "finished", text: "4 °C.", turns: 2, usage: { requests: 2 } });
        expect(result.contents).toEqual([
          user("Go."),
          {
            role: "model",
            parts: [
              { text: "Let me look." },
              { functionCall: { id: "a1", name: "get_weather", args: { city: "Oslo" } } },
            ],
          },
          answered(["get_weather", { output: { city: "Oslo", celsius: 4 } }, "a1"]),
          { role: "model", parts: [{ text: "4 °C." }] },
        ]);
        expect(await endOf(new ScriptedModel(asks), { stopWhen: [afterTurns(1)] })).toMatchObject({
          stopReason: "stopped",
          response: { finishReason: word },
        });
      },
    );

    test.each([
      ["with text", say("I will look it up.")],
      ["with a thought", think("hm")],
      ["with nothing", empty()],
      ["with a call that has no name", parts({ functionCall: {} as { name: string } })],
    ])("a gateway's word for calls %s is never a success, and is asked for again", async (_what, lost) => {
      const claim = join(lost, finishes("FUNCTION_CALL", "1 call"));
      const model = new ScriptedModel(claim, claim, claim, claim);
      const result = await endOf(model);
      expect(result).toMatchObject({
        stopReason: "bad-call",
        finishReason: "FUNCTION_CALL",
        finishMessage: "1 call",
        usage: { requests: 4 },
      });
      expect(result).not.toHaveProperty("output");
      expect(result.contents.every(({ role }) => role === "user")).toBe(true);
      expect(model.requests[1]?.contents).toEqual(model.requests[0]?.contents);
      expect(model.requests[2]?.contents.at(-1)?.parts[0]?.text).toContain("could not be parsed");
      expect(await endOf(new ScriptedModel(claim, say("4 °C.")))).toMatchObject({ stopReason: "finished" });
    });

    test("an unspecified stop is asked again once", async () => {
      expect(await endOf(new ScriptedModel(finishes("OTHER"), say("There.")))).toMatchObject({
        stopReason: "finished",
      });
      expect(await endOf(new ScriptedModel(finishes("OTHER"), finishes("OTHER")))).toMatchObject({
        stopReason: "unknown-finish",
        finishReason: "OTHER",
      });
    });

    test("the cap on turns ends as a limit, not as a success, with every call answered", async () => {
      const model = new ScriptedModel(
        ...Array.from({ length: 25 }, (_, n) => call("get_weather", { city: `city ${n}` })),
      );
      const result = await endOf(model);
      expect(result).toMatchObject({ stopReason: "limit", limit: { name: "turns", limit: 25, used: 25 }, turns: 25 });
      expect(result.contents.at(-1)?.parts[0]?.functionResponse?.name).toBe("get_weather");
    });

    test("calls beyond their limit are answered but not run", async () => {
      let runs = 0;
      const tool = defineTool({
        name: "get_weather",
        description: "x",
        input: z.object({ city: z.string() }),
        run: () => ++runs,
      });
      const model = new ScriptedModel(
        calls(
          { name: "get_weather", args: { city: "a" } },
          { name: "get_weather", args: { city: "b" } },
          { name: "get_weather", args: { city: "c" } },
        ),
      );
      const result = await endOf(model, { tools: [tool], limits: { toolCalls: 2 } });
      expect(result).toMatchObject({ stopReason: "limit", limit: { name: "toolCalls", limit: 2, used: 3 } });
      expect(result.contents.at(-1)?.parts).toHaveLength(3);
      expect(runs).toBe(2);
    });

    test("a token limit is checked after each answer", async () => {
      const model = new ScriptedModel(
        join(call("get_weather", { city: "a" }), costs({ promptTokenCount: 500, totalTokenCount: 500 })),
      );
      expect(await endOf(model, { limits: { totalTokens: 400 } })).toMatchObject({
        stopReason: "limit",
        limit: { name: "totalTokens", limit: 400, used: 500 },
      });
    });

    test("the wall time cuts off a tool, which is answered as cancelled", async () => {
      const tool = defineTool({ name: "wait", description: "x", run: () => new Promise(() => {}) });
      const result = await endOf(new ScriptedModel(call("wait")), { tools: [tool], limits: { wallTimeMs: 30 } });
      expect(result).toMatchObject({ stopReason: "limit", limit: { name: "wallTimeMs", limit: 30 } });
      expect(result.contents.at(-1)).toEqual(
        answered(["wait", { error: "cancelled: the run ended before this call finished" }]),
      );
    });

    test("the wall time cuts off a model in the middle of its answer, and keeps what it said", async () => {
      const { hangs } = await import("@pollux/core/testing");
      const result = await endOf(new ScriptedModel(hangs("Well")), { limits: { wallTimeMs: 30 } });
      expect(result).toMatchObject({
        stopReason: "limit",
        // A number, as JSON has it: what was cut off has used up the time that was left.
        limit: { name: "wallTimeMs", limit: 30, used: 30 },
        text: "",
        response: undefined,
        contents: [user("Go."), { role: "model", parts: [{ text: "Well" }] }],
        interrupted: { role: "model", parts: [{ text: "Well" }] },
      });
    });

    test("the same calls with the same results three turns in a row end the run", async () => {
      const same = call("get_weather", { city: "Oslo" });
      expect(await endOf(new ScriptedModel(same, same, same))).toMatchObject({
        stopReason: "repeated-calls",
        turns: 3,
      });
    });

    test("stop rules end the run after a turn, with its calls answered", async () => {
      const asks = call("get_weather", { city: "Oslo" });
      expect(await endOf(new ScriptedModel(asks), { stopWhen: [calledTool("get_weather")] })).toMatchObject({
        stopReason: "stopped",
        turns: 1,
      });
      expect(
        await endOf(new ScriptedModel(asks, call("get_weather", { city: "Rome" })), { stopWhen: [afterTurns(2)] }),
      ).toMatchObject({ stopReason: "stopped", turns: 2 });
    });
  });

  describe("hooks", () => {
    test("may deny a call, change its arguments, answer in its place, and change its outcome", async () => {
      const asked: unknown[] = [];
      const tool = defineTool({
        name: "f",
        description: "x",
        input: z.object({ n: z.number() }),
        run: ({ n }) => (asked.push(n), n),
      });
      const model = new ScriptedModel(
        calls(
          { name: "f", args: { n: 1 } },
          { name: "f", args: { n: 2 } },
          { name: "f", args: { n: 3 } },
          { name: "f", args: { n: 4 } },
        ),
        say("Done."),
      );
      await read(
        new Agent({
          model,
          tools: [tool],
          hooks: {
            beforeCall: ({ call: { args } }) => {
              if (args?.["n"] === 1) return { deny: "not allowed" };
              if (args?.["n"] === 2) return { args: { n: 20 } };
              if (args?.["n"] === 3) return { output: "cached" };
              return undefined;
            },
            afterCall: ({ call: { args }, outcome }) =>
              args?.["n"] === 4 && outcome.ok ? { ok: true, output: "polished" } : undefined,
          },
        }),
        "Go.",
      );
      expect(model.requests[1]?.contents.at(-1)).toEqual(
        answered(
          ["f", { error: "not allowed" }],
          ["f", { output: 20 }],
          ["f", { output: "cached" }],
          ["f", { output: "polished" }],
        ),
      );
      expect(asked).toEqual([20, 4]);
    });

    test("may change a request before it is made", async () => {
      const model = new ScriptedModel(say("Ahoy."));
      await read(
        new Agent({
          model,
          instructions: "Be brief.",
          hooks: { prepareTurn: () => ({ instructions: "Be a pirate." }) },
        }),
        "Hi",
      );
      expect(model.requests[0]?.instructions).toBe("Be a pirate.");
    });

    test("one that throws ends the run with its own error", async () => {
      const bug = new Error("bug in the hook");
      const hooks = {
        beforeCall: () => {
          throw bug;
        },
      };
      await expect(
        read(
          new Agent({ model: new ScriptedModel(call("get_weather", { city: "Oslo" })), tools: [getWeather], hooks }),
          "Hi",
        ),
      ).rejects.toBe(bug);
    });
  });

  test("sequential tools run alone, others side by side, never more than allowed", async () => {
    let inside = 0;
    const most: Record<string, number> = {};
    const make = (name: string, sequential: boolean) =>
      defineTool({
        name,
        description: "x",
        sequential,
        run: async () => {
          inside++;
          await idle();
          most[name] = Math.max(most[name] ?? 0, inside);
          inside--;
        },
      });
    const model = new ScriptedModel(calls("free", "free", "free", "alone", "free", "alone"), say("Done."));
    await read(
      new Agent({ model, tools: [make("free", false), make("alone", true)], limits: { concurrentCalls: 2 } }),
      "Go.",
    );
    expect(most).toEqual({ free: 2, alone: 1 });
  });
});

test("media goes into the response where the model takes it, and into a content of its own elsewhere", async () => {
  const { media } = await import("@pollux/core");
  const draw = defineTool({ name: "draw", description: "x", run: () => media("iVBORw0KGgo=", "image/png") });
  const inside = new ScriptedModel(call("draw", {}, { id: "d" }), say("Nice."));
  await new Agent({ model: inside, tools: [draw] }).run("Draw.");
  expect(inside.requests[1]?.contents).toHaveLength(3);
  expect(inside.requests[1]?.contents[2]?.parts[0]?.functionResponse?.parts).toEqual([
    { inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } },
  ]);

  const beside = ScriptedModel.with({ capabilities: { mediaInFunctionResponses: false } }, call("draw"), say("Nice."));
  await new Agent({ model: beside, tools: [draw] }).run("Draw.");
  const [, , responses, after] = beside.requests[1]?.contents ?? [];
  expect(responses?.parts.map((part) => Object.keys(part))).toEqual([["functionResponse"]]);
  expect(after?.parts.at(-1)).toEqual({ inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } });
});

test("events tell of retried answers and finished calls", async () => {
  const model = new ScriptedModel(empty(), calls({ name: "get_weather", args: { city: "Oslo" } }), say("Cold."));
  const { events } = await eventsOf(new Agent({ model, tools: [getWeather] }), "Weather?");
  expect(events.find(({ type }) => type === "recover")).toEqual({
    type: "recover",
    turn: 1,
    problem: "empty",
    attempt: 1,
    action: "retried unchanged",
  });
  expect(events.find(({ type }) => type === "tool-end")).toMatchObject({
    callId: "call:1.0",
    outcome: { ok: true, output: { city: "Oslo", celsius: 4 } },
  });
});
