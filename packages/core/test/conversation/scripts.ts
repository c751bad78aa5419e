import { setImmediate } from "node:timers/promises";
import {
  Agent,
  type AgentOptions,
  ConfigurationError,
  defineJob,
  defineTool,
  googleSearch,
  handoff,
  type JsonObject,
  type Model,
  type OutputGuardrail,
  type RunOptions,
  type Session,
} from "@pollux/core";
import {
  blocked,
  call,
  calls,
  cut,
  dies,
  empty,
  grounded,
  hangs,
  join,
  parts,
  say,
  ScriptedModel,
  type ScriptLine,
  serverSearch,
  think,
} from "@pollux/core/testing";
import { z } from "zod";
import type { SessionFace } from "../session/session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

export const lookUp = defineTool({
  name: "look_up",
  description: "Looks something up.",
  input: z.object({ key: z.string() }),
  run: ({ key }) => ({ value: `${key}!` }),
});

const slow = defineTool({
  name: "slow",
  description: "Takes its time.",
  run: async (_input, context) => {
    await context.progress({ percent: 50 });
    await setImmediate();
    return "slept";
  },
});

export const pay = defineTool({
  name: "pay",
  description: "Pays.",
  needsApproval: true,
  effects: "once",
  run: () => "paid",
});

const spend = defineTool({
  name: "spend",
  description: "Spends.",
  input: z.object({ amount: z.number() }),
  needsApproval: true,
  approvedBy: ({ amount }) => (amount > 100 ? "manager" : "customer"),
  run: ({ amount }) => amount,
});

/** The tool through which a model calls undeclared tools. */
const callTool = {
  ...defineTool({ name: "call_tool", description: "Calls a tool.", input: { type: "object" }, run: () => "nothing" }),
  standsIn: true as const,
};
const hidden = [lookUp, slow, pay, spend].map((tool) => ({ ...tool, undeclared: true as const }));
const through = (name: string, input: JsonObject = {}) => ({ name: "call_tool", args: { name, input } });

const askPerson = defineTool({ name: "ask_person", description: "Asks the person." });

const research = defineJob({
  name: "research",
  description: "Researches.",
  start: () => "secret-job",
  cancel: () => "gone",
});

const broken = defineTool({
  name: "broken",
  description: "Fails.",
  run: () => {
    throw new Error("password=hunter2 in /srv/secret.ts:3");
  },
});

const sleeper = defineTool({
  name: "sleep",
  description: "Never wakes.",
  timeoutMs: Infinity,
  run: async () => await new Promise<never>(() => {}),
});

/** Fails in the first attempt of each call. */
const flaky = defineTool({
  name: "flaky",
  description: "Fails at first.",
  retry: { minDelayMs: 0 },
  run: (_input, { attempt }) => {
    if (attempt === 1) throw new Error("busy");
    return "fine";
  },
});

/** An agent that does the same for each message. */
function billing(id: string): Agent {
  const line: ScriptLine = ({ contents }) => {
    const hasLooked = contents.some(({ parts: [part] }) => part?.functionResponse?.name === "look_up");
    return hasLooked ? say("It is ", "12 euros.") : join(say("Let me see."), call("look_up", { key: "a" }));
  };
  const model = ScriptedModel.with({ id }, ...Array.from({ length: 40 }, () => line));
  return new Agent({ name: "billing", model, instructions: "You do the bills.", tools: [lookUp], prices });
}

const handIn = defineTool({ name: "hand_in", description: "Hands in.", endsRun: true, run: () => ({ title: "Q3" }) });

/** Prices, so that there is a cost. */
const prices = { input: 1000, output: 2000 };

/** A conversation that a test can play again and again. */
export interface Script {
  readonly model: () => Model;
  readonly agent?: Omit<AgentOptions, "model"> | undefined;
  /** The options of its runs, in order, where a replay needs them. */
  readonly replay?: readonly RunOptions[] | undefined;
  /** Its events alone don't have all of it. */
  readonly needsLog?: true | undefined;
  /** Names of the calls that it denies, in order; absent when it denies none. */
  readonly denies?: readonly string[] | undefined;
  /** What happens in it. @defaultValue one message */
  readonly play?: ((scene: Scene) => Promise<unknown>) | undefined;
}

