import {
  Agent,
  type AgentOptions,
  type AnyTool,
  codeExecution,
  defineTool,
  handoff,
  type RunOptions,
  type Session,
  type SessionStore,
} from "@pollux/core";
import {
  call,
  calls,
  cut,
  fails,
  hangs,
  join,
  malformed,
  parts,
  say,
  type ScriptLine,
  ScriptedModel,
  think,
} from "@pollux/core/testing";

/** A kind of run whose log is kept: its script and options. */
export interface Kind {
  readonly script: readonly ScriptLine[];
  readonly agent?: Partial<AgentOptions> | undefined;
  readonly options?: RunOptions | undefined;
  /** How the run requests typed output. */
  readonly output?: "native" | "converted" | undefined;
  /** Steps of the test instead of sending one message. The signal aborts once a draft is stored. */
  readonly play?: ((session: Session, signal: AbortSignal) => Promise<unknown>) | undefined;
  /** When the process dies: when a hanging tool or request has begun, or when a draft was stored. */
  readonly diesAt?: "hang" | "draft" | undefined;
}

export const MESSAGE = "How is the weather in Oslo?";

/** A schema of typed output, and a text that matches it. */
export const OUTPUT = { type: "object", properties: { degrees: { type: "number" } }, required: ["degrees"] } as const;
const TYPED = '{"degrees":12}';

const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] } as const;
const pay = { type: "object", properties: { amount: { type: "number" } }, required: ["amount"] } as const;

/** The tools of all kinds. @param hang - Called by tools that never end. */
export function tools(hang: () => Promise<never>): readonly AnyTool[] {
  return [
    defineTool({
      name: "look",
      description: "Looks.",
      effects: "none",
      reads: "trusted",
      input: city,
      run: () => "12 degrees, rain",
    }),
    defineTool({ name: "photo", description: "Photographs.", run: () => ({ taken: true, size: [640, 480] }) }),
    defineTool({ name: "pay", description: "Pays.", effects: "once", input: pay, run: () => "paid" }),
    defineTool({ name: "wire", description: "Wires.", effects: "once", input: pay, run: hang }),
    defineTool({ name: "wait", description: "Waits.", effects: "none", run: hang }),
    defineTool({ name: "fail", description: "Fails.", run: () => Promise.reject(new Error("broken")) }),
    defineTool({
      name: "book",
      description: "Books.",
      needsApproval: true,
      editable: true,
      input: pay,
      run: () => "booked",
    }),
    defineTool({ name: "ask", description: "Asks the person.", input: city }),
    defineTool({ name: "submit", description: "Submits.", endsRun: true, run: () => ({ submitted: true }) }),
    new Agent({
      name: "expert",
      model: new ScriptedModel(call("look", { city: "Oslo" }), say("It rains.")),
      tools: [looking],
    }).asTool({
      description: "Knows the weather.",
    }),
  ];
}

/** Takes over. */
function local(): Agent {
  const model = new ScriptedModel(say("Rain, as ever."), say("More rain."));
  return new Agent({ name: "local", model });
}

const looking = defineTool({ name: "look", description: "Looks.", input: city, run: () => "rain" });

const look: ScriptLine = call("look", { city: "Oslo" }, { thoughtSignature: "bG9vaw==", id: "c1" });
const two: ScriptLine = join(
  think("Two things."),
  calls({ name: "look", args: { city: "Bergen" } }, { name: "pay", args: { amount: 3 } }),
);
const done: ScriptLine = say("It is raining, ", "and 12 degrees.");
const secrets = {
  input: [
    {
      name: "no names",
      check: ({ text }: { readonly text: string }) =>
        text.includes("Anna") ? { replace: text.replaceAll("Anna", "someone"), reason: "a name" } : undefined,
    },
    {
      name: "no insults",
      check: ({ text }: { readonly text: string }) => (text.includes("fool") ? { stop: "an insult" } : undefined),
    },
  ],
  output: [
    {
      name: "no secrets",
      check: ({ text }: { readonly text: string }) =>
        text.includes("password")
          ? { stop: "a secret", message: "I can't tell." }
          : text.includes("Bergen")
            ? { replace: "Elsewhere." }
            : undefined,
    },
  ],
};

