import { Agent, defineTool, MemoryStore, type SessionStore } from "@pollux/core";
import { call, calls, dies, join, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { chatHandler } from "@pollux/web";
import { aiSdk, type AiSdkVersion } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { type ChatClient, openChat } from "./chat-client.ts";
import { type BuiltMessage, type BuiltPart, settled, VERSIONS } from "./page.ts";

const paid: unknown[] = [];
const pay = defineTool({
  name: "pay",
  description: "Pays.",
  needsApproval: true,
  approvedBy: "user",
  run: (_input, { callId }) => (paid.push(callId), "paid"),
});
const where = defineTool({ name: "where", description: "Where the user is.", approvedBy: "user" });
const refunded: unknown[] = [];
const refund = defineTool({
  name: "refund",
  description: "Refunds.",
  needsApproval: true,
  approvedBy: "support",
  run: (_input, { callId }) => (refunded.push(callId), "refunded"),
});
const work = defineTool({ name: "work", description: "Works.", run: () => "done" });

/** A server with a chat, and pages that look at it. */
class Site {
  readonly #version: AiSdkVersion;
  readonly #handler: ReturnType<typeof chatHandler>;
  /** Requests that any page has made. */
  posts = 0;

  constructor(version: AiSdkVersion, lines: readonly ScriptLine[], store: SessionStore = new MemoryStore()) {
    this.#version = version;
    const model = new ScriptedModel(...lines);
    this.#handler = chatHandler({
      agent: new Agent({ model, tools: [pay, where, refund, work], limits: { turns: 3, restarts: 1 } }),
      store,
      authorize: () => ({ owner: "ann" }),
      protocol: aiSdk({ version }),
      logger: { error: () => {} },
    });
  }

  readonly #fetch: typeof fetch = async (input, init) => {
    if (init?.method === "POST") this.posts++;
    return await this.#handler(new Request(input, init));
  };

  open(messages: readonly BuiltMessage[] = []): ChatClient {
    return openChat(this.#version, { id: "c", messages, fetch: this.#fetch });
  }

  /** What a page loads. */
  async load(): Promise<readonly BuiltMessage[]> {
    const response = await this.#fetch("https://chat.example.com/api/chat/c");
    expect(response.status).toBe(200);
    const { messages } = (await response.json()) as { readonly messages: readonly BuiltMessage[] };
    return messages;
  }
}

function lastOf({ messages }: ChatClient): BuiltMessage {
  const last = messages.at(-1);
  if (last === undefined) throw new Error("there are no messages");
  return last;
}

/** What was shown last, without its steps. */
function shown(client: ChatClient): readonly unknown[] {
  const { parts } = lastOf(client);
  return parts.flatMap((part: BuiltPart) =>
    part.type === "step-start" ? [] : [part.type === "text" ? part["text"] : `${part.type} ${part.state}`],
  );
}

function callIds({ messages }: ChatClient): readonly string[] {
  return messages.flatMap(({ parts }) =>
    parts.flatMap(({ toolCallId }) => (typeof toolCallId === "string" ? [toolCallId] : [])),
  );
}

