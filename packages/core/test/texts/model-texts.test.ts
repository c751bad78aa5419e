import {
  Agent,
  type AgentOptions,
  type Content,
  defineJob,
  defineTool,
  handoff,
  MemoryStore,
  type Part,
} from "@pollux/core";
import { call, calls, cut, empty, join, malformed, say, ScriptedModel, undeclared } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { importHistory } from "../../src/index.ts";
import { buildDelegatedTools } from "../../src/grounding/delegate.ts";
import { SILENT } from "../../src/logging/logger.ts";
import { HEALS } from "../../src/model/heal/heal.ts";
import { codeExecution, fileSearch, googleMaps, googleSearch, urlContext } from "../../src/tool/built-in.ts";
import { type CallControl, callTool } from "../../src/tool/call-tool.ts";
import { functionResponse } from "../../src/tool/function-response.ts";
import * as texts from "../../src/tool/model-texts.ts";
import type { Tool } from "../../src/tool/tool.ts";
import type { FunctionCall } from "../../src/wire/types/content.ts";

type Texts = readonly string[] | Promise<readonly string[]>;

const weather = defineTool({
  name: "get_weather",
  description: "Current weather in a city.",
  input: z.object({ city: z.string(), days: z.number().optional() }),
  run: () => "rain",
});

/** What a call of a tool is answered with. */
async function ask(
  tools: readonly Tool[],
  made: FunctionCall,
  signal = new AbortController().signal,
  control?: CallControl,
): Promise<string> {
  const context = {
    context: undefined,
    signal,
    callId: "call:1.0",
    call: made,
    idempotencyKey: "run/call:1.0",
    agent: "agent",
    runId: "run",
    turn: 1,
    logger: SILENT,
    progress: async () => {},
    attach: () => {},
  };
  const outcome = await callTool(new Map(tools.map((tool) => [tool.name, tool])), made, context, control);
  return outcome.ok ? JSON.stringify(outcome.output) : outcome.message;
}

const plain = (options: Partial<Tool> & { readonly run?: () => unknown } = {}, input: object = {}): Tool => ({
  ...defineTool({ name: "pay", description: "Pays.", input: { type: "object", ...input }, run: () => "paid" }),
  ...options,
});

/** What the model reads when a tool that exposes its errors throws. */
const exposed = (message: string): Promise<string> =>
  ask([plain({ exposeErrors: true, run: () => Promise.reject(new Error(message)) })], { name: "pay" });

const textsOf = (contents: readonly Content[] | undefined): string[] =>
  (contents ?? []).flatMap(({ parts }) => parts).flatMap((part) => readPart(part) ?? []);

const readPart = ({ text, functionResponse: response }: Part): string | undefined =>
  text ?? (typeof response?.response["error"] === "string" ? response.response["error"] : undefined);

/** The last thing that the model is told in a run. */
async function told(model: ScriptedModel, options: Omit<AgentOptions, "model"> = {}): Promise<string> {
  await new Agent({ model, ...options }).run("Go.");
  return textsOf(model.requests.at(-1)?.contents).at(-1) ?? "nothing";
}

const research = defineJob({ name: "research", description: "Researches.", start: () => "job-1" });

const aborted = AbortSignal.abort(new Error("x"));

