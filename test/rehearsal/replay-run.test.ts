import {
  Agent,
  type AgentOptions,
  defineJob,
  defineTool,
  endpoint,
  gemini,
  googleSearch,
  handoff,
  media,
  MemoryStore,
  type Model,
  ToolError,
} from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { type Recording, replayRun, type ReplayOptions } from "@pollux/core/rehearsal";
import { type Brain, calls, createEmulator, faults, grounded, json, say, script } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { byStep } from "../support/trip.ts";

type Session = ReturnType<Agent["session"]>;

/** Makes an agent for models of a service; agents inside it need its observers. */
type MakeAgent = (model: (id?: string) => Model, observers?: AgentOptions["observers"]) => Partial<AgentOptions>;

interface Scene {
  readonly brain: Brain;
  readonly agent: MakeAgent;
  readonly faults?: NonNullable<Parameters<typeof createEmulator>[0]>["faults"];
  readonly play?: (session: Session) => Promise<unknown>;
  readonly options?: ReplayOptions;
  /** The number of compared requests. */
  readonly requests: number;
}

/** Which tools ran. */
const ran: string[] = [];
/** Called during each look. */
const during: { look?: (() => Promise<unknown>) | undefined } = {};
const look = defineTool({
  name: "look",
  description: "Looks at a place.",
  input: { type: "object", properties: { at: { type: "string" } }, required: ["at"] },
  run: async (input) => {
    const { at } = input as { at: string };
    ran.push(`look ${at}`);
    await during.look?.();
    if (at === "sun") throw new ToolError("too bright");
    return { at, seen: "größer, 漢字, 🌍" };
  },
});
const paint = defineTool({
  name: "paint",
  description: "Paints.",
  run: () => ({ of: "the moon", image: media(new Uint8Array([137, 80, 78, 71]), "image/png") }),
});
const pay = defineTool({
  name: "pay",
  description: "Pays.",
  needsApproval: true,
  effects: "once",
  input: { type: "object", properties: { sum: { type: "number" } } },
  editable: true,
  run: (input) => {
    ran.push("pay");
    return `paid ${JSON.stringify(input)}`;
  },
});
const ask = defineTool({ name: "ask", description: "Asks the person." });
const render = defineJob({ name: "render", description: "Renders.", start: () => (ran.push("render"), "job-1") });
const tokenOf = async (session: Session): Promise<string> => (await session.state()).pending[0]?.token ?? "none";
const looks = (...places: readonly string[]) => calls(...places.map((at) => ({ name: "look", args: { at } })));

const service = endpoint({ baseUrl: "https://generativelanguage.googleapis.com", apiKey: "a-key-of-the-service" });
const offline = (id = "gemini-3.5-flash"): Model =>
  gemini(id, {
    endpoint: service,
    fetch: () => {
      throw new Error("a replay asks nobody");
    },
  });

function agentOf(make: MakeAgent, model: (id?: string) => Model, changes: Partial<AgentOptions> = {}): Agent {
  return new Agent({
    model: model(),
    name: "helper",
    instructions: "You help.",
    tools: [look],
    ...make(model),
    ...changes,
  });
}

async function record({ brain, faults: broken, agent: make, play }: Omit<Scene, "requests">): Promise<Recording> {
  const [sessions, kept] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(kept);
  const emulator = createEmulator({ brain, ...(broken && { faults: broken }), strict: { extraModels: "gemini" } });
  const model = (id = "gemini-3.5-flash"): Model =>
    gemini(id, {
      endpoint: service,
      fetch: (input, init) => emulator.fetch(input, init),
      retry: { minDelayMs: 1, maxDelayMs: 2 },
    });
  const observed: MakeAgent = (own) => ({ observers: [keeper], ...make(own, [keeper]) });
  const session = agentOf(observed, model).session({ id: "s", store: sessions });
  await (play ?? ((one) => one.send("Look around.")))(session);
  await keeper.flush();
  ran.length = 0;
  return { sessionId: "s", log: await sessions.load("s"), exchanges: await kept.load("s") };
}

const once = byStep(
  () => looks("moon", "sun"),
  () => looks("mars"),
  () => say("Seen it all."),
);
const isInside = (text: string) => text.includes("INSIDE");
const nested: Brain = {
  answer: (turn) => {
    const text = JSON.stringify(turn.request);
    if (isInside(text))
      return byStep(
        () => looks("moon"),
        () => say("Inside seen."),
      ).answer(turn);
    return byStep(
      () => calls({ name: "scout", args: { task: "one" } }, { name: "scout", args: { task: "two" } }),
      () => say("Both seen."),
    ).answer(turn);
  },
};
const scout: MakeAgent = (model, observers) => ({
  tools: [
    new Agent({ model: model(), name: "scout", instructions: "INSIDE", tools: [look], observers }).asTool({
      description: "Scouts.",
    }),
  ],
});

