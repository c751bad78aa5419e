import { Agent, defineTool, gemini, MemoryStore, ToolError } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Playground, ToolTrial } from "../../src/play/play.ts";
import { inspectorHandler, type InspectorOptions } from "../../src/server/inspector-handler.ts";
import { foldOf, pay } from "../support/sessions.ts";

/** The page's requests, with the status and the JSON of each answer. */
function playing(options: Omit<InspectorOptions, "authorize" | "store">) {
  const store = new MemoryStore();
  const handler = inspectorHandler({ allowActions: true, ...options, store, authorize: () => true });
  const ask = async (path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const request = new Request(`http://localhost/inspector/api/${path}`, {
      ...init,
      headers: { ...type, ...headers },
    });
    const response = await handler(request);
    return { status: response.status, value: await response.json() };
  };
  return { store, handler, ask };
}

const roll = defineTool({
  name: "roll",
  description: "Rolls a die",
  input: z.object({ sides: z.number().int().min(2) }),
  effects: "none",
  run: ({ sides }) => ({ rolled: sides }),
});

describe("the agents of the playground", () => {
  test("are shown as their code defines them, without running anything", async () => {
    const model = new ScriptedModel();
    const helper = new Agent({
      model,
      instructions: "You help.",
      settings: { temperature: 0.5 },
      limits: { turns: 3, toolCalls: Infinity },
      tools: [roll, pay],
    });
    const made = new Agent({ model, instructions: () => "Made.", tools: (_run) => [roll] });
    const { ask } = playing({ agents: { helper, made } });
    const { status, value } = await ask("play");
    const shown = { warnings: [], schema: expect.objectContaining({ type: "object" }) };
    expect([status, value]).toEqual([
      200,
      {
        agents: [
          {
            name: "helper",
            model: "gemini-scripted",
            instructions: "You help.",
            made: [],
            settings: { temperature: 0.5 },
            limits: { turns: 3, toolCalls: "Infinity" },
            tools: [
              { ...shown, name: "roll", description: "Rolls a die" },
              {
                ...shown,
                name: "pay",
                description: "Pays a bill",
                warnings: [
                  "A run may ask for approval before this call.",
                  'It may have effects: its code does not declare effects: "none".',
                ],
              },
            ],
          },
          {
            name: "made",
            model: "gemini-scripted",
            made: ["instructions", "tools"],
            settings: {},
            limits: {},
            tools: [],
          },
        ],
        answers: "service",
        canReload: false,
      } satisfies Playground,
    ]);
    expect(model.requests).toEqual([]);
  });

  test("are missing for a read-only page", async () => {
    const { ask } = playing({ agents: {}, allowActions: false });
    for (const [path, body] of [["play"], ["play/tool", {}], ["play/reload", {}], ["sessions/one/play", {}]] as const)
      expect(await ask(path, body)).toMatchObject({ status: 403, value: { error: { code: "read_only" } } });
  });

  test("can be reloaded", async () => {
    let version = 1;
    const agentOf = () => new Agent({ model: new ScriptedModel(), instructions: `Version ${version}` });
    const { ask } = playing({
      agents: { helper: agentOf() },
      reloadAgents: async () => {
        version++;
        return { helper: agentOf() };
      },
    });
    expect(await ask("play/reload")).toMatchObject({ status: 404 });
    expect((await ask("play")).value).toMatchObject({ canReload: true, agents: [{ instructions: "Version 1" }] });
    expect((await ask("play/reload", {})).status).toBe(200);
    expect((await ask("play")).value).toMatchObject({ agents: [{ instructions: "Version 2" }] });
  });
});

