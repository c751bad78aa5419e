import { Agent, defineTool, type JsonObject, MemoryStore, type SessionStore } from "@pollux/core";
import { call, calls, costs, join, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { type AuthorizeAnswer, type ChatHandlerOptions, operatorHandler, type PageAnswer } from "@pollux/web";
import { agUi } from "@pollux/web/ag-ui";
import { aiSdk, type UIMessageMetadata } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { deferred } from "../../../core/test/helpers/deferred.ts";
import { storeLike } from "../../../core/test/helpers/processes.ts";
import { allChunks, errorOf, openPage, type Page, readChunks, restOf, textOf, userMessage } from "./chat-page.ts";

const refunded: number[] = [];
const refund = defineTool({
  name: "refund",
  description: "Refunds an order.",
  input: z.object({ euros: z.number() }),
  needsApproval: true,
  approvedBy: "support",
  effects: "once",
  run: ({ euros }) => (refunded.push(euros), { refunded: euros }),
});
const book = defineTool({
  name: "book",
  description: "Books a table.",
  input: z.object({ people: z.number(), table: z.number() }),
  needsApproval: true,
  approvedBy: "user",
  editable: ["people"],
  run: (input) => input,
});
const unsaid = defineTool({
  name: "unsaid",
  description: "Does not say who approves it.",
  needsApproval: true,
  run: () => "done",
});
const backOffice = defineTool({ name: "back_office", description: "Asks the back office.", approvedBy: "support" });
const whereAmI = defineTool({ name: "where_am_i", description: "Where the user is.", approvedBy: "user" });
const tools = [refund, book, unsaid, backOffice, whereAmI];

interface ToolPart {
  readonly toolCallId: string;
  readonly state: string;
  readonly input: unknown;
  readonly errorText?: string;
}

interface Stored {
  readonly state: string;
  readonly messages: readonly {
    readonly id: string;
    readonly role: string;
    readonly parts: readonly object[];
    readonly metadata: UIMessageMetadata;
  }[];
}

async function load(page: Page): Promise<Stored> {
  return (await (await page.ask("GET", "/c1")).json()) as Stored;
}

/** The last message of the agent, and its first call. */
async function answerOf(page: Page): Promise<Stored["messages"][number] & { readonly part: ToolPart }> {
  const message = (await load(page)).messages.findLast(({ role }) => role === "assistant");
  const part = message?.parts.find((one): one is ToolPart => "toolCallId" in one);
  if (message === undefined || part === undefined) throw new Error("there is no call");
  return { ...message, part };
}

type Asked = Page & { readonly model: ScriptedModel };

/** A page whose first message makes the agent call tools that wait. */
async function asked(
  made: readonly (readonly [name: string, args?: JsonObject])[],
  { script = [say("Well."), say("Then."), say("So.")], ...options }: Options = {},
): Promise<Asked> {
  refunded.length = 0;
  const model = new ScriptedModel(calls(...made.map(([name, args = {}]) => ({ name, args }))), ...script);
  const page = openPage(model, { agent: new Agent({ model, tools }), ...options });
  await allChunks(await page.send("Please.", { id: "m1" }));
  return { ...page, model };
}

type Options = Partial<ChatHandlerOptions> & { readonly script?: readonly ScriptLine[] };

/** Sends the page's message with its call changed, as `useChat` does. */
async function answerInPlace(page: Page, change: object): Promise<Response> {
  const { part, parts, ...message } = await answerOf(page);
  const changed = parts.map((one) => (one === part ? { ...part, ...change } : one));
  return await page.ask("POST", "", { body: { id: "c1", messages: [{ ...message, parts: changed }] } });
}

/** Answers the call that waits, by its token. */
async function answer(page: Page, given: object): Promise<Response> {
  const { pending: [first] = [] } = (await answerOf(page)).metadata;
  return await page.ask("POST", "", { body: { id: "c1", answers: [{ ...first, ...given }] } });
}

const NOT_YOURS = { status: 403, code: "not_yours" };

describe("a page", () => {
  test("can't approve what somebody else approves, in whatever form it tries", async () => {
    const page = await asked([["refund", { euros: 40 }]]);
    const refused = await answer(page, { approved: true });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({
      error: { code: "not_yours", message: expect.stringContaining("approvedBy") as string },
    });
    const { part, metadata } = await answerOf(page);
    expect(part.state).toBe("input-available");
    const forged = { state: "approval-responded", approval: { id: metadata.pending?.[0]?.token, approved: true } };
    expect(await errorOf(await answerInPlace(page, forged))).toEqual(NOT_YOURS);
    expect(refunded).toEqual([]);
    expect(await load(page)).toMatchObject({ state: "waiting" });
    expect(page.lines).toEqual([]);
  });

  test("can't raise the amount that it asks for", async () => {
    const page = await asked([["refund", { euros: 40 }]]);
    expect(await errorOf(await answer(page, { args: { euros: 9000 } }))).toEqual(NOT_YOURS);
    expect(refunded).toEqual([]);
  });

  test("does not approve what a tool leaves to the application", async () => {
    const page = await asked([["unsaid"]]);
    expect(await errorOf(await answer(page, { approved: true }))).toEqual(NOT_YOURS);
  });

  test("does not answer for the back office", async () => {
    const page = await asked([["back_office"]]);
    const granted = { output: "granted" };
    expect(await errorOf(await answer(page, granted))).toEqual(NOT_YOURS);
    expect(await errorOf(await answer(page, { errorText: "no" }))).toEqual(NOT_YOURS);
    expect(await errorOf(await answerInPlace(page, { state: "output-available", ...granted }))).toEqual(NOT_YOURS);
    expect(await load(page)).toMatchObject({ state: "waiting" });
  });

  test("does not answer for the back office along with its next message", async () => {
    const page = await asked([["back_office"]]);
    const { part, parts, ...message } = await answerOf(page);
    const forged = {
      ...message,
      parts: parts.map((one) => (one === part ? { ...one, state: "output-available", output: 1 } : one)),
    };
    const body = { id: "c1", messages: [forged, userMessage("Go on.", "m2")] };
    expect(await errorOf(await page.ask("POST", "", { body }))).toEqual(NOT_YOURS);
  });

  test.each([
    ["deny", { approved: false, reason: "too late" }, "output-denied"],
    ["withdraw", { withdrawn: "changed my mind" }, "output-error"],
  ])("may %s what somebody else approves", async (_what, given, state) => {
    const page = await asked([["refund", { euros: 40 }]]);
    expect(textOf(await allChunks(await answer(page, given)))).toBe("Well.");
    expect((await answerOf(page)).part).toMatchObject({ state });
    expect(refunded).toEqual([]);
    const reason = "reason" in given ? given.reason : given.withdrawn;
    expect(JSON.stringify(page.model.requests[1]?.contents.at(-1))).toContain(reason);
  });

  test("may withdraw what the back office is asked", async () => {
    const page = await asked([["back_office"]]);
    expect(textOf(await allChunks(await answer(page, { withdrawn: true })))).toBe("Well.");
  });

  test("approves, denies and answers what a tool leaves to the user", async () => {
    const page = await asked([["book", { people: 2, table: 7 }]]);
    expect((await answerOf(page)).part.state).toBe("approval-requested");
    expect(textOf(await allChunks(await answer(page, { approved: true })))).toBe("Well.");
    const other = await asked([["where_am_i"]]);
    await allChunks(await answerInPlace(other, { state: "output-available", output: "Oslo" }));
    expect((await answerOf(other)).part).toMatchObject({ output: "Oslo" });
  });

  test("edits the arguments that a tool lets it, and no others", async () => {
    const page = await asked([["book", { people: 2, table: 7 }]]);
    const fixed = await answer(page, { args: { people: 3, table: 8 } });
    expect(fixed.status).toBe(403);
    expect(await fixed.json()).toMatchObject({
      error: { code: "not_editable", message: expect.stringMatching(/table .*editable/) as string },
    });
    expect(await errorOf(await answer(page, { args: { people: 3 } }))).toEqual({ status: 403, code: "not_editable" });
    expect(await errorOf(await answer(page, { args: { people: "3", table: 7 } }))).toEqual({
      status: 422,
      code: "invalid_approval",
    });
    await allChunks(await answer(page, { args: { table: 7, people: 3 } }));
    expect((await answerOf(page)).part).toMatchObject({ state: "output-available", output: { people: 3, table: 7 } });
  });

  test("does not answer for a question that it has not seen", async () => {
    const page = await asked([["book", { people: 2, table: 7 }]]);
    expect(await errorOf(await answer(page, { token: "older", approved: true }))).toEqual({
      status: 409,
      code: "answered",
    });
    const other = await asked([["where_am_i", { exact: true }]]);
    const shown = { state: "output-available", input: { exact: false }, output: "Oslo" };
    expect(await errorOf(await answerInPlace(other, shown))).toEqual({ status: 409, code: "answered" });
    expect(await load(other)).toMatchObject({ state: "waiting" });
  });

  test("whose answers are many gives all of them or none", async () => {
    const page = await asked([
      ["book", { people: 2, table: 7 }],
      ["refund", { euros: 40 }],
    ]);
    const { pending = [] } = (await answerOf(page)).metadata;
    const answers = pending.map((one) => ({ ...one, approved: true }));
    expect(await errorOf(await page.ask("POST", "", { body: { id: "c1", answers } }))).toEqual(NOT_YOURS);
    expect((await answerOf(page)).metadata.pending).toHaveLength(2);
  });

  test("withdraws by a request of its own what anybody is asked; the run goes on by itself", async () => {
    const page = await asked([["refund", { euros: 40 }], ["back_office"]]);
    const response = await page.ask("POST", "/c1/withdraw", { body: { reason: "changed my mind" } });
    expect(await response.json()).toEqual({ withdrawn: true });
    await expect.poll(async () => (await load(page)).state).toBe("idle");
    expect(JSON.stringify(page.model.requests[1]?.contents.at(-1))).toContain("changed my mind");
    expect(await (await page.ask("POST", "/c1/withdraw")).json()).toEqual({ withdrawn: false });
  });

  test("withdraws also when nothing is left to spend; the run goes on when something is", async () => {
    const prices = { input: 1, output: 0 };
    const model = new ScriptedModel(
      join(call("refund", { euros: 40 }), costs({ promptTokenCount: 2_000_000, totalTokenCount: 2_000_000 })),
      say("Well."),
    );
    const agent = new Agent({ model, tools, prices });
    const page = openPage(model, { agent, spending: { maxCost: 1 } });
    await allChunks(await page.send("Please.", { id: "m1" }));
    expect(await (await page.ask("POST", "/c1/withdraw")).json()).toEqual({ withdrawn: true });
    const session = agent.session({ id: "ann/c1", store: page.store });
    expect((await session.state()).pending).toEqual([]);
    expect((await session.continue()).text).toBe("Well.");
    expect(refunded).toEqual([]);
    expect(page.lines).toEqual([]);
  });

  test("withdraws one of several questions, by its token", async () => {
    const page = await asked([["refund", { euros: 40 }], ["back_office"]]);
    const { pending: [first, second] = [] } = (await answerOf(page)).metadata;
    expect((await page.ask("POST", "/c1/withdraw", { body: { token: first?.token } })).status).toBe(200);
    await expect.poll(async () => (await load(page)).state).toBe("waiting");
    expect((await answerOf(page)).metadata.pending).toEqual([second]);
    expect(await errorOf(await page.ask("POST", "/c1/withdraw", { body: { token: 7 } }))).toEqual({
      status: 400,
      code: "bad_request",
    });
  });

  test("withdraws with what it takes back: an operator who answers later is told", async () => {
    const page = await asked([["refund", { euros: 40 }]]);
    const { pending: [first] = [] } = (await answerOf(page)).metadata;
    const body = {
      id: "c1",
      trigger: "regenerate-message",
      messageId: (await answerOf(page)).id,
      messages: [userMessage("Please.", "m1")],
    };
    await allChunks(await page.ask("POST", "", { body }));
    const operator = new Agent({ model: page.model, tools }).session({ id: "ann/c1", store: page.store });
    await expect(operator.answer({ approvals: { [first?.token ?? ""]: true } })).rejects.toThrow(/withdrawn/);
    expect(refunded).toEqual([]);
  });
});

test("an answer is not taken along with a message that a run in progress refuses", async () => {
  const busy = deferred<string>();
  const wait = defineTool({ name: "wait", description: "Waits.", run: () => busy.promise });
  const model = new ScriptedModel(
    calls({ name: "wait" }, { name: "book", args: { people: 2, table: 7 } }),
    say("Well."),
  );
  const page = openPage(model, { agent: new Agent({ model, tools: [...tools, wait] }) });
  const first = allChunks(await page.send("Please.", { id: "m1" }));
  const waiting = async (): Promise<UIMessageMetadata["pending"]> =>
    (await load(page)).messages.findLast(({ role }) => role === "assistant")?.metadata.pending;
  await expect.poll(waiting).toHaveLength(1);
  const [question] = (await waiting()) ?? [];
  const body = { id: "c1", messages: [userMessage("And a taxi.", "m2")], answers: [{ ...question, approved: true }] };
  expect(await errorOf(await page.ask("POST", "", { body }))).toEqual({ status: 409, code: "running" });
  expect(await waiting()).toHaveLength(1);
  busy.resolve("done");
  await first;
});

describe("a call that may have taken effect", () => {
  /** A page whose server could not record what became of a call. */
  async function interrupted(
    options: Partial<ChatHandlerOptions> = {},
  ): Promise<Page & { readonly agent: Agent; readonly sent: () => number }> {
    let sent = 0;
    let isDown = false;
    const inner = new MemoryStore();
    const append: SessionStore["append"] = async (...args) => {
      if (isDown) throw new Error("the disk is full");
      await inner.append(...args);
    };
    const send = defineTool({
      name: "send",
      description: "Sends money.",
      effects: "once",
      approvedBy: "user",
      run: () => {
        isDown = (sent += 1) === 1;
        return "sent";
      },
    });
    const model = new ScriptedModel(calls("send"), say("Well."));
    const agent = new Agent({ model, tools: [send] });
    const page = openPage(model, {
      agent,
      store: storeLike(inner, { append }),
      leaseMs: 100,
      ...options,
    });
    await (await page.send("Send.", { id: "m1" })).text();
    isDown = false;
    await expect.poll(async () => (await page.ask("POST", "/c1/continue")).json()).toEqual({ continued: true });
    await expect
      .poll(async () => (await answerOf(page)).metadata.pending)
      .toMatchObject([{ question: "unknown-outcome" }]);
    return { ...page, agent, sent: () => sent };
  }

  test("can't be decided by a page: it neither runs again nor counts as withdrawn", async () => {
    const page = await interrupted();
    for (const given of [{ notExecuted: true }, { output: "not sent" }, { errorText: "no" }, { withdrawn: true }])
      expect(await errorOf(await answer(page, given))).toEqual(NOT_YOURS);
    expect(await (await page.ask("POST", "/c1/withdraw")).json()).toEqual({ withdrawn: false });
    expect(page.sent()).toBe(1);
  });

  test("can be decided by any operator, no matter her names", async () => {
    const { agent, store, ...page } = await interrupted();
    const operators = operatorHandler({ agent, store, authorize: () => ({ by: "olga", approvedBy: ["support"] }) });
    const url = "https://chat.example.com/api/operator";
    const { calls: [waiting] = [] } = (await (await operators(new Request(url))).json()) as {
      calls?: { token: string }[];
    };
    const answers = [{ token: waiting?.token, output: "sent" }];
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ session: "ann/c1", answers });
    expect((await operators(new Request(`${url}/answers`, { method: "POST", headers, body }))).status).toBe(200);
    await expect
      .poll(async () => (await (await page.ask("GET", "/c1")).json()) as object)
      .toMatchObject({ state: "idle" });
    expect(page.sent()).toBe(1);
  });

  test("queues a message until those who may decide have answered, not until the user has", async () => {
    const page = await interrupted();
    const [queued] = await allChunks(await page.send("Well?", { id: "m2" }));
    expect(queued).toEqual({ type: "data-queued", data: { waitsFor: [] }, transient: true });
  });

  test("runs again where the application lets the page decide", async () => {
    const page = await interrupted({ authorizeAnswer: () => true });
    await allChunks(await answer(page, { notExecuted: true }));
    expect(page.sent()).toBe(2);
  });
});

