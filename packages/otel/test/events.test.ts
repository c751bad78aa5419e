import {
  Agent,
  ApiStatusError,
  defineTool,
  endpoint,
  gemini,
  type Model,
  type ModelNotice,
  Traffic,
} from "@pollux/core";
import { call, finishes, join, say, ScriptedModel } from "@pollux/core/testing";
import { createEmulator } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { fakeTime } from "../../core/test/helpers/fake-time.ts";
import { openTelemetry } from "../src/index.ts";
import { improvise } from "@pollux/emulator/improvise";
import { type EndedSpan, keepContexts, Sdk } from "./helpers/sdk.ts";

keepContexts();

/** An SDK, and an observer that uses it. */
function traced() {
  const sdk = new Sdk();
  const { tracerProvider, meterProvider } = sdk;
  return { sdk, observers: [openTelemetry({ tracerProvider, meterProvider })] };
}

/** A model that gives these notices before it answers. */
function noticing(...notices: readonly ModelNotice[]): Model {
  const model = new ScriptedModel(say("Done."));
  return {
    id: model.id,
    capabilities: model.capabilities,
    check: (settings) => model.check(settings),
    respond: (request, options) => {
      for (const notice of notices) options.onNotice?.(notice);
      return model.respond(request, options);
    },
  };
}

describe("events of a request", () => {
  test("tell of retries, waits and heals", async () => {
    const { sdk, observers } = traced();
    const error = { code: "api_status", message: "busy", status: 503 };
    const model = noticing(
      { type: "retry", attempt: 1, delayMs: 1_500, error },
      { type: "wait", delayMs: 200, error: { code: "api_network", message: "lost" } },
      { type: "heal", heal: "repeat-request", detail: "sent again", breaksPrefix: false },
    );
    await new Agent({ model, observers }).run("Go.");
    expect(sdk.find("generate_content gemini-scripted").events).toMatchObject([
      {
        name: "pollux.retry",
        attributes: { "pollux.retry.delay": 1.5, "error.type": "503" },
      },
      {
        name: "pollux.wait",
        attributes: { "pollux.wait.delay": 0.2, "error.type": "api_network" },
      },
      { name: "pollux.heal", attributes: { "pollux.heal.name": "repeat-request", "pollux.heal.detail": "sent again" } },
    ]);
  });

  test("tell what broke the prefix, and the span names the model that was asked", async () => {
    const { sdk, observers } = traced();
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const other = ScriptedModel.with({ id: "gemini-other" }, say("Done."));
    const agent = new Agent({
      model: new ScriptedModel(call("look")),
      tools: [look],
      observers,
      hooks: { prepareTurn: ({ turn }) => (turn === 2 ? { model: other } : undefined) },
    });
    await agent.run("Go.");
    const { attributes, events } = sdk.find("generate_content gemini-other");
    expect(attributes).toMatchObject({ "gen_ai.request.model": "gemini-other", "pollux.turn": 2 });
    expect(events).toMatchObject([
      { name: "pollux.prefix_break", attributes: { "pollux.prefix_break.fields": ["model"] } },
    ]);
  });

  test.each([
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "content_filter"],
    ["SOMETHING_NEW", "SOMETHING_NEW"],
  ])("the finish reason %s is %s", async (given, expected) => {
    const { sdk, observers } = traced();
    await new Agent({ model: new ScriptedModel(join(say("Hm."), finishes(given))), observers }).run("Go.");
    expect(sdk.find("generate_content gemini-scripted").attributes["gen_ai.response.finish_reasons"]).toEqual([
      expected,
    ]);
  });

  test("a prompt that is too long is a failed request", async () => {
    const { sdk, observers } = traced();
    const tooLong = new ApiStatusError("The input token count (9) exceeds the maximum number of tokens allowed (8).", {
      status: 400,
      retryable: false,
    });
    const model = new ScriptedModel(() => Promise.reject(tooLong), say("It was long."), say("Done."));
    const agent = new Agent({ model, observers, compaction: { windowTokens: 1_000_000, keep: 0.3 } });
    const text = "word ".repeat(400);
    const contents = (["user", "model", "user"] as const).map((role) => ({ role, parts: [{ text }] }));
    await agent.run(contents);
    expect(sdk.spans.map(({ name, attributes }) => [name, attributes["error.type"]])).toEqual([
      ["generate_content gemini-scripted", "prompt_too_long"],
      ["generate_content gemini-scripted", undefined],
      ["generate_content gemini-scripted", undefined],
      ["invoke_agent agent", undefined],
    ]);
  });
});

describe("with time", () => {
  fakeTime("leaps");

  test("a tool that is tried again tells so, and its span lasts until it succeeds", async () => {
    const { sdk, observers } = traced();
    let attempts = 0;
    const flaky = defineTool({
      name: "flaky",
      description: "x",
      retry: { minDelayMs: 2_000, maxDelayMs: 2_000 },
      run: () => {
        if (++attempts < 2) throw new Error("lost");
        return "seen";
      },
    });
    await new Agent({ model: new ScriptedModel(call("flaky"), say("Done.")), tools: [flaky], observers }).run("Go.");
    const { events, startTime, endTime } = sdk.find("execute_tool flaky");
    expect(events).toMatchObject([
      {
        name: "pollux.retry",
        attributes: {
          "pollux.retry.attempt": 1,
          "pollux.retry.delay": expect.any(Number) as number,
          "error.type": "failed",
        },
      },
    ]);
    const delay = Number(events[0]?.attributes?.["pollux.retry.delay"]);
    expect(delay).toBeGreaterThan(0);
    expect(secondsOf(endTime) - secondsOf(startTime)).toBeCloseTo(delay, 2);
    const { "pollux.retries": retries } = await sdk.metrics();
    expect(retries).toMatchObject([{ attributes: { "gen_ai.tool.name": "flaky" }, value: 1 }]);
  });

  test("requests that wait for a limit of their traffic have their wait measured", async () => {
    const { sdk, observers } = traced();
    const emulator = createEmulator({ brain: improvise() });
    const model = gemini("gemini-3.8-flash", {
      endpoint: endpoint({ baseUrl: "http://emulator.local", apiKey: "emulator" }),
      traffic: new Traffic({ maxConcurrent: 1 }),
      fetch: async (url, init) => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        return await emulator.fetch(url, init);
      },
    });
    const agent = new Agent({ model, observers });
    await Promise.all([agent.run("Hello."), agent.run("Hello.")]);
    const { "pollux.queue.wait": waits } = await sdk.metrics();
    expect(waits).toMatchObject([{ value: { count: 1, sum: expect.closeTo(0.5, 1) as number } }]);
  });
});

function secondsOf([seconds, nanoseconds]: EndedSpan["startTime"]): number {
  return seconds + nanoseconds / 1e9;
}