describe("a message", () => {
  test("starts a session, with the agent as its code defines it", async () => {
    const model = new ScriptedModel(say("Hello."));
    const { ask, store } = playing({ agents: { helper: new Agent({ model, instructions: "You help." }) } });
    const sent = await ask("sessions/new-one/play", { agent: "helper", message: "Hi" });
    expect(sent).toEqual({ status: 200, value: { done: "Sent.", runId: expect.any(String) } });
    await expect.poll(async () => (await foldOf(store, "new-one")).state(false)).toBe("done");
    expect(model.requests[0]?.instructions).toBe("You help.");
    expect((await foldOf(store, "new-one")).runs[0]?.entry["metadata"]).toEqual({ agent: "helper" });
  });

  test("can change the agent, also when the run continues after an approval", async () => {
    const model = new ScriptedModel(call("pay", { amount: 3 }), say("Paid."));
    const seen: unknown[] = [];
    const tell = defineTool({
      name: "tell",
      description: "Tells",
      input: z.object({}),
      run: (_input, { context }) => seen.push(context),
    });
    const helper = new Agent({ model, instructions: "You help.", settings: { topP: 0.5 }, tools: [pay, tell] });
    const { ask, store } = playing({ agents: { helper } });
    const changes = { instructions: "You pay.", settings: { temperature: 0 }, tools: ["pay"] };
    await ask("sessions/one/play", { agent: "helper", message: "Pay 3", changes });
    const overview = async () => (await ask("sessions/one")).value as { pending: { token: string }[]; state: string };
    await expect.poll(async () => (await overview()).state).toBe("waiting");
    const [{ token } = { token: "" }] = (await overview()).pending;
    await ask("sessions/one/answer", { approvals: { [token]: true } });
    await expect.poll(async () => (await overview()).state).toBe("done");
    const asked = model.requests.map(({ instructions, settings, functions, calling }) => ({
      instructions,
      settings,
      functions: functions.map(({ name }) => name),
      calling,
    }));
    const each = { instructions: "You pay.", settings: { topP: 0.5, temperature: 0 }, functions: ["pay"] };
    expect(asked).toEqual([each, each]);
    expect((await foldOf(store, "one")).runs[0]?.entry["metadata"]).toEqual({ agent: "helper", changes });
  });

  test("can go to another model, after the agent's own preparation", async () => {
    const prepared: string[] = [];
    const helper = new Agent({
      model: gemini("gemini-3.5-flash"),
      hooks: { prepareTurn: ({ model }) => void prepared.push(model) },
    });
    const { ask, store } = playing({ agents: { helper }, answers: "emulator" });
    await ask("sessions/one/play", { agent: "helper", message: "Hi", changes: { model: "gemini-3.8-flash" } });
    await expect.poll(async () => (await foldOf(store, "one")).state(false)).toBe("done");
    expect(prepared).toEqual(["gemini-3.5-flash"]);
    const step = (await store.load("one")).find((entry) => JSON.stringify(entry).includes('"prepared"'));
    expect(JSON.stringify(step)).toContain("gemini-3.8-flash");
  });

  test("is answered by the emulator without a key, and tools run for real", async () => {
    const rolls: number[] = [];
    const helper = new Agent({
      model: "gemini-flash-latest",
      tools: [{ ...roll, run: ({ sides }: { sides: number }) => rolls.push(sides) }],
    });
    const { ask, store } = playing({ agents: { helper }, answers: "emulator" });
    expect((await ask("about")).value).toMatchObject({ answers: "emulator" });
    await ask("sessions/one/play", { agent: "helper", message: "Roll a die with 6 sides." });
    await expect.poll(async () => (await foldOf(store, "one")).state(false)).toBe("done");
    expect(rolls).toEqual([6]);
  });

  test("passes a context to the run, also when it continues", async () => {
    const seen: unknown[] = [];
    const look = defineTool({
      name: "look",
      description: "Looks",
      input: z.object({}),
      needsApproval: true,
      run: (_input, { context }) => {
        seen.push(context);
        return "seen";
      },
    });
    const helper = new Agent({ model: new ScriptedModel(call("look"), say("Seen.")), tools: [look] });
    const { ask, store } = playing({ agents: { helper } });
    await ask("sessions/one/play", { agent: "helper", message: "Look", context: { user: "ann" } });
    await expect.poll(async () => (await foldOf(store, "one")).state(false)).toBe("waiting");
    const { pending } = (await ask("sessions/one")).value as { pending: { token: string }[] };
    await ask("sessions/one/answer", { approvals: { [pending[0]?.token ?? ""]: true } });
    await expect.poll(async () => (await foldOf(store, "one")).state(false)).toBe("done");
    expect(seen).toEqual([{ user: "ann" }]);
    expect(JSON.stringify(await store.load("one"))).not.toContain("ann");
  });

  test.each([
    [{ agent: "nobody", message: "Hi" }, 404, 'There is no agent "nobody"; there is helper.'],
    [{ agent: "helper", message: " " }, 400, "message must be a text."],
    [{ agent: "helper", message: "Hi", changes: { model: 1 } }, 400, "changes: model must be a text."],
    [{ agent: "helper", message: "Hi", changes: { instructions: [] } }, 400, "changes: instructions must be a text."],
    [{ agent: "helper", message: "Hi", changes: { settings: [] } }, 400, "changes: settings must be an object."],
    [
      { agent: "helper", message: "Hi", changes: { tools: ["roll", 1] } },
      400,
      "changes: tools must be a list of names.",
    ],
    [{ agent: "helper", message: "Hi", changes: { hooks: {} } }, 400, "changes: hooks can't be changed here."],
    [{ agent: "helper", message: "Hi", changes: { settings: { temperature: 3 } } }, 409, "temperature is 3"],
  ])("that can't be sent is refused, and nothing is written: %j", async (body, status, message) => {
    const helper = new Agent({ model: gemini("gemini-3.5-flash"), tools: [roll] });
    const { ask, store } = playing({ agents: { helper }, answers: "emulator" });
    const refused = await ask("sessions/one/play", body);
    expect(refused).toMatchObject({ status, value: { error: { message: expect.stringContaining(message) } } });
    expect(await store.list()).toEqual([]);
  });
});

