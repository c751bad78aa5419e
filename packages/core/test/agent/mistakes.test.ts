import {
  Agent,
  type AgentOptions,
  type AgentToolOptions,
  type Content,
  ConfigurationError,
  type ContinueOptions,
  defineTool,
  endpoint,
  gemini,
  type GeminiOptions,
  geminiApi,
  googleSearch,
  MemoryStore,
  type RunInput,
  type RunOptions,
  type SendOptions,
  Traffic,
} from "@pollux/core";
import { embed, embedMany } from "@pollux/core/resources";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces } from "../helpers/faces.ts";

const model = "gemini-flash-latest";
const schema = z.object({ city: z.string() });
const now = defineTool({ name: "now", description: "The time.", run: () => 1 });

const content = (role: "user" | "model", text: string): Content => ({ role, parts: [{ text }] });

/** What JavaScript passes, as the type that TypeScript would insist on. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says which
const untyped = <T>(value: unknown): T => value as T;

/** A model of the AI SDK. */
const foreignModel = { specificationVersion: "v3", provider: "google", modelId: "gemini-3.8-flash", doGenerate() {} };
/** A tool of the AI SDK. */
const foreignTool = { description: "The time.", inputSchema: schema, execute: () => 1 };

const NO_MODEL =
  'model must be a model id, such as "gemini-flash-latest", or made by gemini(); geminiApi() makes an endpoint';
const notTool = (at: number): string =>
  `tools[${at}] is not a tool: use defineTool() for a function, googleSearch() for the service's own, agent.asTool() for an agent, and await a promise`;