/** What a script plays with. Errors of its runs are part of the play. */
export interface Scene {
  readonly face: SessionFace;
  readonly session: Session;
  /** The same session in another process. */
  readonly other: Session;
  readonly send: (message: string, options?: RunOptions) => Promise<unknown>;
  readonly resume: (options?: Parameters<SessionFace["resume"]>[1]) => Promise<unknown>;
  readonly regenerate: (options?: Parameters<SessionFace["regenerate"]>[1]) => Promise<unknown>;
}

function lines(...script: readonly ScriptLine[]): () => Model {
  return () => new ScriptedModel(...script);
}

/** Resolves once the model or a tool hangs. */
async function untilHanging(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}

/** Sends a message, and stops the run while the model or a tool hangs. */
async function sendAndStop({ send, session }: Scene): Promise<void> {
  const run = send("Go.");
  await untilHanging();
  await session.stop();
  await run;
}

async function stopAndResume(scene: Scene): Promise<void> {
  await sendAndStop(scene);
  await scene.resume();
}

/** Texts that no page may show: instructions, signatures, messages of exceptions, and texts for the model only. */
export const SECRETS: readonly string[] = ["SYSTEM", "c2ln", "c2VhcmNo", "hunter2", "secret", "key=abc"];

/** Replaces one word in answers. */
const reword = (from: string, to: string): OutputGuardrail => ({
  name: "reword",
  check: ({ text }) => (text.includes(from) ? { replace: text.replaceAll(from, to) } : undefined),
});

const sound = (data: string) => parts({ inlineData: { mimeType: "audio/L16;codec=pcm;rate=24000", data } });