describe("a tool that is run by hand", () => {
  const broken = defineTool({
    name: "broken",
    description: "Breaks",
    input: z.object({ how: z.enum(["throws", "tells", "yields"]) }),
    effects: "none",
    run: async function* ({ how }) {
      yield { done: 1 };
      if (how === "tells") throw new ToolError("the shop is closed");
      throw new Error("password hunter2", { cause: new TypeError("no disk") });
    },
  });
  const once = defineTool({
    name: "once",
    description: "Has an effect",
    input: z.object({}),
    effects: "once",
    run: () => "done",
  });
  const outside = defineTool({ name: "outside", description: "Elsewhere", input: z.object({}) });
  const agents = {
    helper: new Agent({
      model: new ScriptedModel(),
      tools: [roll, broken, pay, once, outside],
      hooks: { afterCall: ({ call: { name } }) => (name === "once" ? { ok: true, output: "hooked" } : undefined) },
    }),
  };
  const tried = async (tool: string, args: unknown, more: object = {}) => {
    const { ask, store } = playing({ agents });
    const answer = await ask("play/tool", { agent: "helper", tool, args, ...more });
    expect(await store.list()).toEqual([]);
    return answer as { readonly status: number; readonly value: ToolTrial };
  };
  const responses = ({ value }: { readonly value: ToolTrial }): unknown =>
    value.answer.map(({ parts }) => parts?.map(({ functionResponse }) => functionResponse?.response));

  test("shows the response to the model, and the duration", async () => {
    const trial = await tried("roll", { sides: 6 });
    expect(trial).toMatchObject({ status: 200, value: { status: "completed", progress: [] } });
    expect(trial.value.durationMs).toBeGreaterThanOrEqual(0);
    expect(responses(trial)).toEqual([[{ output: { rolled: 6 } }]]);
  });

  test("checks its arguments as in a run", async () => {
    const trial = await tried("roll", { sides: "six" });
    expect(trial.value).toMatchObject({ status: "failed", failure: { kind: "bad-input" } });
    expect(JSON.stringify(responses(trial))).toContain("sides");
  });

  test("fails as in a run, and shows the error to the developer", async () => {
    const { value } = await tried("broken", { how: "throws" });
    expect(value).toMatchObject({ status: "failed", failure: { kind: "failed" }, progress: [{ done: 1 }] });
    expect(JSON.stringify(value.answer)).not.toContain("hunter2");
    expect(value.thrown).toMatch(/^Error: password hunter2\n[^]*Caused by TypeError: no disk/);
    expect((await tried("broken", { how: "tells" })).value.failure?.message).toContain("the shop is closed");
  });

  test("needs a second click when it may have effects", async () => {
    expect(await tried("pay", { amount: 3 })).toMatchObject({ status: 409, value: { error: { code: "confirm" } } });
    expect(await tried("once", {})).toMatchObject({
      status: 409,
      value: { error: { message: expect.stringContaining("must not happen twice") } },
    });
    expect(responses(await tried("pay", { amount: 3 }, { confirmed: true }))).toEqual([[{ output: "paid 3" }]]);
    expect(responses(await tried("once", {}, { confirmed: true }))).toEqual([[{ output: "hooked" }]]);
  });

  test.each([
    ["nothing", {}, 404, "That agent has no tool of that name."],
    ["roll", [1], 400, "args must be an object."],
    ["outside", {}, 409, "Its answers come from outside of this process."],
  ])("that can't be run is refused: %s %j", async (tool, args, status, message) => {
    expect(await tried(tool, args)).toMatchObject({ status, value: { error: { message } } });
  });
});