const SCENES: { readonly [name: string]: Scene } = {
  "calls side by side, of which one fails": { requests: 3, brain: once, agent: () => ({}) },
  "a request that was tried again": {
    requests: 3,
    brain: once,
    faults: [{ at: 2, fault: faults.overloaded() }],
    agent: () => ({}),
  },
  "a stream that broke and was begun again": {
    requests: 4,
    brain: once,
    faults: [{ at: 3, fault: faults.closeEarly() }],
    agent: () => ({}),
  },
  "an answer that was asked for once more": {
    requests: 4,
    brain: once,
    faults: [{ at: 1, fault: faults.malformedCall() }],
    agent: () => ({}),
  },
  "typed output": {
    requests: 2,
    brain: byStep(
      () => looks("moon"),
      () => json({ seen: true }),
    ),
    agent: () => ({ output: { type: "object", properties: { seen: { type: "boolean" } }, required: ["seen"] } }),
  },
  "an answer that is converted": {
    requests: 2,
    brain: script([
      grounded("The moon is full.", { queries: ["moon"], sources: [{ uri: "https://moon.example", title: "Moon" }] }),
      json({ full: true }),
    ]),
    agent: () => ({
      tools: [googleSearch()],
      output: { type: "object", properties: { full: { type: "boolean" } }, required: ["full"] },
    }),
  },
  "guardrails that change messages and answers": {
    requests: 3,
    brain: once,
    agent: () => ({
      guardrails: {
        input: [{ name: "polite", check: () => ({ replace: "Please look around." }) }],
        output: [{ name: "short", check: () => ({ replace: "Seen." }) }],
      },
    }),
    play: async (session) => {
      await session.send("Look around.");
      await session.send("Again.");
    },
  },
  "turns that are prepared": {
    requests: 3,
    brain: once,
    agent: (model) => ({
      hooks: {
        prepareTurn: ({ turn }) =>
          turn === 2
            ? { model: model("gemini-3.8-flash"), instructions: "Now twice.", settings: { temperature: 0 } }
            : {},
      },
    }),
  },
  "a history that was compacted": {
    requests: 2,
    brain: { answer: (turn) => (turn.prompt.includes("And now?") ? say("Much. ".repeat(600)) : say("A summary.")) },
    agent: () => ({ compaction: { windowTokens: 1500, threshold: 0.6, keep: 0.2 } }),
    play: async (session) => {
      for (let n = 0; n < 6; n++) await session.send(`And now? ${n}`);
    },
  },
  "a handover": {
    requests: 3,
    brain: byStep(
      () => calls({ name: "transfer_to_billing", args: {} }),
      () => looks("moon"),
      () => say("Billed."),
    ),
    agent: (model) => ({
      tools: [
        handoff(
          new Agent({
            model: model("gemini-3.8-flash"),
            name: "billing",
            instructions: () => "You bill.",
            tools: [look],
          }),
          { description: "Bills." },
        ),
      ],
    }),
  },
  "agents inside calls side by side": { requests: 6, brain: nested, agent: scout },
  "an agent inside an agent, with failing, approved and ending calls": {
    requests: 6,
    brain: {
      answer: (turn) => {
        const text = JSON.stringify(turn.request.systemInstruction ?? "");
        const [name, next] = text.includes("MIDDLE") ? ["inner", "Middle."] : ["middle", "Top."];
        if (text.includes("INNERMOST"))
          return byStep(
            () => calls({ name: "look", args: { at: "sun" } }, { name: "pay", args: { sum: 1 } }),
            () => say("Inner."),
          ).answer(turn);
        return byStep(
          () => calls({ name, args: { task: "on" } }),
          () => say(next),
        ).answer(turn);
      },
    },
    agent: (model, observers) => {
      const inner = new Agent({
        model: model(),
        name: "inner",
        instructions: "INNERMOST",
        tools: [look, pay],
        observers,
      });
      const middle = new Agent({
        model: model(),
        name: "middle",
        instructions: "MIDDLE",
        tools: [inner.asTool({ description: "Goes in." })],
        observers,
      });
      return { approve: async () => true, tools: [middle.asTool({ description: "Goes on." })] };
    },
  },
  "a tool that gives an image": {
    requests: 2,
    brain: byStep(
      () => calls({ name: "paint", args: {} }),
      () => say("Painted."),
    ),
    agent: () => ({ tools: [paint] }),
  },
  "a search that is delegated": {
    requests: 3,
    brain: {
      answer: (turn) =>
        JSON.stringify(turn.request).includes("functionDeclarations")
          ? byStep(
              () => calls({ name: "google_search", args: { query: "moon" } }),
              () => say("Full."),
            ).answer(turn)
          : grounded("The moon is full.", {
              queries: ["moon"],
              sources: [{ uri: "https://moon.example", title: "Moon" }],
            }),
    },
    agent: (model) => ({ model: model("gemini-2.5-flash"), tools: [look, googleSearch()] }),
  },
  "an approval that was waited for, with other arguments": {
    requests: 2,
    brain: byStep(
      () => calls({ name: "pay", args: { sum: 1 } }, { name: "look", args: { at: "moon" } }),
      () => say("Paid."),
    ),
    agent: () => ({ tools: [pay, look] }),
    play: async (session) => {
      await session.send("Pay.");
      const token = await tokenOf(session);
      await session.resume({ approvals: { [token]: { args: { sum: 2 } } } });
    },
  },
  "an answer from outside, and a job": {
    requests: 2,
    brain: byStep(
      () => calls({ name: "ask", args: {} }, { name: "render", args: {} }),
      () => say("Done."),
    ),
    agent: () => ({ tools: [ask, render] }),
    play: async (session) => {
      await session.send("Ask.");
      await session.reportJob("job-1", { output: { frames: 240 } });
      const token = await tokenOf(session);
      await session.resume({ outcomes: { [token]: { output: "blue" } } });
    },
  },
  "a message that steered it": {
    requests: 3,
    brain: once,
    agent: () => ({}),
    play: async (session) => {
      during.look = () => session.steer("Also the stars.");
      await session.send("Look around.");
      during.look = undefined;
    },
  },
  "a request that was refused, changed and sent again": {
    requests: 4,
    brain: once,
    faults: [
      { at: 1, fault: faults.apiError(400, "INVALID_ARGUMENT", "Thinking level LOW is not supported for this model.") },
    ],
    agent: () => ({ settings: { thinking: "low" } }),
  },
  "a limit": { requests: 2, brain: once, agent: () => ({ limits: { turns: 2 } }) },
  "a run that waits": {
    requests: 1,
    brain: byStep(() => calls({ name: "ask", args: {} })),
    agent: () => ({ tools: [ask] }),
  },
  "a run that failed": {
    requests: 2,
    brain: once,
    faults: [{ at: 2, fault: faults.apiError(403, "PERMISSION_DENIED", "no") }],
    agent: () => ({}),
    play: (session) => session.send("Look around.").catch(() => {}),
  },
  "an earlier run of a session": {
    requests: 3,
    brain: once,
    agent: () => ({}),
    options: { runId: "first" },
    play: async (session) => {
      await session.send("Look around.", { runId: "first" });
      await session.send("And once more.");
    },
  },
  "a later run of a session": {
    requests: 3,
    brain: once,
    agent: () => ({}),
    play: async (session) => {
      await session.send("Look around.");
      await session.send("And once more.");
    },
  },
};

