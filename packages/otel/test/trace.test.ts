import { trace } from "@opentelemetry/api";
import {
  Agent,
  defineJob,
  defineTool,
  endpoint,
  gemini,
  handoff,
  MemoryStore,
  type Model,
  type RunOptions,
  type RunResult,
  type RunStream,
  type Session,
  ToolError,
} from "@pollux/core";
import type { Observer } from "@pollux/core/observers";
import { call, calls, createEmulator, faults, say, script, type ScriptLine } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { openTelemetry } from "../src/index.ts";
import { inSpan, keepContexts, Sdk } from "./helpers/sdk.ts";
import { drawTree } from "./helpers/span-tree.ts";
import { answersTo } from "../../core/test/helpers/answers.ts";

keepContexts();

/** A model whose service answers line by line, and is overloaded at the request with this number. */
function serviceOf(lines: readonly ScriptLine[], overloadedAt?: number): Model {
  const emulator = createEmulator({
    brain: script([...lines]),
    faults: overloadedAt === undefined ? [] : [{ at: overloadedAt, fault: faults.overloaded() }],
  });
  return gemini("gemini-3.8-flash", {
    endpoint: endpoint({ baseUrl: "http://emulator.local", apiKey: "emulator" }),
    fetch: (url, init) => emulator.fetch(url, init),
    retry: { minDelayMs: 1, maxDelayMs: 1 },
  });
}

/** A tool in which a program starts a span of its own, as instrumented clients do. */
const search = defineTool({
  name: "search",
  description: "Searches.",
  input: z.object({ query: z.string() }),
  run: async ({ query }) => {
    const span = trace.getTracer("program").startSpan(`query ${query}`);
    await Promise.resolve();
    span.end();
    return `found ${query}`;
  },
});

const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });

/** Both faces of a stream. */
const faces: readonly (readonly [string, (stream: RunStream<unknown>) => Promise<RunResult<unknown>>])[] = [
  ["run", (stream) => stream.result()],
  [
    "stream",
    async (stream) => {
      for await (const _ of stream);
      return stream.result();
    },
  ],
];

