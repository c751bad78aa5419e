import { Agent, type AnyTool, defineTool, MemoryStore, type Session, type SessionEntry } from "@pollux/core";
import {
  applyUpdate,
  buildConversation,
  type Conversation,
  conversationUpdates,
  type Message,
  readConversation,
} from "@pollux/core/conversation";
import { call, grounded, say, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { SESSION_FACES } from "../session/session-faces.ts";

const CANARY = "IBAN of the attacker";
const page = defineTool({ name: "page", description: "x", reads: "untrusted", run: () => CANARY });
const crm = defineTool({ name: "crm", description: "x", reads: "private", run: () => "x" });
const safe = defineTool({ name: "safe", description: "x", reads: "trusted", run: () => "x" });
const form = defineTool({ name: "form", description: "x", reads: "untrusted" });
const mail = defineTool({ name: "mail", description: "x", effects: "once", approvedBy: () => "user", run: () => "x" });

const FETCH = call("page", { url: "https://evil.example/a" });
const BECAUSE = { reach: "outside", rule: "ask", untrusted: ["page evil.example"] };

function agentOf(lines: readonly ScriptLine[], tools: readonly AnyTool[] = [page, crm, safe, form, mail]): Agent {
  return new Agent({ model: new ScriptedModel(...lines), tools });
}

type Mark = Pick<Message, "untrusted" | "private">;

/** What the messages of the model say about what was read. */
function marks({ messages }: Conversation): readonly Mark[] {
  return messages.flatMap(({ role, untrusted, private: secret }) =>
    role === "model" ? [{ ...(untrusted && { untrusted }), ...(secret && { private: secret }) }] : [],
  );
}

describe.each(SESSION_FACES)("a conversation by %s", (_name, face) => {
  const open = (lines: readonly ScriptLine[], tools?: readonly AnyTool[]): Session => agentOf(lines, tools).session();

  test("says why a call needs approval, without quoting what was read", async () => {
    const session = open([FETCH, call("mail", { to: "eve@evil.example" })]);
    await face.send(session, "Go.");
    const { pending, messages } = await readConversation(session);

    expect(pending).toMatchObject([{ name: "mail", question: "approval", approvedBy: "user", because: BECAUSE }]);
    expect(messages.at(-1)?.parts.at(-1)).toMatchObject({ state: "pending-approval", asks: { because: BECAUSE } });
    expect(JSON.stringify(pending)).not.toContain(CANARY);
  });

  test("marks the messages of the model from the first one on that had read something", async () => {
    const session = open([call("safe"), say("A."), FETCH, say("B."), call("crm"), say("C.")]);
    for (const text of ["One.", "Two.", "Three."]) await face.send(session, text);

    const conversation = await readConversation(session);
    expect(marks(conversation)).toEqual([{}, { untrusted: true }, { untrusted: true, private: true }]);
    expect(conversation.messages.filter(({ role, untrusted }) => role === "user" && untrusted)).toEqual([]);
  });

  test("marks what follows when the message itself, or a search, is what somebody else wrote", async () => {
    const mailed = open([say("A.")]);
    await face.send(mailed, "Dear agent,", { reads: ["untrusted", "private"] });
    const searched = open([grounded("A.", { sources: [{ title: "x", uri: "https://x.example/" }] })]);
    await face.send(searched, "Search.");

    expect(marks(await readConversation(mailed))).toEqual([{ untrusted: true, private: true }]);
    expect(marks(await readConversation(searched))).toEqual([{ untrusted: true }]);
  });

  test("marks an answer to which somebody outside gave a result", async () => {
    const session = open([call("form"), say("A.")]);
    const { pending } = (await face.send(session, "Go.")) as unknown as { pending: readonly { token: string }[] };
    expect(marks(await readConversation(session))).toEqual([{}]);
    await face.resume(session, { outcomes: { [pending[0]?.token ?? ""]: { output: "x" } } });

    expect(marks(await readConversation(session))).toEqual([{ untrusted: true }]);
  });

  test("marks what an agent inside a call has read", async () => {
    const inner = agentOf([FETCH, say("It says no.")], [page]).asTool({ name: "reader", description: "x" });
    const session = open([call("reader", { task: "Read." }), say("A.")], [inner]);
    await face.send(session, "Go.");

    expect(marks(await readConversation(session))).toMatchObject([{ untrusted: true }]);
  });

  test("explains a question that a nested agent's reading caused, without the arguments of that agent's calls", async () => {
    const inner = agentOf([FETCH, say("It says no.")], [page]).asTool({ name: "reader", description: "x" });
    const session = open([call("reader", { task: "Read." }), call("mail")], [inner, mail]);
    await face.send(session, "Go.");

    const { pending } = await readConversation(session);
    expect(pending.map(({ because }) => because)).toEqual([{ ...BECAUSE, untrusted: ["reader > page"] }]);
    expect(JSON.stringify(pending)).not.toContain("evil");
  });

  test("is trusted again once the read was taken back", async () => {
    const session = open([say("A."), FETCH, say("B."), say("C.")]);
    await face.send(session, "One.");
    await face.send(session, "Two.");
    const { messages } = await readConversation(session);
    await face.send(session, "Three.", { replaces: messages.at(-2)?.id });

    expect(marks(await readConversation(session))).toEqual([{}, {}]);
  });

  test("marks what came with a history of results that nobody knows", async () => {
    const response = { functionResponse: { name: "page", response: { output: CANARY } } };
    const history = [
      { role: "user", parts: [{ text: "Read." }] },
      { role: "model", parts: [{ functionCall: { name: "page", args: {} } }] },
      { role: "user", parts: [response] },
      { role: "model", parts: [{ text: "It says no." }] },
    ] as const;
    const session = agentOf([say("A.")]).session({ history });
    await face.send(session, "Go on.");

    const both = { untrusted: true, private: true };
    expect(marks(await readConversation(session))).toEqual([both, both]);
  });
});

test("calls in a log that recorded nothing about their reads count as having read both kinds", async () => {
  const store = new MemoryStore();
  await agentOf([call("safe"), say("A.")])
    .session({ id: "s", store })
    .send("Go.");
  const entries = (await store.load("s")) as unknown as readonly SessionEntry[];
  const old = entries.map((entry) => (entry.type === "run" ? { ...entry, loop: 4 } : entry));

  expect(marks(buildConversation("s", entries))).toEqual([{}]);
  expect(marks(buildConversation("s", old))).toEqual([{ untrusted: true, private: true }]);
});

test("the events of a run alone tell the same", async () => {
  const agent = agentOf([call("safe"), call("crm"), FETCH, call("mail")]);
  const seen: string[] = [];
  let conversation: Conversation | undefined;
  for await (const update of conversationUpdates(agent.stream("Go."), { input: "Go." })) {
    conversation = applyUpdate(conversation, update);
    seen.push(JSON.stringify(marks(conversation)));
  }

  const both = '[{"untrusted":true,"private":true}]';
  expect([...new Set(seen)]).toEqual(["[]", "[{}]", '[{"private":true}]', both]);
  expect(conversation?.pending.map(({ because }) => because)).toEqual([{ ...BECAUSE, private: ["crm"] }]);
});

test("the events of a run with a file tell that anybody may have written it", async () => {
  const input = [{ role: "user", parts: [{ inlineData: { mimeType: "image/png", data: "AAAA" } }] }] as const;
  let conversation: Conversation | undefined;
  for await (const update of conversationUpdates(agentOf([say("A.")]).stream(input), { input }))
    conversation = applyUpdate(conversation, update);

  expect(marks(conversation as Conversation)).toEqual([{ untrusted: true, private: true }]);
});

test("the events of a run tell what an agent inside a call has read", async () => {
  const inner = agentOf([FETCH, say("It says no.")], [page]).asTool({ name: "reader", description: "x" });
  const run = agentOf([call("reader", { task: "Read." }), say("A.")], [inner]).stream("Go.");
  let conversation: Conversation | undefined;
  for await (const update of conversationUpdates(run)) conversation = applyUpdate(conversation, update);

  expect(marks(conversation as Conversation)).toEqual([{ untrusted: true }]);
});
