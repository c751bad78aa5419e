import { setImmediate } from "node:timers/promises";
import {
  Agent,
  type Content,
  defineTool,
  MemoryStore,
  type Model,
  type RunEvent,
  type RunResult,
  type Session,
} from "@pollux/core";
import type { ModelRequest } from "@pollux/core/model";
import { passThrough } from "@pollux/core/durable";
import { call, calls, collect, costs, cut, empty, join, malformed, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { AgentRuns } from "../../../src/agent/agent-runs.ts";
import type { ClosedTurn } from "../../../src/durable/closed-turn.ts";
import type { ModelStepValue } from "../../../src/durable/run-log.ts";
import type { OpenedRun } from "../../../src/session/runs/session-host.ts";
import type * as Journal from "../../../src/durable/journal.ts";
import { recallRun } from "../../../src/loop/recall-run.ts";
import { RunState } from "../../../src/loop/run-state.ts";
import { describeTurns, foldTurns } from "../../../src/loop/turn/closed-turns.ts";
import { openCallsIn } from "../../../src/model/history/open-calls.ts";
import { answersTo } from "../../helpers/answers.ts";
import { fakeTime } from "../../helpers/fake-time.ts";
import { type Script, SCRIPTS } from "../../conversation/scripts.ts";
import { SESSION_FACES } from "../../session/session-faces.ts";

/** Called with each turn that is closed. */
let onClose: (runId: string, turn: ClosedTurn) => void = () => {};

vi.mock("../../../src/durable/journal.ts", async (importOriginal) => {
  const real = await importOriginal<typeof Journal>();
  return {
    ...real,
    journal: (options: Parameters<typeof real.journal>[0]) => ({
      ...real.journal(options),
      closeTurn: (turn: ClosedTurn) => {
        options.closeTurn?.(turn);
        onClose(options.runId, turn);
      },
    }),
  };
});

const look = defineTool({
  name: "look",
  description: "x",
  input: z.object({ at: z.number().optional() }),
  run: ({ at }) => ({ seen: at ?? null }),
});
const ask = defineTool({ name: "ask", description: "x" });
const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
const usd = { input: 0.1, output: 0.3 };
const USED = costs({ promptTokenCount: 1_234_567, candidatesTokenCount: 7_654, totalTokenCount: 1_242_221 });
const small = { threshold: 0.5, keep: 0.2, windowTokens: 400 };
const LONG = "word ".repeat(200);
const inner = (): Agent =>
  new Agent({ name: "inner", model: new ScriptedModel(join(say("In."), USED), join(say("In."), USED)), prices: usd });
let other: Model | undefined;

/** Runs of several turns, beside those of the conversation's tests. */
const MORE: { readonly [name: string]: Script } = {
  "turn after turn": {
    model: () =>
      new ScriptedModel(...[1, 2, 3].map((at) => join(call("look", { at }), USED)), join(say("Done."), USED)),
    agent: { tools: [look], prices: usd },
  },
  "the same calls again, and calls that are cut off": {
    model: () =>
      new ScriptedModel(
        call("look"),
        call("look"),
        join(call("look"), cut()),
        call("look"),
        join(call("look"), cut()),
        say("End."),
      ),
    agent: { tools: [look], limits: { repeats: 9 } },
  },
  "answers that are asked for again": {
    model: () =>
      new ScriptedModel(
        empty(),
        empty(),
        join(call("look"), USED),
        malformed(),
        malformed(),
        call("look"),
        empty(),
        say("At last."),
      ),
    agent: { tools: [look], prices: usd },
  },
  "typed answers of which the first do not fit": {
    model: () => new ScriptedModel(call("look"), join(say("no"), USED), join(say('{"n":"x"}'), USED), say('{"n":7}')),
    agent: { tools: [look], prices: usd },
    replay: [{ output: z.object({ n: z.number() }) } as never],
    play: ({ send }) => send("How many?", { output: z.object({ n: z.number() }) } as never),
  },
  "calls of agents": {
    model: () =>
      new ScriptedModel(
        join(call("inner", { task: "x" }), USED),
        join(call("inner", { task: "y" }), USED),
        say("Done."),
      ),
    agent: { tools: [inner().asTool({ description: "x" })], prices: usd },
  },
  "turns of another model": {
    model: () => {
      other = watched(new ScriptedModel(join(call("look", { at: 2 }), USED), say("From the other.")));
      return new ScriptedModel(call("look", { at: 1 }), call("look", { at: 3 }), say("Done."));
    },
    agent: { tools: [look], hooks: { prepareTurn: ({ turn }) => (turn === 2 ? { model: other } : undefined) } },
  },
  summaries: {
    model: () =>
      new ScriptedModel(
        say(LONG),
        join(say(LONG), USED),
        call("look"),
        join(say("A summary."), USED),
        call("look"),
        say("Done."),
        say("More."),
      ),
    agent: { tools: [look], compaction: small, prices: usd },
    play: async ({ send }) => {
      for (const message of [LONG, LONG, "Three.", "Four."]) await send(message);
    },
  },
  "messages on the way, replaced and answered": {
    model: () => new ScriptedModel(calls("look", "pay"), call("look"), say("Done."), say("And more.")),
    agent: {
      tools: [look, pay],
      guardrails: {
        input: [
          {
            name: "in",
            check: ({ text }) =>
              text.includes("what")
                ? { answer: "I can't say." }
                : text.includes("bad")
                  ? { replace: "***" }
                  : undefined,
          },
        ],
        output: [{ name: "out", check: ({ text }) => (text === "Done." ? { replace: "All done." } : undefined) }],
      },
    },
    play: async ({ send, resume, session }) => {
      await send("A bad one.");
      await session.steer("Another bad one.");
      await resume({ approvals: { "call:1.1": { deny: "a bad idea" } } });
      await send("And what?");
    },
  },
  "questions, one after another": {
    model: () => new ScriptedModel(calls("ask", "look"), calls("pay", "ask"), call("pay"), say("Done.")),
    agent: { tools: [look, ask, pay] },
    play: async ({ send, resume }) => {
      await send("Go.");
      await resume({ outcomes: { "call:1.0": { output: "yes" } } });
      await resume({ approvals: { "call:2.0": true } });
      await resume({ outcomes: { "call:2.1": { output: "well" } } });
      await resume({ approvals: { "call:3.0": { args: { much: 1 } } } });
    },
  },
  "limits, and on": {
    model: () =>
      new ScriptedModel(call("look"), join(call("look", { at: 1 }), USED), call("look", { at: 2 }), say("Done.")),
    agent: { tools: [look], prices: usd },
    play: async ({ send, resume }) => {
      await send("Go.", { limits: { turns: 2 } });
      await resume({ limits: { turns: 3 } });
      await resume();
    },
  },
};

const scripts = Object.entries({ ...SCRIPTS, ...MORE });

/** What a play left behind of a run. */
interface Kept {
  /** Who began it. */
  readonly agent: string;
  readonly live: RunState;
  readonly run: Parameters<AgentRuns["open"]>[1];
  /** Opens it once more, otherwise. */
  readonly again: (changes: object) => OpenedRun;
  /** What was said before the run, and its message as it was checked. */
  base: RunState["contents"] | undefined;
  readonly closed: Map<number, ClosedTurn>;
  result: RunResult<unknown> | undefined;
}

/** All that a state says, but for what is known of this process alone. */
function snapshot(state: RunState): object {
  const {
    responses,
    nestedResponses,
    discarded,
    repeats: _repeats,
    openTurns: _open,
    partial: _partial,
    ...rest
  } = state;
  const { sent: _sent, lost: _lost, maxCost: _maxCost, traceparent: _trace, ...kept } = rest;
  return {
    ...kept,
    contents: [...state.contents],
    read: [...state.read],
    answeredCalls: [...state.answeredCalls],
    badCalls: new Map(state.badCalls),
    responses: [...responses],
    nested: responses.map((one) => nestedResponses.has(one)),
    discarded: responses.map((one) => discarded.has(one)),
    promptTokens: state.promptTokens(),
    sendable: state.sendable(),
    foreign: state.contents.map((content) => state.foreign.get(content)),
  };
}

function folded({ live, run, base = [] }: Kept, turns: readonly ClosedTurn[], prices: unknown): RunState {
  const state = new RunState(live.runId, base);
  state.compaction = run.compaction;
  state.read.push(...(run.read ?? []));
  state.steeringCursor = run.steeringCursor ?? 0;
  state.pricesAsOf = live.pricesAsOf;
  foldTurns(state, turns, [], { prices: prices as never, model: new ScriptedModel() });
  return state;
}

function countWork(turns: readonly ClosedTurn[]): number {
  return turns.reduce((sum, { phase, contents }) => sum + (phase === undefined ? contents.length : 0), 0);
}

/** How often the last calls of a state were made in a row with the same results, if the same turn is made once more. */
function countRepeats({ repeats, answeredCalls, lastResponse }: RunState): number {
  const { turn } = answeredCalls.at(-1) ?? {};
  const parts = answeredCalls.filter((one) => one.turn === turn).map(({ value }) => value.part);
  return repeats.addTurn(openCallsIn(lastResponse === undefined ? [] : [lastResponse.content]), parts);
}

const runs = new Map<string, Kept>();

/** Of the agents themselves, in order, with the turn of each run as of then. */
const requests: { readonly request: ModelRequest; readonly turns: ReadonlyMap<string, number> }[] = [];

/** Notes the requests that a model gets. */
function watched(model: Model): Model {
  const real = model.respond.bind(model);
  const respond: Model["respond"] = async (request, options) => {
    requests.push({ request, turns: new Map([...runs].map(([runId, { live }]) => [runId, live.turns])) });
    return await real(request, options);
  };
  return Object.assign(model, { respond });
}

beforeEach(() => {
  runs.clear();
  requests.length = 0;
  type Opening = Parameters<AgentRuns["open"]>;
  const { open } = AgentRuns.prototype as { readonly open: (this: AgentRuns, ...opening: Opening) => OpenedRun };
  vi.spyOn(AgentRuns.prototype, "open").mockImplementation(function opened(this: AgentRuns, ...[plan, run]: Opening) {
    const made = open.call(this, plan, run);
    if (run.sessionId === undefined || run.mode === "read") return made;
    const { state: live } = made;
    const before = runs.get(live.runId);
    const again = (changes: object): OpenedRun => open.call(this, plan, { ...run, ...changes });
    const closed = before?.closed ?? new Map<number, ClosedTurn>();
    const kept: Kept = { agent: this.name, live, run, again, base: before?.base, closed, result: undefined };
    runs.set(live.runId, kept);
    return {
      ...made,
      run: async () => {
        const result = await made.run();
        kept.result = result;
        return result;
      },
    };
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  onClose = () => {};
});

async function play(script: Script, [, face]: (typeof SESSION_FACES)[number]): Promise<Session> {
  const store = new MemoryStore();
  const open = (): Session =>
    new Agent({ model: watched(script.model()), instructions: "SYSTEM", ...script.agent }).session({ id: "s", store });
  const [session, second] = [open(), open()];
  const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
  await (script.play ?? (({ send }) => send("Hello.")))({
    face,
    session,
    other: second,
    send: (message, options) => quietly(face.send(session, message, options)),
    resume: async (options = {}) => quietly(face.resume(session, await answersTo(session, options))),
    regenerate: (options) => quietly(face.regenerate(session, options)),
  });
  await setImmediate();
  return session;
}

/** The turns of a run that were closed, as they were then. */
interface Boundary {
  readonly kept: Kept;
  readonly turns: readonly ClosedTurn[];
  readonly base: readonly Content[];
  /** The state that the turns give, and the one of the run. */
  readonly states: readonly [folded: object, live: object];
  /** Index of the request that follows. */
  readonly next: number;
}

/** Plays a script, and notes what is known whenever a turn is closed. */
async function noteBoundaries(
  script: Script,
  face: (typeof SESSION_FACES)[number],
): Promise<{ readonly session: Session; readonly boundaries: readonly Boundary[] }> {
  const boundaries: Boundary[] = [];
  onClose = (runId, turn) => {
    const kept = runs.get(runId);
    if (kept === undefined) return;
    kept.closed.set(turn.turn, turn);
    // The turns that were open are closed together.
    if (turn.turn !== kept.live.turns) return;
    const turns = [...kept.closed.values()].filter((one) => one.turn <= turn.turn);
    const { contents } = kept.live;
    kept.base ??= contents.slice(0, contents.length - countWork(turns));
    const states = [snapshot(folded(kept, turns, script.agent?.prices)), snapshot(kept.live)] as const;
    boundaries.push({ kept, turns, base: kept.base, states, next: requests.length });
  };
  return { session: await play(script, face), boundaries };
}

/** What a run sends that goes on from its turns; nothing if the run itself has sent nothing there. */
async function goOn({
  kept,
  turns,
  base,
  next,
}: Boundary): Promise<readonly [now: unknown, then: unknown] | undefined> {
  const turn = turns.length + 1;
  const expected = requests[next];
  const { live, closed, again } = kept;
  if (expected?.turns.get(live.runId) !== turn) return undefined;
  const later = [...closed.values(), ...describeTurns(live)].find((one) => one.turn === turn);
  const asked = later?.steps.find(({ place }) => place.kind === "model")?.value as ModelStepValue | undefined;
  const opened = again({
    mode: "resume",
    contents: base,
    turns,
    checksInput: false,
    emitters: undefined,
    beforeEnd: undefined,
    steering: { take: async () => asked?.steered },
    steps: ({ runId, signal }: { readonly runId: string; readonly signal: AbortSignal }) =>
      passThrough({ runId, signal }),
  });
  const before = requests.length;
  const over = opened.run().catch((error: unknown) => error);
  while (requests.length === before) await setImmediate();
  opened.abort(new Error("enough"));
  await over;
  opened.release();
  return [requests[before]?.request, expected.request];
}

/** The result and the events of a run, told from its turns. */
async function recall(
  { agent, live, run, closed }: Kept,
  result: RunResult<unknown>,
  script: Script,
  output?: z.ZodType,
) {
  const open = describeTurns(live);
  const turns = [...[...closed.values()].filter(({ turn }) => turn < (open[0]?.turn ?? 0)), ...open];
  const interrupted = live.interrupted();
  const state = new RunState(live.runId, live.contents.slice(0, live.contents.length - countWork(turns)));
  state.compaction = run.compaction;
  state.read.push(...(run.read ?? []));
  const events: RunEvent[] = [];
  const isConverted = turns.some(({ phase }) => phase === "output");
  const recalled = await recallRun(
    {
      identity: { runId: live.runId, agent, sessionId: "s" },
      model: script.model(),
      emit: (event) => void events.push(event),
      historyLength: run.historyLength ?? 0,
      parse: output && (async (text) => ({ ok: true, value: output.parse(JSON.parse(text)) })),
    },
    state,
    {
      turns,
      ended: { ...result, ...("limit" in result && { reached: result.limit }) },
      ...(interrupted !== undefined && { interrupted: interrupted.parts }),
      ...(output !== undefined && { output: isConverted ? "converted" : "native" }),
    },
  );
  return { recalled, events };
}

describe.each(SESSION_FACES)("a run that is read by %s", (...face) => {
  fakeTime("leaps");

  test.each(scripts)("%s: its turns say all of it", async (name, script) => {
    const { session, boundaries } = await noteBoundaries(script, face);
    for (const { states } of boundaries) expect(states[0]).toEqual(states[1]);
    let replayed = 0;
    for (const [index, [runId, kept]] of [...runs].entries()) {
      if (kept.result === undefined) continue;
      const options = script.replay?.[index];
      const { recalled, events } = await recall(kept, kept.result, script, options?.output);
      expect(recalled).toEqual(kept.result);
      const replay = await collect(session.replay({ runId, ...options }));
      // Which job a call had waited for is not in its closed turn.
      const isOver = !("pending" in recalled);
      const told = replay.events.map((event) => (isOver && "job" in event ? { ...event, job: undefined } : event));
      expect(events).toEqual(told);
      replayed++;
    }
    let sent = 0;
    for (const boundary of boundaries) {
      const both = await goOn(boundary);
      if (both === undefined) continue;
      expect(JSON.stringify(both[0])).toBe(JSON.stringify(both[1]));
      sent++;
    }
    // A property of nothing would hold.
    if (Object.hasOwn(MORE, name)) expect([boundaries.length, sent, replayed]).not.toContain(0);
  });

  test("turns that repeat themselves are counted on", async () => {
    let live: RunState | undefined;
    const turns: ClosedTurn[] = [];
    onClose = (runId, turn) => {
      live = runs.get(runId)?.live;
      turns.push(turn);
    };
    const lines = [call("look"), call("look", { at: 1 }), call("look", { at: 1 }), say("Done.")];
    await play({ model: () => new ScriptedModel(...lines), agent: { tools: [look] } }, face);
    if (live === undefined) throw new TypeError("no turn was closed");
    const state = new RunState(live.runId, []);
    foldTurns(state, turns, [], { prices: undefined, model: new ScriptedModel() });
    expect(countRepeats(state)).toBe(3);
  });
});
