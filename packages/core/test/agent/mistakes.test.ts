import {
  Agent,
  type AgentOptions,
  type Content,
  type ContinueOptions,
  defineTool,
  gemini,
  type GeminiOptions,
  google,
  googleSearch,
  type RunInput,
  type RunOptions,
  type SendOptions,
} from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
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
  'model must be a model id, such as "gemini-flash-latest", or made by gemini(); google() makes an endpoint';
const notTool = (at: number): string =>
  `tools[${at}] is not a tool: use defineTool() for a function, googleSearch() for the service's own, agent.asTool() for an agent, and await a promise`;

/** Options that an agent and a run have in common. */
const SHARED: readonly (readonly [options: object, problem: string])[] = [
  [{ system: "Be brief." }, 'there is no option "system": use instructions'],
  [{ systemInstruction: "Be brief." }, 'there is no option "systemInstruction": use instructions'],
  [{ maxSteps: 5 }, 'there is no option "maxSteps": use limits: { turns: … }'],
  [{ prompt: "Hi." }, 'there is no option "prompt": pass it as the first argument of run()'],
  [{ messages: [] }, 'there is no option "messages": pass it as the first argument of run()'],
  [{ schema }, 'there is no option "schema": use run(input, { output: schema })'],
  [
    { config: { temperature: 0 } },
    'there is no option "config": its members are options of their own, such as temperature',
  ],
  [
    { generationConfig: { temperature: 0 } },
    'there is no option "generationConfig": its members are options of their own, such as temperature',
  ],
  [{ abortSignal: AbortSignal.abort() }, 'there is no option "abortSignal": use signal, an option of run()'],
  [{ apiKey: "secret" }, 'there is no option "apiKey": use endpoint: google({ apiKey: … })'],
  [{ maxRetries: 1 }, 'there is no option "maxRetries": use gemini(id, { retry: { maxAttempts: … } })'],
  [{ fetch }, 'there is no option "fetch": use model: gemini(id, { fetch: … })'],
  [{ temprature: 0 }, 'there is no option "temprature"; did you mean "temperature"?'],
  [{ color: "red" }, 'there is no option "color"'],
  [{ limits: { maxSteps: 5 } }, 'limits: there is no option "maxSteps": use turns'],
  [{ limits: { outputToken: 5 } }, 'limits: there is no option "outputToken"; did you mean "outputTokens"?'],
  [{ hooks: { beforeCal: () => {} } }, 'hooks: there is no option "beforeCal"; did you mean "beforeCall"?'],
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

  test.each<[unknown, string]>([
    [model, "the options must be an object, got string"],
    [undefined, "the options must be an object, got undefined"],
    [{ model, output: schema }, 'there is no option "output": pass it to run()'],
    [{ model, signal: AbortSignal.abort() }, 'there is no option "signal": pass it to run()'],
    [{}, NO_MODEL],
    [{ model: foreignModel }, NO_MODEL],
    [{ model: google({ apiKey: "k" }) }, NO_MODEL],
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
    [null, "run(): the options must be an object, got null"],
    ["brief", "run(): the options must be an object, got string"],
  ])("with %o says what is wrong", async (options, message) => {
    await expect(face(agent(), "Hi.", untyped<RunOptions>(options))).rejects.toThrow(new TypeError(message));
  });

  test.each<[input: unknown, message: string]>([
    [
      [{ role: "user", content: "Hi." }],
      'contents[0] has no list of parts: write { role: "user", parts: [{ text: "…" }] }',
    ],
    [
      [content("user", "Hi."), { role: "assistant", parts: [{ text: "Hi." }] }],
      'contents[1] has the role "assistant": say "model"',
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
      "a part of the input is a content, or of another library: write a text as a string, a file as media(…), and contents in a list of their own",
    ],
    [
      ["Hi.", content("user", "Hi.")],
      "a part of the input is a content, or of another library: write a text as a string, a file as media(…), and contents in a list of their own",
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

  test("of a chat, a session or a count of tokens is found as well, and nothing is stored", async () => {
    expect(() => agent.chat().stream("Hi.", wrong)).toThrow(`run(): ${problem}`);
    await expect(agent.chat().send("Hi.", wrong)).rejects.toThrow(`run(): ${problem}`);
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

  test("of a session is not one of a run", async () => {
    await expect(agent.session().send("Hi.", untyped<RunOptions & SendOptions>({ approvals: {} }))).rejects.toThrow(
      'send(): there is no option "approvals"',
    );
    await expect(agent.run("Hi.", untyped<RunOptions>({ whileRunning: "wait" }))).rejects.toThrow(
      'run(): there is no option "whileRunning"',
    );
  });

  test("where a chat or a session is made", () => {
    expect(() => agent.chat(untyped({ messages: [] }))).toThrow('chat(): there is no option "messages": use history');
    expect(() => agent.session(untyped({ titel: "Trip" }))).toThrow(
      'session(): there is no option "titel"; did you mean "title"?',
    );
  });

  test.each<[options: object, problem: string]>([
    [{ apiKey: "k" }, 'there is no option "apiKey": use endpoint: google({ apiKey: … })'],
    [{ baseURL: "x" }, 'there is no option "baseURL": use endpoint: endpoint({ baseUrl: …, apiKey: … })'],
    [{ maxRetries: 1 }, 'there is no option "maxRetries": use gemini(id, { retry: { maxAttempts: … } })'],
    [{ trafic: {} }, 'there is no option "trafic"; did you mean "traffic"?'],
  ])("of a model: %o", (options, expected) => {
    expect(() => gemini(model, untyped<GeminiOptions>(options))).toThrow(new TypeError(`gemini(): ${expected}`));
  });

  test("where a model or an endpoint takes something else", () => {
    expect(() => gemini(untyped({ model }))).toThrow('gemini() takes a model id, such as "gemini-flash-latest"');
    expect(() => google(untyped(model))).toThrow(
      "google() makes an endpoint, and takes its options; a model id is for gemini() or model",
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

test("a history that needs no change keeps its contents", () => {
  const history = [content("user", "Hi."), content("model", "Ho.")];
  const chat = new Agent({ model: new ScriptedModel() }).chat({ history: [...history, { role: "model" }] });
  expect(chat.history).toHaveLength(2);
  for (const [at, one] of history.entries()) expect(chat.history[at]).toBe(one);
});
