import { Agent, defineJob, defineTool, MemoryStore, pollJobs } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { call, calls, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { type ChatHandlerOptions, chatHandler, type ChatProtocol, operatorHandler } from "@pollux/web";
import { agUi } from "@pollux/web/ag-ui";
import { aiSdk, type UIMessageMetadata } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Client } from "../ag-ui/client.ts";
import { type ChatClient, openChat } from "../ai-sdk/chat-client.ts";
import { type BuiltMessage, VERSIONS } from "../ai-sdk/page.ts";

const API = "https://chat.example.com/api/chat";
const ASK: readonly [string, { readonly question: string }] = ["research", { question: "Why?" }];
const refund = defineTool({
  name: "refund",
  description: "Refunds an order.",
  needsApproval: true,
  approvedBy: "support",
  run: () => "refunded",
});
const SECRET = "job-17-secret";

/** A service that makes reports; each process has an agent of its own. */
function site(protocol: ChatProtocol, options: Partial<ChatHandlerOptions> = {}) {
  const store = new MemoryStore();
  const cancelled: string[] = [];
  const started: unknown[] = [];
  const models: ScriptedModel[] = [];
  let outcome: { readonly report: string } | undefined;
  const research = defineJob({
    name: "research",
    description: "Researches a question.",
    input: z.object({ question: z.string() }),
    output: z.object({ report: z.string() }),
    checkEveryMs: 10,
    approvedBy: () => "user",
    editable: ["changes"],
    start: (_input, { call: { args }, before }) => {
      started.push(args);
      return before === undefined ? SECRET : `${SECRET}-${started.length}`;
    },
    check: () => outcome && { output: outcome },
    cancel: (jobId) => void cancelled.push(jobId),
  });
  const agentOf = (...lines: readonly ScriptLine[]): Agent => {
    const model = new ScriptedModel(...lines);
    models.push(model);
    return new Agent({ model, tools: [research, refund] });
  };
  const serve = (...lines: readonly ScriptLine[]): typeof fetch => {
    const handler = chatHandler({
      agent: agentOf(...lines),
      store,
      protocol,
      authorize: () => ({ owner: "ann" }),
      logger: { error: () => {} },
      ...options,
    });
    return async (input, init) => await handler(new Request(input, init));
  };
  return {
    store,
    cancelled,
    started,
    serve,
    agentOf,
    /** What the models read of the research. */
    told: () =>
      models.flatMap(({ requests }) =>
        requests.flatMap(({ contents }) =>
          contents.flatMap(({ parts }) =>
            parts.flatMap(({ functionResponse: one }) => (one?.name === "research" ? [one.response] : [])),
          ),
        ),
      ),
    finishJob: () => {
      outcome = { report: "It rained." };
    },
    session: (...lines: readonly ScriptLine[]) => agentOf(...lines).session({ id: "ann/c", store }),
  };
}

async function load(fetch: typeof globalThis.fetch): Promise<readonly BuiltMessage[]> {
  const text = await (await fetch(`${API}/c`)).text();
  // Whoever knows the id of a job may know more of it than its user should.
  expect(text).not.toContain(SECRET);
  return (JSON.parse(text) as { readonly messages: readonly BuiltMessage[] }).messages;
}

function waitsOf({ messages }: Pick<ChatClient, "messages">): NonNullable<UIMessageMetadata["pending"]> {
  return (messages.at(-1)?.metadata as UIMessageMetadata | undefined)?.pending ?? [];
}

function textOf(messages: readonly BuiltMessage[]): string {
  const parts = messages.flatMap(({ role, parts: all }) => (role === "assistant" ? all : []));
  return parts.map((part) => (part.type === "text" ? String(part["text"]) : "")).join("");
}