async function answer(session: Session, given: "approve" | "edit" | "deny" | "told" | "happened"): Promise<unknown> {
  const { pending } = await session.state();
  const [token = ""] = pending.map((one) => one.token);
  if (given === "told") return await session.resume({ outcomes: { [token]: { output: "sunny" } }, by: "anna" });
  if (given === "happened") return await session.resume({ outcomes: { [token]: { output: "it went through" } } });
  const approval = { approve: true, edit: { args: { amount: 4 } }, deny: { deny: "too much" } }[given];
  return await session.resume({ approvals: { [token]: approval }, by: "bob" });
}

const send = (session: Session, message: string, runId: string, options: RunOptions = {}): Promise<unknown> =>
  session.send(message, { ...options, runId });

export const KINDS: Readonly<Record<string, Kind>> = {
  "one turn": { script: [join(think("Hm."), done)] },
  finished: { script: [look, two, done] },
  "failed calls": { script: [calls({ name: "look", args: { town: "Oslo" } }, "fail", "nothing"), done] },
  "answers that were discarded": {
    script: [look, malformed(), join(say("It "), cut("is")), done, done],
    agent: { limits: { restarts: 2 } },
  },
  "ended by a tool": { script: [look, calls("submit")] },
  "code in the sandbox": {
    agent: { tools: [codeExecution()] },
    script: [
      parts(
        { executableCode: { language: "PYTHON", code: "print(12)" } },
        { codeExecutionResult: { outcome: "OUTCOME_OK", output: "12" } },
        { text: "12 degrees." },
      ),
    ],
  },
  "native output": { output: "native", script: [look, say("12"), say(TYPED)] },
  "converted output": { output: "converted", script: [look, done, say("12"), say(TYPED)] },
  "invalid output": { output: "native", script: [look, say("12"), say("13"), say("14"), say("15")] },
  "a limit": { script: [look, two], options: { limits: { turns: 2 } } },
  "a limit, resumed": {
    script: [look, two, done],
    play: async (session) => {
      await send(session, MESSAGE, "run", { limits: { turns: 2 } });
      await session.resume();
    },
  },
  "a stop rule": { script: [look, two], options: {}, agent: { stopWhen: [({ turns }) => turns >= 2] } },
  "a failure": {
    script: [look, fails(new Error("no connection"))],
    play: (session) => send(session, MESSAGE, "run").catch(() => {}),
  },
  "an abort": {
    script: [look, hangs("It is ")],
    play: (session, signal) => send(session, MESSAGE, "run", { signal }).catch(() => {}),
  },
  "a guardrail's stop": { agent: { guardrails: secrets }, script: [look, say("The password is 12.")] },
  "a message that was stopped": {
    agent: { guardrails: secrets },
    script: [],
    play: (session) => send(session, "You fool.", "run"),
  },
  "what guardrails replaced": {
    agent: { guardrails: secrets },
    script: [look, say("It rains in Bergen.")],
    play: (session) => send(session, "Does it rain where Anna is?", "run"),
  },
  "an approval that waits": {
    script: [look, calls({ name: "book", args: { amount: 3 } }, { name: "look", args: { city: "Oslo" } })],
  },
  "an approval": {
    script: [look, call("book", { amount: 3 }), done],
    play: async (session) => {
      await send(session, MESSAGE, "run");
      await answer(session, "approve");
    },
  },
  "an approval after something that anybody may have written": {
    script: [calls("photo", { name: "look", args: { city: "Oslo" } }), call("pay", { amount: 3 }), done],
    play: async (session) => {
      await send(session, MESSAGE, "run");
      await answer(session, "approve");
    },
  },
  "an approval with edited arguments": {
    script: [look, call("book", { amount: 3 }), done],
    play: async (session) => {
      await send(session, MESSAGE, "run");
      await answer(session, "edit");
    },
  },
  "a denial": {
    script: [look, call("book", { amount: 3 }), done],
    play: async (session) => {
      await send(session, MESSAGE, "run");
      await answer(session, "deny");
    },
  },
  "a question that waits": { script: [look, call("ask", { city: "Oslo" })] },
  "an answer from outside": {
    script: [look, call("ask", { city: "Oslo" }), done],
    play: async (session) => {
      await send(session, MESSAGE, "run");
      await answer(session, "told");
    },
  },
  "a question withdrawn by a message": {
    script: [look, call("ask", { city: "Oslo" }), done],
    play: async (session) => {
      await send(session, MESSAGE, "run");
      await send(session, "Never mind.", "second");
    },
  },
  "an agent in a call": { script: [call("expert", { task: "The weather?" }), done] },
  "a handover": {
    script: [look, call("transfer_to_local")],
    agent: { tools: [...tools(async () => await new Promise<never>(() => {})), handoff(local())] },
    play: async (session) => {
      await send(session, MESSAGE, "run");
      await send(session, "And tomorrow?", "second");
    },
  },
  steered: {
    script: [look, two, done],
    play: async (session) => {
      await session.steer("Be brief.", { id: "steer" });
      await send(session, MESSAGE, "run");
      await session.steer("And tomorrow?", { id: "later" });
    },
  },
  rewound: {
    script: [look, done, done, say("Sunny.")],
    play: async (session) => {
      await send(session, MESSAGE, "run");
      await send(session, "And in Rome?", "second");
      await session.rewind();
      await send(session, "And in Nice?", "third");
    },
  },
  compacted: {
    script: [done, say("They talked about rain."), look, done],
    play: async (session) => {
      await send(session, MESSAGE, "run");
      await send(session, "And now?", "second", {
        compaction: { policy: ({ boundaries, contents }) => (contents.length === 3 ? boundaries.at(-1) : undefined) },
      });
    },
  },
  described: {
    script: [done],
    play: async (session) => {
      await session.describe({ title: "Weather", owner: "anna", metadata: { topic: "rain" } });
      await send(session, MESSAGE, "run", { metadata: { page: 1 } });
      await session.describe({ title: null });
    },
  },
  "cut off before an answer": { script: [look, hangs()], diesAt: "hang" },
  "cut off in an answer": { script: [look, two, hangs("It is ")], diesAt: "draft" },
  "cut off in a call": { script: [look, calls({ name: "look", args: { city: "Bergen" } }, "wait")], diesAt: "hang" },
  "cut off in a call that may happen once": {
    script: [look, calls({ name: "look", args: { city: "Bergen" } }, { name: "wire", args: { amount: 3 } })],
    diesAt: "hang",
  },
  "cut off while an approval waits": {
    script: [look, calls({ name: "book", args: { amount: 3 } }, "wait")],
    diesAt: "hang",
  },
  "cut off in an output phase": { output: "converted", script: [look, done, hangs()], diesAt: "hang" },
};

/** The agent of a kind. */
export function agentOf(kind: Kind, script: readonly ScriptLine[], hang: () => Promise<never>): Agent {
  const capabilities = kind.output === undefined ? {} : { outputWithFunctions: kind.output === "native" };
  const model = ScriptedModel.with({ capabilities }, ...script);
  const prices = { input: 100, output: 1000 };
  return new Agent({ name: "weather", model, tools: tools(hang), prices, limits: { restarts: 1 }, ...kind.agent });
}

/** Its session, named after it. */
export function sessionOf(agent: Agent, store: SessionStore): Session {
  return agent.session({ id: "golden", store });
}