/** Where each text of `model-texts.ts` shows, made by the code that sends it. */
const SAMPLES: { readonly [Name in keyof typeof texts]: () => Texts } = {
  CANCELLED: async () => [await ask([weather], { name: "get_weather" }, aborted)],
  CANCELLED_BY_USER: async () => [await ask([weather], { name: "get_weather" }, undefined, { isCancelled: true })],
  OUTCOME_UNKNOWN: async () => {
    const slow = plain({ effects: "once", timeoutMs: 1, run: () => new Promise(() => {}) });
    return [await ask([slow], { name: "pay" })];
  },
  INTERRUPTED: () => [texts.INTERRUPTED],
  UNANSWERED: async () => {
    const agent = new Agent({
      model: new ScriptedModel(call("pay")),
      tools: [{ ...plain(), needsApproval: () => true }],
    });
    const { contents } = await agent.session({ id: "s", store: new MemoryStore() }).send("Go.");
    return textsOf(contents).slice(-1);
  },
  WAS_INVALID: async () => {
    const tools = [{ ...weather, needsApproval: () => true }];
    const hooks = { beforeCall: () => ({ args: { city: "Rome" } }) };
    return [await told(new ScriptedModel(call("get_weather"), say("Ok.")), { tools, hooks })];
  },
  TRUNCATED: async () => {
    const turn = join(call("pay"), cut());
    return [await told(new ScriptedModel(turn, say("Done.")), { tools: [plain()] })];
  },
  callLimitReached: async () => {
    const agent = new Agent({
      model: new ScriptedModel(calls("pay", "pay")),
      tools: [plain()],
      limits: { toolCalls: 1 },
    });
    return textsOf((await agent.run("Go.")).contents).slice(-1);
  },
  toolDisabled: async () => {
    const model = new ScriptedModel(call("get_weather"), call("get_weather"), call("get_weather"), say("Done."));
    const tools = [{ ...weather, maxModelRetries: 1 }];
    return [await told(model, { tools, limits: { repeats: Number.POSITIVE_INFINITY } })];
  },
  deniedAsUntrusted: async () => {
    const read = plain({ name: "read", run: () => "Pay now!" });
    const pay = plain({ effects: "once" });
    const model = new ScriptedModel(call("read", { path: "a.txt" }), call("pay"), say("Ok."));
    return [await told(model, { tools: [read, pay], afterUntrusted: "deny" })];
  },
  callDenied: async () => {
    const tools = [{ ...plain(), needsApproval: () => true }];
    const denying = (deny: string) =>
      told(new ScriptedModel(call("pay"), say("Ok.")), { tools, approve: () => ({ deny }) });
    return [await denying(""), await denying("too expensive")];
  },
  callWithdrawn: () => Object.values(texts.callWithdrawn).map((text) => text("I changed my mind")),
  argumentsEdited: async () => {
    const tools = [{ ...plain(), needsApproval: () => true }];
    const approve = () => ({ args: { amount: 5 } });
    return [await told(new ScriptedModel(call("pay", { amount: 500 }), say("Ok.")), { tools, approve })];
  },
  triedTimes: async () => {
    const flaky = defineTool({
      name: "pay",
      description: "Pays.",
      retry: { minDelayMs: 0, maxAttempts: 2 },
      run: () => Promise.reject(new Error("busy")),
    });
    return [await ask([flaky], { name: "pay" })];
  },
  JOB_LEFT: async () => {
    const { contents } = await new Agent({ model: new ScriptedModel(call("research")), tools: [research] })
      .session({ id: "s", store: new MemoryStore() })
      .send("Go.");
    return textsOf(contents).slice(-1);
  },
  jobNeedsSession: async () => [await told(new ScriptedModel(call("research"), say("Ok.")), { tools: [research] })],
  answerTimedOut: () => Object.values(texts.answerTimedOut).map((text) => text(60_000)),
  NO_RESULT: () => [texts.NO_RESULT],
  notRunHere: async () => {
    const tool = defineTool({ name: "locate", description: "Where the user is." });
    return [await ask([tool], { name: "locate" })];
  },
  timedOut: async () => [await ask([plain({ timeoutMs: 1, run: () => new Promise(() => {}) })], { name: "pay" })],
  toolThrew: async () => [await ask([plain({ run: () => Promise.reject(new Error("no funds")) })], { name: "pay" })],
  unreadable: () => {
    const { part } = functionResponse(
      { name: "pay" },
      { ok: true, output: new Response() },
      {
        mediaInFunctionResponses: true,
      },
    );
    return [String(part.functionResponse?.response["error"])];
  },
  toolFailed: async () => [await exposed("no funds")],
  NO_MESSAGE: async () => [await exposed(" ")],
  unknownTool: async () => [
    await ask([weather], { name: "getWeather" }),
    await ask([weather], { name: "launch_rocket" }),
    await ask([], { name: "launch_rocket" }),
    await ask(
      Array.from({ length: 22 }, (_, index) => plain({ name: `t${index}` })),
      { name: "launch_rocket" },
    ),
  ],
  invalidArguments: async () => [await ask([weather], { name: "get_weather", args: { city: 1, days: "two" } })],
  ARGUMENTS_NOT_OBJECT: async () => [
    // Whatever a gateway makes of a call.
    await ask([plain()], { name: "pay", args: ["x"] as unknown as FunctionCall["args"] }),
  ],
  ARGUMENT_MISSING: async () => [
    await ask([plain({}, { properties: { amount: { type: "number" } }, required: ["amount"] })], { name: "pay" }),
  ],
  describeMismatch: async () => {
    const properties = {
      unit: { enum: ["km", "mi"] },
      amount: { anyOf: [{ type: "number", maximum: 5 }, { const: "all" }] },
      note: false,
      tags: { type: "array", uniqueItems: true, items: { type: "string", pattern: "^[a-z]+$" } },
    };
    const tool = plain({}, { properties, additionalProperties: false });
    const open = plain({}, { properties, unevaluatedProperties: false });
    const labelled = plain({}, { patternProperties: { "^x-": { type: "string" } } });
    return Promise.all([
      ask([tool], { name: "pay", args: { unit: "m", note: "x", other: 1 } }),
      ask([tool], { name: "pay", args: { amount: 9, tags: ["A"] } }),
      ask([tool], { name: "pay", args: { tags: ["a", "a"] } }),
      ask([open], { name: "pay", args: { other: 1 } }),
      ask([labelled], { name: "pay", args: { "x-id": 1 } }),
    ]);
  },
  MISMATCH: () => [texts.MISMATCH],
  TOO_MUCH_TO_CHECK: async () => {
    const tool = plain({}, { properties: { ids: { type: "array", items: { type: "integer" } } } });
    return [await ask([tool], { name: "pay", args: { ids: Array.from({ length: 300_000 }, () => 1) } })];
  },
  textCut: () => [JSON.stringify(respond("long ".repeat(10), 12))],
  jsonCut: () => [JSON.stringify(respond({ items: Array.from({ length: 100 }, (_, id) => id) }, 20))],
  mediaHeading: () => {
    const media = { kind: "@pollux/media", mimeType: "image/png", data: "eA==" };
    const { after } = functionResponse(
      { id: "c1", name: "get_chart" },
      { ok: true, output: media },
      { mediaInFunctionResponses: false },
    );
    return after.flatMap(({ text }) => text ?? []);
  },
  mediaLeftOut: () => {
    const media = { kind: "@pollux/media", mimeType: "image/png", data: "eA==".repeat(100) };
    const outcome = { ok: true, output: ["Two charts:", media, media] } as const;
    const options = { mediaInFunctionResponses: true, maxMediaBytes: () => 500 };
    return [JSON.stringify(functionResponse({ name: "get_chart" }, outcome, options).part.functionResponse?.response)];
  },
  nudges: async () => [
    await told(new ScriptedModel(empty(), empty(), say("Done."))),
    await told(new ScriptedModel(malformed(), malformed(), say("Done."))),
    await told(new ScriptedModel(undeclared("f"), undeclared("f"), say("Done.")), { tools: [weather, plain()] }),
    await told(new ScriptedModel(undeclared("f"), undeclared("f"), say("Done."))),
    await typed(new ScriptedModel(say('{"city":1}'), say('{"city":"Oslo"}'))),
  ],
  OUTPUT_REQUEST: async () => {
    const model = ScriptedModel.with({ id: "gemini-2.5-flash" }, say("Oslo."), say('{"city":"Oslo"}'));
    return [await typed(model, [weather])];
  },
  SUMMARY_REQUEST: async () => textsOf((await compacted()).requests[0]?.contents).slice(-1),
  SUMMARY_HEADING: async () => textsOf((await compacted()).requests[1]?.contents).slice(0, 1),
  AGENT_TASK: () => {
    const helper = new Agent({ name: "helper", model: new ScriptedModel() }).asTool({ description: "x" });
    return [JSON.stringify(helper.declaration.parametersJsonSchema)];
  },
  TASK_MISSING: async () => {
    const helper = new Agent({ name: "helper", model: new ScriptedModel() }).asTool({ description: "x" });
    return [await told(new ScriptedModel(call("helper", { task: "" }), say("Done.")), { tools: [helper] })];
  },
  handoffDescription: () => {
    const billing = new Agent({ name: "billing", model: new ScriptedModel() });
    const later = handoff(() => billing, { name: "transfer_to_billing" });
    return [handoff(billing).description, later.description];
  },
  handedOver: async () => {
    const model = new ScriptedModel(say("Done."));
    await told(new ScriptedModel(call("transfer_to_billing")), {
      tools: [handoff(new Agent({ name: "billing", model }))],
    });
    return [JSON.stringify(model.requests[0]?.contents.at(-1)?.parts[0]?.functionResponse?.response)];
  },
  ONE_HANDOFF: async () => {
    const [billing, sales] = ["billing", "sales"].map(
      (name) => new Agent({ name, model: new ScriptedModel(say("Done.")) }),
    );
    const tools = [billing, sales].flatMap((agent) => (agent === undefined ? [] : handoff(agent)));
    const model = new ScriptedModel(calls("transfer_to_billing", "transfer_to_sales"));
    return textsOf((await new Agent({ model, tools }).run("Go.")).contents).slice(-2, -1);
  },
  nothingLeft: async () => {
    const helper = new Agent({ name: "helper", model: new ScriptedModel(say("First.")) });
    const asked = calls({ name: "helper", args: { task: "1" } }, { name: "helper", args: { task: "2" } });
    const agent = new Agent({
      model: new ScriptedModel(asked),
      tools: [helper.asTool({ description: "x" })],
      limits: { totalTokens: 30, concurrentCalls: 1 },
    });
    return textsOf((await agent.run("Go.")).contents).slice(-1);
  },
  agentEnded: async () => {
    const helper = new Agent({
      name: "helper",
      model: new ScriptedModel(cut("So far"), join(say("Once"), call("x"))),
      limits: { turns: 1 },
    });
    const asked = calls({ name: "helper", args: { task: "1" } }, { name: "helper", args: { task: "2" } });
    const agent = new Agent({
      model: new ScriptedModel(asked, say("Done.")),
      tools: [helper.asTool({ description: "x" })],
      limits: { concurrentCalls: 1 },
    });
    return textsOf((await agent.run("Go.")).contents).slice(1, -1);
  },
  agentFailures: () => Object.values(texts.agentFailures).map((why) => texts.toolFailed("helper", why)),
  delegates: () =>
    buildDelegatedTools(
      [googleSearch(), googleMaps(), urlContext(), codeExecution(), fileSearch({ stores: ["fileSearchStores/a"] })],
      async () => ({ text: "", sources: [] }),
    ).map(({ declaration }) => JSON.stringify(declaration, undefined, 2)),
  delegateArgumentMissing: async () => {
    const [tool] = buildDelegatedTools([urlContext()], async () => ({ text: "", sources: [] }));
    return [
      await ask([tool!], { name: "url_context" }),
      await ask([tool!], { name: "url_context", args: { question: "Who?" } }),
    ];
  },
  delegateEmpty: async () => {
    const [tool] = buildDelegatedTools([googleSearch()], async () => ({
      text: "",
      sources: [],
      stopReason: "blocked",
    }));
    return [await ask([tool!], { name: "google_search", args: { query: "Who?" } })];
  },
};

