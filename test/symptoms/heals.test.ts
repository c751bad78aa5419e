import {
  Agent,
  type AgentOptions,
  ApiStatusError,
  type Content,
  defineTool,
  endpoint,
  type Endpoint,
  type GeminiModel,
  googleSearch,
  type Logger,
  type ModelNotice,
  type RunInput,
} from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import {
  type Brain,
  type EmulatorOptions,
  faults,
  type FaultRequest,
  type FaultRule,
  script,
  say,
} from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventsOf, faces } from "../../packages/core/test/helpers/faces.ts";
import { ANSWER, TOOLS, trip, user } from "../support/trip.ts";
import { MODEL, openWorld, refusals } from "../support/world.ts";

const DUMMY = "skip_thought_signature_validator";
const SAYS: Brain = { answer: () => say("Hello.") };

/** Refuses every request with this text, like an endpoint that does not know it. */
function refusing(message: string, found: RegExp | ((body: string) => boolean)): FaultRule {
  const isFound = typeof found === "function" ? found : (body: string): boolean => found.test(body);
  return {
    at: ({ body }: FaultRequest) => isFound(JSON.stringify(body)),
    fault: faults.apiError(400, "INVALID_ARGUMENT", message),
  };
}

const call = (id: string, thoughtSignature?: string): Content => ({
  role: "model",
  parts: [
    {
      functionCall: { id, name: "get_weather", args: { city: "Oslo" } },
      ...(thoughtSignature !== undefined && { thoughtSignature }),
    },
  ],
});
const response = (id: string): Content => ({
  role: "user",
  parts: [{ functionResponse: { id, name: "get_weather", response: { output: 4 } } }],
});
/** A valid-looking signature of another project. */
const FOREIGN_SIGNATURE = btoa("another project's signature, as long as they are".repeat(4));

const many = defineTool({
  name: "many",
  description: "Takes one of many.",
  input: z.object({ one: z.enum(Array.from({ length: 60 }, (_, i) => `member-${i}`) as [string, ...string[]]) }),
  run: () => "ok",
});
const deep = defineTool({
  name: "deep",
  description: "Takes something deep.",
  input: z.object({ a: z.object({ b: z.array(z.object({ c: z.string().min(3).max(400) })).max(900) }) }),
  run: () => "ok",
});

interface Row {
  readonly world: EmulatorOptions;
  readonly agent?: Partial<AgentOptions>;
  readonly input?: RunInput;
  /** Notices of the first run. */
  readonly heals: readonly string[];
  /** Heals that a later run with the same model must repeat: the ones about one conversation or one request. */
  readonly again?: readonly string[];
  /** Texts that the last request must and must not have. */
  readonly has?: RegExp;
  readonly hasNot?: RegExp;
}