/** Options that an agent and a run have in common. */
const SHARED: readonly (readonly [options: object, problem: string])[] = [
  [{ system: "Be brief." }, 'there is no option "system": use instructions'],
  [{ systemInstruction: "Be brief." }, 'there is no option "systemInstruction": use instructions'],
  [{ maxSteps: 5 }, 'there is no option "maxSteps": use limits: { turns: … }'],
  [{ prompt: "Hi." }, 'there is no option "prompt": pass it as the first argument of run()'],
  [{ messages: [] }, 'there is no option "messages": pass it as the first argument of run()'],
  [{ schema }, 'there is no option "schema": use output: schema'],
  [{ config: { temperature: 0 } }, 'there is no option "config": use settings: { temperature: … }'],
  [{ generationConfig: { temperature: 0 } }, 'there is no option "generationConfig": use settings: { temperature: … }'],
  [{ abortSignal: AbortSignal.abort() }, 'there is no option "abortSignal": use signal, an option of run()'],
  [{ apiKey: "secret" }, 'there is no option "apiKey": use endpoint: geminiApi({ apiKey: … })'],
  [{ maxRetries: 1 }, 'there is no option "maxRetries": use gemini(id, { retry: { maxAttempts: … } })'],
  [{ fetch }, 'there is no option "fetch": use model: gemini(id, { fetch: … })'],
  [{ temperature: 0 }, 'there is no option "temperature": use settings: { temperature: … }'],
  [{ temprature: 0 }, 'there is no option "temprature": use settings: { temperature: … }'],
  [{ settings: { temprature: 0 } }, 'settings: there is no option "temprature"; did you mean "temperature"?'],
  [{ settings: { maxTokens: 9 } }, 'settings: there is no option "maxTokens": use maxOutputTokens'],
  [
    { settings: { candidateCount: 2 } },
    'settings: there is no option "candidateCount": a run follows one answer: run again for another',
  ],
  [{ candidateCount: 2 }, 'there is no option "candidateCount": a run follows one answer: run again for another'],
  [{ maxRepeats: 2 }, 'there is no option "maxRepeats": use limits: { repeats: … }'],
  [{ maxRestarts: 2 }, 'there is no option "maxRestarts": use limits: { restarts: … }'],
  [{ maxRequestsPerTurn: 9 }, 'there is no option "maxRequestsPerTurn": use limits: { requestsPerTurn: … }'],
  [{ timeout: 9 }, 'there is no option "timeout": use limits: { wallTimeMs: … }'],
  [{ handoffs: [] }, 'there is no option "handoffs": use tools: [handoff(agent)]'],
  [{ subAgents: [] }, 'there is no option "subAgents": use tools: [handoff(agent)]'],
  [{ description: "x" }, 'there is no option "description": pass it to handoff() or asTool()'],
  [{ inputGuardrails: [] }, 'there is no option "inputGuardrails": use guardrails: { input: […] }'],
  [{ outputGuardrails: [] }, 'there is no option "outputGuardrails": use guardrails: { output: […] }'],
  [{ experimental_output: schema }, 'there is no option "experimental_output": use output: schema'],
  [{ generateContentConfig: {} }, 'there is no option "generateContentConfig": use settings: { temperature: … }'],
  [{ beforeModelCallback() {} }, 'there is no option "beforeModelCallback": use hooks: { prepareTurn }'],
  [{ beforeToolCallback() {} }, 'there is no option "beforeToolCallback": use hooks: { beforeCall }'],
  [{ afterToolCallback() {} }, 'there is no option "afterToolCallback": use hooks: { afterCall }'],
  [{ middleware: [] }, 'there is no option "middleware": use hooks or observers'],
  [{ checkpointer: {} }, 'there is no option "checkpointer": use agent.session({ store })'],
  [{ mcpServers: [] }, 'there is no option "mcpServers": use tools, with mcpTools() of @pollux/tools/mcp'],
  [{ toolUseBehavior: "x" }, 'there is no option "toolUseBehavior": use endsRun, an option of a tool'],
  [{ maxTokens: 9 }, 'there is no option "maxTokens": use settings: { maxOutputTokens: … }'],
  [{ requestsPerTurn: 9 }, 'there is no option "requestsPerTurn": use limits: { requestsPerTurn: … }'],
  [{ color: "red" }, 'there is no option "color"'],
  [{ limits: { maxSteps: 5 } }, 'limits: there is no option "maxSteps": use turns'],
  [{ limits: { outputToken: 5 } }, 'limits: there is no option "outputToken"; did you mean "outputTokens"?'],
  [{ hooks: { beforeCal: () => {} } }, 'hooks: there is no option "beforeCal"; did you mean "beforeCall"?'],
  [{ guardrails: [() => undefined] }, "guardrails must be { input: […], output: […] }"],
  [{ guardrails: { inputs: [] } }, 'guardrails: there is no option "inputs"; did you mean "input"?'],
  [{ guardrails: { input: () => undefined } }, 'guardrails.input must be a list of { name: "…", check: function }'],
  [{ guardrails: { output: [() => undefined] } }, 'guardrails.output must be a list of { name: "…", check: function }'],
  [
    { guardrails: { input: [{ check: () => undefined }] } },
    'guardrails.input must be a list of { name: "…", check: function }',
  ],
  [{ guardrails: { streaming: "buffer" } }, 'guardrails.streaming must be "hold" or "show", got "buffer"'],
  [{ hooks: { beforeCall: true } }, "hooks.beforeCall must be a function, got boolean"],
  [{ approve: true }, "approve must be a function, got boolean"],
  [{ hooks: { prepareTurn: {} } }, "hooks.prepareTurn must be a function, got object"],
  [{ prepareStep: () => ({}) }, 'there is no option "prepareStep": use hooks: { prepareTurn }'],
  [{ onStepFinish() {} }, 'there is no option "onStepFinish": use observers'],
  [{ experimental_context: {} }, 'there is no option "experimental_context": use context, an option of run()'],
  [{ history: [] }, 'there is no option "history": use agent.session({ history })'],
  [{ stopWhen: () => true }, "stopWhen must be a list of rules; for a number of turns, use limits: { turns: … }"],
  [
    { tools: { now } },
    "tools must be a list, in which each tool has its own name: tools: [getWeather, googleSearch()]",
  ],
  [{ tools: [now, foreignTool] }, notTool(1)],
  [{ tools: [{ functionDeclarations: [] }] }, notTool(0)],
  [{ tools: [{ googleSearch: {} }] }, notTool(0)],
  [{ tools: [googleSearch] }, notTool(0)],
  [{ tools: [now, undefined] }, notTool(1)],
  [{ tools: [Promise.resolve(now)] }, notTool(0)],
  [{ tools: [new Agent({ model })] }, notTool(0)],
];

