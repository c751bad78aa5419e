import type { Content } from "@pollux/core";
import type { Json, PendingQuestion, RunReport } from "@pollux/core/durable";
import {
  AgentRun,
  type Delivery,
  type EngineEvent,
  type EngineRunState,
  type GuessedQuestion,
  type Question,
  type Receipt,
} from "@pollux/engine";
import { describe, expect, test } from "vitest";

const user = (text: string): Content => ({ role: "user", parts: [{ text }] });

/** Runs by id, in memory. */
class Runs {
  readonly states: Map<string, EngineRunState> = new Map();
  readonly sent: unknown[] = [];
  readonly guesses: string[] = [];
  delivery: Delivery = "delivered";

  put(runId: string, state: Partial<EngineRunState> = {}): this {
    this.states.set(runId, { runId, agent: "planner", status: "running", questions: [], children: [], ...state });
    return this;
  }

  run(runId: string, agent: string = "planner"): AgentRun {
    return new MemoryRun(this, agent, runId);
  }
}

class MemoryRun extends AgentRun {
  readonly #runs: Runs;

  constructor(runs: Runs, agent: string, runId: string) {
    super(agent, runId);
    this.#runs = runs;
  }

  result(): Promise<RunReport> {
    throw new Error("not asked for here");
  }

  async state(): Promise<EngineRunState | undefined> {
    return this.#runs.states.get(this.runId);
  }

  cancel(): Promise<RunReport> {
    throw new Error("not asked for here");
  }

  requestCancel(): Promise<Receipt> {
    throw new Error("not asked for here");
  }

  events(): AsyncIterable<EngineEvent> {
    throw new Error("not asked for here");
  }