const ROWS: readonly (readonly [name: string, row: Row])[] = [
  [
    "old proxy: neither ids of calls nor JSON Schema are known",
    {
      world: { profile: "old-proxy", brain: trip() },
      agent: { tools: TOOLS },
      input: [user("Weather?"), call("a", DUMMY), response("a")],
      heals: ["strip-ids", "schema-subset"],
      has: /"parameters":/,
      hasNot: /"id"/,
    },
  ],
  [
    "gateway before Vertex: the flag for search beside functions is unknown",
    {
      world: { profile: "comet", brain: SAYS },
      agent: { tools: [...TOOLS, googleSearch()] },
      heals: ["drop-tool-flag"],
      hasNot: /includeServerSideToolInvocations/,
    },
  ],
  [
    "JSON Schema is unknown",
    {
      world: {
        brain: SAYS,
        faults: [
          refusing(
            `Invalid JSON payload received. Unknown name "parametersJsonSchema" at 'tools[0].function_declarations[0]': Cannot find field.`,
            /parametersJsonSchema/,
          ),
        ],
      },
      agent: { tools: TOOLS },
      heals: ["schema-subset"],
      has: /"parameters":/,
    },
  ],
  [
    "JSON Schema is unknown, in the other spelling",
    {
      world: {
        brain: SAYS,
        faults: [
          refusing(`Unknown name "parameters_json_schema" at 'tools[0]': Cannot find field.`, /parametersJsonSchema/),
        ],
      },
      agent: { tools: TOOLS },
      heals: ["schema-subset"],
      has: /"parameters":/,
    },
  ],
  ...[
    "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.",
    "Budget 0 is invalid. This model only works in thinking mode.",
    "You can only set only one of thinking budget and thinking level.",
  ].map((message): [string, Row] => [
    `thinking: ${message}`,
    {
      world: { brain: SAYS, faults: [refusing(message, /thinkingConfig/)] },
      agent: { settings: { thinking: "low" } },
      heals: ["drop-thinking"],
      hasNot: /thinkingConfig/,
    },
  ]),
  [
    "calls without a signature",
    {
      world: { brain: trip() },
      agent: { tools: TOOLS },
      input: [user("Weather?"), call("a"), response("a")],
      heals: ["sign-calls"],
      again: ["sign-calls"],
      has: new RegExp(DUMMY),
    },
  ],
  [
    "calls without a signature, in Vertex's words",
    {
      world: { profile: "comet", brain: trip() },
      agent: { tools: TOOLS },
      input: [user("Weather?"), call("a"), response("a")],
      heals: ["sign-calls"],
      again: ["sign-calls"],
      has: new RegExp(DUMMY),
    },
  ],
  [
    "a signature of someone else's",
    {
      world: { brain: trip() },
      agent: { tools: TOOLS },
      input: [user("Weather?"), call("a", FOREIGN_SIGNATURE), response("a")],
      heals: ["repeat-request", "replace-signatures"],
      again: ["repeat-request", "replace-signatures"],
      has: new RegExp(DUMMY),
      hasNot: new RegExp(FOREIGN_SIGNATURE),
    },
  ],
  [
    "the model has the last word",
    {
      world: { brain: SAYS },
      input: [user("Count."), { role: "model", parts: [{ text: "One, two," }] }],
      heals: ["end-with-user"],
      has: /Please continue\./,
    },
  ],
  [
    "a schema with too many states",
    {
      world: { brain: SAYS, strict: { maxSchemaStates: 200 } },
      agent: { tools: [deep] },
      heals: ["simplify-schema"],
      hasNot: /maxItems/,
    },
  ],
  [
    "a schema that is too deep",
    {
      world: { brain: SAYS, faults: [refusing("The request exceeds the maximum schema depth.", /maxItems/)] },
      agent: { tools: [deep] },
      heals: ["simplify-schema"],
      hasNot: /maxItems/,
    },
  ],
  [
    "a call is forced among too many values",
    {
      world: { brain: SAYS, strict: { maxForcedEnumMembers: 50 } },
      agent: { tools: [many], toolChoice: "required" },
      heals: ["any-to-auto"],
      again: ["any-to-auto"],
      has: /"mode":"AUTO"/,
    },
  ],
];

/** What a test of one row needs: its agent, and the lines it logs. */
function agentOf(model: GeminiModel, row: Row): { agent: Agent; warnings: object[] } {
  const warnings: object[] = [];
  const silent = (): void => {};
  const warn = (facts: object): void => void warnings.push(facts);
  const logger: Logger = { trace: silent, debug: silent, info: silent, warn, error: silent };
  return { agent: new Agent({ model, logger, ...row.agent }), warnings };
}

describe.each(faces)("%s", (_face, read) => {
  test.each(ROWS)("%s: changed once, and remembered", async (_name, row) => {
    await using world = await openWorld(row.world);
    const { agent, warnings } = agentOf(world.model(), row);
    const { input = "Hi.", heals, again = [] } = row;

    const first = await read(agent, input);
    expect(first.stopReason).toBe("finished");
    expect(refusals(world.emulator).map(({ number }) => number)).toEqual(heals.map((_, i) => i + 1));
    const healed = world.bodies.at(heals.length);
    if (row.has) expect(healed).toMatch(row.has);
    if (row.hasNot) expect(world.bodies.slice(heals.length).join("\n")).not.toMatch(row.hasNot);
    expect(warnings).toEqual(heals.map((heal) => expect.objectContaining({ model: MODEL, heal })));
    const count = world.bodies.length - heals.length;

    const second = await read(agent, input);
    expect(second.stopReason).toBe("finished");
    expect(refusals(world.emulator)).toHaveLength(heals.length + again.length);
    expect(world.bodies).toHaveLength(2 * count + heals.length + again.length);
  });
});

test.each(ROWS)("%s: the reader gets an event", async (_name, row) => {
  await using world = await openWorld(row.world);
  const { events } = await eventsOf(agentOf(world.model(), row).agent, row.input ?? "Hi.");
  const notices = events.flatMap((event): ModelNotice[] => (event.type === "notice" ? [event.notice] : []));
  expect(notices).toEqual(
    row.heals.map((heal) => ({ type: "heal", heal, detail: expect.stringMatching(/\.$/), breaksPrefix: false })),
  );
});