/** The message without what took the options. */
const withoutPlace = (message: string): string => message.replace(/^[\w ]+\(\): /, "");

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

describe("an agent made from", () => {
  test.each(SHARED)("%o says what is wrong", (options, problem) => {
    expect(withoutPlace(messageOf(() => new Agent(untyped<AgentOptions>({ model, ...options }))))).toBe(problem);
  });

  test.each<[options: object, problem: string]>([
    [{ limits: { concurrentCalls: 0 } }, "limits.concurrentCalls must be at least 1, got 0"],
    [{ limits: { concurrentCalls: Number.NaN } }, "limits.concurrentCalls must be at least 1, got NaN"],
    [{ limits: { concurrentCalls: "2" } }, "limits.concurrentCalls must be at least 1, got a string"],
    [{ limits: { repeats: 0 } }, "limits.repeats must be at least 1, got 0"],
    [{ limits: { restarts: -1 } }, "limits.restarts must be at least 0, got -1"],
    [{ limits: { requestsPerTurn: 0 } }, "limits.requestsPerTurn must be at least 1, got 0"],
    [{ observers: [() => {}] }, "observers[0] must be an object with methods, got a function"],
    [{ observers: [undefined] }, "observers[0] must be an object with methods, got undefined"],
  ])("%o, which would never do what was meant", (options, problem) => {
    expect(() => new Agent(untyped<AgentOptions>({ model, ...options }))).toThrow(new TypeError(problem));
  });

  test.each<[unknown, string]>([
    [model, "the options must be an object, got string"],
    [undefined, "the options must be an object, got undefined"],
    [{ model, signal: AbortSignal.abort() }, 'there is no option "signal": pass it to run()'],
    [{}, NO_MODEL],
    [{ model: foreignModel }, NO_MODEL],
    [{ model: geminiApi({ apiKey: "k" }) }, NO_MODEL],
  ])("%o says what is wrong", (options, problem) => {
    expect(messageOf(() => new Agent(untyped<AgentOptions>(options)))).toBe(`new Agent(): ${problem}`);
  });

  test("options that are undefined takes them as absent, and an instance of a class may have more members", () => {
    class Settings {
      readonly model = model;
      readonly source = "settings.json";
    }
    expect(() => new Agent(untyped<AgentOptions>({ model, maxSteps: undefined }))).not.toThrow();
    expect(() => new Agent(new Settings())).not.toThrow();
  });

  test("other members of such an instance are no options of its runs, whatever their names", async () => {
    class Settings {
      readonly model = new ScriptedModel(say("Hello."));
      readonly extraTools = "tools.json";
      readonly metadata = "settings";
      readonly signal = AbortSignal.abort();
    }
    expect((await new Agent(new Settings()).run("Hi.")).text).toBe("Hello.");
  });

  test("an instance of a class counts with the members that its class has", async () => {
    class Settings {
      get model() {
        return new ScriptedModel(({ instructions }) => say(`${instructions}`));
      }
      get instructions() {
        return "Be brief.";
      }
    }
    class Run {
      get instructions() {
        return "Be long.";
      }
    }
    expect((await new Agent(new Settings()).run("Hi.")).text).toBe("Be brief.");
    expect((await new Agent(new Settings()).run("Hi.", new Run())).text).toBe("Be long.");
  });

  test("a message never has the value of an option, which may be a key", () => {
    expect(messageOf(() => new Agent(untyped<AgentOptions>({ model, apiKey: "secret" })))).not.toContain("secret");
  });
});

