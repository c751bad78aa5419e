import { OutputAudio } from "@pollux/core";
import { type Conversation, buildConversation, type Message, type MessagePart } from "@pollux/core/conversation";
import { toAgUiMessages } from "@pollux/web/ag-ui";
import { describe, expect, test } from "vitest";
import { SCRIPTS, SECRETS } from "../../../core/test/conversation/scripts.ts";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { SESSION_FACES } from "../../../core/test/session/session-faces.ts";
import { BY_COMPARING, playsBy, responses } from "../ai-sdk/play.ts";
import { encode, Follower, loaded } from "./client.ts";

const scripts = Object.entries(SCRIPTS);
const faces = SESSION_FACES.map(([name, face]) => [name, playsBy(face)] as const);

describe.each(faces)("a client that follows a run read by %s", (_face, played) => {
  fakeTime("leaps");

  test.each(scripts)("%s: has what it would load in the end", async (_name, script) => {
    const { here, there } = await played(script);
    for (const followed of [here, there]) {
      const client = new Follower();
      for (const { known, states } of responses(followed)) {
        const conversation = states.at(-1)?.[1] as Conversation;
        // What the client calls its message is nothing that we know.
        if (known === undefined) client.agent.addMessage({ id: crypto.randomUUID(), role: "user", content: "Hello." });
        const end = await client.follow(encode(states, known));
        expect(client.messages).toEqual(loaded(conversation));
        const asked = conversation.pending.map(({ messageId, callId }) => `${messageId}/${callId}`);
        const told = end.interrupts?.map(({ toolCallId }) => toolCallId) ?? end.pendingToolCallIds ?? [];
        if (end.outcome === "interrupt") expect(asked).toEqual(expect.arrayContaining([...told]));
        if (end.outcome === "success") expect(told).toEqual(asked);
      }
      expect(client.events.length).toBeGreaterThan(0);
    }
  });
});

describe("a client", () => {
  fakeTime("leaps");
  const [, [, played] = []] = faces;
  if (played === undefined) throw new Error("there is no such face");

  test.each(scripts)("%s: that comes later ends with the same", async (_name, script) => {
    const { here } = await played(script);
    for (const { states } of responses(here)) {
      const whole = loaded(states.at(-1)?.[1] as Conversation);
      for (const index of states.keys()) {
        const client = new Follower();
        await client.follow(encode(states.slice(index)));
        expect(client.messages, `from state ${index}`).toEqual(whole);
      }
    }
  });

  test.each(scripts)("%s: with what changed, the events are those of comparing", async (_name, script) => {
    const { here, there } = await played(script);
    for (const { states, known } of [...responses(here), ...responses(there)])
      expect(encode(states, known)).toEqual(encode(states, known, BY_COMPARING));
  });

  test.each(scripts)("%s: is told nothing that only the server may know", async (_name, script) => {
    const { here } = await played(script);
    const told = JSON.stringify(responses(here).flatMap(({ states, known }) => encode(states, known)));
    for (const secret of SECRETS) expect(told).not.toContain(secret);
  });
});

const FIRST_TURN = { type: "turn", id: "turn:1", turn: 1 } as const;

function messageIn(state: Message["state"], ...parts: readonly MessagePart[]): readonly [Message, Conversation] {
  const message: Message = { id: "m", role: "model", state, parts, sources: [], searchEntryPoints: [] };
  return [message, { ...buildConversation("s", []), messages: [message] }];
}

test("what a repeated answer has before something that the client was told already stands before it", async () => {
  const code = { type: "code", id: "code:1.0", code: "1" } as const;
  const states = [
    messageIn("streaming", FIRST_TURN, code),
    messageIn("complete", FIRST_TURN, { type: "thought", id: "thought:1.0", text: "Counting." }, code),
  ];
  const client = new Follower();
  await client.follow(encode(states));
  expect(client.messages).toEqual(loaded(states[1]?.[1] as Conversation));
  expect(client.messages.map(({ role }) => role)).toEqual(["reasoning", "activity"]);
});

