import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, MemoryStore, type Session } from "@pollux/core";
import { call, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { faces } from "../../core/test/helpers/faces.ts";
import { SESSION_FACES } from "../../core/test/session/session-faces.ts";
import { freePort } from "../../../test/support/free-ports.ts";
import { elicitByAsking, type McpQuestion, mcpTools, type McpToolInfo, type OnElicit } from "../src/mcp.ts";
import { useOddServer } from "./mcp/odd-server.ts";
import { use } from "./mcp/support.ts";
import { wholeServer } from "./mcp/whole-server.ts";

const { folder, odd, starts } = useOddServer();

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const FORM = {
  mode: "form",
  message: "Which seat?",
  requestedSchema: {
    type: "object",
    properties: { seat: { type: "string", enum: ["window", "aisle"] }, bags: { type: "integer" } },
    required: ["seat"],
  },
};

describe("prompts", () => {
  test("are listed, and become the input of a run", async () => {
    await using server = await odd("whole");
    expect(await server.prompts()).toEqual([
      {
        name: "review",
        description: "Reviews.",
        arguments: [{ name: "file", required: true }],
      },
      { name: "talk", arguments: [] },
    ]);
    expect(await server.prompt("review", { file: "a.ts" })).toEqual([
      { role: "user", parts: [{ text: "Review a.ts." }] },
    ]);
    expect(await server.prompt("talk")).toEqual([
      {
        role: "user",
        parts: [{ text: "Hello." }, { inlineData: { mimeType: "image/png", data: expect.any(String) } }],
      },
      { role: "model", parts: [{ text: "What is it?" }] },
      { role: "user", parts: [{ text: "This." }] },
    ]);
    await expect(server.prompt("none")).rejects.toThrow(/did not return the prompt "none": .*there is no such thing$/);
  });

  test.each(faces)("go into a run with what the server's words bring: %s", async (_face, read) => {
    await using server = await odd("whole");
    const model = new ScriptedModel(say("It is fine."));
    const { contents } = await read(new Agent({ model }), await server.prompt("talk"), {
      reads: server.reads,
      historyReads: server.reads,
    });
    expect(contents).toHaveLength(4);
    expect(server.reads).toEqual(["untrusted", "private"]);
  });
});

describe("resources", () => {
  test("are parts of a message: text, media, and a word about the rest", async () => {
    await using server = await odd("whole");
    expect(await server.resources()).toEqual({
      resources: [
        { uri: "notes://one", name: "one", mimeType: "text/plain", bytes: 15 },
        { uri: "notes://picture", name: "picture", mimeType: "image/png" },
      ],
      templates: [{ uriTemplate: "notes://of/{person}", name: "of" }],
    });
    expect(await server.read("notes://one")).toEqual(["note of start 1"]);
    expect(await server.read("notes://of/{person}", { variables: { person: "ann b" } })).toEqual(["a note of Ann"]);
    expect(await server.read("notes://picture")).toMatchObject([{ kind: "@pollux/media", mimeType: "image/png" }]);
    expect(await server.read("notes://archive")).toEqual(["[3 bytes of application/zip, which you cannot see]"]);
    await expect(server.read("notes://one", { maxBytes: 10 })).rejects.toThrow(
      /has 15 bytes in notes:\/\/one, more than 10: raise `maxBytes`/,
    );
  });

  test("are read again after a crash of the server", async () => {
    await using server = await odd("whole");
    await use(server.tools, "die");
    expect(await server.read("notes://one")).toEqual(["note of start 2"]);
  });

  test("are tools of the model where that is wanted", async () => {
    await using server = await odd("whole", { resources: true, prefix: "n" });
    const ours = server.tools.filter(({ name }) => name.endsWith("_resources") || name.endsWith("_resource"));
    expect(ours.map(({ name, effects, reads, reach }) => ({ name, effects, reads, reach }))).toEqual(
      ["n_list_resources", "n_read_resource"].map((name) => ({
        name,
        effects: "none",
        reads: ["untrusted", "private"],
        reach: "lookup",
      })),
    );
    expect(await use(server.tools, "n_list_resources", { query: "PICTURE" })).toEqual({
      ok: true,
      output: { resources: [{ uri: "notes://picture", name: "picture", mimeType: "image/png" }], templates: [] },
    });
    expect(await use(server.tools, "n_read_resource", { uri: "notes://one" })).toEqual({
      ok: true,
      output: { uri: "notes://one", text: "note of start 1" },
    });
    expect(await use(server.tools, "n_read_resource", { uri: "notes://none" })).toEqual({
      ok: false,
      kind: "failed",
      message: expect.stringMatching(/did not read notes:\/\/none: .*there is no such thing$/),
    });
  });

  test.each(faces)("wait for a person where the server's calls do: %s", async (_face, read) => {
    const needsApproval = ({ name }: McpToolInfo): boolean => name === "read_resource";
    await using server = await odd("whole", { resources: true, needsApproval });
    const model = new ScriptedModel(call("list_resources"), call("read_resource", { uri: "notes://one" }));
    const result = await read(new Agent({ model, tools: server.tools }), "Read.");
    expect(result).toMatchObject({ stopReason: "needs-approval", pending: [{ call: { name: "read_resource" } }] });
  });

  test("are no tools of a server that has none", async () => {
    await using server = await odd("", { resources: true });
    expect(server.tools.some(({ name }) => name === "read_resource")).toBe(false);
  });
});

describe("what a server asks the person", () => {
  const asking = async (onElicit: OnElicit | undefined, params: object = FORM): Promise<unknown> => {
    await using server = await odd("whole", { onElicit });
    const outcome = await use(server.tools, "ask", { ...params });
    return outcome.ok ? (JSON.parse(String(outcome.output)) as unknown) : outcome;
  };

  test("comes with its form and the call, and its answer goes back", async () => {
    const questions: unknown[] = [];
    const answer = await asking((question, { server, calls }) => {
      questions.push(question, server, ...calls.map(({ tool, context }) => [tool, context.callId]));
      return { seat: "aisle", bags: 2 };
    });
    expect(answer).toEqual({ action: "accept", content: { seat: "aisle", bags: 2 } });
    expect(questions).toEqual([
      { kind: "form", message: "Which seat?", schema: FORM.requestedSchema },
      expect.stringMatching(/odd-server\.mjs$/),
      ["ask", "call:1.0"],
    ]);
  });

  const refusals: readonly (readonly [string, OnElicit, string])[] = [
    ["a no", () => false, "decline"],
    ["no answer", () => undefined, "cancel"],
    ["an answer that does not fit", () => ({ seat: "roof" }), "cancel"],
    [
      "a failure of the program",
      () => {
        throw new Error("no terminal");
      },
      "cancel",
    ],
  ];
  test.each(refusals)("%s reaches the server", async (_name, onElicit, action) => {
    expect(await asking(onElicit)).toEqual({ action });
  });

  test("can be a page, and nothing but a web page", async () => {
    const seen: McpQuestion[] = [];
    const onElicit: OnElicit = (question) => seen.push(question) > 0;
    const page = { mode: "url", message: "Pay here", elicitationId: "1" };
    expect(await asking(onElicit, { ...page, url: "https://pay.example/1" })).toEqual({ action: "accept" });
    expect(await asking(onElicit, { ...page, url: "file:///etc/passwd" })).toEqual({ action: "decline" });
    expect(seen).toEqual([{ kind: "link", message: "Pay here", url: new URL("https://pay.example/1") }]);
  });

  test("is refused where nobody can be asked", async () => {
    expect(await asking(undefined)).toMatchObject({ code: -32_601 });
  });

  test("a call that needs a page opened first is made after that", async () => {
    const onElicit = vi.fn<OnElicit>(() => true);
    await using server = await odd("whole", { onElicit });
    expect(await use(server.tools, "page_first")).toEqual({ ok: true, output: "made" });
    expect(onElicit).toHaveBeenCalledTimes(1);
  });

  test("a call whose page nobody opens is not made", async () => {
    await using server = await odd("whole", { onElicit: () => false });
    expect(await use(server.tools, "page_first")).toEqual({
      ok: false,
      kind: "failed",
      message: "page_first did not run: the person must open a page first, and did not",
    });
  });

  test("goes through the function that asks the model's questions, field by field", async () => {
    const asked: unknown[] = [];
    const answers = ["aisle", "2"];
    const onElicit = elicitByAsking(async (question, { callId }) => {
      asked.push({ ...question, callId });
      return answers.shift();
    });
    expect(await asking(onElicit)).toEqual({ action: "accept", content: { seat: "aisle", bags: 2 } });
    const intro = expect.stringMatching(
      /^The MCP server ".*odd-server\.mjs" asks: Which seat\?\n(?:seat|bags \(optional\))$/,
    );
    expect(asked).toEqual([
      { question: intro, choices: ["window", "aisle"], callId: "call:1.0" },
      { question: intro, callId: "call:1.0" },
    ]);
  });

  test("takes the person's time, not the call's", async () => {
    await using server = await odd("whole", {
      timeoutMs: 60_000,
      onElicit: async () => {
        await vi.advanceTimersByTimeAsync(300_000);
        return { seat: "window" };
      },
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    expect(await use(server.tools, "ask", FORM)).toMatchObject({ ok: true });
  });

  test.each([
    [undefined, 600_000],
    [5_000, 5_000],
  ])("has no answer when the time for one is over: elicitTimeoutMs %s", async (elicitTimeoutMs, passed) => {
    let signal: AbortSignal | undefined;
    const onElicit: OnElicit = (_question, context) => {
      signal = context.signal;
      void vi.advanceTimersByTimeAsync(passed);
      return new Promise(() => {});
    };
    await using server = await odd("whole", { onElicit, elicitTimeoutMs });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    expect(await use(server.tools, "ask", FORM)).toEqual({ ok: true, output: '{"action":"cancel"}' });
    expect(signal?.aborted).toBe(true);
  });

  test("leaves no timer behind when its call is aborted", async () => {
    const run = new AbortController();
    const onElicit: OnElicit = () => {
      run.abort();
      return new Promise(() => {});
    };
    await using server = await odd("whole", { onElicit });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    expect(await use(server.tools, "ask", FORM, { signal: run.signal })).toMatchObject({ kind: "cancelled" });
    await server.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each(SESSION_FACES)("is not asked again after a crash if it was answered: %s", async (_face, face) => {
    const onElicit = vi.fn<OnElicit>(() => ({ seat: "aisle" }));
    await using server = await odd("whole", { onElicit });
    const sessionIn = (store: MemoryStore, ...script: ScriptLine[]): Session =>
      new Agent({ model: new ScriptedModel(...script), tools: server.tools }).session({ id: "s", store });
    const store = new MemoryStore();
    await face.send(sessionIn(store, call("ask", FORM), say("Done.")), "Ask me.");
    const log = await store.load("s");
    const indexOf = (kind: string): number =>
      log.findIndex((entry) => /"type":"step".*"place":{"kind":"(\w+)"/.exec(JSON.stringify(entry))?.[1] === kind);
    const [answered, over] = [indexOf("inner"), indexOf("call")];
    expect(over).toBe(answered + 1);
    for (const [length, times] of [
      [answered, 1],
      [over, 0],
    ] as const) {
      onElicit.mockClear();
      // As a process that dies leaves it.
      const copy = new MemoryStore();
      await copy.append("s", 0, log.slice(0, length));
      const session = sessionIn(copy, say("Done."));
      const stopped = await face.resume(session);
      const token = stopped.stopReason === "needs-outcome" ? (stopped.pending[0]?.token ?? "") : "";
      expect(onElicit).toHaveBeenCalledTimes(0);
      const { toolCalls } = await face.resume(session, { outcomes: { [token]: { notExecuted: true } } });
      expect(toolCalls).toMatchObject([{ output: '{"action":"accept","content":{"seat":"aisle"}}' }]);
      expect(onElicit).toHaveBeenCalledTimes(times);
    }
  });

  test("is over when the server dies of it", async () => {
    let signal: AbortSignal | undefined;
    const onElicit: OnElicit = (_question, context) => {
      signal = context.signal;
      writeFileSync(join(folder(), "asking"), "");
      return new Promise(() => {});
    };
    await using server = await odd("whole", { onElicit });
    expect(await use(server.tools, "die_asking", FORM)).toEqual({
      ok: false,
      kind: "failed",
      message: "the MCP server exited during this call (exit code 5)",
    });
    await expect.poll(() => signal?.aborted).toBe(true);
  });

  test.each(faces)("is a round trip of its own in newer revisions, inside one call: %s", async (_face, read) => {
    await using remote = await wholeServer();
    await using server = await mcpTools({ url: remote.url }, { onElicit: () => ({ seat: "window" }) });
    const model = new ScriptedModel(call("book"), say("Booked."));
    const { toolCalls } = await read(new Agent({ model, tools: server.tools }), "Book.");
    expect(toolCalls).toMatchObject([{ name: "book", status: "completed", output: "booked: window" }]);
  });
});

describe("time", () => {
  test("for a resource is that of its tool, not that of a start", async () => {
    await using server = await odd("whole", { resources: true, timeoutMs: 60_000, startTimeoutMs: 30_000 });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const outcome = use(server.tools, "read_resource", { uri: "notes://silent" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await outcome).toEqual({
      ok: false,
      kind: "timeout",
      message: "read_resource timed out after 60000 ms",
    });
  });

  test.each([
    [undefined, { ok: true, output: "done" }],
    [70_000, { ok: false, kind: "timeout" }],
  ])("restarts with progress, if the option is set, up to maxTimeoutMs: %s", async (maxTimeoutMs, outcome) => {
    await using server = await odd("whole", { timeoutMs: 60_000, resetTimeoutOnProgress: true, maxTimeoutMs });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const progress = (value: unknown): void => {
      void vi.advanceTimersByTimeAsync(40_000).then(() => {
        writeFileSync(join(folder(), `seen${(value as { progress: number }).progress}`), "");
      });
    };
    expect(await use(server.tools, "steps", {}, { progress })).toMatchObject(outcome);
  });

  test("of a silent server ends the call, which is canceled there", async () => {
    await using server = await odd("whole", { timeoutMs: 50, resetTimeoutOnProgress: true });
    expect(await use(server.tools, "wait")).toEqual({
      ok: false,
      kind: "timeout",
      message: "wait timed out: no answer and no progress within 50 ms; it is unknown whether this call took effect",
    });
    await expect.poll(() => existsSync(join(folder(), "cancelled"))).toBe(true);
  });
});

describe("a server that restarts behind its address", () => {
  test("gets the call that it could not get before, once", async () => {
    const made: string[] = [];
    const first = await wholeServer({ made });
    await using server = await mcpTools({ url: first.url });
    await first[Symbol.asyncDispose]();
    const realFetch = globalThis.fetch;
    const refused = new Promise<void>((resolve) => {
      vi.spyOn(globalThis, "fetch").mockImplementation((...request) => {
        const answer = realFetch(...request);
        answer.catch(() => resolve());
        return answer;
      });
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const outcome = use(server.tools, "pay");
    await refused;
    await using _second = await wholeServer({ made, port: first.port });
    await vi.advanceTimersByTimeAsync(250);
    expect(await outcome).toEqual({ ok: true, output: "paid" });
    expect(made).toEqual(["paid"]);
  });

  test("is not called again when it may have executed the call", async () => {
    const made: string[] = [];
    await using remote = await wholeServer({
      made,
      answer: async (request) => {
        const body = await request.clone().text();
        if (!body.includes('"pay"')) return undefined;
        made.push("paid, and broken off");
        return new Response(new ReadableStream({ start: (controller) => controller.error(new Error("gone")) }));
      },
    });
    await using server = await mcpTools({ url: remote.url });
    expect(await use(server.tools, "pay")).toMatchObject({ ok: false, kind: "failed" });
    expect(made).toEqual(["paid, and broken off"]);
  });

  test("shows the tools that it has then, to the next run", async () => {
    await using server = await odd("", { toolChanges: "accept" });
    await use(server.tools, "grow");
    await expect.poll(() => server.names.has("grown")).toBe(true);
    await use(server.tools, "die");
    await use(server.tools, "hello");
    expect(starts()).toHaveLength(2);
    await expect.poll(() => server.names.has("grown")).toBe(false);
  });
});

describe("a server that can't be used says what to do", () => {
  test.each([
    [{ command: "no-such-program" }, "not-found", /ENOENT; install the program, or give its full path$/],
    [{ command: "node", cwd: "/no/such/folder" }, "not-found", /the folder in `cwd` does not exist$/],
  ] as const)("%o", async (server, reason, message) => {
    const error: unknown = await mcpTools(server).catch((problem: unknown) => problem);
    expect(error).toMatchObject({ name: "McpServerError", reason, message: expect.stringMatching(message) });
  });

  test.each([
    [401, undefined, "unauthorized", /pass `auth`: a bearer token, or an OAuth provider$/],
    [401, "stale", "unauthorized", /check `auth`: a bearer token, or an OAuth provider$/],
    [404, undefined, "not-mcp", /check the path, often \/mcp;/],
  ] as const)("status %i", async (status, auth, reason, message) => {
    await using remote = await wholeServer({ answer: async () => new Response("no", { status }) });
    const error: unknown = await mcpTools({ url: remote.url, auth }).catch((problem: unknown) => problem);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  test("nothing is listening", async () => {
    const started = mcpTools({ url: `http://127.0.0.1:${await freePort()}/mcp` });
    const error: unknown = await started.catch((problem: unknown) => problem);
    expect(error).toMatchObject({
      reason: "unreachable",
      message: expect.stringMatching(/ECONNREFUSED.*; start the server, or check host and port$/),
    });
  });
});