describe.each(faces)("%s", (_name, face) => {
  const agent = (): Agent => new Agent({ model: new ScriptedModel() });

  test.each(SHARED)("with %o says what is wrong", async (options, problem) => {
    const failure = face(agent(), "Hi.", untyped<RunOptions>(options));
    await expect(failure.catch((error: Error) => withoutPlace(error.message))).resolves.toBe(problem);
  });

  test.each<[options: unknown, message: string]>([
    [{ model }, 'run(): there is no option "model": pass it to new Agent()'],
    [{ output: { schema } }, "output must be the schema itself: output: schema"],
    [
      { output: { type: "object", responseFormat: {}, parseOutput() {} } },
      "output must be the schema itself: output: schema",
    ],
    [{ output: { jsonSchema: {}, validate() {} } }, "output must be the schema itself: output: schema"],
    [{ signal: new AbortController() }, "signal must be an AbortSignal, such as controller.signal"],
    [{ reads: "untrustd" }, 'reads must be "trusted" or "untrusted" or "private", got "untrustd"'],
    [{ reads: ["private", "secret"] }, 'reads must be "trusted" or "untrusted" or "private", got "secret"'],
    [{ historyReads: null }, 'historyReads must be "trusted" or "untrusted" or "private", got object'],
    [{ limits: { turns: "5" } }, "limits.turns must be a positive number, got string"],
    [{ prices: { inputTokens: 1 } }, 'prices: there is no option "inputTokens"'],
    [{ prices: { input: 1 } }, "prices.output is missing"],
    [{ compaction: { maxTokens: 1 } }, 'compaction: there is no option "maxTokens"'],
    [{ compaction: true }, "compaction: the options must be an object, got boolean"],
    [schema, "run(): the options are a schema: use { output: schema }"],
    [null, "run(): the options must be an object, got null"],
    ["brief", "run(): the options must be an object, got string"],
  ])("with %o says what is wrong", async (options, message) => {
    await expect(face(agent(), "Hi.", untyped<RunOptions>(options))).rejects.toThrow(new TypeError(message));
  });

  test("with an output that is an object of schemas says what is wrong", async () => {
    await expect(face(agent(), "Hi.", untyped<RunOptions>({ output: { city: z.string() } }))).rejects.toThrow(
      new ConfigurationError(
        "output: the schema is an object of schemas: wrap it, as in z.object({ city: z.string() })",
      ),
    );
  });

  test.each<[toolChoice: unknown, message: string]>([
    [{ type: "tool", toolName: "now" }, 'toolChoice must be "auto", "required", "none" or { only: ["get_weather"] }'],
    [{ only: "now" }, 'toolChoice must be "auto", "required", "none" or { only: ["get_weather"] }'],
    ["now", 'toolChoice is "now": it must be "auto", "required", "none" or { only: ["now"] }'],
  ])("with the tool choice %o says what there is", async (toolChoice, message) => {
    await expect(face(agent(), "Hi.", untyped<RunOptions>({ tools: [now], toolChoice }))).rejects.toThrow(
      new ConfigurationError(message),
    );
  });

  test.each<[verdict: unknown]>([
    [true],
    [false],
    ["no"],
    [{ block: "no" }],
    [{ stop: true }],
    [{ replace: 5 }],
    [{ answer: "" }],
  ])("fails when a guardrail answers %o: it may be a stop that was misspelled", async (verdict) => {
    const check = (): undefined => untyped<undefined>(verdict);
    for (const side of ["input", "output"] as const)
      await expect(
        face(new Agent({ model: new ScriptedModel(say("Hi.")) }), "Hi.", {
          guardrails: { [side]: [{ name: "g", check }] },
        }),
      ).rejects.toThrow(
        `the ${side} guardrail "g" failed, so the run stops here: check must return nothing, { stop: "reason" }${side === "input" ? ', { answer: "text" }' : ""} or { replace: … }`,
      );
  });

  test("fails when a hook answers anything else: it may be a denial that was misspelled", async () => {
    for (const decision of [false, "no", { denied: "no" }, { deny: true }, { args: 1 }])
      await expect(
        face(new Agent({ model: new ScriptedModel(call("now"), say("1")), tools: [now] }), "Hi.", {
          hooks: { beforeCall: () => untyped<undefined>(decision) },
        }),
      ).rejects.toThrow('beforeCall must return nothing, { deny: "reason" }, { args: { … } } or { output: … }');
    await expect(
      face(new Agent({ model: new ScriptedModel(call("now"), say("1")), tools: [now] }), "Hi.", {
        hooks: { afterCall: () => untyped<undefined>("2") },
      }),
    ).rejects.toThrow("afterCall must return nothing or an outcome: { ok: true, output: … }");
  });

  test.each<[changes: object, problem: string]>([
    [{ activeTools: ["now"] }, 'there is no option "activeTools": use tools, a list of names'],
    [{ system: "Be brief." }, 'there is no option "system": use instructions'],
    [{ messages: [] }, 'there is no option "messages": use contents'],
    [{ settings: { temprature: 0 } }, 'settings: there is no option "temprature"; did you mean "temperature"?'],
  ])("fails when prepareTurn returns %o", async (changes, problem) => {
    const prepareTurn = (): undefined => untyped<undefined>(changes);
    await expect(face(agent(), "Hi.", { hooks: { prepareTurn } })).rejects.toThrow(`prepareTurn: ${problem}`);
  });

  test("takes a null of JavaScript as nothing, from a hook and from a guardrail", async () => {
    const nothing = (): undefined => untyped<undefined>(null);
    const checks = [{ name: "g", check: nothing }];
    const result = await face(
      new Agent({
        model: new ScriptedModel(call("now"), say("It is 1.")),
        tools: [now],
        hooks: { beforeCall: nothing, afterCall: nothing },
        guardrails: { input: checks, output: checks },
      }),
      "Hi.",
    );
    expect(result).toMatchObject({ stopReason: "finished", text: "It is 1." });
  });

  test.each<[input: unknown, message: string]>([
    [
      [{ role: "user", content: "Hi." }],
      'contents[0] has no list of parts: write { role: "user", parts: [{ text: "…" }] }',
    ],
    [
      [content("user", "Hi."), { role: "assistant", parts: [{ text: "Hi." }] }],
      'contents[1] has the role "assistant": use "model"',
    ],
    [
      [{ role: "system", parts: [{ text: "Be brief." }] }],
      'contents[0] has the role "system": pass it to the agent as instructions',
    ],
    [
      [{ role: "user", parts: "Hi." }],
      'contents[0] has no list of parts: write { role: "user", parts: [{ text: "…" }] }',
    ],
    [[{ role: "user" }], "the contents have no parts: describe what the agent should do"],
    [
      [{ type: "text", text: "Hi." }],
      "a part of the input is a content, or another library's part: write a text as a string, a file as media(…), and contents in a list of their own",
    ],
    [
      ["Hi.", content("user", "Hi.")],
      "a part of the input is a content, or another library's part: write a text as a string, a file as media(…), and contents in a list of their own",
    ],
    [["Hi.", null], "a part of the input is null, not a text or an object"],
    [
      { prompt: "Hi." },
      "the input must be a non-empty string, list of parts or list of contents; options are the second argument",
    ],
    [
      content("user", "Hi."),
      "the input must be a non-empty string, list of parts or list of contents; options are the second argument",
    ],
    [5, "the input must be a non-empty string, list of parts or list of contents; options are the second argument"],
  ])("of %o says what is wrong", async (input, message) => {
    await expect(face(agent(), untyped<RunInput>(input))).rejects.toThrow(new TypeError(message));
  });
});