test("a call that is taken back is not left to the client", async () => {
  const client = new Follower();
  const end = await client.follow(
    encode([
      messageIn("streaming", FIRST_TURN, { type: "tool-call", id: "call:1.0", name: "pay", args: {}, state: "called" }),
      messageIn("complete", FIRST_TURN, { type: "text", id: "text:1.0", text: "No need." }),
    ]),
  );
  expect(end).toMatchObject({ outcome: "success", pendingToolCallIds: [] });
  expect(client.messages).toEqual([{ id: "m/turn:1", role: "assistant", content: "No need." }]);
});

describe("what the model has read", () => {
  const step = (turn: number): MessagePart => ({ type: "turn", id: `turn:${turn}`, turn });
  const say = (turn: number, text: string): MessagePart => ({ type: "text", id: `text:${turn}.0`, text });
  const stateOf = (parts: readonly MessagePart[], about: Partial<Message>): readonly [Message, Conversation] => {
    const message = { id: "m", role: "model", state: "streaming", sources: [], searchEntryPoints: [] } as const;
    const shown: Message = { ...message, parts, ...about };
    return [shown, { ...buildConversation("s", []), messages: [shown] }];
  };

  test("is in the metadata of a text as soon as the model goes on after it, also of one that goes on", async () => {
    const call = { type: "tool-call", id: "call:1.0", name: "read", args: {}, state: "called" } as const;
    const ended = { ...call, state: "done", output: "x" } as const;
    const begun: MessagePart = { type: "text", id: "text:2.0", text: "So it", streaming: true };
    const read = { untrusted: true } as const;
    const states = [
      stateOf([step(1), say(1, "I look."), call], {}),
      stateOf([step(1), say(1, "I look."), ended, step(2), begun], read),
      stateOf([step(1), say(1, "I look."), ended, step(2), begun], { ...read, private: true }),
      stateOf([step(1), say(1, "I look."), ended, step(2), say(2, "So it is.")], {
        ...read,
        private: true,
        state: "complete",
      }),
    ];
    const client = new Follower();
    await client.follow(encode(states));
    const metadata = { pollux: { untrusted: true, private: true } };

    expect(client.messages).toMatchObject([
      { role: "assistant", content: "I look.", metadata },
      { role: "tool" },
      { role: "assistant", content: "So it is.", metadata },
    ]);
    expect(client.messages).toEqual(loaded(states.at(-1)?.[1] as Conversation));
    const second = encode(states.slice(0, 2)).find(({ type, metadata: about }) => type.startsWith("TEXT") && about);
    expect(second).toMatchObject({ type: "TEXT_MESSAGE_START", metadata: { pollux: { untrusted: true } } });
  });

  test.each([
    ["the user", "user"],
    ["somebody else", "support"],
  ])("is said to %s with the question to which it leads", async (_name, approvedBy) => {
    const because = { reach: "outside", rule: "ask", untrusted: ["web_fetch a.example"] } as const;
    const asks = { token: "t", approvedBy, because };
    const args = { to: "ann@a.example" };
    const call = { type: "tool-call", id: "call:1.0", name: "mail", args, state: "pending-approval", asks } as const;
    const why =
      "It would reach outside (mail to ann@a.example) after the agent read untrusted content from web_fetch a.example.";
    const client = new Follower();
    const end = await client.follow(encode([stateOf([step(1), call], { state: "waiting" })]));

    if (approvedBy === "user") expect(end.interrupts).toMatchObject([{ message: `May mail run? ${why}` }]);
    else expect(client.messages.at(-1)).toMatchObject({ content: { calls: [{ toolName: "mail", because: why }] } });
  });

  test("may be in the address of media elsewhere, which is a link", () => {
    const media = { type: "media", id: "media:1.0", mimeType: "image/png", uri: "https://evil.example/?d=x" } as const;
    const [, conversation] = stateOf([step(1), media], { state: "complete" });
    expect(toAgUiMessages(conversation)).toMatchObject([
      { activityType: "pollux.media", content: { mimeType: "image/png", link: media.uri } },
    ]);
    expect(JSON.stringify(toAgUiMessages(conversation))).not.toContain('"url"');
  });
});