describe.each(VERSIONS)("useChat of version %d", (version) => {
  test("shows an answer, and a page that is loaded shows the same", async () => {
    const site = new Site(version, [call("work"), say("It ", "is done.")]);
    const client = site.open();
    await client.sendMessage({ text: "Work." });
    expect(client.status).toBe("ready");
    expect(shown(client)).toEqual(["tool-work output-available", "It is done."]);
    expect(settled(version, JSON.parse(JSON.stringify(lastOf(client))), [])).toEqual((await site.load()).at(-1));
    expect(site.posts).toBe(1);
  });

  test("does not send the results of the server's tools back when a limit ends the run", async () => {
    const site = new Site(version, [call("work", { n: 1 }), call("work", { n: 2 }), call("work", { n: 3 })]);
    const client = site.open();
    await client.sendMessage({ text: "Work." });
    expect(lastOf(client).metadata).toMatchObject({ stopReason: "limit" });
    expect(site.posts).toBe(1);
  });

  test.each([
    [[true], ["tool-pay output-available", "Well."]],
    [[false], [version === 5 ? "tool-pay output-error" : "tool-pay output-denied", "Well."]],
    [
      [true, false],
      ["tool-pay output-available", version === 5 ? "tool-pay output-error" : "tool-pay output-denied", "Well."],
    ],
  ])("goes on in the same message when calls are answered with %j", async (decisions, expected) => {
    paid.length = 0;
    const site = new Site(version, [calls(...decisions.map((_, n) => ({ name: "pay", args: { n } }))), say("Well.")]);
    const client = site.open();
    await client.sendMessage({ text: "Pay." });
    const waiting = lastOf(client);
    if (version === 5) {
      const { pending } = waiting.metadata as { readonly pending: readonly { readonly token: string }[] };
      const answers = pending.map((one, index) => ({ ...one, approved: decisions[index] }));
      await client.sendMessage(undefined, { body: { answers } });
    } else {
      const approvals = waiting.parts.flatMap(({ approval }) => approval ?? []);
      expect(approvals.length).toBe(decisions.length);
      for (const [index, { id }] of approvals.entries())
        await client.addToolApprovalResponse({ id, approved: decisions[index] === true });
      await expect.poll(() => client.status).toBe("ready");
    }
    await expect.poll(() => shown(client)).toEqual(expected);
    expect(lastOf(client).id).toBe(waiting.id);
    expect(client.messages.length).toBe(2);
    expect(paid.length).toBe(decisions.filter(Boolean).length);
    expect(site.posts).toBe(2);
  });

  test("gives the output of a tool in the page, also after a reload", async () => {
    const site = new Site(version, [call("where"), say("In Oslo.")]);
    await site.open().sendMessage({ text: "Where am I?" });
    const client = site.open(await site.load());
    const [toolCallId = ""] = callIds(client);
    await client.addToolOutput({ tool: "where", toolCallId, output: { city: "Oslo" } });
    await expect.poll(() => shown(client)).toEqual(["tool-where output-available", "In Oslo."]);
    await expect.poll(() => client.status).toBe("ready");
    expect(site.posts).toBe(2);
  });

  test("is offered no call that somebody else approves, can't approve it anyway, and has its next message queued", async () => {
    refunded.length = 0;
    const site = new Site(version, [call("refund"), say("Well.")]);
    const client = site.open();
    await client.sendMessage({ text: "Refund." });
    expect(shown(client)).toEqual(["tool-refund input-available"]);
    const { pending } = lastOf(client).metadata as { readonly pending: readonly object[] };
    const answers = pending.map((one) => ({ ...one, approved: true }));
    await client.sendMessage(undefined, { body: { answers } });
    expect([client.status, client.error?.message]).toEqual([
      "error",
      expect.stringContaining("you may not answer this call"),
    ]);
    const [toolCallId = ""] = callIds(client);
    await client.addToolOutput({ tool: "refund", toolCallId, output: "refunded" });
    await expect.poll(() => client.error?.message).toMatch(/waiting|asks something else|None of these/);
    expect(refunded).toEqual([]);

    const reloaded = site.open(await site.load());
    await reloaded.sendMessage({ text: "Please hurry." });
    expect([reloaded.status, reloaded.messages.map(({ role }) => role)]).toEqual([
      "ready",
      ["user", "assistant", "user"],
    ]);
    expect((await site.load()).at(-1)?.metadata).toMatchObject({ queued: true, waitsFor: ["support"] });
    const withdrawn = pending.map((one) => ({ ...one, withdrawn: true }));
    await site.open((await site.load()).slice(0, 2)).sendMessage(undefined, { body: { answers: withdrawn } });
    expect(JSON.stringify((await site.load()).at(-1))).toMatch(/Please hurry.*Well\./);
    expect(refunded).toEqual([]);
  });

  test("leaves a question open and sends another message", async () => {
    const site = new Site(version, [call("pay"), say("All right.")]);
    const client = site.open();
    await client.sendMessage({ text: "Pay." });
    await client.sendMessage({ text: "Never mind." });
    expect(client.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(shown(client)).toEqual(["All right."]);
    expect((await site.load())[1]?.parts[1]).toMatchObject({ state: "output-error" });
  });

  test("shows the text before an error, and then the error", async () => {
    const site = new Site(version, [join(say("It "), dies()), join(say("It was "), dies()), say("Fine.")]);
    const client = site.open();
    await client.sendMessage({ text: "Tell." });
    expect(client.status).toBe("error");
    expect(client.error?.message).toBe("The answer broke off.");
    expect(JSON.stringify(lastOf(client))).toContain("It was ");
    await client.sendMessage({ text: "Again." });
    expect(shown(client)).toEqual(["Fine."]);
  });

  test("has nothing to resume when no run is in progress", async () => {
    const site = new Site(version, [say("Hello.")]);
    await site.open().sendMessage({ text: "Hi." });
    const client = site.open(await site.load());
    await client.resumeStream();
    expect([client.status, client.messages.length]).toEqual(["ready", 2]);
  });
});
