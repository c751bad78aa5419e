import { context, createNoopMeter, propagation, trace } from "@opentelemetry/api";
import { Agent, defineTool } from "@pollux/core";
import { type Observer, observeAllRuns } from "@pollux/core/observers";
import { call, dies, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { openTelemetry } from "../src/index.ts";
import { inSpan, keepContexts, Sdk } from "./helpers/sdk.ts";
import { drawTree } from "./helpers/span-tree.ts";

keepContexts();

/** An SDK, and an observer that uses it. */
function traced(): { readonly sdk: Sdk; readonly observers: readonly Observer[] } {
  const sdk = new Sdk();
  return { sdk, observers: [openTelemetry({ tracerProvider: sdk.tracerProvider })] };
}

describe("the parent of a run", () => {
  test("is what was active where its stream was made, wherever it is read", async () => {
    const { sdk, observers } = traced();
    const agent = new Agent({ model: new ScriptedModel(say("Done.")), observers });
    const stream = await inSpan(sdk, "POST /chat", () => Promise.resolve([agent.stream("Go.")] as const));
    await inSpan(sdk, "GET /events", async () => {
      for await (const _ of stream[0]);
    });
    expect(drawTree(sdk)).toEqual([
      "POST /chat INTERNAL",
      "  invoke_agent agent INTERNAL",
      "    generate_content gemini-scripted CLIENT",
      "GET /events INTERNAL",
    ]);
  });

  test("is the call that contains it, or what the tool has started there", async () => {
    const { sdk, observers } = traced();
    const inner = (): Agent => new Agent({ name: "inner", model: new ScriptedModel(say("Found.")), observers });
    const own = defineTool({
      name: "own",
      description: "x",
      run: async () => await inSpan(sdk, "work", async () => (await inner().run("Find.")).text),
    });
    const model = new ScriptedModel(call("inner", { task: "Find." }), call("own"), say("Done."));
    await new Agent({ model, tools: [inner().asTool({ description: "x" }), own], observers }).run("Go.");
    expect(drawTree(sdk)).toEqual([
      "invoke_agent agent INTERNAL",
      "  generate_content gemini-scripted CLIENT",
      "  execute_tool inner INTERNAL",
      "    invoke_agent inner INTERNAL",
      "      generate_content gemini-scripted CLIENT",
      "  generate_content gemini-scripted CLIENT",
      "  execute_tool own INTERNAL",
      "    work INTERNAL",
      "      invoke_agent inner INTERNAL",
      "        generate_content gemini-scripted CLIENT",
      "  generate_content gemini-scripted CLIENT",
    ]);
  });

  test("gives it the session, but not the conversation", async () => {
    const { sdk, observers } = traced();
    const inner = new Agent({ name: "inner", model: new ScriptedModel(say("Found.")), observers });
    const model = new ScriptedModel(call("inner", { task: "Find." }), say("Done."));
    const agent = new Agent({ model, tools: [inner.asTool({ description: "x" })], observers });
    await agent.session({ id: "chat-1" }).send("Go.");
    const ofInner = sdk.spans.filter(({ attributes }) => attributes["gen_ai.agent.name"] === "inner");
    expect(ofInner.map(({ name }) => name)).toEqual(["generate_content gemini-scripted", "invoke_agent inner"]);
    for (const { attributes } of ofInner) {
      expect(attributes["session.id"]).toBe("chat-1");
      expect(attributes).not.toHaveProperty("gen_ai.conversation.id");
    }
  });

  test("is that call without anything that keeps contexts, as in browsers", async () => {
    const { sdk, observers } = traced();
    context.disable();
    const inner = new Agent({ name: "inner", model: new ScriptedModel(say("Found.")), observers });
    const model = new ScriptedModel(call("inner", { task: "Find." }), say("Done."));
    await new Agent({ model, tools: [inner.asTool({ description: "x" })], observers }).run("Go.");
    expect(drawTree(sdk)).toEqual([
      "invoke_agent agent INTERNAL",
      "  generate_content gemini-scripted CLIENT",
      "  execute_tool inner INTERNAL",
      "    invoke_agent inner INTERNAL",
      "      generate_content gemini-scripted CLIENT",
      "  generate_content gemini-scripted CLIENT",
    ]);
  });

  test("has baggage that reaches the tools", async () => {
    const { observers } = traced();
    const seen: unknown[] = [];
    const look = defineTool({
      name: "look",
      description: "x",
      run: () => void seen.push(propagation.getActiveBaggage()?.getEntry("tenant")?.value),
    });
    const agent = (): Agent =>
      new Agent({ model: new ScriptedModel(call("look"), say("Done.")), tools: [look], observers });
    const baggage = propagation.createBaggage({ tenant: { value: "a" } });
    const within = propagation.setBaggage(context.active(), baggage);
    await context.with(within, () => agent().run("Go."));
    const stream = context.with(within, () => agent().stream("Go."));
    await stream.result();
    expect(seen).toEqual(["a", "a"]);
  });

  test("is the call in another process that its traceparent names", async () => {
    const { sdk, observers } = traced();
    const agent = new Agent({ model: new ScriptedModel(say("Done.")), observers });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await agent.run("Go.", { parent: { runId: "outer", step: "call:1.0", callId: "call:1.0", traceparent } });
    const run = sdk.find("invoke_agent agent");
    expect(run.spanContext().traceId).toBe("0af7651916cd43dd8448eb211c80319c");
    expect(run.parentSpanContext).toMatchObject({ spanId: "b7ad6b7169203331", isRemote: true });
  });

  test.each([
    "",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    "00-00-00-zz",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ])("is none for the traceparent %j", async (traceparent) => {
    const { sdk, observers } = traced();
    const agent = new Agent({ model: new ScriptedModel(say("Done.")), observers });
    await agent.run("Go.", { parent: { runId: "outer", step: "call:1.0", traceparent } });
    expect(sdk.find("invoke_agent agent").parentSpanContext).toBeUndefined();
  });
});

describe("a trace", () => {
  test("has the summary of old messages as a request of the run, not as an agent of its own", async () => {
    const { sdk, observers } = traced();
    const model = new ScriptedModel(say("It was long."), say("Yes."));
    const agent = new Agent({
      model,
      observers,
      compaction: { windowTokens: 600, threshold: 0.5, keep: 0.3 },
    });
    const history = ["word ".repeat(400), "Noted."].map((text, index) => ({
      role: index === 1 ? ("model" as const) : ("user" as const),
      parts: [{ text }],
    }));
    const { usage } = await agent.run([...history, { role: "user", parts: [{ text: "And now?" }] }]);
    expect(drawTree(sdk)).toEqual([
      "invoke_agent agent INTERNAL (pollux.compact)",
      "  generate_content gemini-scripted CLIENT",
      "  generate_content gemini-scripted CLIENT",
    ]);
    const [summary, answer, run] = sdk.spans;
    expect(summary?.attributes).toMatchObject({ "pollux.purpose": "summary", "pollux.turn": 1 });
    expect(answer?.attributes).toMatchObject({ "gen_ai.conversation.compacted": true });
    expect(run?.attributes).toMatchObject({ "gen_ai.usage.input_tokens": usage.inputTokens });
    expect(usage.requests).toBe(2);
  });

  test("tells of broken streams and guardrails", async () => {
    const { sdk, observers } = traced();
    const agent = new Agent({
      model: new ScriptedModel(dies("It"), say("It is secret.")),
      observers,
      guardrails: { output: [{ name: "secrets", check: () => ({ stop: "it is secret" }) }] },
    });
    await agent.run("Go.");
    expect(drawTree(sdk)).toEqual([
      "invoke_agent agent INTERNAL (pollux.guardrail)",
      "  generate_content gemini-scripted CLIENT (pollux.discard)",
    ]);
    expect(sdk.find("invoke_agent agent").events).toMatchObject([
      {
        attributes: {
          "pollux.guardrail.name": "secrets",
          "pollux.guardrail.side": "output",
          "pollux.guardrail.action": "stop",
        },
      },
    ]);
  });

  test("ends each span when a provider throws", async () => {
    const { tracerProvider, started, spans } = new Sdk();
    const fail = (): never => {
      throw new Error("mine");
    };
    const loggerProvider = { getLogger: () => ({ emit: fail }) };
    const meter = new Proxy(createNoopMeter(), { get: () => fail });
    const observers = [openTelemetry({ tracerProvider, loggerProvider, meterProvider: { getMeter: () => meter } })];
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const model = new ScriptedModel(call("look"), say("Done."));
    const { text } = await new Agent({ model, tools: [look], observers }).run("Go.");
    expect(text).toBe("Done.");
    expect([started.length, spans.length]).toEqual([4, 4]);
  });

  test("ends when its reader leaves", async () => {
    const { sdk, observers } = traced();
    const agent = new Agent({ model: new ScriptedModel(hangs("It")), observers });
    for await (const event of agent.stream("Go.")) if (event.type === "text-delta") break;
    expect(sdk.spans).toHaveLength(sdk.started.length);
    expect(drawTree(sdk)).toEqual([
      "invoke_agent agent INTERNAL failed: AbortError",
      "  generate_content gemini-scripted CLIENT failed: AbortError (exception)",
    ]);
    expect(sdk.find("generate_content gemini-scripted").attributes).toMatchObject({
      "gen_ai.response.finish_reasons": ["error"],
    });
  });

  test("is that of each run, when many are made at once", async () => {
    const { sdk, observers } = traced();
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const runs = Array.from({ length: 20 }, async () => {
      const agent = new Agent({ model: new ScriptedModel(call("look"), say("Done.")), tools: [look], observers });
      await agent.run("Go.");
    });
    await Promise.all(runs);
    const counts = new Map<string, number>();
    for (const span of sdk.spans) {
      const { traceId } = span.spanContext();
      counts.set(traceId, (counts.get(traceId) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual(Array.from({ length: 20 }, () => 4));
  });

  test("is made of the runs of all agents by an observer of all of them", async () => {
    const { sdk, observers } = traced();
    const [observer] = observers;
    if (observer === undefined) throw new Error("there is one");
    const stop = observeAllRuns(observer);
    try {
      await new Agent({ model: new ScriptedModel(say("Done.")) }).run("Go.");
    } finally {
      stop();
    }
    await new Agent({ model: new ScriptedModel(say("Done.")) }).run("Go.");
    expect(sdk.spans.map(({ name }) => name)).toEqual(["generate_content gemini-scripted", "invoke_agent agent"]);
  });

  test("uses the SDK that is registered when the run starts", async () => {
    const sdk = new Sdk();
    const agent = new Agent({ model: new ScriptedModel(say("1"), say("2")), observers: [openTelemetry()] });
    await agent.run("Go.");
    trace.setGlobalTracerProvider(sdk.tracerProvider);
    await agent.run("Go.");
    expect(sdk.spans).toHaveLength(2);
  });
});