describe("a run is the same with", () => {
  test.each(Object.entries(SCENES))("%s", async (_name, scene) => {
    const recording = await record(scene);
    const report = await replayRun(agentOf(scene.agent, offline), recording, scene.options);
    const { requests, result: _result, runId: _runId, ...found } = report;
    expect({ requests, ...found }).toEqual({ requests: scene.requests, isSame: true });
    expect(ran).toEqual([]);
  });
});

describe("a difference is found where", () => {
  const plain: Omit<Scene, "requests"> = { brain: once, agent: () => ({}) };
  let ticks = 0;
  test.each<[string, Omit<Scene, "requests">, Partial<AgentOptions>, object]>([
    ["a tool is gone", plain, { tools: [] }, { request: 0, field: expect.stringMatching(/^tools/) }],
    [
      "a tool has another description",
      plain,
      {
        tools: [
          defineTool({
            name: "look",
            description: "Sees.",
            input: { type: "object", properties: { at: { type: "string" } }, required: ["at"] },
            run: () => 1,
          }),
        ],
      },
      {
        request: 0,
        step: "model:1",
        field: "tools[0].functionDeclarations[0].description",
        was: '"Looks at a place."',
        is: '"Sees."',
      },
    ],
    [
      "the instructions are others",
      plain,
      { instructions: "You help a lot." },
      { request: 0, field: "systemInstruction.parts[0].text", was: '"You help."', is: '"You help a lot."' },
    ],
    [
      "the instructions have a clock",
      plain,
      { instructions: () => `It is ${++ticks}.` },
      { request: 0, field: "systemInstruction.parts[0].text" },
    ],
    [
      "a later turn is prepared in another way",
      plain,
      { hooks: { prepareTurn: ({ turn }) => (turn === 3 ? { instructions: "At last." } : {}) } },
      { request: 2, step: "model:3", field: "systemInstruction.parts[0].text" },
    ],
    [
      "another model is chosen",
      plain,
      { hooks: { prepareTurn: ({ turn }) => (turn === 2 ? { model: offline("gemini-3.8-flash") } : {}) } },
      {
        request: 1,
        field: "model",
        was: "gemini-3.5-flash:streamGenerateContent?alt=sse",
        is: "gemini-3.8-flash:streamGenerateContent?alt=sse",
      },
    ],
    ["settings are others", plain, { settings: { temperature: 0 } }, { request: 0, field: "generationConfig" }],
  ])("%s", async (_name, scene, changes, difference) => {
    const recording = await record(scene);
    const report = await replayRun(agentOf(scene.agent, offline, changes), recording);
    expect(report).toMatchObject({ isSame: false, difference });
    expect(report.problem).toBeUndefined();
    expect(ran).toEqual([]);
  });

  test("an agent inside a call has other instructions", async () => {
    const recording = await record({ brain: nested, agent: scout });
    const changed: MakeAgent = (model) => ({
      tools: [
        new Agent({ model: model(), name: "scout", instructions: "INSIDE, more.", tools: [look] }).asTool({
          description: "Scouts.",
        }),
      ],
    });
    const report = await replayRun(agentOf(changed, offline), recording);
    expect(report).toMatchObject({
      isSame: false,
      difference: { step: "model:1", field: "systemInstruction.parts[0].text", was: '"INSIDE"', is: '"INSIDE, more."' },
    });
  });
});

