import { Agent, defineJob, defineTool, MemoryStore, type Session, type SessionEntry } from "@pollux/core";
import { call, calls, empty, fails, say, ScriptedModel, think, join } from "@pollux/core/testing";
import { answersTo } from "../helpers/answers.ts";

/** Padded base64, as the service sends. */
const SIGNATURE = "Co4BAXLI2nxYbmFyZSBub3QgcmVhbGx5IHNpZ25lZA==";

/** The log of a session, as real runs wrote it. */
export type Log = readonly SessionEntry[];

/** The log of one session of the scripted agent. */
async function recorded(build: (session: Session) => Promise<void>): Promise<Log> {
  const store = new MemoryStore();
  await build(agentOf().session({ id: "s", store }));
  return await logOf(store, "s");
}

async function logOf(store: MemoryStore, id: string): Promise<Log> {
  // A session writes only entries.
  return (await store.load(id)) as unknown as Log;
}

/** An agent that does what the last message asks. */
function agentOf(): Agent {
  const script = (request: {
    contents: readonly { role: string; parts: readonly { text?: string | undefined }[] }[];
  }) => {
    const at = request.contents.findLastIndex(({ role, parts }) => role === "user" && parts.some(({ text }) => text));
    const asked = request.contents[at]?.parts[0]?.text ?? "";
    const turns = request.contents.slice(at).filter(({ role }) => role === "model").length;
    return ANSWERS[asked]?.[turns] ?? say(`Done: ${asked}`);
  };
  const model = ScriptedModel.with({ id: "gemini-3-pro-preview" }, ...Array.from({ length: 40 }, () => script));
  const tool = (name: string, more: object = {}) =>
    defineTool({ name, description: "x", ...more, run: () => `${name} is done, with "quotes" and ünïcödé` });
  const tools = [
    tool("look"),
    tool("draw", { run: () => ({ type: "media", mimeType: "image/png", data: "AAAA" }) }),
    tool("pay", { effects: "once", needsApproval: () => true }),
    defineJob({ name: "render", description: "x", start: () => "job-1", cancel: () => {} }),
  ];
  return new Agent({ model, tools });
}

const signed = { id: "c1", thoughtSignature: SIGNATURE };

const ANSWERS: Readonly<Record<string, readonly ReturnType<typeof say>[]>> = {
  "Look twice.": [
    join(
      think("Two at once."),
      calls({ name: "look", args: { at: 1 }, ...signed }, { name: "look", args: { at: 2 }, id: "c2" }),
    ),
    join(say("And once more. "), call("look", { at: 3 }, { id: "c3", thoughtSignature: SIGNATURE })),
  ],
  "Pay.": [calls({ name: "look", ...signed }, { name: "pay", args: { amount: 20 }, id: "c2" })],
  "Render.": [calls({ name: "look", ...signed }, { name: "render", id: "c2" })],
  "Break.": [call("look", {}, signed), fails(new Error("the model broke"))],
  "Say nothing.": [empty()],
};

/** Logs of sessions of many kinds, by name. */
export async function recordedLogs(): Promise<Readonly<Record<string, Log>>> {
  return {
    "one message": await recorded(async (session) => void (await session.send("Hello."))),
    "parallel calls, then another message": await recorded(async (session) => {
      await session.send("Look twice.");
      await session.send("Thanks.");
    }),
    "an approval that was given": await recorded(async (session) => {
      await session.send("Pay.");
      await session.resume(await answersTo(session, { approvals: { "call:1.1": true } }));
      await session.send("Thanks.");
    }),
    "an approval that was refused": await recorded(async (session) => {
      await session.send("Pay.");
      await session.resume(await answersTo(session, { approvals: { "call:1.1": { deny: "too dear" } } }));
    }),
    "an approval that is waited for": await recorded(async (session) => {
      await session.send("Look twice.");
      await session.send("Pay.");
    }),
    "an approval that is stored and not yet acted on": await recorded(async (session) => {
      await session.send("Pay.");
      await session.answer(await answersTo(session, { approvals: { "call:1.1": true } }));
    }),
    "an approval that is stored and passed over": await recorded(async (session) => {
      await session.send("Pay.");
      await session.answer(await answersTo(session, { approvals: { "call:1.1": true } }));
      await session.send("Thanks.");
    }),
    "an approval that was passed over": await recorded(async (session) => {
      await session.send("Pay.");
      await session.send("Look twice.", { unfinished: "close" });
    }),
    "a job that is waited for": await recorded(async (session) => {
      await session.send("Render.");
      await session.reportJob("job-1", { progress: { percent: 80 } });
    }),
    "a job whose outcome is stored and not yet used": await recorded(async (session) => {
      await session.send("Render.");
      await session.reportJob("job-1", { output: { frames: 240 } });
    }),
    "a job that ended": await recorded(async (session) => {
      await session.send("Render.");
      await session.reportJob("job-1", { progress: { percent: 80 } });
      await session.reportJob("job-1", { error: "no film" });
      await session.continue();
      await session.send("Thanks.");
    }),
    "a job that was given up": await recorded(async (session) => {
      await session.send("Render.");
      await session.send("Look twice.");
    }),
    "a job that was stopped": await recorded(async (session) => {
      await session.send("Render.");
      await session.stop();
      await session.continue();
    }),
    "a failure, and on": await recorded(async (session) => {
      await session.send("Break.").catch(() => {});
      await session.send("Look twice.");
    }),
    steering: await recorded(async (session) => {
      await session.steer("Be brief.");
      await session.send("Look twice.");
      await session.steer("In French.");
      await session.send("Hello.");
      await session.send("Look twice.");
    }),
    "regenerated answers": await recorded(async (session) => {
      await session.send("Look twice.");
      await session.send("Pay.");
      await session.regenerate();
      await session.send("Hello.");
      await session.steer("In French.");
      await session.regenerate();
      await session.send("Look twice.");
    }),
    "a conversation that went back": await recorded(async (session) => {
      await session.send("Look twice.");
      await session.send("Pay.");
      await session.rewind();
      await session.send("Hello.");
      await session.rewind();
      await session.rewind();
    }),
    "a session with a title": await recorded(async (session) => {
      await session.describe({ title: "Looking", owner: "ann" });
      await session.send("Hello.");
      await session.describe({ title: null });
    }),
    "a fork": await forked(),
    "a run that is cut off": await cutOff(),
    "a summary": await summed(),
    guardrails: await guarded(),
    "a prepared turn": await prepared(),
  };
}