export const SCRIPTS: { readonly [name: string]: Script } = {
  "a conversation that is handed over, and another message": {
    model: lines(join(say("One moment. "), calls("transfer_to_billing", { name: "look_up", args: { key: "b" } }))),
    agent: { tools: [lookUp, handoff(billing("gemini-scripted"))], prices },
    play: async ({ send }) => {
      await send("What do I owe?");
      await send("Thanks.");
    },
  },
  "a conversation that is handed over with a filter": {
    model: lines(calls("transfer_to_billing", "transfer_to_billing")),
    agent: {
      tools: [handoff(billing("gemini-scripted"), { filter: (contents) => contents.slice(0, 1) })],
      prices,
      compaction: { windowTokens: 1_000_000 },
    },
  },
  "answers that are replaced before anybody sees them": {
    model: lines(join(say("A secret. "), calls({ name: "look_up", args: { key: "a" } })), say("The ", "secret.")),
    agent: { guardrails: { output: [reword("secret", "***")] } },
  },
  "answers that are withdrawn, and replaced": {
    model: lines(join(say("A draft. "), calls({ name: "look_up", args: { key: "a" } })), say("The ", "draft.")),
    agent: { guardrails: { output: [reword("draft", "text")], streaming: "show" } },
  },
  "an answer that is stopped before anybody sees it": {
    model: lines(think("A secret?"), say("The secret.")),
    agent: { guardrails: { output: [{ name: "stop", check: () => ({ stop: "no" }) }] } },
  },
  "an answer that is withdrawn, and another message": {
    model: lines(say("A draft."), say("Better.")),
    agent: {
      guardrails: {
        output: [{ name: "stop", check: ({ text }) => (text === "A draft." ? { stop: "no" } : undefined) }],
        streaming: "show",
      },
    },
    play: async ({ send }) => {
      await send("Go.");
      await send("Go on.");
    },
  },
  "a message that is stopped, and another one": {
    model: lines(say("Fine.")),
    agent: {
      guardrails: { input: [{ name: "in", check: ({ text }) => (text === "No!" ? { stop: "no" } : undefined) }] },
    },
    play: async ({ send }) => {
      await send("No!");
      await send("Yes.");
    },
  },
  "calls that the service answered itself": {
    model: lines(
      join(
        say("Let me see. "),
        calls({ name: "list_flights", args: { to: "Oslo" } }),
        parts({ functionResponse: { name: "list_flights", response: { output: "none" } } }),
        calls({ name: "look_up", args: { key: "a" } }),
        say("There are none; I look elsewhere."),
      ),
      say("Found."),
    ),
  },
  "a text": { model: lines(say("It ", "is ", "so.")), agent: { prices } },
  "thoughts, text and a picture": {
    model: lines(
      join(
        think("Hm."),
        think(" Well."),
        say("Here: "),
        parts({ inlineData: { mimeType: "image/png", data: "aGk=" } }),
        say("Done."),
      ),
    ),
  },
  "speech in pieces, around a text": {
    model: lines(join(sound("AQA="), sound("AgA="), say("And "), say("now:"), sound("AwA="), sound("BAA="))),
  },
  "parallel calls": {
    model: lines(
      join(
        say("Let me see. "),
        calls({ name: "look_up", args: { key: "a" } }, { name: "look_up", args: { key: "b" } }, "slow"),
      ),
      say("a! and b!"),
    ),
    agent: { tools: [lookUp, slow], prices },
  },
  "text after a call, and signatures in between": {
    model: lines(
      join(
        parts({ text: "", thoughtSignature: "c2ln" }),
        say("One. "),
        parts({ text: "Two. ", thoughtSignature: "c2ln" }, { text: "", thoughtSignature: "c2ln" }),
        call("look_up", { key: "a" }),
        say("Three."),
      ),
      say("Four."),
    ),
    agent: { tools: [lookUp] },
  },
  "calls that fail": {
    model: lines(calls("broken", { name: "look_up", args: { key: 1 } }, "nowhere"), say("Sorry.")),
    agent: { tools: [broken, lookUp] },
  },
  "calls that a hook denies or answers": {
    model: lines(calls({ name: "look_up", args: { key: "a" } }, "slow"), say("Well.")),
    agent: {
      tools: [lookUp, slow],
      hooks: {
        beforeCall: async ({ call: { name } }) => (
          await setImmediate(),
          name === "slow" ? { deny: "secret policy" } : { output: 7 }
        ),
      },
    },
    denies: ["slow"],
  },
  "a call that approve denies": {
    model: lines(calls("pay", { name: "look_up", args: { key: "a" } }), say("Not paid.")),
    agent: { tools: [pay, lookUp], approve: () => ({ deny: "no" }) },
    denies: ["pay"],
  },
  "calls that are denied while others run, and one in the next turn that is not": {
    model: lines(calls("pay", "slow", "pay"), calls("slow", "pay"), say("Paid once.")),
    agent: {
      tools: [pay, slow],
      approve: async ({ turn }) => {
        for (let turns = 0; turns < 5; turns++) await setImmediate();
        return turn === 2 || { deny: "no" };
      },
    },
    denies: ["pay", "pay"],
  },
  "a call that is denied, and another one that the next message withdraws": {
    model: lines(calls("pay", { name: "look_up", args: { key: "a" } }), call("pay"), say("Not paid.")),
    agent: { tools: [pay, lookUp] },
    play: async ({ send, resume, other }) => {
      await send("Pay.");
      await other.answer(await answersTo(other, { approvals: { "call:1.0": { deny: "no" } } }));
      await resume();
      await send("Never mind.");
    },
    denies: ["pay"],
  },
  "a call whose arguments are changed, and which is denied then": {
    model: lines(calls({ name: "spend", args: { amount: 5 } }), say("Not spent.")),
    agent: { tools: [spend] },
    play: async ({ send, resume }) => {
      await send("Spend.");
      await resume({ approvals: { "call:1.0": { args: { amount: 500 } } } });
      await resume({ approvals: { "call:1.0": { deny: "too much" } } });
    },
    denies: ["spend"],
  },
  "approvals and outcomes": {
    model: lines(calls("pay", { name: "look_up", args: { key: "a" } }, "ask_person", "pay"), say("Paid once.")),
    agent: { tools: [pay, lookUp, askPerson], prices },
    play: async ({ send, resume, session }) => {
      await send("Pay.");
      await session.answer(await answersTo(session, { approvals: { "call:1.0": true } }));
      await resume({ approvals: { "call:1.3": { deny: "too much" } }, outcomes: { "call:1.2": { output: "yes" } } });
    },
    denies: ["pay"],
  },
  "calls through a tool that stands in for others": {
    model: () =>
      new ScriptedModel(
        join(
          say("One moment."),
          calls(through("look_up", { key: "a" }), through("slow"), through("pay"), "pay", through("gone"), "call_tool"),
        ),
        calls(through("spend", { amount: 5 }), through("look_up", { key: "b" })),
        say("Done."),
      ),
    agent: { tools: [callTool, ...hidden] },
    denies: ["pay"],
    play: async ({ session, send, resume }) => {
      await send("Pay.");
      await session.answer(await answersTo(session, { approvals: { "call:1.2": true } }));
      await resume({ approvals: { "call:1.3": { deny: "once is enough" } } });
      await resume({ approvals: { "call:2.0": { args: { amount: 500 } } } });
      await resume({ approvals: { "call:2.0": true } });
    },
  },
  "an approval with other arguments, by a callback": {
    model: lines(calls("pay", { name: "look_up", args: { key: "a" } }), say("Paid less.")),
    agent: { tools: [pay, lookUp], approve: () => ({ args: { amount: 5 } }) },
  },
  "an approval with other arguments, from outside": {
    model: lines(calls("pay", { name: "look_up", args: { key: "a" } }, "pay"), say("Paid less.")),
    agent: { tools: [pay, lookUp] },
    play: async ({ send, resume, session }) => {
      await send("Pay.");
      await session.answer(await answersTo(session, { approvals: { "call:1.0": { args: { amount: 5 } } } }));
      await resume({ approvals: { "call:1.2": true } });
    },
  },
  "a job, its progress and its outcome": {
    model: lines(calls("research", { name: "look_up", args: { key: "a" } }), say("Because.")),
    agent: { tools: [research, lookUp], prices },
    play: async ({ face, send, session, other }) => {
      await send("Why?");
      await session.reportJob("secret-job", { progress: { percent: 10 } });
      await other.reportJob("secret-job", { progress: { percent: 60 } });
      await other.reportJob("secret-job", { output: { report: "Because." } });
      await face.continue(session);
    },
    needsLog: true,
  },
  "a job that a message leaves behind": {
    model: lines(calls("ask_person", "research"), say("Never mind.")),
    agent: { tools: [research, askPerson] },
    play: async ({ send, session }) => {
      await send("Why?");
      await session.reportJob("secret-job", { progress: "some" });
      await send("Never mind.");
    },
    needsLog: true,
  },
  "a job of a run that is stopped": {
    model: lines(calls("research", "sleep"), say("Stopped.")),
    agent: { tools: [research, sleeper] },
    play: async (scene) => {
      await sendAndStop(scene);
      await scene.send("And now?");
    },
    needsLog: true,
  },
  "a tool that fails at first": {
    model: lines(call("flaky"), say("It works.")),
    agent: { tools: [flaky] },
  },
  "a tool that ends the run": {
    model: lines(calls("hand_in", { name: "look_up", args: { key: "a" } }), say("You're welcome.")),
    agent: { tools: [handIn, lookUp] },
    play: async ({ send }) => {
      await send("Report.");
      await send("Thanks.");
    },
  },
  "an approval that is never given": {
    model: lines(call("pay"), say("All right.")),
    agent: { tools: [pay] },
    play: async ({ send }) => {
      await send("Pay.");
      await send("Never mind.");
    },
  },
  "an answer that is made anew": {
    model: lines(empty(), join(say("As "), say("told."))),
  },
  "an answer that is made anew after calls": {
    model: lines(
      call("look_up", { key: "a" }),
      join(say("half "), { ...blocked("MALFORMED_FUNCTION_CALL") }),
      say("Whole."),
    ),
    agent: { tools: [lookUp] },
  },
  "a stream that breaks": { model: lines(dies("It was "), say("It is.")), agent: { limits: { restarts: 1 } } },
  "a stream that breaks for good": {
    model: lines(say("Fine."), dies("It was "), dies("Or ", "not"), say("It is.")),
    agent: { limits: { restarts: 1 } },
    play: async ({ send, resume }) => {
      await send("One.");
      await send("Two.");
      await resume();
    },
  },
  "an answer that cannot be made anew": {
    model: lines(join(say("half "), blocked("MALFORMED_FUNCTION_CALL")), dies(new Error("secret"))),
    agent: { limits: { restarts: 0 } },
  },
  "an answer that is stopped while it is made anew": {
    model: lines(join(say("half "), blocked("MALFORMED_FUNCTION_CALL")), hangs("whole ", "and"), say("Whole.")),
    play: stopAndResume,
  },
  "an answer that does not fit its schema": {
    model: lines(say("seven"), dies(new Error("secret"))),
    agent: { limits: { restarts: 0 } },
    play: ({ send }) => send("How much?", { output: z.object({ value: z.number() }) } as never),
  },
  "an outcome that is cut for the model": {
    model: lines(call("measure"), say("Long.")),
    agent: { tools: [defineTool({ name: "measure", description: "Elsewhere.", maxResultBytes: 20 })] },
    play: async ({ send, resume }) => {
      await send("Go.");
      await resume({ outcomes: { "call:1.0": { output: "0123456789".repeat(10) } } });
    },
  },
  "a blocked answer": { model: lines(join(say("I "), blocked("SAFETY"))) },
  "an answer that was too long": { model: lines(cut("A long ", "story")) },
  "sources of its own": {
    model: lines(
      join(
        serverSearch("oslo"),
        grounded("It is warm in Oslo.", {
          sources: [{ uri: "https://a.example", supports: ["warm"] }, { uri: "https://b.example" }],
          queries: ["oslo"],
        }),
      ),
    ),
  },
  "sources of an earlier turn": {
    model: lines(
      join(
        grounded("It is warm.", { sources: [{ uri: "https://a.example" }], queries: ["oslo"] }),
        call("look_up", { key: "a" }),
      ),
      say("They say: It is warm. Indeed."),
    ),
    agent: { tools: [lookUp] },
  },
  "sources of a search inside a call": {
    model: () =>
      ScriptedModel.with(
        { id: "gemini-2.5-flash" },
        calls({ name: "look_up", args: { key: "a" } }, { name: "google_search", args: { query: "Who won?" } }),
        grounded("Ada won.", { sources: [{ uri: "https://a.example" }], queries: ["who won"] }),
        say("They say: ", "Ada won. Hooray."),
      ),
    agent: { tools: [lookUp, googleSearch()], prices },
  },
  "a wall time that is up in the middle of a text": {
    model: lines(say("Fine."), hangs("It all ", "began"), say("It is over.")),
    agent: { limits: { wallTimeMs: 60_000 } },
    play: async ({ send }) => {
      await send("One.");
      await send("Two.");
      await send("Three.");
    },
  },
  "a run that goes on after its wall time was up": {
    model: lines(hangs("It all ", "began"), say("It is over.")),
    agent: { limits: { wallTimeMs: 60_000 } },
    replay: [{ limits: { wallTimeMs: 120_000 } }],
    play: async ({ send, resume }) => {
      await send("One.");
      await resume({ limits: { wallTimeMs: 120_000 } });
    },
  },
  "a wall time that is up while calls run": {
    model: lines(calls({ name: "look_up", args: { key: "a" } }, "sleep"), say("Well.")),
    agent: { tools: [lookUp, sleeper], limits: { wallTimeMs: 60_000 } },
  },
  "code of the service": {
    model: lines(
      parts(
        { executableCode: { language: "PYTHON", code: "print(1)" } },
        { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1\n" } },
        { text: "One." },
      ),
    ),
  },
  "parts from the future": {
    model: lines(join(say("Look: "), parts({ hologram: { depth: 3 } } as never), say("nice."))),
  },
  "steering in the middle": {
    model: lines(call("be_told"), say("Briefly.")),
    agent: {
      tools: [
        defineTool({
          name: "be_told",
          description: "Is told something by its user.",
          run: async () => {
            await told?.steer("Be brief.");
            await told?.steer("And kind.");
            return "heard";
          },
        }),
      ],
    },
    play: async ({ send, other }) => {
      told = other;
      await other.steer("Before anything.");
      await send("Go.");
    },
  },
  "a run that a late message prolongs": {
    model: lines(async () => (await setImmediate(), say("Done.")), say("That too."), say("Welcome.")),
    play: async ({ send, other }) => {
      const first = send("Work.");
      await setImmediate();
      await other.steer("One more thing.");
      await first;
      await send("Thanks.");
    },
  },
  "a result in a schema": {
    model: () =>
      ScriptedModel.with(
        { capabilities: { structuredOutputWithTools: false } as never, id: "gemini-2.5-flash" },
        call("look_up", { key: "a" }),
        say("It is 7."),
        say('{"value":7}'),
        say("You are welcome."),
      ),
    agent: { tools: [lookUp] },
    replay: [{ output: z.object({ value: z.number() }) } as never],
    play: async ({ send }) => {
      await send("How much?", { output: z.object({ value: z.number() }) } as never);
      await send("Thanks.");
    },
  },
  "a limit": {
    model: lines(call("look_up", { key: "a" }), call("look_up", { key: "b" }), say("Done.")),
    agent: { tools: [lookUp], limits: { turns: 2 } },
    replay: [{ limits: { turns: 9 } }],
    play: async ({ send, resume }) => {
      await send("Go.");
      await resume({ limits: { turns: 9 } });
    },
  },
  "a stop in the middle of a text": {
    model: lines(hangs("It all ", "began"), say("Anew.")),
    play: stopAndResume,
  },
  "a stop that the next message leaves out": {
    needsLog: true,
    model: lines(hangs("It all ", "began"), say("Hello.")),
    play: async (scene) => {
      await sendAndStop(scene);
      await scene.send("Hi.", { keepInterrupted: false } as never);
    },
  },
  "a stop while calls run": {
    model: lines(calls({ name: "look_up", args: { key: "a" } }, "hang"), say("Both.")),
    agent: {
      tools: [
        lookUp,
        defineTool({
          name: "hang",
          description: "Hangs once.",
          run: async (_input, { signal, runId }) =>
            hung.has(runId)
              ? "woke"
              : (hung.add(runId),
                await new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))),
        }),
      ],
    },
    play: stopAndResume,
  },
  "a run that fails, and is resumed": {
    model: lines(call("look_up", { key: "a" }), dies(new ConfigurationError("key=abc")), say("There.")),
    agent: { tools: [lookUp], limits: { restarts: 0 } },
    play: async ({ send, resume }) => {
      await send("Go.");
      await resume();
    },
  },
  "an answer that is made anew on request": {
    model: lines(say("One."), join(call("look_up", { key: "a" })), say("Two."), say("Three."), say("Four.")),
    agent: { tools: [lookUp], prices },
    needsLog: true,
    play: async ({ send, regenerate }) => {
      await send("First.");
      await send("Second.");
      await regenerate();
      await send("Third.");
    },
  },
  "a conversation that goes back to its beginning, in another process": {
    model: lines(say("One."), say("Two."), say("Three.")),
    agent: { prices },
    needsLog: true,
    play: async ({ send, other }) => {
      await send("First.", { runId: "first" });
      await send("Second.");
      await other.rewind({ before: "first:user" });
      await send("Anew.");
      await other.rewind();
    },
  },
  "a failed run that is left, and a question that is taken back": {
    model: lines(dies(new ConfigurationError("key=abc")), call("pay"), say("All right.")),
    agent: { tools: [pay], limits: { restarts: 0 } },
    needsLog: true,
    play: async ({ send, session }) => {
      await send("Go.");
      await send("Pay.");
      await session.rewind();
    },
  },
  "an answer that is stopped, and made anew": {
    model: lines(say("Fine."), hangs("It all ", "began"), say("It is over.")),
    needsLog: true,
    play: async (scene) => {
      await scene.send("One.");
      await sendAndStop(scene);
      await scene.regenerate();
    },
  },
  "what was said to a run that is taken back": {
    model: lines(call("be_told"), say("Briefly."), say("Kindly.")),
    agent: {
      tools: [
        defineTool({
          name: "be_told",
          description: "Is told something by its user.",
          run: async () => {
            await told?.steer("Be brief.");
            return "heard";
          },
        }),
      ],
    },
    needsLog: true,
    play: async ({ send, other, session, regenerate }) => {
      told = other;
      await other.steer("Before anything.");
      await send("Go.");
      await session.steer("One more thing.");
      await regenerate();
    },
  },
  "a summary in place of the oldest messages": {
    model: lines(say("First."), say("Second."), say("They talked."), say("Third.")),
    agent: {
      compaction: {
        windowTokens: 1000,
        policy: ({ boundaries, contents }) => (contents.length >= 5 ? boundaries.at(-1) : undefined),
      },
    },
    play: async ({ send }) => {
      await send("One.");
      await send("Two.");
      await send("Three.");
    },
  },
};

/** Runs that have hung once. */
const hung = new Set<string>();
let told: Session | undefined;