test("addresses are those of the web: nothing that acts, wherever it stands", () => {
  const media = { type: "media", id: "media:1.0", mimeType: "text/html" } as const;
  const shown = (uri: string): string => {
    const message: Message = {
      id: "m",
      role: "model",
      state: "complete",
      parts: [
        { type: "turn", id: "turn:1", turn: 1 },
        { ...media, uri },
        { type: "steering", id: "steering:1", parts: [{ ...media, uri }] },
      ],
      sources: [{ number: 1, kind: "web", uri, title: "A", pageNumber: 7, mediaId: "media/m" }],
      searchEntryPoints: [],
    };
    const conversation = {
      ...buildConversation("s", []),
      messages: [message, { ...message, id: "u", role: "user", parts: [{ ...media, uri }] } as const],
    };
    return JSON.stringify([encode([[message, conversation]]), toAgUiMessages(conversation)]);
  };
  for (const uri of ["javascript:alert(1)", "data:text/html,alert", "JavaScript://a.example/%0aalert(1)", "/alert"])
    expect(shown(uri)).not.toContain("alert");
  expect(shown("https://a.example/b.html").split("https://a.example/b.html").length).toBeGreaterThan(6);
  expect(shown("https://a.example/b.html")).toContain('"title":"A","pageNumber":7,"mediaId":"media/m"');
});

test("citations of a text that goes on behind data of the application are of the message that shows it", () => {
  const cited = {
    type: "text",
    id: "text:1.1",
    text: "Rain.",
    citations: [{ start: 0, end: 4, sources: [1] }],
  } as const;
  const parts = [
    { type: "turn", id: "turn:1", turn: 1 },
    { type: "text", id: "text:1.0", text: "Oslo: " },
    { type: "data", id: "data:1", part: { type: "data-map", data: {} } },
    cited,
  ];
  const message: Message = {
    id: "m",
    role: "model",
    state: "complete",
    // Core knows no data parts.
    parts: parts as unknown as readonly MessagePart[],
    sources: [{ number: 1, kind: "web", uri: "https://a.example" }],
    searchEntryPoints: [],
  };
  const [said, found] = toAgUiMessages({ ...buildConversation("s", []), messages: [message] });
  expect(said).toMatchObject({ id: "m/turn:1", content: "Oslo: Rain." });
  expect(found).toMatchObject({ content: { citations: [{ messageId: "m/turn:1", start: 6, end: 10, sources: [1] }] } });
});

/** A WAV file with these samples, as base64. */
function wavOf(...samples: readonly number[]): string {
  const pieces = [Buffer.from(Int16Array.from(samples).buffer).toString("base64")];
  return Buffer.from(new OutputAudio({ mimeType: "audio/L16;rate=24000", pieces }).toWav()).toString("base64");
}

describe("what AG-UI has no message for", () => {
  fakeTime("leaps");

  test.each([
    [
      "sources of its own",
      "pollux.sources",
      {
        sources: [
          { number: 1, kind: "web", url: "https://a.example" },
          { number: 2, kind: "web", url: "https://b.example" },
        ],
        citations: [
          { start: 0, end: 19, sources: [2] },
          { start: 6, end: 10, sources: [1] },
        ],
      },
    ],
    ["a stop in the middle of a text", "pollux.interruption", { turn: 1 }],
    ["a limit", "pollux.ending", undefined],
    [
      "a blocked answer",
      "pollux.ending",
      { state: "failed", stopReason: "blocked", message: "The answer was blocked." },
    ],
    ["code of the service", "pollux.code", { language: "PYTHON", code: "print(1)", outcome: "OUTCOME_OK" }],
    ["thoughts, text and a picture", "pollux.media", { mimeType: "image/png", data: "aGk=" }],
    ["speech in pieces, around a text", "pollux.media", { mimeType: "audio/wav", data: wavOf(3, 4) }],
    ["parts from the future", "pollux.unknown", { keys: ["hologram"] }],
  ])("%s: is an activity, %s", async (name, activityType, content) => {
    const script = SCRIPTS[name];
    const [[, played] = []] = faces;
    if (script === undefined || played === undefined) throw new Error(`there is no ${name}`);
    const { here } = await played(script);
    const found = here.flatMap((one) => toAgUiMessages(one).filter((message) => message.role === "activity"));
    const shown = found.findLast((one) => one.activityType === activityType);
    expect(shown).toMatchObject({ activityType, ...(content && { content }) });
  });
});