describe.each(VERSIONS)("a job in useChat of version %d", (version) => {
  const open = (fetch: typeof globalThis.fetch, messages: readonly BuiltMessage[] = []): ChatClient =>
    openChat(version, {
      id: "c",
      messages,
      fetch: async (input, init) =>
        await fetch(typeof input === "string" ? input.replace(/\/stream$/, "/stream?waiting") : input, init),
    });

  test("is shown, survives a reload, and its outcome from another process is answered once", async () => {
    const chat = site(aiSdk({ version }));
    const first = chat.serve(call(...ASK));
    const client = open(first);
    await client.sendMessage({ text: "Why?" });
    expect(client.status).toBe("ready");
    expect(waitsOf(client)).toEqual([
      {
        toolCallId: expect.any(String),
        question: "job",
        token: expect.any(String),
        job: { since: expect.any(Number), until: expect.any(Number) },
      },
    ]);

    const other = chat.serve();
    const page = open(other, await load(other));
    expect(waitsOf(page)).toEqual(waitsOf(client));
    const following = page.resumeStream();
    await expect.poll(() => page.status).toBe("streaming");
    await chat.session().reportJob(SECRET, { progress: { percent: 80 } });
    await expect.poll(() => waitsOf(page)[0]?.progress).toEqual({ percent: 80 });
    expect(waitsOf(page)[0]?.job?.reportedAt).toEqual(expect.any(Number));
    expect(waitsOf({ messages: [...(await load(first))] })).toEqual(waitsOf(page));

    await chat.session().reportJob(SECRET, { output: { report: "It rained." } });
    await chat.session(say("Because it rained.")).continue();
    await following;
    expect([page.error, textOf(page.messages), waitsOf(page)]).toEqual([undefined, "Because it rained.", []]);
    expect(textOf(await load(first))).toBe("Because it rained.");
    expect(chat.told()).toEqual([{ output: { report: "It rained." } }]);
    expect(JSON.stringify(page.messages)).not.toContain(SECRET);
  });

  test("asks about its plan: the page shows it, and its user changes and accepts it", async () => {
    const chat = site(aiSdk({ version }));
    const first = chat.serve(call(...ASK));
    const client = open(first);
    await client.sendMessage({ text: "Why?" });
    const following = client.resumeStream();
    await expect.poll(() => client.status).toBe("streaming");
    await chat.session().reportJob(SECRET, { ask: { plan: "1. Search.", changes: "" } });
    await chat.session().continue();
    await following;
    const plan = { question: "Why?", plan: "1. Search.", changes: "" };
    const asked = { input: plan, ...(version > 5 && { state: "approval-requested" }) };
    const callOf = ({ messages }: Pick<ChatClient, "messages">): unknown =>
      messages.at(-1)?.parts.find(({ type }) => type === "tool-research");
    // Only pages of version 7 can be told live that a call has other arguments.
    if (version > 6) expect(callOf(client)).toMatchObject(asked);
    const page = open(first, await load(first));
    expect(callOf(page)).toMatchObject(asked);
    expect(waitsOf(page)).toMatchObject([{ question: "approval", approvedBy: "user", editable: ["changes"] }]);
    const { toolCallId = "", token = "" } = waitsOf(page)[0] ?? {};
    const answer = async (args: object): Promise<void> =>
      await page.sendMessage(undefined, { body: { answers: [{ toolCallId, token, args }] } });
    await answer({ ...plan, question: "How?" });
    expect([page.error, chat.started.length]).toEqual([expect.any(Error), 1]);
    await answer({ ...plan, changes: "In Europe." });
    expect(waitsOf({ messages: [...(await load(first))] })).toMatchObject([{ question: "job" }]);
    expect(chat.started).toEqual([ASK[1], { ...plan, changes: "In Europe." }]);
  });

  test("is not for a page to finish, whatever the application allows; only to withdraw", async () => {
    const chat = site(aiSdk({ version }), { authorizeAnswer: () => true });
    const client = open(chat.serve(call(...ASK), say("All right.")));
    await client.sendMessage({ text: "Why?" });
    const { toolCallId = "", token = "" } = waitsOf(client)[0] ?? {};
    const forgeries = [{ output: { report: "Forged." } }, { errorText: "It failed." }, { notExecuted: true }];
    for (const forged of forgeries) {
      await client.sendMessage(undefined, { body: { answers: [{ toolCallId, token, ...forged }] } });
      expect(client.error?.message).toContain("Only the job's service reports its outcome.");
    }
    await client.addToolOutput({ tool: "research", toolCallId, output: { report: "Forged." } });
    expect([chat.told(), chat.cancelled, (await chat.session().state()).pending.length]).toEqual([[], [], 1]);

    const ask = chat.serve(say("All right."));
    expect(await (await ask(`${API}/c/withdraw`, { method: "POST" })).json()).toEqual({ withdrawn: true });
    await expect.poll(async () => textOf(await load(ask))).toBe("All right.");
    expect(chat.cancelled).toEqual([SECRET]);
  });
});