describe("authorizeAnswer", () => {
  test("is asked about each answer, with who gives it, the question and what is changed", async () => {
    const seen: PageAnswer[] = [];
    const authorizeAnswer: AuthorizeAnswer = (given) => {
      seen.push(given);
      return undefined;
    };
    const page = await asked([["book", { people: 2, table: 7 }]], { authorizeAnswer });
    await allChunks(await answer(page, { args: { people: 3, table: 7 } }));
    expect(seen).toMatchObject([
      {
        visitor: { owner: "ann" },
        question: { name: "book", args: { people: 2, table: 7 }, approvedBy: "user", question: "approval" },
        answer: { args: { people: 3, table: 7 } },
        edited: ["people"],
      },
    ]);
    expect(seen[0]?.request.headers.get("x-user")).toBe("ann");
  });

  test("may allow what the tool does not, and who it was is kept", async () => {
    const page = await asked([["refund", { euros: 40 }]], { authorizeAnswer: async () => true });
    expect(textOf(await allChunks(await answer(page, { approved: true })))).toBe("Well.");
    expect(refunded).toEqual([40]);
    const log = JSON.stringify(await page.store.load("ann/c1"));
    expect(log).toContain('"by":"ann"');
  });

  test("may refuse what the tool allows", async () => {
    const page = await asked([["book", { people: 2, table: 7 }]], { authorizeAnswer: () => false });
    expect(await errorOf(await answer(page, { approved: true }))).toEqual(NOT_YOURS);
    expect(await errorOf(await answer(page, { approved: false }))).toEqual(NOT_YOURS);
  });

  test("may answer in its own words", async () => {
    const authorizeAnswer = (): Response => new Response("Log in again.", { status: 401 });
    const page = await asked([["book", { people: 2, table: 7 }]], { authorizeAnswer });
    const response = await answer(page, { approved: true });
    expect([response.status, await response.text()]).toEqual([401, "Log in again."]);
    expect(await load(page)).toMatchObject({ state: "waiting" });
  });

  test.each([null, "yes", 1, {}])("that returns %j allows nothing", async (verdict) => {
    // Plain JavaScript returns what it likes.
    const authorizeAnswer = (() => verdict) as unknown as AuthorizeAnswer;
    const page = await asked([["book", { people: 2, table: 7 }]], { authorizeAnswer });
    expect(await errorOf(await answer(page, { approved: true }))).toEqual({ status: 500, code: "internal" });
    expect(page.lines).toMatchObject([{ err: { message: expect.stringContaining("authorizeAnswer()") as string } }]);
    expect(await load(page)).toMatchObject({ state: "waiting" });
  });
});