describe("a wrong option", () => {
  const agent = new Agent({ model: new ScriptedModel() });
  const wrong = untyped<RunOptions>({ maxSteps: 5 });
  const problem = 'there is no option "maxSteps": use limits: { turns: … }';

  test("of a session or a count of tokens is found as well, and nothing is stored", async () => {
    const session = agent.session();
    expect(() => session.stream("Hi.", wrong)).toThrow(`send(): ${problem}`);
    await expect(session.send("Hi.", wrong)).rejects.toThrow(`send(): ${problem}`);
    await expect(session.resume(wrong)).rejects.toThrow(`resume(): ${problem}`);
    await expect(session.continue(untyped<RunOptions & ContinueOptions>({ ...wrong, message: "Hi." }))).rejects.toThrow(
      `continue(): ${problem}`,
    );
    expect((await session.state()).runs).toBe(0);
    await expect(agent.countTokens("Hi.", wrong)).rejects.toThrow(`run(): ${problem}`);
  });

  test("in reads, of a session or a message, names the allowed words", async () => {
    const words = 'must be "trusted" or "untrusted" or "private", got "secret"';
    expect(() => agent.session(untyped({ historyReads: "secret" }))).toThrow(new TypeError(`historyReads ${words}`));
    const misspelled = untyped<{ readonly reads: "private" }>({ reads: ["private", "secret"] });
    const session = agent.session();
    await expect(session.send("Hi.", misspelled)).rejects.toThrow(new TypeError(`reads ${words}`));
    await expect(session.steer("Hi.", misspelled)).rejects.toThrow(new TypeError(`reads ${words}`));
    expect(await session.history()).toEqual([]);
  });

  test("of a session and its messages may be members of a class", async () => {
    const store = new MemoryStore();
    class Mine {
      readonly id = "s";
      get store() {
        return store;
      }
      get owner() {
        return "ann";
      }
    }
    class Said {
      get instructions() {
        return "Be brief.";
      }
      approve() {
        return true;
      }
    }
    const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
    const scripted = new ScriptedModel(call("pay"), say("Paid."));
    const session = new Agent({ model: scripted, tools: [pay] }).session(new Mine());
    expect((await session.send("Hi.", new Said())).text).toBe("Paid.");
    expect(scripted.requests[0]?.instructions).toBe("Be brief.");
    expect(await store.list({ owner: "ann" })).toHaveLength(1);
  });

  test("of a session is one of its words", async () => {
    await expect(agent.session().send("Hi.", untyped<SendOptions>({ whileRunning: "queue" }))).rejects.toThrow(
      'whileRunning must be "refuse" or "steer" or "wait" or "replace", got "queue"',
    );
    await expect(agent.session().send("Hi.", untyped<SendOptions>({ unfinished: "drop" }))).rejects.toThrow(
      'unfinished must be "close" or "refuse" or "steer", got "drop"',
    );
  });

  test("of an agent as a tool is found as well", () => {
    expect(() => agent.asTool(untyped<AgentToolOptions>({ toolName: "helper", description: "Helps." }))).toThrow(
      'asTool(): there is no option "toolName": use name',
    );
    expect(() => agent.asTool(untyped<AgentToolOptions>(undefined))).toThrow(
      "asTool(): the options must be an object, got undefined",
    );
  });

  test("of a session is not one of a run", async () => {
    await expect(agent.session().send("Hi.", untyped<RunOptions & SendOptions>({ approvals: {} }))).rejects.toThrow(
      'send(): there is no option "approvals": pass it to session.resume()',
    );
    await expect(agent.run("Hi.", untyped<RunOptions>({ whileRunning: "wait" }))).rejects.toThrow(
      'run(): there is no option "whileRunning"',
    );
  });

  test("where a session is made", () => {
    expect(() => agent.session(untyped({ messages: [] }))).toThrow(
      'session(): there is no option "messages": use history',
    );
    expect(() => agent.session(untyped({ titel: "Trip" }))).toThrow(
      'session(): there is no option "titel"; did you mean "title"?',
    );
    expect(() => agent.session(untyped({ sessionId: "7" }))).toThrow(
      'session(): there is no option "sessionId": use id',
    );
    expect(() => agent.session(untyped({ store: "chats.sqlite" }))).toThrow(
      'store must be a store, such as new SqliteStore("chats.sqlite")',
    );
    expect(() => new Agent({ model, observers: untyped({ observe() {} }) })).toThrow(
      "observers must be a list: observers: [observer]",
    );
  });

  test.each<[options: object, problem: string]>([
    [{ apiKey: "k" }, 'there is no option "apiKey": use endpoint: geminiApi({ apiKey: … })'],
    [{ baseURL: "x" }, 'there is no option "baseURL": use endpoint: endpoint({ baseUrl: …, apiKey: … })'],
    [{ maxRetries: 1 }, 'there is no option "maxRetries": use gemini(id, { retry: { maxAttempts: … } })'],
    [{ trafic: {} }, 'there is no option "trafic"; did you mean "traffic"?'],
    [{ temperature: 0 }, 'there is no option "temperature": pass it in the settings of the agent or of run()'],
  ])("of a model: %o", (options, expected) => {
    expect(() => gemini(model, untyped<GeminiOptions>(options))).toThrow(new TypeError(`gemini(): ${expected}`));
  });

  test.each<[options: object, message: string]>([
    [
      { retry: { maxRetries: 3 } },
      'retry: there is no option "maxRetries": there are maxAttempts, minDelayMs, maxDelayMs, maxServerDelayMs',
    ],
    [{ retry: 3 }, "retry: the options must be an object, got number"],
    [{ timeouts: { total: 3 } }, 'timeouts: there is no option "total": there are firstByteMs, idleMs, totalMs'],
    [{ traffic: { maxConcurrent: 3 } }, "traffic must be made by new Traffic()"],
    [{ endpoint: "https://host.example" }, "endpoint must be made by geminiApi(), vertex(), cometapi() or endpoint()"],
  ])("of a model, inside an option: %o", (options, message) => {
    expect(() => gemini(model, untyped<GeminiOptions>(options))).toThrow(new TypeError(message));
  });

  test("of an endpoint, of traffic, of embeddings", async () => {
    expect(() => geminiApi(untyped({ key: "k" }))).toThrow('geminiApi(): there is no option "key"');
    expect(() => endpoint(untyped({ baseURL: "https://host.example" }))).toThrow(
      'endpoint(): there is no option "baseURL"; did you mean "baseUrl"?',
    );
    expect(() => new Traffic(untyped({ maxConcurrency: 3 }))).toThrow(
      'traffic: there is no option "maxConcurrency": there are maxConcurrent, maxQueued, maxQueueMs',
    );
    const embedding = { model: "gemini-embedding-2" };
    await expect(embed("Hi.", untyped({ ...embedding, dimensions: 768 }))).rejects.toThrow(
      'embed(): there is no option "dimensions": use outputDimensionality',
    );
    await expect(embedMany(["Hi."], untyped({ ...embedding, apiKey: "k" }))).rejects.toThrow(
      'embedMany(): there is no option "apiKey": use endpoint: geminiApi({ apiKey: … })',
    );
    await expect(embed(untyped({ ...embedding, value: "Hi." }), untyped(undefined))).rejects.toThrow(
      "embed() takes the input first, then the options: { model: … }",
    );
    await expect(embedMany(untyped({ ...embedding, values: ["Hi."] }), untyped(undefined))).rejects.toThrow(
      "embedMany(inputs, options) takes a list of inputs; use embed() for one",
    );
  });

  test("where a model or an endpoint takes something else", () => {
    expect(() => gemini(untyped({ model }))).toThrow('gemini() takes a model id, such as "gemini-flash-latest"');
    expect(() => geminiApi(untyped(model))).toThrow(
      "geminiApi() makes an endpoint, and takes its options; a model id is for gemini() or model",
    );
  });
});

describe.each(faces)("contents of %s", (_name, face) => {
  const sent = async (input: RunInput): Promise<unknown> => {
    const scripted = new ScriptedModel(say("ok"));
    await face(new Agent({ model: scripted }), input);
    return scripted.requests[0]?.contents;
  };

  test("may lack a role, and are left out without parts", async () => {
    expect(
      await sent([{ parts: [{ text: "Hi." }] }, { role: "model" }, { role: "user", parts: [{ text: "Yo." }] }]),
    ).toEqual([content("user", "Hi."), content("user", "Yo.")]);
  });
});

test("a history that needs no change keeps its contents", async () => {
  const history = [content("user", "Hi."), content("model", "Ho.")];
  const chat = new Agent({ model: new ScriptedModel() }).session({ history: [...history, { role: "model" }] });
  expect(await chat.history()).toHaveLength(2);
  for (const [at, one] of history.entries()) expect((await chat.history())[at]).toBe(one);
});
