import { Agent, defineTool, MemoryStore, type Model, type SessionStore, type ToolContext } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { call, calls, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { chatHandler, type ChatHandlerOptions, type DataPart } from "@pollux/web";
import { aiSdk, type AiSdkVersion, withoutDiscards } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { deferred } from "../../../core/test/helpers/deferred.ts";
import { SteppedModel } from "../handler/chat-page.ts";
import { type ChatClient, openChat } from "./chat-client.ts";
import { type BuiltMessage, VERSIONS } from "./page.ts";

const where = defineTool({ name: "where", description: "Where the user is.", approvedBy: "user" });

interface App {
  readonly send?: ((part: DataPart) => Promise<void>) | undefined;
  readonly plan?: string;
}

const weather = defineTool({
  name: "weather",
  description: "The weather.",
  run: async (_input, context: ToolContext<App>) => {
    await context.progress({ type: "data-status", data: "looking", transient: true });
    await context.progress({ type: "data-map", id: "map", data: { zoom: 1 } });
    await context.progress({ type: "data-map", id: "map", data: { zoom: 2 } });
    await context.progress({ type: "data-note", data: "sunny" } satisfies DataPart<{ note: string }>);
    return "21 °C";
  },
});

/** A server with one chat, and pages that look at it. */
function site(
  version: AiSdkVersion,
  model: readonly ScriptLine[] | Model,
  given: Partial<ChatHandlerOptions<App>> = {},
) {
  const scripted = "respond" in model ? model : new ScriptedModel(...model);
  const store: SessionStore = given.store ?? new MemoryStore();
  const handler = chatHandler<App>({
    agent: new Agent<App>({ model: scripted, tools: [where, weather] }),
    authorize: () => ({ owner: "ann", context: {} }),
    protocol: aiSdk({ version }),
    logger: { error: () => {} },
    ...given,
    store,
  });
  const get: typeof fetch = async (input, init) => await handler(new Request(input, init));
  return {
    handler,
    store,
    model: scripted,
    fetch: get,
    open: (messages: readonly BuiltMessage[] = [], onData?: (part: unknown) => void): ChatClient =>
      openChat(version, { id: "c", messages, fetch: get, ...(onData && { onData }) }),
    load: async (): Promise<readonly BuiltMessage[]> => {
      const response = await get("https://chat.example.com/api/chat/c");
      return ((await response.json()) as { readonly messages: readonly BuiltMessage[] }).messages;
    },
  };
}

const plain = (value: unknown): BuiltMessage => JSON.parse(JSON.stringify(value)) as BuiltMessage;

describe.each(VERSIONS)("useChat of version %d", (version) => {
  test("has a sentence as the message of an error, and its code where a fetch of the page's can read it", async () => {
    const { open, fetch: ask } = site(version, [say("Hi.")], { maxBodyBytes: 300 });
    const client = open();
    await client.sendMessage({ text: "x".repeat(400) });
    expect([client.status, client.error?.message]).toEqual([
      "error",
      "The body is larger than 300 bytes. Send only the last message, and upload files elsewhere.",
    ]);
    const init = { method: "POST", body: "{", headers: { "content-type": "application/json" } };
    const told = await ask("https://chat.example.com/api/chat", init);
    expect([told.status, told.headers.get("pollux-error"), told.headers.get("content-type")]).toEqual([
      400,
      "bad_json",
      expect.stringContaining("text/plain"),
    ]);
    const headers = { ...init.headers, accept: "application/json" };
    const json = await ask("https://chat.example.com/api/chat", { ...init, headers });
    expect(await json.json()).toEqual({ error: { code: "bad_json", message: "The body is not valid JSON." } });
  });

  test("finds what the log has about an error that it is not told", async () => {
    const lines: { readonly reference?: string }[] = [];
    const { fetch: ask, open } = site(version, [say("Hi.")], {
      authorize: () => Promise.reject(new Error("the database is gone")),
      logger: { error: (facts: object) => void lines.push(facts) },
    });
    const client = open();
    await client.sendMessage({ text: "Hi" });
    expect(client.error?.message).toBe("Something went wrong.");
    const response = await ask("https://chat.example.com/api/chat/c/stream");
    expect(await response.text()).toBe("Something went wrong.");
    expect(response.headers.get("pollux-reference")).toBe(lines.at(-1)?.reference);
    // What is no stream is for a fetch of the page's own.
    const list = await ask("https://chat.example.com/api/chat");
    expect(await list.json()).toMatchObject({ error: { code: "internal", reference: lines.at(-1)?.reference } });
  });

  test("shows why a tool in the page failed in the page's words, as does a replay, a reload and another process", async () => {
    const { open, load, store, model } = site(version, [call("where"), say("Never mind.")]);
    const client = open();
    await client.sendMessage({ text: "Where am I?" });
    const toolCallId = client.messages.at(-1)?.parts.find(({ type }) => type === "tool-where")?.["toolCallId"];
    const errorText = "The user has no GPS.";
    await client.addToolOutput({ tool: "where", toolCallId: String(toolCallId), state: "output-error", errorText });
    await expect.poll(() => JSON.stringify(client.messages)).toContain("Never mind.");
    const shown = { type: "tool-where", state: "output-error", errorText };
    expect(client.messages.at(-1)?.parts).toMatchObject([{}, shown, {}, { text: "Never mind." }]);
    expect((await load()).at(-1)?.parts).toMatchObject([{}, shown, {}, { text: "Never mind." }]);
    expect((await site(version, [], { store }).load()).at(-1)?.parts).toMatchObject([{}, shown, {}, {}]);
    expect(JSON.stringify((model as ScriptedModel).requests[1]?.contents.at(-1))).toContain(errorText);

    const { fetch: ask } = site(version, [], { store });
    const replayed = await ask("https://chat.example.com/api/chat/c/stream?ended");
    expect(await replayed.text()).toContain(`"errorText":"${errorText}"`);
  });

  test("keeps the metadata of the user's message", async () => {
    const { open, load, store } = site(version, [say("Hi."), say("Again.")]);
    const client = open();
    await client.sendMessage({ text: "Hello", metadata: { mood: "good", tags: [1, 2] } });
    await expect.poll(async () => (await load())[0]?.metadata).toMatchObject({ mood: "good", tags: [1, 2] });
    const reloaded = site(version, [say("Again.")], { store });
    const page = reloaded.open(await reloaded.load());
    expect(page.messages[0]?.metadata).toMatchObject({ mood: "good", runId: expect.any(String) });
    await page.regenerate();
    expect((await reloaded.load()).map(({ role, metadata }) => [role, (metadata as { mood?: string }).mood])).toEqual([
      ["user", "good"],
      ["assistant", undefined],
    ]);
    await page.sendMessage({ text: "More", metadata: { note: "x".repeat(5000) } });
    expect(page.error?.message).toBe('the "metadata" of a message may have 4096 characters of JSON at most');
    await page.sendMessage({ text: "More", metadata: ["a"] });
    expect(page.error?.message).toBe('the "metadata" of a message must be a JSON object');
  });

  test("picks the options of a run by its body, which a schema checks, and an answer or another process goes on with them", async () => {
    const asked: unknown[] = [];
    const perRun: ChatHandlerOptions<App>["perRun"] = {
      body: z.strictObject({ plan: z.enum(["free", "pro"]).default("free") }),
      options: ({ body }) => {
        asked.push(body);
        // As the schema says.
        const { plan } = body as { readonly plan: string };
        return { context: { plan }, instructions: `The plan is ${plan}.` };
      },
    };
    const { open, load, store, model } = site(version, [call("where")], { perRun });
    const client = open();
    await client.sendMessage({ text: "Hi" }, { body: { plan: "gold" } });
    expect(client.error?.message).toMatch(/^The body of the request: plan: Invalid option/);
    await client.sendMessage({ text: "Hi" }, { body: { admin: true } });
    expect(client.error?.message).toMatch(/^The body of the request: Unrecognized key/);
    expect((await store.list()).length).toBe(0);
    await open().sendMessage({ text: "Where am I?" }, { body: { plan: "pro" } });
    expect((model as ScriptedModel).requests[0]?.instructions).toContain("The plan is pro.");

    const other = site(version, [say("In Oslo.")], { store, perRun });
    const page = other.open(await load());
    const toolCallId = page.messages.at(-1)?.parts.find(({ type }) => type === "tool-where")?.["toolCallId"];
    await page.addToolOutput({ tool: "where", toolCallId: String(toolCallId), output: "Oslo" });
    await expect.poll(() => JSON.stringify(page.messages)).toContain("In Oslo.");
    expect(asked).toEqual([{ plan: "pro" }, { plan: "pro" }]);
  });

  test("gets the data parts of tools where they belong, and those that are transient once", async () => {
    const { open, load, store } = site(version, [call("weather"), say("Sunny.")]);
    const seen: unknown[] = [];
    const client = open([], (part) => seen.push(part));
    await client.sendMessage({ text: "How is it?" });
    const data = [
      { type: "data-map", id: "map", data: { zoom: 2 } },
      { type: "data-note", data: "sunny" },
    ];
    const [step, tool, map, note] = client.messages.at(-1)?.parts ?? [];
    expect([step?.type, tool?.type, map, note]).toEqual(["step-start", "tool-weather", ...data]);
    expect(tool).toMatchObject({ state: "output-available", output: "21 °C" });
    expect(seen.filter((part) => JSON.stringify(part).includes("transient"))).toMatchObject([{ type: "data-status" }]);
    expect(plain(client.messages.at(-1))).toEqual((await load()).at(-1));

    const late: unknown[] = [];
    const other = site(version, [], { store });
    const reloaded = other.open((await other.load()).slice(0, 1), (part) => late.push(part));
    const again = openChat(version, {
      id: "c",
      messages: reloaded.messages,
      onData: (part) => late.push(part),
      fetch: async (url, init) => await other.fetch(`${url as string}?ended`, init),
    });
    await again.resumeStream();
    expect(again.messages.at(-1)?.parts.filter(({ type }) => data.some((one) => one.type === type))).toEqual(data);
    expect(JSON.stringify(late)).not.toContain("data-status");
  });

  test("gets what another process is told by its tools, through a store that both use", async () => {
    const store = new SqliteStore(":memory:");
    const gate = deferred();
    const slow = defineTool({
      name: "slow",
      description: "Is slow.",
      run: async (_input, context) => {
        await context.progress({ type: "data-map", id: "map", data: { zoom: 1 } });
        await gate.promise;
        return "done";
      },
    });
    const agent = new Agent<App>({ model: new ScriptedModel(call("slow"), say("Done.")), tools: [slow] });
    const writer = site(version, [], { agent, store });
    const sent = writer.open().sendMessage({ text: "Go", metadata: { mood: "good" } });
    const reader = site(version, [], { store });
    await expect.poll(async () => JSON.stringify(await reader.load().catch(() => []))).toContain("data-map");
    const follower = reader.open((await reader.load()).slice(0, 1));
    const followed = follower.resumeStream();
    await expect.poll(() => JSON.stringify(follower.messages)).toContain('"data":{"zoom":1}');
    gate.resolve();
    await Promise.all([sent, followed]);
    expect((await reader.load())[0]?.metadata).toMatchObject({ mood: "good" });
    const stored = JSON.stringify(await store.load("ann/c"));
    expect(stored).not.toContain('"body"');
    store.close();
  });

  test("gets the data parts of hooks, while the run goes and afterwards", async () => {
    const hooks = {
      beforeCall: async ({ context }: { readonly context: App }) => {
        await context.send?.({ type: "data-check", data: { ok: true } });
        await context.send?.({ type: "data-busy", data: 1, transient: true });
        // Neither ends the run or the stream.
        await context.send?.({ type: "data-big", data: 1n, transient: true });
        await context.send?.({ type: "busy", data: 1 } as never);
      },
    };
    const agent = new Agent<App>({
      model: new ScriptedModel(calls({ name: "weather", args: {} }), say("Sunny.")),
      tools: [weather],
      hooks,
    });
    const perRun: ChatHandlerOptions<App>["perRun"] = {
      body: z.object({}),
      options: ({ send }) => ({ context: { send } }),
    };
    const lines: { readonly err?: unknown }[] = [];
    const logger = { error: (facts: object) => void lines.push(facts) };
    const { open, load } = site(version, [], { agent, perRun, logger });
    const seen: unknown[] = [];
    const client = open([], (part) => seen.push(part));
    await client.sendMessage({ text: "How is it?" });
    expect(client.messages.at(-1)?.parts).toContainEqual({ type: "data-check", data: { ok: true } });
    expect(seen).toContainEqual(expect.objectContaining({ type: "data-busy" }));
    expect(lines.map(({ err }) => String(err))).toEqual([
      expect.stringContaining("BigInt"),
      'TypeError: a part needs a type such as "data-weather", and data',
    ]);
    expect((await load()).at(-1)?.parts).toContainEqual({ type: "data-check", data: { ok: true } });
  });

  test("gets a part that is stored before anything else happens, and its successor while words come", async () => {
    const [gate, shown] = [deferred(), deferred()];
    const parts: unknown[] = [];
    let send: App["send"];
    const report = defineTool({
      name: "report",
      description: "Reports.",
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        await send?.({ type: "data-step", id: "s", data: 1 });
        await gate.promise;
        return "done";
      },
    });
    const model = new SteppedModel(call("report"), say("One ", "two."));
    const perRun: ChatHandlerOptions<App>["perRun"] = {
      body: z.object({}),
      options: ({ send: given }) => {
        send = given;
        return { context: {} };
      },
    };
    const { open, load } = site(version, model, { agent: new Agent<App>({ model, tools: [report] }), perRun });
    const client = open([], (part) => {
      // The client writes into what it has.
      parts.push(structuredClone(part));
      if (parts.length === 2) shown.resolve();
    });
    model.say();
    const answered = client.sendMessage({ text: "Go." });
    await expect.poll(() => parts.length).toBe(1);
    gate.resolve();
    model.say();
    await expect.poll(() => JSON.stringify(client.messages)).toContain("One ");
    await send?.({ type: "data-step", id: "s", data: 2 });
    await shown.promise;
    // One that is new takes back no word that was said.
    await send?.({ type: "data-note", data: "late" });
    await expect.poll(() => parts.length).toBe(3);
    model.finish();
    await answered;
    expect(parts).toMatchObject([{ data: 1 }, { data: 2 }, { data: "late" }]);
    const types = ["step-start", "tool-report", "data-step", "step-start", "text", "data-note"];
    expect(client.messages.at(-1)?.parts.map(({ type }) => type)).toEqual(types);
    expect((await load()).at(-1)?.parts.map(({ type }) => type)).toEqual(types);
  });

  test("finds a part that came after its run had ended, while no page was open", async () => {
    let send: App["send"];
    const perRun: ChatHandlerOptions<App>["perRun"] = {
      body: z.object({}),
      options: (run) => {
        ({ send } = run);
        return {};
      },
    };
    const { open, load } = site(version, [say("It will come.")], { perRun });
    await open().sendMessage({ text: "Send it." });
    await send?.({ type: "data-parcel", data: "here" });
    expect((await load()).at(-1)?.parts).toContainEqual({ type: "data-parcel", data: "here" });
  });

  test("has in front of a turn what is sent before it, as when it is loaded", async () => {
    const perRun: ChatHandlerOptions<App>["perRun"] = {
      body: z.object({}),
      options: ({ send }) => ({
        hooks: {
          prepareTurn: async ({ turn }) => {
            await send({ type: "data-turn", data: turn });
            return undefined;
          },
        },
      }),
    };
    const { open, load } = site(version, [call("weather"), say("Sunny.")], { perRun });
    const client = open();
    await client.sendMessage({ text: "How is it?" });
    const types = client.messages.at(-1)?.parts.map(({ type }) => type);
    expect(types?.slice(0, 3)).toEqual(["data-turn", "step-start", "tool-weather"]);
    expect(types?.slice(-3)).toEqual(["data-turn", "step-start", "text"]);
    expect((await load()).at(-1)?.parts.map(({ type }) => type)).toEqual(types);
  });

  test("keeps the metadata of each message when one is sent together with an answer", async () => {
    const { open, load } = site(version, [call("where"), say("In Oslo."), say("Yes.")], { unfinished: "steer" });
    const client = open();
    await client.sendMessage({ text: "Where am I?", metadata: { mood: "lost" } });
    const { messages } = client;
    const parts = messages[1]?.parts.map((part) =>
      part.type === "tool-where" ? { ...part, state: "output-available", output: "Oslo" } : part,
    );
    const page = open([messages[0], { ...messages[1], parts }] as BuiltMessage[]);
    await page.sendMessage({ text: "Really?", metadata: { mood: "sure" } });
    expect((await load())[0]?.metadata).toMatchObject({ mood: "lost" });
  });

  test("has an answer after its network failed in the middle, and a mark before it where the client may have kept its parts", async () => {
    const model = new SteppedModel(say("One ", "two ", "three."));
    const { fetch: ask } = site(version, model);
    let cut = (_error: Error): void => {};
    const client = openChat(version, {
      id: "c",
      fetch: async (url, init) => {
        const response = await ask(`${url as string}${init?.method === "POST" ? "" : "?ended"}`, init);
        if (init?.method !== "POST") return response;
        const reader = response.body?.getReader();
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => void (cut = (error) => controller.error(error)),
          pull: async (controller) => {
            const piece = await reader?.read();
            if (piece?.value !== undefined) controller.enqueue(piece.value);
          },
        });
        return new Response(body, response);
      },
    });
    const sent = client.sendMessage({ text: "Count." });
    model.say();
    await expect.poll(() => JSON.stringify(client.messages)).toContain("One ");
    cut(new TypeError("network error"));
    await sent;
    expect(client.error).toBeInstanceOf(TypeError);
    model.finish();
    await client.resumeStream();
    const parts = client.messages.at(-1)?.parts ?? [];
    const said = parts.flatMap((part) => (part.type === "text" ? [part["text"]] : []));
    // The client of version 5 goes on with the parts that it had, and has no chunk that takes a part back. That of version 6 begins anew
    // here, but not when `useChat` stands between it and its transport.
    expect([said, parts.some(({ type }) => type === "data-discard")]).toEqual([
      version === 5 ? ["One ", "One two three."] : ["One two three."],
      version < 7,
    ]);
    expect(withoutDiscards({ parts }).parts).toMatchObject([{ type: "step-start" }, { text: "One two three." }]);
    expect(client.messages.length).toBe(2);
  });
});

test.each([["all"], [1]] as const)("data that was said again under its id stays when %s is void", (steps) => {
  const [step, map] = [{ type: "step-start" }, { type: "data-map", id: "map", data: 2 }];
  const [note, text] = [
    { type: "data-note", data: 1 },
    { type: "text", text: "Hi." },
  ];
  const parts = [step, map, note, { type: "data-discard", data: { steps } }, step, text];
  expect(withoutDiscards({ parts }).parts).toEqual([map, step, text]);
});

test("a handler says what perRun needs", () => {
  const options = { authorize: () => ({ owner: "ann", context: {} }), perRun: { body: z.object({}) } as never };
  expect(() => site(7, [say("Hi.")], options)).toThrow(
    "perRun needs a body, a zod schema or another Standard Schema, and options, a function",
  );
});
