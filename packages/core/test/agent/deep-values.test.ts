import {
  Agent,
  ConfigurationError,
  type Content,
  defineTool,
  type Hooks,
  importHistory,
  type JsonObject,
  MemoryStore,
  type Model,
  type Part,
  type PrepareTurn,
  type SessionStore,
} from "@pollux/core";
import { ApiShapeError, SessionDamagedError } from "@pollux/core/errors";
import type { ModelRequest, ModelResponse, RespondOptions } from "@pollux/core/model";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces, typed } from "../helpers/faces.ts";
import { SESSION_FACES } from "../session/session-faces.ts";

/** A new value that nests this many lists. */
function nested(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level++) value = [value];
  return value;
}

const DEEP = (): JsonObject => ({ a: nested(6_000) });
const CALLING: Part = { functionCall: { name: "look", args: DEEP() } };
const ANSWERED: readonly Content[] = [
  { role: "user", parts: [{ text: "Look." }] },
  { role: "model", parts: [CALLING] },
  { role: "user", parts: [{ functionResponse: { name: "look", response: { output: "seen" } } }] },
];

const look = defineTool({ name: "look", description: "x", run: () => "seen" });

/** A model that another library could bring: it passes on what it got, unchecked. */
class CustomModel extends ScriptedModel implements Model {
  readonly #change: (response: ModelResponse) => ModelResponse;
  readonly #parts: readonly Part[];
  #isFirst = true;

  constructor(change: (response: ModelResponse) => ModelResponse, parts: readonly Part[] = []) {
    super(say("Said."), say("Here."));
    this.#change = change;
    this.#parts = parts;
  }

