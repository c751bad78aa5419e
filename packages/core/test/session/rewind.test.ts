import { showSession } from "../../../cli/src/show/show-session.ts";
import {
  Agent,
  type AgentOptions,
  type Content,
  defineTool,
  MemoryStore,
  type Session,
  type SessionEntry,
  SessionRunningError,
  UnexpectedAnswerError,
} from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { RewindTargetError } from "@pollux/core/errors";
import { checkSession } from "@pollux/core/doctor";
import { call, hangs, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { fakeTime } from "../helpers/fake-time.ts";
import { SESSION_FACES } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

const said = (text: string): Content => ({ role: "user", parts: [{ text }] });
const told = (text: string): Content => ({ role: "model", parts: [{ text }] });

function open(lines: readonly ScriptLine[], options: Omit<AgentOptions, "model"> = {}) {
  const store = new MemoryStore();
  const model = new ScriptedModel(...lines);
  const agent = new Agent({ model, ...options });
  return { store, model, agent, session: agent.session({ id: "s", store }), other: agent.session({ id: "s", store }) };
}

async function entriesOf(store: MemoryStore): Promise<SessionEntry[]> {
  return (await store.load("s")) as unknown as SessionEntry[];
}

async function problemsOf(store: MemoryStore): Promise<unknown> {
  const { problems, notes } = checkSession((await store.load("s")).map((value) => ({ value })));
  // The script signs no calls.
  return [...problems, ...notes.filter(({ problem }) => !problem.includes("signature"))];
}

/** Ids of the conversation's messages, with their texts. */
async function shown(session: Session): Promise<{ readonly id: string; readonly text: string }[]> {
  const { messages } = await readConversation(session);
  return messages.map(({ id, parts }) => ({
    id,
    text: parts.map((part) => ("text" in part ? part.text : "")).join(""),
  }));
}

async function idOf(session: Session, text: string): Promise<string> {
  const found = (await shown(session)).find((message) => message.text === text);
  if (found === undefined) throw new Error(`nobody said ${text}`);
  return found.id;
}

describe.each(SESSION_FACES)("a session that goes back, read by %s", (_face, face) => {
  const again: typeof face.regenerate = async (session, options) => await face.regenerate(session, options);

  test("regenerates the last answer: the model reads the question once, and both answers are counted", async () => {
    const { session, model, store } = open([say("First."), say("Second."), say("Bye.")]);
    const first = await face.send(session, "Tell me.");
    expect((await again(session)).text).toBe("Second.");
    expect(model.requests[1]?.contents).toEqual([said("Tell me.")]);
    expect(await session.history()).toEqual([said("Tell me."), told("Second.")]);
    await face.send(session, "Bye.");
    expect(model.requests[2]?.contents).toEqual([said("Tell me."), told("Second."), said("Bye.")]);
    const { runs, usage } = await session.state();
    expect({ runs, requests: usage.requests }).toEqual({ runs: 3, requests: 3 });
    const { usage: seen, takenBack } = await readConversation(session);
    expect(seen).toEqual(usage);
    expect(takenBack).toEqual({ usage: first.usage, cost: 0 });
    expect(await problemsOf(store)).toEqual([]);
  });

  test("keeps in its log what was taken back, where it can be read and replayed", async () => {
    const { session, store } = open([say("First."), say("Second.")]);
    await face.send(session, "Tell me.", { runId: "one" });
    await again(session, { runId: "two" });
    expect((await entriesOf(store)).map((entry) => [entry.type, "before" in entry ? entry.before : ""])).toEqual([
      ["run", ""],
      ["step", ""],
      ["end", ""],
      ["rewind", "one"],
      ["run", ""],
      ["step", ""],
      ["end", ""],
    ]);
    expect((await session.replay({ runId: "one" }).result()).text).toBe("First.");
    expect((await session.replay().result()).text).toBe("Second.");
    const text = showSession(await entriesOf(store));
    expect(text).toMatch(/Run 1, .*, taken back\n/);
    expect(text).not.toMatch(/Run 2, .*, taken back\n/);
  });

  test("replaces an earlier message by another, with all that followed", async () => {
    const { session, model } = open([say("A."), say("B."), say("C."), say("D.")]);
    for (const message of ["One.", "Two.", "Three."]) await face.send(session, message);
    const replaces = await idOf(session, "Two.");
    await face.send(session, "Or rather?", { replaces });
    expect(model.requests[3]?.contents).toEqual([said("One."), told("A."), said("Or rather?")]);
    expect((await shown(session)).map(({ text }) => text)).toEqual(["One.", "A.", "Or rather?", "D."]);
  });

  test("regenerates an earlier answer, by its id or its message's", async () => {
    for (const text of ["A.", "One."]) {
      const { session, model } = open([say("A."), say("B."), say("C.")]);
      await face.send(session, "One.");
      await face.send(session, "Two.");
      await again(session, { messageId: await idOf(session, text) });
      expect(model.requests[2]?.contents).toEqual([said("One.")]);
      expect((await shown(session)).map((message) => message.text)).toEqual(["One.", "C."]);
    }
  });

  test("gives back the message that it was taken to before, and goes on from there", async () => {
    const { session, other, model } = open([say("A."), say("B."), say("C.")]);
    await face.send(session, "One.");
    await face.send(session, "Two.");
    expect(await other.rewind()).toEqual([said("Two.")]);
    expect(await session.history()).toEqual([said("One."), told("A.")]);
    expect(await session.state()).toMatchObject({ runs: 2, lastRun: undefined, resumable: false, pending: [] });
    await face.send(session, "Three.");
    expect(model.requests[2]?.contents).toEqual([said("One."), told("A."), said("Three.")]);
  });

  test("says what can be chosen when there is no such message, and stores nothing", async () => {
    const { session, store, agent } = open([say("A."), say("B.")]);
    await expect(session.rewind()).rejects.toMatchObject({ code: "rewind_target", messageIds: [] });
    await face.send(session, "One.", { runId: "one" });
    await face.send(session, "Two.", { runId: "two" });
    const entries = await entriesOf(store);
    const refusal = await session.rewind({ before: "three:user" }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RewindTargetError);
    expect(refusal).toMatchObject({
      messageId: "three:user",
      messageIds: ["one:user", "two:user"],
      message: 'session "s" cannot go back to before three:user: choose one of one:user, two:user',
    });
    await expect(again(session, { messageId: "x" })).rejects.toThrow(RewindTargetError);
    await expect(face.send(session, "Hi.", { replaces: "x" })).rejects.toThrow(RewindTargetError);
    expect(await entriesOf(store)).toEqual(entries);
    // What came with a fork has no run to go back to.
    const fork = await agent.session({ id: "s", store }).fork({ id: "f" });
    await expect(fork.rewind({ before: "history:0" })).rejects.toMatchObject({ messageIds: [] });
  });

  test("takes the calls back that waited for an answer", async () => {
    const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
    const { session, store } = open([say("A."), call("pay"), say("Fine.")], { tools: [pay] });
    await face.send(session, "One.");
    await face.send(session, "Pay.");
    const late = await answersTo(session, { approvals: { "call:1.0": true } });
    await session.rewind();
    expect(await session.state()).toMatchObject({ resumable: false, pending: [] });
    expect(await readConversation(session)).toMatchObject({ state: "idle", pending: [] });
    expect(await store.list()).toMatchObject([{ state: "idle" }]);
    await expect(session.answer(late)).rejects.toThrow(
      /was withdrawn: the conversation was taken back to before it; no call is waiting/,
    );
    expect(await problemsOf(store)).toEqual([]);
    await face.send(session, "Two.");
    await expect(session.answer(late)).rejects.toThrow(UnexpectedAnswerError);
  });

  describe("while time leaps", () => {
    fakeTime("leaps");

    test("is refused while a run is going, unless the run is to be replaced", async () => {
      const { session, other } = open([hangs("Well"), say("Fine.")]);
      const going = face.send(session, "Go.").catch((error: unknown) => error);
      await untilSaid();
      await expect(session.rewind()).rejects.toThrow(SessionRunningError);
      await expect(again(session)).rejects.toThrow(SessionRunningError);
      expect((await again(other, { whileRunning: "replace" })).text).toBe("Fine.");
      expect(await going).toMatchObject({ code: "run_stopped" });
      expect(await session.history()).toEqual([said("Go."), told("Fine.")]);
    });
  });

  test("counts what a run has used that was cut off", async () => {
    const noop = defineTool({ name: "noop", description: "Does nothing.", run: () => "" });
    const first = open([call("noop"), say("A.")], { tools: [noop] });
    await face.send(first.session, "Go.");
    const { store, session } = open([say("B.")], { tools: [noop] });
    // As a process leaves it that dies after its first call.
    const died = (await first.store.load("s")).slice(0, 3);
    await store.append("s", 0, died);
    expect((await session.state()).lastRun).toBe("cut-off");
    expect((await again(session)).text).toBe("B.");
    const { runs, usage, toolCalls } = await session.state();
    expect({ runs, toolCalls, requests: usage.requests }).toEqual({ runs: 2, toolCalls: 1, requests: 2 });
    expect(await session.history()).toEqual([said("Go."), told("B.")]);
    expect(await problemsOf(store)).toEqual([]);
  });

  test("of two that go back at once one does, and no more is taken back than that one saw", async () => {
    const { session, other } = open([say("A."), say("B.")]);
    await face.send(session, "One.");
    await face.send(session, "Two.");
    await other.history();
    const results = await Promise.allSettled([session.rewind(), other.rewind()]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await session.history()).toEqual([said("One."), told("A.")]);
  });

  test("takes messages that a run read back with it, queues earlier ones again, and keeps unread ones", async () => {
    let other: Session | undefined;
    const work = defineTool({
      name: "work",
      description: "Works.",
      run: async () => {
        await other?.steer("During.");
        return "done";
      },
    });
    const opened = open([call("work"), say("A."), say("B.")], { tools: [work] });
    const { session, model } = opened;
    ({ other } = opened);
    await session.steer("Before.");
    await face.send(session, "Go.");
    await session.steer("After.");
    await session.rewind();
    const { queued, messages } = await readConversation(session);
    expect(queued.map(({ parts }) => parts)).toEqual([
      [{ type: "text", id: expect.any(String), text: "After." }],
      [{ type: "text", id: expect.any(String), text: "Before." }],
    ]);
    expect(messages).toEqual([]);
    await face.send(session, "Anew.");
    expect(model.requests[2]?.contents).toEqual([said("Anew."), said("Before."), said("After.")]);
    expect((await readConversation(session)).queued).toEqual([]);
  });

  test("sends again the messages with which a run without its own message began", async () => {
    const { session, model } = open([say("A."), say("B.")]);
    await session.steer("Hello.");
    await session.continue();
    await again(session);
    expect(model.requests[1]?.contents).toEqual([said("Hello.")]);
    expect(await session.history()).toEqual([said("Hello."), told("B.")]);
  });

  test("checks a message again that its guardrails had changed", async () => {
    const seen: string[] = [];
    const { session, model } = open([say("A."), say("B.")], {
      guardrails: {
        input: [
          {
            name: "mask",
            check: ({ text }) => {
              seen.push(text);
              return { replace: text.replace("4711", `***${seen.length}`) };
            },
          },
        ],
      },
    });
    await face.send(session, "My code is 4711.");
    await again(session);
    expect(seen).toEqual(["My code is 4711.", "My code is 4711."]);
    expect(model.requests[1]?.contents).toEqual([said("My code is ***2.")]);
  });

  test("forgets a summary that was taken back, and keeps one that was made before", async () => {
    const lines = ["A.", "B.", "Summary 1.", "C.", "Summary 2.", "D.", "E.", "F."];
    const { session, model } = open(
      lines.map((line) => say(line)),
      {
        compaction: {
          windowTokens: 1000,
          policy: ({ boundaries, contents }) => {
            const isWhole = contents[0]?.parts[0]?.text === "One.";
            return isWhole && contents.length >= 5 ? boundaries.at(-1) : undefined;
          },
        },
      },
    );
    for (const message of ["One.", "Two.", "Three."]) await face.send(session, message);
    const sent = (): string => JSON.stringify(model.requests.at(-1)?.contents);
    expect(sent()).toContain("Summary 1.");
    // The run that made the summary goes, so another is made of the whole history.
    await again(session);
    expect(JSON.stringify(model.requests[4]?.contents)).toContain("One.");
    expect(sent()).toContain("Summary 2.");
    expect(sent()).not.toContain("Summary 1.");
    await face.send(session, "Four.");
    await face.send(session, "Five.", { replaces: await idOf(session, "Four.") });
    expect(sent()).toContain("Summary 2.");
    expect(sent()).not.toContain("Four.");
    expect((await session.history()).slice(0, 4)).toEqual([said("One."), told("A."), said("Two."), told("B.")]);
  });

  test("gives a list the title of the message that stands first now", async () => {
    const { session, store } = open([say("A."), say("B."), say("C.")]);
    await face.send(session, "Wether in Oslo?");
    await face.send(session, "And tomorrow?");
    await face.send(session, "Weather in Oslo?", { replaces: await idOf(session, "Wether in Oslo?") });
    expect(await store.list()).toMatchObject([{ title: "Weather in Oslo?", messages: 3, turns: 3 }]);
    expect(await readConversation(session)).toMatchObject({ title: "Weather in Oslo?" });
    await session.rewind();
    expect((await readConversation(session)).title).toBeUndefined();
  });

  test("is forked without what was taken back", async () => {
    const { session } = open([say("A."), say("B."), say("C.")]);
    await face.send(session, "One.");
    await face.send(session, "Two.");
    await session.rewind();
    const fork = await session.fork();
    await face.send(fork, "Three.");
    expect(await fork.history()).toEqual([said("One."), told("A."), said("Three."), told("C.")]);
  });

  test("regenerates an answer once under one runId, however often it is asked to", async () => {
    const { session, other, model } = open([say("A."), say("B.")]);
    await face.send(session, "One.", { runId: "one" });
    const replaces = "one:user";
    const results = await Promise.all([
      session.continue({ replaces, runId: "two" }),
      other.continue({ replaces, runId: "two" }),
    ]);
    results.push(await session.continue({ replaces, runId: "two" }));
    expect(results.map(({ text }) => text)).toEqual(["B.", "B.", "B."]);
    expect(model.requests).toHaveLength(2);
  });

  test("refuses options that contradict each other", async () => {
    const { session } = open([]);
    const replaces = "one:user";
    await expect((async () => face.send(session, "Hi.", { replaces, whileRunning: "steer" }))()).rejects.toThrow(
      /cannot "steer" a run and take the place/,
    );
    await expect(
      session.continue(await answersTo(session, { replaces, approvals: { "call:1.0": true } })),
    ).rejects.toThrow(/replaces/);
  });
});

async function untilSaid(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