describe("requests from pages of other sites do nothing", () => {
  test.each<[string, RequestInit]>([
    ["JSON from another origin", { headers: { "content-type": "application/json", origin: "https://evil.example" } }],
    ["from a sandboxed frame", { headers: { "content-type": "application/json", origin: "null" } }],
    ["a form, without an origin", { headers: { "content-type": "application/x-www-form-urlencoded" } }],
    ["a text that is JSON", { headers: { "content-type": "text/plain" } }],
    ["without a type", {}],
    [
      "another site, without an origin",
      { headers: { "content-type": "application/json", "sec-fetch-site": "cross-site" } },
    ],
  ])("%s", async (_, init) => {
    const ran: string[] = [];
    const effect = defineTool({
      name: "effect",
      description: "Has an effect",
      input: z.object({}),
      run: () => ran.push("effect"),
    });
    const model = new ScriptedModel(say("Hi"));
    const { handler, store } = playing({
      agents: { helper: new Agent({ model, tools: [effect] }) },
      reloadAgents: async () => {
        ran.push("reload");
        return {};
      },
    });
    const post = async (path: string, body: unknown): Promise<number> => {
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      const request = new Request(`http://localhost/inspector/api/${path}`, { method: "POST", body: bytes, ...init });
      return (await handler(request)).status;
    };
    expect([403, 415]).toContain(
      await post("play/tool", { agent: "helper", tool: "effect", args: {}, confirmed: true }),
    );
    expect([403, 415]).toContain(await post("play/reload", {}));
    expect([403, 415]).toContain(await post("sessions/one/play", { agent: "helper", message: "Hi" }));
    expect([ran, model.requests, await store.list()]).toEqual([[], [], []]);
  });

  test("reading changes nothing", async () => {
    const { ask, store } = playing({ agents: { helper: new Agent({ model: new ScriptedModel() }) } });
    for (const path of ["play/tool", "play/reload", "sessions/one/play"]) expect((await ask(path)).status).toBe(404);
    expect(await store.list()).toEqual([]);
  });
});