describe.each(faces)("%s", (_face, read) => {
  test.each<[string, RunInput | undefined, Partial<AgentOptions>, string]>([
    [
      "ids",
      [user("Weather?"), call("a", DUMMY), response("a")],
      {},
      `Unknown name "id" at 'contents[1].parts[0].function_call'`,
    ],
    ["schemas", undefined, {}, `Unknown name "parametersJsonSchema" at 'tools[0]'`],
    ["thinking", undefined, { settings: { thinking: "low" } }, "Budget 5 is invalid."],
    [
      "unsigned calls",
      [user("Weather?"), call("a"), response("a")],
      {},
      "Function call is missing a thought_signature in functionCall parts.",
    ],
    ["model's last word", undefined, {}, "Requests ending with a model turn are not supported."],
    ["states", undefined, {}, "The schema produces a constraint that has too many states for serving."],
  ])("what changing does not help is tried once: %s", async (_name, input, options, message) => {
    const rule = { at: () => true, fault: faults.apiError(400, "INVALID_ARGUMENT", message) };
    await using world = await openWorld({ faults: [rule] });
    const agent = new Agent({ model: world.model(), tools: TOOLS, ...options });
    const failed = await read(agent, input ?? "Hi.").catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ApiStatusError);
    expect(failed).toMatchObject({ status: 400, message: expect.stringContaining(message) });
    expect(world.bodies).toHaveLength(2);
  });

  test("a signature nobody can read: once as it was, once replaced, then no more", async () => {
    const rule = { at: () => true, fault: faults.apiError(400, "INVALID_ARGUMENT", "Corrupted thought signature.") };
    await using world = await openWorld({ faults: [rule] });
    const input = [user("Weather?"), call("a", FOREIGN_SIGNATURE), response("a")];
    await expect(read(new Agent({ model: world.model(), tools: TOOLS }), input)).rejects.toThrow("Corrupted");
    expect(world.bodies.map((body) => body.includes(DUMMY))).toEqual([false, false, true]);
  });

  test("a flag that one endpoint behind the address wants and the other does not know", async () => {
    // Without the flag, the emulator requires it like the service.
    const message = `Unknown name "includeServerSideToolInvocations" at 'tool_config': Cannot find field.`;
    const rules = [{ at: 1, fault: faults.apiError(400, "INVALID_ARGUMENT", message) }];
    await using world = await openWorld({ brain: SAYS, faults: rules });
    const result = await read(new Agent({ model: world.model(), tools: [...TOOLS, googleSearch()] }), "Hi.");
    expect(result.stopReason).toBe("finished");
    expect(world.bodies.map((body) => body.includes("includeServerSideToolInvocations"))).toEqual([true, false, true]);
  });

  test.each([
    ["is waited for", "ACTIVE", { stopReason: "finished", text: "A film." }, 2],
    ["that fails ends the run with the reason", "FAILED", { code: "file_state", state: "FAILED" }, 1],
  ])("a file the service still works on %s", async (_what, later, expected, count) => {
    let state = "PROCESSING";
    const looks: string[] = [];
    const strict = { fileState: () => (state === "ACTIVE" ? ("active" as const) : ("processing" as const)) };
    await using world = await openWorld({ brain: script([say("A film.")]), strict });
    // The emulator answers requests, except for files.
    const withFiles = async (url: string, init: RequestInit): Promise<Response> => {
      if (init.method !== "GET") return fetch(url, init);
      looks.push(new URL(url).pathname);
      state = later;
      return Response.json({ name: "files/abc", uri: `${world.url}/v1beta/files/abc`, mimeType: "video/mp4", state });
    };
    const input: Content = {
      role: "user",
      parts: [
        { fileData: { fileUri: `${world.url}/v1beta/files/abc`, mimeType: "video/mp4" } },
        { text: "What is it?" },
      ],
    };
    const agent = new Agent({ model: world.model(MODEL, { fetch: withFiles }) });
    expect(await read(agent, [input]).catch((error: unknown) => error)).toMatchObject(expected);
    expect(looks).toEqual(["/v1beta/files/abc"]);
    expect(world.emulator.requests.filter(({ path }) => path.includes("Content"))).toHaveLength(count);
  });

  test("too long a history is reported with what to do", async () => {
    const message = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).";
    const rule = { at: 1, fault: faults.apiError(400, "INVALID_ARGUMENT", message) };
    await using world = await openWorld({ brain: SAYS, faults: [rule] });
    await expect(read(new Agent({ model: world.model() }), "Hi.")).rejects.toThrow(
      `${message} Send less: compact the history`,
    );
    expect(world.bodies).toHaveLength(1);
  });
});

test("a conversation pays for each foreign signature once, and is never stuck with one", async () => {
  await using world = await openWorld({ brain: trip() });
  const chat = new Agent({ model: world.model(), tools: TOOLS }).session();
  await chat.send([user("Weather?"), call("a", FOREIGN_SIGNATURE), response("a")]);
  expect(refusals(world.emulator)).toHaveLength(2);
  const before = world.bodies.length;
  await chat.send("And now?");
  expect(refusals(world.emulator)).toHaveLength(2);
  await chat.send([user("And then?"), call("b", FOREIGN_SIGNATURE), response("b")]);
  expect(refusals(world.emulator)).toHaveLength(4);
  const { length } = world.bodies;
  await chat.send("That was all.");
  expect([world.bodies.length > length, refusals(world.emulator).length]).toEqual([true, 4]);
  expect(world.bodies.slice(before).every((body) => body.includes(DUMMY))).toBe(true);
});