describe("a conversation with a job", () => {
  const body = (text: string): RequestInit => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: "c", messages: [{ id: text, role: "user", parts: [{ type: "text", text }] }] }),
  });
  const say1 = async (fetch: typeof globalThis.fetch, text: string): Promise<string> =>
    await (await fetch(API, body(text))).text();
  const stateOf = async (fetch: typeof globalThis.fetch): Promise<string> =>
    ((await (await fetch(`${API}/c`)).json()) as { readonly state: string }).state;

  test("goes on by the poller while a page follows it", async () => {
    const chat = site(aiSdk());
    const ask = chat.serve(call(...ASK));
    await say1(ask, "Why?");
    const following = (await ask(`${API}/c/stream?waiting`)).text();
    const stop = new AbortController();
    const agent = chat.agentOf(say("Because it rained."));
    const polling = pollJobs({ agent, store: chat.store, signal: stop.signal, everyMs: 10, onError: console.error });
    chat.finishJob();
    expect(await following).toContain("Because it rained.");
    stop.abort();
    await polling;
    expect(textOf(await load(ask))).toBe("Because it rained.");
  });

  test("is stopped with its job, and can be resumed", async () => {
    const chat = site(aiSdk());
    const ask = chat.serve(call(...ASK), say("I stopped."));
    await say1(ask, "Why?");
    const listed = async (): Promise<unknown> => await (await ask(API)).json();
    expect(await listed()).toMatchObject({ chats: [{ state: "waiting", waitsFor: "job" }] });
    expect(await (await ask(`${API}/c/stop`, { method: "POST" })).json()).toEqual({ stopped: true });
    expect(await listed()).toMatchObject({ chats: [{ state: "stopped", ending: "aborted" }] });
    expect([chat.cancelled, await stateOf(ask)]).toEqual([[SECRET], "stopped"]);
    expect(await (await ask(`${API}/c/continue`, { method: "POST" })).json()).toEqual({ continued: true });
    await (await ask(`${API}/c/stream?ended`)).text();
    expect(textOf(await load(ask))).toBe("I stopped.");
  });

  test.each([
    [undefined, [SECRET], 200],
    ["close", [SECRET], 200],
    ["steer", [], 200],
    ["refuse", [], 409],
  ] as const)("does with a message what unfinished: %s says", async (unfinished, cancelled, status) => {
    const chat = site(aiSdk(), { unfinished });
    const ask = chat.serve(call(...ASK), say("Fine."));
    await say1(ask, "Why?");
    const response = await ask(API, body("And now?"));
    const text = await response.text();
    expect([response.status, chat.cancelled]).toEqual([status, cancelled]);
    expect(text.includes("Fine.")).toBe(cancelled.length > 0);
    if (unfinished !== "steer") return;
    // It waits for the job, and for nobody.
    const queued = (await load(ask)).at(-1);
    expect(queued?.metadata).toMatchObject({ queued: true });
    expect(queued?.metadata).not.toHaveProperty("waitsFor");
    await chat.session().reportJob(SECRET, { output: { report: "It rained." } });
    await chat.session(say("So.")).continue();
    expect([textOf(await load(ask)), chat.told()]).toEqual(["So.", [{ output: { report: "It rained." } }]]);
  });

  test("keeps a message while somebody else is asked as well", async () => {
    const chat = site(aiSdk());
    const ask = chat.serve(calls({ name: ASK[0], args: ASK[1] }, "refund"));
    await say1(ask, "Why?");
    await say1(ask, "And now?");
    expect(chat.cancelled).toEqual([]);
    expect((await load(ask)).at(-1)?.metadata).toMatchObject({ queued: true, waitsFor: ["support"] });
  });

  test("is not for an operator to finish", async () => {
    const chat = site(aiSdk());
    await say1(chat.serve(call(...ASK)), "Why?");
    const operators = operatorHandler({ agent: chat.agentOf(), store: chat.store, authorize: () => ({ by: "olga" }) });
    const listed = await operators(new Request("https://chat.example.com/api/operator"));
    const text = await listed.text();
    expect([JSON.parse(text), text.includes(SECRET)]).toEqual([{ calls: [] }, false]);
    const [question] = (await readConversation(chat.session())).pending;
    const answers = [{ token: question?.token, output: { report: "Forged." } }];
    const request = new Request("https://chat.example.com/api/operator/answers", {
      ...body(""),
      body: JSON.stringify({ session: "ann/c", answers }),
    });
    expect((await operators(request)).status).toBe(403);
    expect((await chat.session().state()).pending.length).toBe(1);
  });
});