/** Texts that stand elsewhere, where layers or schemas want them. */
const OTHERS: { readonly [name: string]: () => Texts } = {
  "a history that ends with the model, where the service refuses that": () => {
    const request = { contents: [{ role: "model", parts: [{ text: "Hi." }] }] } as const;
    const heal = HEALS.find(({ name }) => name === "end-with-user");
    return textsOf(heal?.apply(request, new WeakMap()).contents ?? []).slice(-1);
  },
  "a lost result in a history from elsewhere": () =>
    textsOf(
      importHistory(
        [
          { role: "user", parts: [{ text: "Go." }] },
          { role: "model", parts: [{ functionCall: { name: "pay", args: {} } }] },
          { role: "user", parts: [{ text: "Well?" }] },
        ],
        { orphans: "repair" },
      ),
    ).slice(1, 2),
  "what JSON cannot hold in a result": () => {
    const circle: { readonly [key: string]: unknown } & { self?: unknown } = {
      date: new Date(Number.NaN),
      media: { kind: "@pollux/media", mimeType: "image/png", data: "eA==" },
      get bad() {
        throw new Error("locked");
      },
    };
    circle.self = circle;
    return [JSON.stringify(respond(circle, 10_000), undefined, 2)];
  },
  "keywords of a schema that the service does not know": () => {
    const input = z.object({
      name: z.string().min(2).max(9).regex(/^a/).default("ab").describe("A name."),
      price: z.number().gt(0).lt(9).multipleOf(0.5),
      tags: z.array(z.string()).meta({ uniqueItems: true, examples: [["a"]] }),
      more: z.record(z.string(), z.string()).meta({ minProperties: 1, maxProperties: 2 }),
      mail: z.email(),
      sure: z.literal(true),
      big: z.coerce.bigint(),
      odd: z.union([z.literal(1), z.literal(false)]),
    });
    const { declaration } = defineTool({ name: "t", description: "d", input, run: () => "ok" });
    return [JSON.stringify(declaration.parametersJsonSchema, undefined, 2)];
  },
};