test("a change to earlier contents is reported once, and holds from then on", async () => {
  const message = `Invalid JSON payload received. Unknown name "id" at 'contents[1].parts[0].function_call': Cannot find field.`;
  // The route changes in the middle of a run: the new one no longer accepts ids.
  const rule: FaultRule = {
    at: ({ number, body }) => number >= 3 && JSON.stringify(body).includes('"id":'),
    fault: faults.apiError(400, "INVALID_ARGUMENT", message),
  };
  await using world = await openWorld({ brain: trip(), faults: [rule], strict: { responseMatching: "accept" } });
  const { events, result } = await eventsOf(new Agent({ model: world.model(), tools: TOOLS }), "Weather?");
  expect(result).toMatchObject({ stopReason: "finished", text: ANSWER });
  expect(events.flatMap((event) => (event.type === "notice" ? [event.notice] : []))).toEqual([
    { type: "heal", heal: "strip-ids", detail: expect.any(String), breaksPrefix: true },
  ]);
  expect(world.bodies).toHaveLength(4);
});

test("after a change the bytes of a conversation only grow again", async () => {
  await using world = await openWorld({ profile: "old-proxy", brain: trip() });
  await new Agent({ model: world.model(), tools: TOOLS }).run([user("Weather?"), call("a", DUMMY), response("a")]);
  const sent = world.bodies.slice(2);
  for (const [i, body] of sent.entries()) {
    expect(body).toMatch(/]}$/);
    expect(sent[i + 1] ?? body).toSatisfy((next: string) => next.startsWith(body.slice(0, -2)));
  }
  expect(sent.length).toBeGreaterThan(1);
});

test("an unknown refusal is final", async () => {
  const rule = { at: () => true, fault: faults.apiError(400, "INVALID_ARGUMENT", "Something nobody has met.") };
  await using world = await openWorld({ brain: script([say("a")]), faults: [rule] });
  await expect(new Agent({ model: world.model(), tools: TOOLS }).run("Hi.")).rejects.toThrow(
    "Something nobody has met.",
  );
  expect(world.bodies).toHaveLength(1);
});

describe.each(faces)("%s", (_face, read) => {
  test("what one model object found out about an endpoint, another one with the same endpoint and ID knows", async () => {
    const faultRules = [refusing("Thinking level is not supported for this model.", /thinkingLevel/)];
    await using world = await openWorld({ brain: SAYS, faults: faultRules });
    const shared = endpoint({ baseUrl: world.url, apiKey: "emulator" });
    const heals: string[] = [];
    const ask = async (id: string, at: Endpoint): Promise<void> => {
      const observe = (one: ObservedEvent): void => {
        if (one.type === "notice" && one.notice.type === "heal") heals.push(`${id}: ${one.notice.heal}`);
      };
      const model = world.model(id, { endpoint: at });
      await read(new Agent({ model, settings: { thinking: "high" }, observers: [{ observe }] }), "Hello?");
    };
    await ask(MODEL, shared);
    await ask(MODEL, shared);
    expect(heals.splice(0)).toEqual([`${MODEL}: drop-thinking`]);
    await ask("gemini-3.6-flash", shared);
    await ask(MODEL, { ...shared, apiVersion: "v1" });
    await ask(MODEL, endpoint({ baseUrl: world.url, apiKey: "emulator" }));
    expect(heals).toEqual(["gemini-3.6-flash: drop-thinking", `${MODEL}: drop-thinking`, `${MODEL}: drop-thinking`]);
    expect(world.bodies).toHaveLength(3 + 2 * 3);
  });

  test("what was found out about the endpoint of an environment, every model object of that environment knows", async () => {
    const faultRules = [refusing("Thinking level is not supported for this model.", /thinkingLevel/)];
    await using world = await openWorld({ brain: SAYS, faults: faultRules });
    const env = { GOOGLE_GEMINI_BASE_URL: world.url, GEMINI_API_KEY: "emulator" };
    const ask = async (id: string, of: typeof env): Promise<number> => {
      const before = world.bodies.length;
      const model = world.model(id, { endpoint: undefined, env: of });
      await read(new Agent({ model, settings: { thinking: "high" } }), "Hello?");
      return world.bodies.length - before;
    };
    expect([await ask(MODEL, env), await ask(MODEL, env)]).toEqual([2, 1]);
    expect(await ask("gemini-3.6-flash", env)).toBe(2);
    expect(await ask(MODEL, { ...env })).toBe(2);
    Object.assign(env, { GOOGLE_GENAI_API_VERSION: "v1" });
    expect(await ask(MODEL, env)).toBe(2);
  });
});
