import { describe, expect, test } from "vitest";
import { idle } from "../helpers/fake-time.ts";
import { StreamIncompleteError } from "../../src/errors/api-errors.ts";
import { ConfigurationError } from "../../src/errors/agent-error.ts";
import type { ModelRequest, ModelResponse } from "../../src/model/model.ts";
import {
  call,
  calls,
  costs,
  cut,
  dies,
  fails,
  grounded,
  hangs,
  say,
  ScriptedModel,
  type ScriptLine,
  think,
  join,
} from "../../src/testing/index.ts";
import type { Part } from "../../src/wire/types/content.ts";

function request(text = "Hi"): ModelRequest {
  return { contents: [{ role: "user", parts: [{ text }] }], functions: [], builtIns: [], settings: {} };
}

async function ask(
  model: ScriptedModel,
  asked: ModelRequest = request(),
  signal: AbortSignal = new AbortController().signal,
): Promise<{ batches: (readonly Part[])[]; response: ModelResponse }> {
  const batches: (readonly Part[])[] = [];
  const response = await model.respond(asked, { signal, onParts: (batch) => void batches.push(batch) });
  return { batches, response };
}

async function failure(script: ScriptLine): Promise<{ seen: (readonly Part[])[]; error: unknown }> {
  const seen: (readonly Part[])[] = [];
  try {
    await new ScriptedModel(script).respond(request(), {
      signal: new AbortController().signal,
      onParts: (batch) => void seen.push(batch),
    });
  } catch (error) {
    return { seen, error };
  }
  throw new Error("it did not fail");
}