  protected other(agent: string, runId: string): AgentRun {
    return new MemoryRun(this.#runs, agent, runId);
  }

  protected async sendAnswer(name: string, value: Json, guess: GuessedQuestion | undefined): Promise<Delivery> {
    if (guess !== undefined) this.#runs.guesses.push(name);
    this.#runs.sent.push([this.runId, name, value]);
    return this.#runs.delivery;
  }

  protected async sendSteering(contents: readonly Content[]): Promise<Delivery> {
    this.#runs.sent.push([this.runId, contents]);
    return this.#runs.delivery;
  }
}

const question = (callId: string, asked: PendingQuestion, name: string): Question => ({
  turn: 1,
  token: name,
  callId,
  call: { name: "pay", args: {} },
  question: asked,
  name,
});

describe("an approval", () => {
  test.each([
    [[], true],
    [[true], true],
    [[false], false],
    [[{ deny: "not today" }], { deny: "not today" }],
  ] as const)("given as %j is %j", async (given, sent) => {
    const runs = new Runs().put("r", { questions: [question("call:1.0", "approval", "call:1.0/approval")] });
    await runs.run("r").approve("call:1.0", ...given);
    expect(runs.sent).toEqual([["r", "call:1.0/approval", sent]]);
  });

  test("of a call that was not asked about yet goes under the name that its question will have", async () => {
    const runs = new Runs();
    await runs.run("r").approve("call:1.0");
    await runs.put("r").run("r").answer("call:1.0", { output: 1 });
    expect(runs.sent).toEqual([
      ["r", "call:1.0/approval", true],
      ["r", "call:1.0/outcome", { output: 1 }],
    ]);
  });
});

describe("an outcome", () => {
  test("without a value is null", async () => {
    const runs = new Runs().put("r");
    await runs.run("r").answer("call:1.0", { output: undefined });
    expect(runs.sent).toEqual([["r", "call:1.0/outcome", { output: null }]]);
  });

  test("of a call that is carried out elsewhere cannot be that it was not executed", async () => {
    const runs = new Runs().put("r", { questions: [question("call:1.0", "outcome", "call:1.0/outcome")] });
    await expect(runs.run("r").answer("call:1.0", { notExecuted: true })).rejects.toThrow(TypeError);
    runs.put("r", { questions: [question("call:1.0", "unknown-outcome", "call:1.0/unknown-outcome:2")] });
    await runs.run("r").answer("call:1.0", { notExecuted: true });
    expect(runs.sent).toEqual([["r", "call:1.0/unknown-outcome:2", { notExecuted: true }]]);
  });
});

test("what is pending in runs inside is found with its path, and answered there", async () => {
  const asked = question("call:1.0", "approval", "call:1.0/approval");
  const inside = { agent: "critic", runId: "r:call:2.0" };
  const deeper = { agent: "printer", runId: "r:call:2.0:call:1.1" };
  const runs = new Runs()
    .put("r", { questions: [asked], children: [inside, { agent: "critic", runId: "over" }] })
    .put(inside.runId, { ...inside, children: [deeper] })
    .put(deeper.runId, { ...deeper, questions: [asked] })
    .put("over", { agent: "critic", status: "failed", questions: [asked] });
  const pending = await runs.run("r").pending();
  expect(pending).toEqual([
    { ...asked, agent: "planner", runId: "r" },
    { ...asked, ...deeper, path: ["critic", "printer"] },
  ]);
  for (const one of pending) await runs.run("r").approve(one, false);
  expect(runs.sent).toEqual([
    ["r", "call:1.0/approval", false],
    [deeper.runId, "call:1.0/approval", false],
  ]);
});

test.each([
  ["a text", "Go on.", [user("Go on.")]],
  [
    "pieces of one content",
    ["Go on, ", { text: "please." }],
    [{ role: "user", parts: [{ text: "Go on, " }, { text: "please." }] }],
  ],
  ["whole contents", [user("One."), user("Two.")], [user("One."), user("Two.")]],
] as const)("a run is steered with %s", async (_, input, contents) => {
  const runs = new Runs().put("r");
  await runs.run("r").steer(input);
  expect(runs.sent).toEqual([["r", contents]]);
});

test.each(["delivered", "accepted"] as const)("what was %s is said to be no more than that", async (delivery) => {
  const runs = new Runs().put("r");
  runs.delivery = delivery;
  const run = runs.run("r");
  expect(await run.approve("call:1.0")).toBe(delivery);
  expect(await run.answer("call:1.0", { output: 1 })).toBe(delivery);
  expect(await run.steer("Go on.")).toBe(delivery);
});

test("what no engine could store is refused before it is sent", async () => {
  const runs = new Runs().put("r");
  const run = runs.run("r");
  const large = "x".repeat(8 * 1024 * 1024);
  const refused = {
    name: "EngineError",
    code: "value-too-large",
    message: expect.stringContaining("8388608") as unknown,
  };
  await expect(run.steer(large)).rejects.toMatchObject(refused);
  await expect(run.answer("call:1.0", { output: large })).rejects.toMatchObject(refused);
  await expect(run.approve("call:1.0", { deny: large })).rejects.toMatchObject(refused);
  expect(runs.sent).toEqual([]);
});

test("an answer is marked as a guess when nobody can say which questions are open", async () => {
  const runs = new Runs();
  const run = new (class extends MemoryRun {
    protected override openQuestions(): Promise<undefined> {
      return Promise.resolve(undefined);
    }
  })(runs, "planner", "r");
  await run.answer("call:1.0", { output: 1 });
  await run.answer("call:1.0", { notExecuted: true });
  expect(runs.guesses).toEqual(["call:1.0/outcome", "call:1.0/unknown-outcome"]);
});

test("an approval needs no look at the run's state", async () => {
  const runs = new Runs();
  runs.states.get = () => {
    throw new Error("no worker is running");
  };
  await runs.run("r").approve("call:1.0");
  expect(runs.sent).toEqual([["r", "call:1.0/approval", true]]);
});

test("an empty text steers nothing", async () => {
  const runs = new Runs().put("r");
  await expect(runs.run("r").steer(" ")).rejects.toThrow(TypeError);
  expect(runs.sent).toEqual([]);
});

test.each([
  ["already-answered", 'call:1.0/approval of run "r" has already been answered'],
  ["run-over", 'run "r" of planner is over'],
  ["run-unknown", 'planner has no run "r", or it is no longer kept'],
] as const)("what could not be delivered is an error: %s", async (delivery, message) => {
  const runs = new Runs().put("r");
  runs.delivery = delivery;
  await expect(runs.run("r").approve("call:1.0")).rejects.toMatchObject({
    name: "EngineError",
    code: delivery,
    message,
  });
});