async function forked(): Promise<Log> {
  const store = new MemoryStore();
  const session = agentOf().session({ id: "s", store });
  await session.send("Look twice.");
  await session.send("Hello.");
  const fork = await session.fork({ id: "f", contents: 6 });
  await fork.send("Look twice.");
  return await logOf(store, "f");
}

async function cutOff(): Promise<Log> {
  const log = await recorded(async (session) => {
    await session.send("Hello.");
    await session.send("Look twice.");
  });
  const second = log.findLastIndex(({ type }) => type === "run");
  return log.slice(0, second + 3);
}

/** Replaced messages and answers, and one stopped message and answer. */
async function guarded(): Promise<Log> {
  const store = new MemoryStore();
  const answers = [
    call("look", {}, signed),
    say("A secret."),
    say("Fine."),
    say("Forbidden."),
    call("look", {}, signed),
  ];
  const model = ScriptedModel.with({ id: "gemini-3-pro-preview" }, ...answers, say("Bye."));
  const look = defineTool({
    name: "look",
    description: "x",
    run: async () => void (steered === undefined ? undefined : await session.steer(steered)),
  });
  const input = ({ text }: { readonly text: string }) =>
    text.includes("weapon") ? { stop: "weapons" } : { replace: text.replaceAll(/\d/g, "#") };
  const output = ({ text }: { readonly text: string }) => {
    if (text.includes("Forbidden")) return { stop: "forbidden" };
    return text.includes("secret") ? { replace: text.replace("secret", "***") } : undefined;
  };
  const agent = new Agent({
    model,
    tools: [look],
    guardrails: { input: [{ name: "in", check: input }], output: [{ name: "out", check: output }] },
  });
  const session = agent.session({ id: "s", store });
  let steered: string | undefined;
  for (const message of ["Look at 1.", "A weapon!", "Say 2.", "Say 3."]) await session.send(message);
  steered = "A weapon!";
  await session.send("Look at 4.");
  await session.send("Bye.");
  return await logOf(store, "s");
}

/** A turn by another model, with other tools. */
async function prepared(): Promise<Log> {
  const store = new MemoryStore();
  const look = defineTool({ name: "look", description: "x", run: () => "seen" });
  const other = ScriptedModel.with({ id: "gemini-4-other" }, call("look", {}, signed));
  const agent = new Agent({
    model: ScriptedModel.with({ id: "gemini-3-pro-preview" }, say("Seen."), say("Bye.")),
    hooks: { prepareTurn: ({ contents }) => (contents.length === 1 ? { model: other, tools: [look] } : undefined) },
  });
  const session = agent.session({ id: "s", store });
  await session.send("Look.");
  await session.send("Bye.");
  return await logOf(store, "s");
}

async function summed(): Promise<Log> {
  const store = new MemoryStore();
  const model = new ScriptedModel(
    ...Array.from({ length: 20 }, (_, i) => () => say(`Answer ${i}. ${"word ".repeat(200)}`)),
  );
  const agent = new Agent({ model, compaction: { windowTokens: 1000, threshold: 0.6, keep: 0.3 } });
  const session = agent.session({ id: "s", store });
  for (const message of ["One.", "Two.", "Three.", "Four.", "Five."]) await session.send(message);
  return await logOf(store, "s");
}