test("what a tool would give now changes nothing", async () => {
  const recording = await record({ brain: once, agent: () => ({}) });
  const other = { ...look, run: () => void ran.push("other") };
  expect(
    await replayRun(
      agentOf(() => ({ tools: [other] }), offline),
      recording,
    ),
  ).toMatchObject({ isSame: true, requests: 3 });
  expect(ran).toEqual([]);
});

test("a secret in a body is not compared", async () => {
  const secret = "AIzaSyA-0123456789012345678901234567890";
  const recording = await record({ brain: once, agent: () => ({ instructions: `You help with ${secret}.` }) });
  expect(JSON.stringify(recording.exchanges)).not.toContain(secret);
  const agent = (text: string) => agentOf(() => ({ instructions: text }), offline);
  expect(await replayRun(agent(`You help with ${secret}.`), recording)).toMatchObject({ isSame: true });
  expect(await replayRun(agent(`You aid with ${secret}.`), recording)).toMatchObject({ isSame: false });
});

test("a run without kept requests is refused", async () => {
  const { log } = await record({ brain: once, agent: () => ({}) });
  const agent = agentOf(() => ({}), offline);
  await expect(replayRun(agent, { log, exchanges: [] })).rejects.toThrow("keepExchanges");
  await expect(replayRun(agent, { log: [], exchanges: [] })).rejects.toThrow("no run");
});

test("a log of a newer release is a problem, with the reason", async () => {
  const { log, exchanges } = await record({ brain: once, agent: () => ({}) });
  const newer = { log: log.map((entry) => ({ ...(entry as object), v: 4 })), exchanges };
  expect(
    await replayRun(
      agentOf(() => ({}), offline),
      newer,
    ),
  ).toMatchObject({
    isSame: false,
    problem: expect.stringContaining("it has version 4, written by a newer release"),
  });
});

test("a request that was not kept is a problem", async () => {
  const recording = await record({ brain: once, agent: () => ({}) });
  const agent = agentOf(() => ({}), offline);
  const less = { ...recording, exchanges: recording.exchanges.slice(0, 2) };
  expect(await replayRun(agent, less)).toMatchObject({ isSame: false, problem: expect.stringContaining("not kept") });
  expect(
    await replayRun(
      agentOf(() => ({ limits: { turns: 1 } }), offline),
      recording,
    ),
  ).toMatchObject({
    isSame: false,
    problem: expect.stringContaining("model:2"),
  });
});