describe("ScriptedModel", () => {
  test("streams a turn piece by piece and gives the whole answer", async () => {
    const model = new ScriptedModel(
      join(
        think("Hm."),
        say("It is ", "21 °C."),
        calls({ name: "a", args: { x: 1 }, id: "c1", thoughtSignature: "c2ln" }, "b"),
      ),
    );
    const { batches, response } = await ask(model);
    const both = [
      { functionCall: { id: "c1", name: "a", args: { x: 1 } }, thoughtSignature: "c2ln" },
      { functionCall: { name: "b", args: {} } },
    ];
    expect(batches).toEqual([[{ text: "Hm.", thought: true }], [{ text: "It is " }], [{ text: "21 °C." }], both]);
    expect(response).toEqual({
      content: { role: "model", parts: [{ text: "Hm.", thought: true }, { text: "It is 21 °C." }, ...both] },
      finishReason: "STOP",
      usage: expect.objectContaining({
        requests: 1,
        inputTokens: 10,
        outputTokens: 5,
        totalTokens: 15,
        searchQueries: 0,
        incomplete: false,
      }),
      candidate: { finishReason: "STOP" },
      envelope: {
        usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
        modelVersion: "gemini-scripted",
        responseId: "scripted-1",
      },
    });
  });

  test("joins no text across a signature or an unknown field", async () => {
    const parts = [
      { text: "a" },
      { text: "b", thoughtSignature: "c2ln" },
      { text: "c" },
      { text: "d", somethingNew: 1 },
    ];
    const { response } = await ask(new ScriptedModel({ batches: parts.map((part) => [part]) }));
    expect(response.content.parts).toEqual(parts);
  });

  test("takes usage, finish reason and search queries from the turn", async () => {
    const model = new ScriptedModel(
      join(
        cut("It is"),
        costs({ promptTokenCount: 7, candidatesTokenCount: 2, thoughtsTokenCount: 1, totalTokenCount: 10 }),
      ),
      grounded("Yes.", { sources: [], queries: ["a", "b"] }),
    );
    const first = await ask(model);
    expect(first.response).toMatchObject({
      finishReason: "MAX_TOKENS",
      usage: { inputTokens: 7, outputTokens: 2, thoughtTokens: 1, totalTokens: 10 },
      candidate: { finishReason: "MAX_TOKENS" },
    });
    const second = await ask(model);
    expect(second.response).toMatchObject({
      usage: { searchQueries: 2 },
      candidate: { groundingMetadata: { webSearchQueries: ["a", "b"] } },
    });
  });

  test("remembers each request as it was", async () => {
    const model = new ScriptedModel(say("1"), say("2"));
    const contents = [{ role: "user" as const, parts: [{ text: "Hi" }] }];
    await ask(model, { ...request(), contents });
    contents.push({ role: "user", parts: [{ text: "later" }] });
    await ask(model, request("Bye"));
    expect(model.requests).toEqual([request("Hi"), request("Bye")]);
  });

  test("lets a function read the request and answer", async () => {
    const model = new ScriptedModel(
      (asked) => say(`You said ${asked.contents[0]?.parts[0]?.text}`),
      async () => call("later"),
    );
    expect((await ask(model)).response.content.parts).toEqual([{ text: "You said Hi" }]);
    expect((await ask(model)).response.content.parts).toEqual([{ functionCall: { name: "later", args: {} } }]);
  });

  test("throws what the script says, after what was streamed", async () => {
    const broken = new TypeError("reset");
    expect(await failure(fails(broken))).toEqual({ seen: [], error: broken });
    expect(await failure(dies("It is", broken))).toEqual({ seen: [[{ text: "It is" }]], error: broken });
    expect(await failure(join(call("a"), dies()))).toEqual({
      seen: [[{ functionCall: { name: "a", args: {} } }]],
      error: expect.any(StreamIncompleteError),
    });
    expect(
      await failure(() => {
        throw broken;
      }),
    ).toEqual({ seen: [], error: broken });
  });

  test.each<[string, ScriptLine]>([
    ["in the middle of a stream", say("a", "b", "c")],
    ["before the answer is given back", say("a")],
  ])("throws the signal's reason when it aborts %s", async (_name, entry) => {
    const abort = new AbortController();
    const reason = new Error("stop");
    const batches: (readonly Part[])[] = [];
    const answer = new ScriptedModel(entry).respond(request(), {
      signal: abort.signal,
      onParts: (batch) => {
        batches.push(batch);
        abort.abort(reason);
      },
    });
    await expect(answer).rejects.toBe(reason);
    expect(batches).toEqual([[{ text: "a" }]]);
  });

  test("throws the signal's reason when it aborts while nothing comes", async () => {
    const abort = new AbortController();
    const reason = new Error("stop");
    const answer = ask(new ScriptedModel(hangs("a")), request(), abort.signal);
    await idle();
    abort.abort(reason);
    await expect(answer).rejects.toBe(reason);
  });

  test("throws the signal's reason while a function still thinks, and before anything is asked", async () => {
    const reason = new Error("stop");
    const model = new ScriptedModel(() => new Promise(() => {}));
    await expect(ask(model, request(), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(model.requests).toEqual([]);
    const abort = new AbortController();
    const asked = ask(model, request(), abort.signal);
    abort.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });

  test("says so when it is asked too often or too seldom", async () => {
    const model = new ScriptedModel(say("1"), say("2"));
    expect(() => model.assertSpent()).toThrow("2 of the script's 2 turns were never requested");
    await ask(model);
    await ask(model);
    model.assertSpent();
    await expect(ask(model, request("More?"))).rejects.toThrow(
      /the script has 2 turns, but the model was asked 3 times; .*More\?/,
    );
  });

  test("is the newest generation unless told otherwise", () => {
    const newest = new ScriptedModel();
    expect([newest.id, newest.capabilities.builtInsWithFunctions, newest.capabilities.functions]).toEqual([
      "gemini-scripted",
      true,
      true,
    ]);
    const older = ScriptedModel.with({ id: "gemini-2.5-flash", capabilities: { jsonOutput: false } });
    expect([older.id, older.capabilities.builtInsWithFunctions, older.capabilities.jsonOutput]).toEqual([
      "gemini-2.5-flash",
      false,
      false,
    ]);
  });

  test("checks settings as a real model does, or with a given function", () => {
    new ScriptedModel().check({ temperature: 1 });
    expect(() => new ScriptedModel().check({ temperature: 9 })).toThrow(ConfigurationError);
    ScriptedModel.with({ check: () => {} }).check({ temperature: 9 });
    const picky = ScriptedModel.with({
      check: ({ temperature = 0 }) => {
        if (temperature > 2) throw new RangeError("too hot");
      },
    });
    expect(() => picky.check({ temperature: 9 })).toThrow("too hot");
  });
});