  override async respond(request: ModelRequest, options: RespondOptions): Promise<ModelResponse> {
    const response = await super.respond(request, options);
    if (!this.#isFirst) return response;
    this.#isFirst = false;
    if (this.#parts.length > 0) await options.onParts?.(this.#parts);
    return this.#change(response);
  }
}

const ANSWERS: readonly (readonly [string, () => CustomModel])[] = [
  ["a call", () => new CustomModel((one) => ({ ...one, content: { role: "model", parts: [CALLING] } }))],
  [
    "a part of a kind that is new",
    () => new CustomModel((one) => ({ ...one, content: { role: "model", parts: [{ text: "x", new: DEEP() }] } })),
  ],
  ["the candidate", () => new CustomModel((one) => ({ ...one, candidate: { ...one.candidate, new: DEEP() } }))],
  ["the envelope", () => new CustomModel((one) => ({ ...one, envelope: { ...one.envelope, new: DEEP() } }))],
  ["a part that only arrives", () => new CustomModel((one) => one, [CALLING])],
];

describe.each(faces)("6,000 levels, read by %s:", (face, read) => {
  test.each(ANSWERS)("in an answer of a custom model, in %s, are a typed error", async (_where, model) => {
    await expect(read(new Agent({ model: model(), tools: [look] }), "Go.")).rejects.toThrow(ApiShapeError);
  });

  test("in an answer that has to match a schema are a mismatch, and the model is asked again", async () => {
    const model = new ScriptedModel(
      say(JSON.stringify({ a: 1 }).replace("1", "[".repeat(6_000) + "]".repeat(6_000))),
      say('{"a":1}'),
    );
    const result = await typed(face, new Agent({ model }), "Go.", { output: z.object({ a: z.any() }) });
    expect(result).toMatchObject({ stopReason: "finished", output: { a: 1 } });
    expect(JSON.stringify(model.requests[1]?.contents.at(-1))).toContain("nests more than 500 levels");
  });

  const prepared: readonly (readonly [string, PrepareTurn])[] = [
    ["contents", ({ contents }) => ({ contents: [...contents, ...ANSWERED] })],
    ["settings", () => ({ settings: { labels: DEEP() as never } })],
  ];
  test.each(prepared)("in the %s that prepareTurn returns are a typed error", async (_where, prepareTurn) => {
    await expect(
      read(new Agent({ model: new ScriptedModel(say("x")), hooks: { prepareTurn } }), "Go."),
    ).rejects.toThrow(ConfigurationError);
  });

  test("in arguments that a hook returns are a typed error", async () => {
    const model = new ScriptedModel(call("look"), say("x"));
    const hooks: Hooks = { beforeCall: () => ({ args: DEEP() }) };
    await expect(read(new Agent({ model, tools: [look], hooks }), "Go.")).rejects.toThrow(/nest more than 500 levels/);
  });

  const outcomes: readonly (readonly [string, Hooks])[] = [
    ["before a call", { beforeCall: () => ({ output: DEEP() }) }],
    ["after a call", { afterCall: () => ({ ok: true, output: DEEP() }) }],
    [
      "after a call, beside its failure",
      { afterCall: () => ({ ok: false, kind: "failed", message: "no", more: DEEP() }) as const },
    ],
  ];
  test.each(outcomes)("in an outcome that a hook returns %s are cut", async (_when, hooks) => {
    const model = new ScriptedModel(call("look"), say("Here."));
    const agent = new Agent({ model, tools: [look], hooks });
    const result = await read(agent, "Go.");
    expect(result.text).toBe("Here.");
    expect(JSON.stringify(model.requests[1]).length).toBeLessThan(2_000);
  });

  test("in the input are a typed error that names the place", async () => {
    const agent = new Agent({ model: new ScriptedModel() });
    await expect(async () => await read(agent, ANSWERED)).rejects.toThrow(
      new ConfigurationError(
        "contents[1] nests more than 500 levels of lists and objects, so it cannot be sent: flatten it, or send it as text.",
      ),
    );
  });
});

describe("a history that nests 6,000 levels is a typed error", () => {
  const agent = new Agent({ model: new ScriptedModel() });
  const refused: readonly (readonly [string, () => unknown])[] = [
    ["of a chat", () => agent.chat({ history: ANSWERED })],
    ["that is imported", () => importHistory(ANSWERED)],
  ];
  test.each(refused)("%s", (_which, use) => {
    expect(use).toThrow(ConfigurationError);
    expect(use).toThrow("contents[1] nests more than 500 levels");
  });
});

describe.each(["send", "stream"] as const)("a chat read by %s", (face) => {
  const send = async (chat: ReturnType<Agent["chat"]>, message: string | readonly Content[]) =>
    face === "send" ? await chat.send(message) : await chat.stream(message).result();

  test.each(ANSWERS)("goes on after an answer that nests 6,000 levels in %s", async (_where, model) => {
    const chat = new Agent({ model: model(), tools: [look] }).chat();
    await expect(send(chat, "Go.")).rejects.toThrow(ApiShapeError);
    expect(await send(chat, "Still there?")).toMatchObject({ stopReason: "finished", text: "Here." });
    expect(chat.history.map(({ role }) => role)).toEqual(["user", "model", "user", "model"]);
  });

  test("goes on after a message that nests 6,000 levels", async () => {
    const chat = new Agent({ model: new ScriptedModel(say("Here.")) }).chat();
    await expect(async () => await send(chat, ANSWERED)).rejects.toThrow(ConfigurationError);
    expect(await send(chat, "Still there?")).toMatchObject({ stopReason: "finished", text: "Here." });
  });
});

describe.each(SESSION_FACES)("a session read by %s", (_face, face) => {
  test.each(ANSWERS)("goes on after an answer that nests 6,000 levels in %s", async (_where, model) => {
    const store = new MemoryStore();
    const session = new Agent({ model: model(), tools: [look] }).session({ id: "s", store });
    await expect(face.send(session, "Go.")).rejects.toThrow(ApiShapeError);
    expect(await session.state()).toMatchObject({ lastRun: "failed" });
    expect(await face.send(session, "Still there?")).toMatchObject({ stopReason: "finished", text: "Here." });
    const same = new Agent({ model: new ScriptedModel(), tools: [look] }).session({ id: "s", store });
    expect((await same.history()).map(({ role }) => role)).toEqual(["user", "model", "user", "model"]);
  });

  test("goes on after a hook returned 6,000 levels", async () => {
    const session = new Agent({ model: new ScriptedModel(call("look"), say("Here.")), tools: [look] }).session();
    const hooks: Hooks = { beforeCall: () => ({ args: DEEP() }) };
    await expect(face.send(session, "Go.", { hooks })).rejects.toThrow(/nest more than 500 levels/);
    expect(await face.send(session, "Still there?")).toMatchObject({ stopReason: "finished", text: "Here." });
  });

  test("stores nothing of a message that nests 6,000 levels, and goes on", async () => {
    const session = new Agent({ model: new ScriptedModel(say("Here.")) }).session();
    await expect(async () => await session.send(ANSWERED)).rejects.toThrow(ConfigurationError);
    await expect(session.steer(ANSWERED)).rejects.toThrow(ConfigurationError);
    expect(await session.history()).toEqual([]);
    expect(await face.send(session, "Still there?")).toMatchObject({ stopReason: "finished", text: "Here." });
  });

  test("says that its log is damaged when an entry of it nests 6,000 levels, and writes nothing", async () => {
    const store = new MemoryStore();
    const entry = { v: 3, at: 1, type: "history", parts: [{ contents: ANSWERED }] };
    const broken: SessionStore = Object.assign(Object.create(store) as MemoryStore, {
      load: async (id: string, from = 0) => [entry, ...(await MemoryStore.prototype.load.call(store, id))].slice(from),
      append: () => {
        throw new Error("written");
      },
      records: (id: string) => store.records(id),
    });
    const session = new Agent({ model: new ScriptedModel(say("x")) }).session({ id: "s", store: broken });
    await expect(face.send(session, "Go.")).rejects.toThrow(SessionDamagedError);
    await expect(session.history()).rejects.toThrow(/entry 0: it nests more than 5\d\d levels/);
  });
});
