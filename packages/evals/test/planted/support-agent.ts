import {
  Agent,
  type AgentOptions,
  defineTool,
  type FetchLike,
  gemini,
  geminiApi,
  MemoryStore,
  type Model,
} from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import type { ModelRequest } from "@pollux/core/model";
import { call, costs, grounded, join, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import { calls as emulatedCalls, createEmulator, say as emulatedSay, script } from "@pollux/emulator";
import { z } from "zod";
import {
  type Baseline,
  cites,
  defineEval,
  type EvalSuite,
  matches,
  type Metric,
  readBaseline,
  runEval,
  type RunEvalOptions,
  type SessionCase,
  type Trial,
  type UnjudgedRun,
  type Verdict,
  judgeRun,
  writeBaseline,
} from "../../src/index.ts";
import { seededRandom } from "../../src/statistics/random.ts";

/** What of an agent that answers customers may be changed by mistake. */
export interface SupportAgent {
  readonly instructions?: string | (() => string) | undefined;
  readonly tools?: AgentOptions["tools"];
  readonly settings?: AgentOptions["settings"];
}

const GOOD_PROMPT = "You answer customers of a shop. Look things up, act, and cite the page that you rely on.";
const LOOK_UP = "Finds an order by its number: status, day of delivery, address.";

function lookUp(description: string, output: string) {
  return defineTool({
    name: "look_up",
    description,
    input: z.object({ about: z.string() }),
    effects: "none",
    run: () => output,
  });
}

const refund = defineTool({
  name: "refund",
  description: "Refunds an order.",
  input: z.object({ about: z.string() }),
  run: () => {
    throw new Error("money was paid");
  },
});

const goodLookUp = lookUp(LOOK_UP, "It arrives on Friday.");
export const GOOD: SupportAgent = { instructions: GOOD_PROMPT, tools: [goodLookUp, refund] };

/** Each regression, and the only metric that the gate watches. */
export const PLANTED: readonly (readonly [string, Metric, SupportAgent])[] = [
  ["a dropped tool", "passed", { ...GOOD, tools: [goodLookUp] }],
  [
    "a changed description",
    "passed",
    { ...GOOD, tools: [lookUp("Finds something.", "It arrives on Friday."), refund] },
  ],
  [
    "a lost citation",
    "cites",
    { ...GOOD, instructions: GOOD_PROMPT.replace(", and cite the page that you rely on", "") },
  ],
  ["a worse prompt", "passed", { ...GOOD, instructions: GOOD_PROMPT.replace("Look things up, act,", "Be kind,") }],
  ["a repeated call", "calls", { ...GOOD, tools: [lookUp(LOOK_UP, ""), refund] }],
  ["a doubled cost", "cost", { ...GOOD, instructions: `${GOOD_PROMPT} ${"Mind the tone. ".repeat(40)}` }],
  ["a slower turn", "durationMs", { ...GOOD, settings: { maxOutputTokens: 8192 } }],
];

/** Each regression that a replay finds, for a run that is numbered. */
export const PLANTED_IN_REQUESTS: readonly (readonly [string, (run: number) => SupportAgent])[] = [
  ["a dropped tool", () => ({ ...GOOD, tools: [goodLookUp] })],
  ["a changed description", () => ({ ...GOOD, tools: [lookUp("Finds something.", ""), refund] })],
  [
    "a broken prefix",
    (run) => ({ ...GOOD, instructions: `${GOOD_PROMPT} It is ${new Date(1e12 + 1000 * run).toISOString()}.` }),
  ],
];

/**
 * A model that reads each request, and draws what it does by what it reads: it needs the tool to call it, its description to use it well, and
 * the instructions for everything else.
 */
function noisyModel(random: () => number, clock: { ms: number }): ScriptedModel {
  const luck = { right: random(), cites: random(), repeats: random() };
  const [tokens, pace] = [Math.exp(0.6 * normal(random)), Math.exp(0.3 * normal(random))];
  const answer = (request: ModelRequest): ScriptedTurn => {
    const { instructions = "", functions, contents, settings } = request;
    const message = contents[0]?.parts[0]?.text ?? "";
    const kind = message.split(" ")[0];
    const has = (name: string): boolean => functions.some((one) => one.name === name);
    const isToldWhat = functions.some(({ description }) => description === LOOK_UP);
    const isWorse = !instructions.includes("Look things up") || !isToldWhat;
    const isLost = kind === "Refund" && !has("refund");
    // A policy is passed by the answer and the citation, with 0.95 each.
    const share = (isLost ? 0.3 : isWorse ? 0.7 : 0.9) / (kind === "Policy" ? 0.95 : 1);
    const isRight = luck.right < share;
    const isCited = luck.cites < (instructions.includes("cite") ? 0.95 : 0.5);
    clock.ms += Math.round((contents.length === 1 ? 1000 : 500) * pace * (settings.maxOutputTokens === 8192 ? 1.3 : 1));
    const used = costs({ promptTokenCount: Math.round(1000 * tokens * (instructions.length > 400 ? 2 : 1)) });
    const results = contents.filter(({ parts }) =>
      parts.some(({ functionResponse }) => functionResponse !== undefined),
    );
    const isEmpty = JSON.stringify(results.at(-1) ?? "").includes('"output":""');
    if (results.length === 0 || (results.length === 1 && isEmpty && luck.repeats < 0.2))
      return join(call(kind === "Refund" && isRight && has("refund") ? "refund" : "look_up", { about: message }), used);
    // Without the tool it may still say how the money comes back.
    const text = isRight ? "It is done: 30 days, and it arrives on Friday." : "I do not know.";
    if (kind !== "Policy" || !isCited) return join(say(text), used);
    return join(grounded(text, { sources: [{ uri: "https://shop.example/returns" }] }), used);
  };
  return new ScriptedModel(answer, answer, answer, answer, answer);
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const prices = { input: 1, output: 1 };

/** Twelve cases: four refunds, five policies, three orders. */
function supportSuite(
  agent: SupportAgent,
  random: () => number,
  clock: { ms: number },
  metrics: readonly Metric[],
): EvalSuite {
  const cases = (count: number, word: string, scorers: EvalSuite["scorers"]) =>
    Array.from({ length: count }, (_, index) => ({
      id: `${word.toLowerCase()}-${index + 1}`,
      input: `${word} ${index + 1}, please`,
      scorers,
    }));
  return defineEval("planted", {
    agent: () => new Agent({ ...agent, model: noisyModel(random, clock), prices }),
    standIn: { refund: () => "refunded" },
    gate: { metrics },
    data: [
      ...cases(4, "Refund", [refunds]),
      ...cases(5, "Policy", [matches(/30 days/u), cites("returns")]),
      ...cases(3, "Order", [matches(/Friday/u)]),
    ],
  });
}

/** The tool was called, or its absence was made good by other means. */
const refunds = Object.assign(
  ({ calls, text }: Trial) => calls.some(({ name }) => name === "refund") || text.includes("It is done"),
  { key: "refunds", scorerName: "refunds" },
);

async function tryOut(
  agent: SupportAgent,
  seed: string,
  how: Pick<RunEvalOptions, "baseline" | "trials">,
  metrics: readonly Metric[],
): Promise<UnjudgedRun> {
  const clock = { ms: 1_700_000_000_000 };
  const suite = supportSuite(agent, seededRandom(seed), clock, metrics);
  const [run] = await runEval(suite, {
    version: { tree: seed },
    store: new MemoryStore(),
    ...how,
    concurrency: 1,
    now: () => clock.ms,
  });
  if (run === undefined) throw new Error("there is no run");
  return run;
}

/** A baseline of the good agent, drawn by this seed. */
export async function drawBaseline(seed: string, trials?: number): Promise<Baseline> {
  return readBaseline(writeBaseline(await tryOut(GOOD, seed, { baseline: true, trials }, ["passed"])));
}

/** An agent's run, drawn by this seed, and compared. */
export async function judgeAgent(
  agent: SupportAgent,
  baseline: Baseline,
  seed: string,
  metric: Metric,
  trials?: number,
): Promise<Verdict> {
  return judgeRun(await tryOut(agent, seed, { trials }, [metric]), baseline, { metrics: [metric] });
}

/** A recorded case of the good agent, whose requests went to the emulator. */
export async function recordGood(): Promise<SessionCase> {
  const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(exchanges);
  const brain = script([emulatedCalls({ name: "look_up", args: { about: "17" } }), emulatedSay("On Friday.")]);
  const emulator = createEmulator({ brain });
  const agent = new Agent({
    ...GOOD,
    model: geminiAt((input, init) => emulator.fetch(input, init)),
    observers: [keeper],
  });
  await agent.session({ id: "s", store }).send("Order 17, please", { runId: "asked" });
  await keeper.flush();
  return {
    id: "order",
    recording: { log: await store.load("s"), exchanges: await exchanges.load("s") },
    runId: "asked",
  };
}

/** A replay of an agent, compared with what was recorded. */
export async function judgeReplay(agent: SupportAgent, recorded: SessionCase): Promise<Verdict> {
  const model = geminiAt(async () => {
    throw new Error("nothing is sent");
  });
  const suite = defineEval("planted", {
    agent: new Agent({ ...agent, model }),
    data: [recorded],
    world: "replay",
    scrub: (text) => text,
  });
  const [run] = await runEval(suite, { version: { tree: "replay" } });
  if (run === undefined) throw new Error("there is no run");
  return judgeRun(run, undefined);
}

function geminiAt(fetch: FetchLike): Model {
  return gemini("gemini-3.5-flash", { endpoint: geminiApi({ apiKey: "emulator" }), fetch });
}