describe.each(faces)("the trace of a %s", (_face, read) => {
  test("says who leads, also after a handover that another process made", async () => {
    const sdk = new Sdk();
    trace.setGlobalTracerProvider(sdk.tracerProvider);
    const store = new MemoryStore();
    const start = (lines: readonly ScriptLine[]): Agent => {
      const billing = new Agent({ name: "billing", model: serviceOf(lines), tools: [pay] });
      const model = serviceOf([call("transfer_to_billing")]);
      return new Agent({ name: "desk", model, tools: [handoff(billing)], observers: [openTelemetry()] });
    };
    const asked = await read(
      start([call("pay")])
        .session({ id: "s", store })
        .stream("Pay."),
    );
    expect(asked).toMatchObject({ stopReason: "needs-approval", agent: "billing" });
    const session = start([say("Paid.")]).session({ id: "s", store });
    await read(session.resumeStream(await answersTo(session, { approvals: { "call:2.0": true } })));
    const who = sdk.spans.map(({ name, attributes }) => `${name}: ${String(attributes["gen_ai.agent.name"])}`);
    expect(who).toEqual([
      "generate_content gemini-3.8-flash: desk",
      "execute_tool transfer_to_billing: desk",
      "generate_content gemini-3.8-flash: billing",
      "invoke_agent desk: desk",
      "execute_tool pay: billing",
      "generate_content gemini-3.8-flash: billing",
      "invoke_agent desk: desk",
    ]);
    const [handed] = sdk.spans.flatMap(({ events }) => events.filter(({ name }) => name === "pollux.handoff"));
    expect(handed?.attributes).toMatchObject({ "pollux.handoff.from": "desk", "pollux.handoff.to": "billing" });
  });

  test("has parallel tools, an inner agent, a retry, an approval across a restart, and an abort", async () => {
    const sdk = new Sdk();
    trace.setGlobalTracerProvider(sdk.tracerProvider);
    const store = new MemoryStore();
    const signal = new AbortController();
    /** An agent as a process of its own would make it. */
    const start = (lines: readonly ScriptLine[], overloadedAt?: number): Agent => {
      const observers: readonly Observer[] = [openTelemetry()];
      const researcher = new Agent({
        name: "researcher",
        model: serviceOf([call("search", { query: "deep" }), say("It is so.")]),
        tools: [search],
        observers,
      });
      const wait = defineTool({
        name: "wait",
        description: "Waits.",
        run: (_input, { signal: stop }) =>
          new Promise((_resolve, reject) => {
            stop.addEventListener("abort", () => reject(new Error("stopped")));
            signal.abort(new DOMException("enough", "AbortError"));
          }),
      });
      return new Agent({
        name: "planner",
        model: serviceOf(lines, overloadedAt),
        tools: [search, researcher.asTool({ description: "Researches." }), pay, wait],
        observers,
      });
    };
    const options = { id: "chat-1", store };

    const first = start(
      [
        calls(
          { name: "search", args: { query: "a" } },
          { name: "search", args: { query: "b" } },
          { name: "researcher", args: { task: "Is it so?" } },
        ),
        call("pay"),
      ],
      2,
    );
    const asked = await inSpan(sdk, "POST /chat", () => read(first.session(options).stream("Plan it.")));
    expect(asked.stopReason).toBe("needs-approval");

    const second = start([say("Paid.")]);
    const approved = await inSpan(sdk, "POST /approve", async () =>
      read(
        second
          .session(options)
          .resumeStream(await answersTo(second.session(options), { approvals: { "call:2.0": true } })),
      ),
    );
    expect(approved.stopReason).toBe("finished");

    const third = start([call("wait")]);
    const abort: RunOptions = { signal: signal.signal };
    await expect(read(third.session(options).stream("Wait.", abort))).rejects.toThrow("enough");

    expect(drawTree(sdk)).toEqual([
      "POST /chat INTERNAL",
      "  invoke_agent planner INTERNAL (pollux.untrusted, pollux.pending)",
      "    generate_content gemini-3.8-flash CLIENT",
      "    execute_tool search INTERNAL",
      "      query a INTERNAL",
      "    execute_tool search INTERNAL",
      "      query b INTERNAL",
      "    execute_tool researcher INTERNAL",
      "      invoke_agent researcher INTERNAL",
      "        generate_content gemini-3.8-flash CLIENT",
      "        execute_tool search INTERNAL",
      "          query deep INTERNAL",
      "        generate_content gemini-3.8-flash CLIENT",
      "    generate_content gemini-3.8-flash CLIENT (pollux.retry)",
      "POST /approve INTERNAL",
      "  invoke_agent planner INTERNAL -> invoke_agent planner",
      "    execute_tool pay INTERNAL",
      "    generate_content gemini-3.8-flash CLIENT",
      "invoke_agent planner INTERNAL failed: AbortError",
      "  generate_content gemini-3.8-flash CLIENT",
      "  execute_tool wait INTERNAL failed: AbortError (exception)",
    ]);
    expect(sdk.spans).toHaveLength(sdk.started.length);
  });

  test("of a job has its start, which is no failure, and what it comes to in a trace with a link to that", async () => {
    const sdk = new Sdk();
    const { tracerProvider, meterProvider } = sdk;
    const store = new MemoryStore();
    const open = (...lines: readonly ScriptLine[]): Session => {
      const observers = [openTelemetry({ tracerProvider, meterProvider })];
      const tools = (["research", "render", "print"] as const).map((name) =>
        defineJob({
          name,
          description: "Takes long.",
          start: () => {
            if (name === "print") throw new ToolError("no paper");
            return `job of ${name}`;
          },
        }),
      );
      return new Agent({ name: "lab", model: serviceOf(lines), tools, observers }).session({ id: "s", store });
    };
    const asked = await read(open(calls("research", "render", "print")).stream("Go."));
    expect(asked.stopReason).toBe("needs-outcome");
    await open().reportJob("job of research", { output: "found" });
    await open().reportJob("job of render", { error: "no room" });
    expect(await read(open(say("Done.")).continueStream())).toMatchObject({ text: "Done." });
    expect(drawTree(sdk)).toEqual([
      "invoke_agent lab INTERNAL (pollux.pending, pollux.pending)",
      "  generate_content gemini-3.8-flash CLIENT",
      "  execute_tool research INTERNAL",
      "  execute_tool render INTERNAL",
      "  execute_tool print INTERNAL failed: failed",
      "invoke_agent lab INTERNAL -> invoke_agent lab",
      "  generate_content gemini-3.8-flash CLIENT",
    ]);
    const [first, second] = sdk.spans.filter(({ name }) => name === "invoke_agent lab");
    expect(first?.events.map(({ attributes }) => attributes?.["pollux.pending.question"])).toEqual(["job", "job"]);
    expect([first, second].map((span) => span?.attributes["pollux.stop_reason"])).toEqual([
      "needs-outcome",
      "finished",
    ]);
    expect(second?.attributes["pollux.resumed"]).toBe(true);
    const { "gen_ai.execute_tool.duration": durations = [] } = await sdk.metrics();
    const errors = durations.map(
      ({ attributes }) => [String(attributes["gen_ai.tool.name"]), attributes["error.type"]] as const,
    );
    expect(Object.fromEntries(errors)).toEqual({ research: undefined, render: undefined, print: "failed" });
    expect(sdk.spans).toHaveLength(sdk.started.length);
  });
});