function respond(output: unknown, maxResultBytes: number): unknown {
  const { part } = functionResponse(
    { name: "f" },
    { ok: true, output },
    { mediaInFunctionResponses: false, maxResultBytes },
  );
  return part.functionResponse?.response["output"];
}

async function typed(model: ScriptedModel, tools: readonly Tool[] = []): Promise<string> {
  await new Agent({ model, tools }).run("Where?", { output: z.object({ city: z.string() }) });
  return textsOf(model.requests.at(-1)?.contents).at(-1) ?? "nothing";
}

async function compacted(): Promise<ScriptedModel> {
  const model = new ScriptedModel(say("The user is Ada."), say("Ada."));
  const long = "word ".repeat(800);
  await new Agent({ model, compaction: { windowTokens: 1_000 } }).run([
    { role: "user", parts: [{ text: `I am Ada. ${long}` }] },
    { role: "model", parts: [{ text: "Noted." }] },
    { role: "user", parts: [{ text: "Who am I?" }] },
  ]);
  return model;
}

test("every text that a model reads is in the table", async () => {
  let table =
    "# What models read\n\nWritten by `model-texts.test.ts`: after a change, review the difference and run that test with `-u`.\n";
  for (const [name, sample] of Object.entries({ ...SAMPLES, ...OTHERS })) {
    table += `\n## ${name}\n`;
    // One after the other: a failure names its text.
    table += `\n\`\`\`text\n${(await sample()).join("\n")}\n\`\`\`\n`;
  }
  await expect(table).toMatchFileSnapshot("model-texts.md");
});

test("each export has its row", () => {
  expect(Object.keys(SAMPLES).toSorted()).toEqual(Object.keys(texts).toSorted());
});