describe("a message while somebody else is asked", () => {
  const say2 = async (page: Page, text: string, id = "m2"): Promise<Response> => await page.send(text, { id });

  test("is kept, and sent with the answer when it comes", async () => {
    const page = await asked([["refund", { euros: 40 }]]);
    const chunks = await allChunks(await say2(page, "No, 9000!"));
    expect(chunks).toEqual([
      { type: "data-queued", data: { waitsFor: ["support"] }, transient: true },
      { type: "finish", finishReason: "other" },
    ]);
    expect(page.model.requests).toHaveLength(1);
    const { state, messages } = await load(page);
    expect(state).toBe("waiting");
    expect(messages.at(-1)).toMatchObject({
      role: "user",
      parts: [{ text: "No, 9000!" }],
      metadata: { queued: true, waitsFor: ["support"] },
    });
    await allChunks(await say2(page, "No, 9000!"));
    expect((await load(page)).messages).toHaveLength(3);

    const operator = new Agent({ model: page.model, tools }).session({ id: "ann/c1", store: page.store });
    const [first] = (await operator.state()).pending;
    await operator.resume({ approvals: { [first?.token ?? ""]: true } });
    expect(refunded).toEqual([40]);
    const [response, said] = page.model.requests[1]?.contents.slice(-2) ?? [];
    expect(response?.parts).toMatchObject([{ functionResponse: { response: { output: { refunded: 40 } } } }]);
    expect(said).toEqual({ role: "user", parts: [{ text: "No, 9000!" }] });
    expect((await load(page)).messages).toHaveLength(2);
    expect(JSON.stringify((await load(page)).messages)).toContain("No, 9000!");
  });

  test("is the same message after a reload, and not changed any more", async () => {
    const page = await asked([["refund", { euros: 40 }]]);
    await allChunks(await say2(page, "No, 9000!"));
    const { id } = (await load(page)).messages.at(-1) ?? { id: "" };
    const again = (text: string, messageId: string, trigger?: string): Promise<Response> =>
      page.ask("POST", "", { body: { id: "c1", messages: [userMessage(text, messageId)], messageId, trigger } });
    for (const known of [id, "m2"]) {
      await allChunks(await again("No, 9000!", known, "regenerate-message"));
      expect(await errorOf(await again("No, 50!", known))).toEqual({ status: 409, code: "queued" });
    }
    expect((await load(page)).messages).toHaveLength(3);
  });

  test("is read at once when the one who asked withdraws", async () => {
    const page = await asked([["refund", { euros: 40 }]]);
    await allChunks(await say2(page, "Never mind."));
    const chunks = await allChunks(await answer(page, { withdrawn: true }));
    expect(textOf(chunks)).toBe("Well.");
    expect(page.model.requests[1]?.contents.at(-1)).toEqual({ role: "user", parts: [{ text: "Never mind." }] });
  });

  test("gives up a call that is only the user's to answer", async () => {
    const page = await asked([["book", { people: 2, table: 7 }]]);
    expect(textOf(await allChunks(await say2(page, "Rather not.")))).toBe("Well.");
    expect((await load(page)).messages).toHaveLength(4);
  });

  test("can be refused", async () => {
    const page = await asked([["refund", { euros: 40 }]], { unfinished: "refuse" });
    expect(await errorOf(await say2(page, "Never mind."))).toEqual({ status: 409, code: "waiting" });
    expect(await load(page)).toMatchObject({ state: "waiting", messages: [{}, {}] });
    expect(page.lines).toEqual([]);
  });

  test("can give the call up", async () => {
    const page = await asked([["refund", { euros: 40 }]], { unfinished: "close" });
    expect(textOf(await allChunks(await say2(page, "Never mind.")))).toBe("Well.");
    expect((await load(page)).messages).toHaveLength(4);
  });

  test("is kept for a client of AG-UI as well, and the client told what it waits for", async () => {
    const page = await asked([["refund", { euros: 40 }]]);
    const model = page.model;
    const client = openPage(model, { agent: new Agent({ model, tools }), store: page.store, protocol: agUi() });
    const body = { threadId: "c1", runId: "r2", messages: [{ id: "m2", role: "user", content: "Quick!" }] };
    const text = await (await client.ask("POST", "", { body })).text();
    const events = text
      .trim()
      .split("\n\n")
      .map((event) => JSON.parse(event.slice("data: ".length)) as { type: string; messages?: { role: string }[] });
    expect(events.at(-1)).toEqual({ type: "RUN_FINISHED", threadId: "c1", runId: "r2", outcome: { type: "success" } });
    const messages = events.find(({ type }) => type === "MESSAGES_SNAPSHOT")?.messages ?? [];
    expect(messages.slice(-2)).toMatchObject([
      {
        role: "activity",
        activityType: "pollux.waiting",
        content: { calls: [{ toolName: "refund", approvedBy: "support" }] },
      },
      { role: "user", content: "Quick!", metadata: { pollux: { queued: true, waitsFor: ["support"] } } },
    ]);
    expect(await (await client.ask("GET", "/c1")).json()).toMatchObject({ messages });
  });

  test("keeps the page waiting on a stream, until somebody has answered elsewhere", async () => {
    const page = await asked([["refund", { euros: 40 }]]);
    expect((await page.ask("GET", "/c1/stream")).status).toBe(204);
    const following = readChunks(await page.ask("GET", "/c1/stream?waiting"));
    for (;;) {
      const { value, done } = await following.next();
      if (done === true) throw new Error("the stream ended before somebody answered");
      if (value.type === "tool-input-available") break;
    }
    const operator = new Agent({ model: page.model, tools }).session({ id: "ann/c1", store: page.store });
    const [first] = (await operator.state()).pending;
    await operator.resume({ approvals: { [first?.token ?? ""]: true } });
    const rest = await restOf(following);
    expect(textOf(rest)).toBe("Well.");
    expect(rest.at(-1)).toMatchObject({ type: "finish", finishReason: "stop" });
  });
});

test("deleting a conversation withdraws what it waits for", async () => {
  const page = await asked([["refund", { euros: 40 }]]);
  const appended: unknown[] = [];
  const append = page.store.append.bind(page.store);
  page.store.append = async (...args) => {
    appended.push(...args[2]);
    await append(...args);
  };
  expect((await page.ask("DELETE", "/c1")).status).toBe(204);
  expect(JSON.stringify(appended)).toContain('"withdrawn":true');
  expect(await page.store.list()).toEqual([]);
});

test.each([
  ["authorizeAnswer", "always"],
  ["unfinished", "later"],
])("%s must not be %j", (name, value) => {
  expect(() => openPage(undefined, { [name]: value })).toThrow(name);
});

test("a page of the AI SDK is offered what the application says it may answer", async () => {
  const page = await asked([["refund", { euros: 40 }]], {
    protocol: aiSdk({ isAnswerable: () => true }),
    authorizeAnswer: () => true,
  });
  const { part, metadata } = await answerOf(page);
  expect(part).toMatchObject({ state: "approval-requested", approval: { id: metadata.pending?.[0]?.token } });
});