describe("a job in AG-UI", () => {
  function clientOf(fetch: typeof globalThis.fetch, path = ""): Client {
    return new Client(async (init) => await fetch(`${API}${path}`, path === "" ? init : {}), "c");
  }
  const waiting = (client: Client): unknown =>
    client.messages.flatMap((one) =>
      one.role === "activity" && one.activityType === "pollux.waiting" ? [one.content] : [],
    );

  test("is shown, survives a reload, and its outcome from another process is answered once", async () => {
    const chat = site(agUi());
    const first = clientOf(chat.serve(call(...ASK)));
    first.agent.addMessage({ id: "1", role: "user", content: "Why?" });
    const end = await first.run();
    expect(end.outcome).toBe("success");
    const job = { since: expect.any(Number), until: expect.any(Number) };
    const one = { toolCallId: expect.any(String), toolName: "research", question: "job", token: expect.any(String) };
    expect(waiting(first)).toEqual([{ calls: [{ ...one, job }] }]);

    const loaded = clientOf(chat.serve(), "/c/stream");
    await loaded.run();
    expect(loaded.messages).toEqual(first.messages);

    const page = clientOf(chat.serve(), "/c/stream?waiting");
    const following = page.run();
    await expect.poll(() => page.events.length).toBeGreaterThan(1);
    await chat.session().reportJob(SECRET, { progress: "half" });
    const reported = { ...job, reportedAt: expect.any(Number) };
    await expect.poll(() => waiting(page)).toEqual([{ calls: [{ ...one, job: reported, progress: "half" }] }]);
    await chat.session().reportJob(SECRET, { output: { report: "It rained." } });
    await chat.session(say("Because it rained.")).continue();
    expect((await following).outcome).toBe("success");
    const said = page.messages.filter(({ role, content }) => role === "assistant" && content === "Because it rained.");
    expect([said.length, waiting(page), JSON.stringify(page.events).includes(SECRET)]).toEqual([1, [], false]);
    expect(chat.told()).toEqual([{ output: { report: "It rained." } }]);
  });

  test("is not for a client to finish", async () => {
    const chat = site(agUi(), { authorizeAnswer: () => true });
    const ask = chat.serve(call(...ASK));
    const client = clientOf(ask);
    client.agent.addMessage({ id: "1", role: "user", content: "Why?" });
    await client.run();
    const toolCallId = client.messages.flatMap((one) => (one.role === "assistant" ? (one.toolCalls ?? []) : []))[0]?.id;
    const messages = [...client.agent.messages, { id: "2", role: "tool", toolCallId, content: '{"report":"Forged."}' }];
    const input = { threadId: "c", runId: "r2", state: {}, messages, tools: [], context: [], forwardedProps: {} };
    const headers = { "content-type": "application/json" };
    const response = await ask(API, { method: "POST", headers, body: JSON.stringify(input) });
    expect([response.status, (await chat.session().state()).pending.length]).toEqual([403, 1]);
  });
});
