import {
  Agent,
  type AnyTool,
  type Content,
  defineTool,
  googleSearch,
  type LogMethod,
  type Logger,
  runSoFar,
  type RunSoFar,
} from "@pollux/core";
import { type Brain, call, calls, faults, json, grounded, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { byStep, goOn, TOOLS, trip } from "../support/trip.ts";
import { openWorld, refusals, type World } from "../support/world.ts";

/** Every call is answered in the next content, in call order, with name and id, and that content has nothing else. */
function expectAnswered(contents: readonly Content[], when: string): void {
  for (const [index, { role, parts }] of contents.entries()) {
    const made = parts.flatMap(({ functionCall }) => functionCall ?? []);
    if (role !== "model" || made.length === 0) continue;
    const answers = contents[index + 1];
    expect(answers?.role, when).toBe("user");
    expect(
      answers?.parts.map(({ functionResponse }) => [functionResponse?.id, functionResponse?.name]),
      when,
    ).toEqual(made.map(({ id, name }) => [id, name]));
  }
}

/** A service that refuses open and doubly answered calls accepts the run's history. */
async function expectUsable(agent: Agent, soFar: RunSoFar | undefined, when: string): Promise<void> {
  expect(soFar, when).toBeDefined();
  const contents = soFar!.contents;
  expectAnswered(contents, when);
  const again = await agent.run(goOn(contents));
  expect(again.stopReason, when).toBe("finished");
  expectAnswered(again.contents, when);
}

/** Calls `act` at the nth line of the log: a run writes one at each request and each call. */
function actAtLine(nth: number, act: () => void): Logger {
  let lines = 0;
  const line: LogMethod = () => {
    if (++lines === nth) act();
  };
  return { trace: line, debug: line, info: line, warn: line, error: line };
}

const options = { settings: { includeThoughts: true }, tools: TOOLS } as const;

const found = grounded("Ada won.", { queries: ["who won"], sources: [{ title: "a.example" }] });
const shape = z.object({ total: z.number() });

interface RunKind {
  readonly brain: Brain;
  readonly model?: string;
  readonly output?: typeof shape;
  /** Default: two functions. */
  readonly tools?: (world: World) => readonly AnyTool[];
}

const withSearch = (): readonly AnyTool[] => [...TOOLS, googleSearch()];

/** Runs of every kind: each is aborted wherever it can be. */
const RUNS: Readonly<Record<string, RunKind>> = {
  "a plain run": { brain: trip() },
  "a run with search beside functions": {
    brain: byStep(
      () => [found, call("add", { a: 1, b: 2 })],
      () => found,
    ),
    tools: withSearch,
  },
  "a run with an agent inside": {
    brain: byStep(
      ({ functions }) =>
        functions[0]?.name === "helper"
          ? calls({ name: "helper", args: { task: "Weather?" } }, { name: "helper", args: { task: "Sum?" } })
          : calls({ name: "add", args: { a: 1, b: 2 } }),
      () => say("Well, well."),
    ),
    tools: (world) => [
      new Agent({ model: world.model(), tools: TOOLS, name: "helper" }).asTool({ description: "Helps." }),
    ],
  },
  "a run that delegates its search": {
    brain: byStep(
      ({ functions }) =>
        functions.length === 0
          ? found
          : calls({ name: "google_search", args: { query: "Who?" } }, { name: "add", args: { a: 1, b: 2 } }),
      () => say("They say: Ada won."),
    ),
    model: "gemini-2.5-flash-lite",
    tools: withSearch,
  },
  "a run that ends in a schema": {
    brain: byStep(
      () => call("add", { a: 1, b: 2 }),
      ({ request }) =>
        request.generationConfig?.responseMimeType === undefined ? say("It is 3.") : json({ total: 3 }),
    ),
    model: "gemini-2.5-flash-lite",
    output: shape,
  },
};

test.each(Object.entries(RUNS))(
  "stream: %s, aborted by signal at each of its events, leaves no open call",
  async (_what, run) => {
    await using world = await openWorld({ brain: run.brain, deltaCharacters: 8 });
    const tools = run.tools?.(world) ?? TOOLS;
    const agent = new Agent({ model: world.model(run.model), tools, settings: { includeThoughts: true } });
    let events = 1;
    for (let at = 1; at <= events; at++) {
      const abort = new AbortController();
      const { signal } = abort;
      const running =
        run.output === undefined
          ? agent.stream("Weather?", { signal })
          : agent.stream("Weather?", { signal, output: run.output });
      const reason = new Error(`at event ${at}`);
      let seen = 0;
      const failure = await (async () => {
        for await (const _ of running) if (++seen === at) abort.abort(reason);
      })().catch((error: unknown) => error);
      events = Math.max(events, seen + 1);
      // The last event is the result itself: too late for an abort.
      if (failure === undefined) break;
      expect(failure).toBe(reason);
      expect(runSoFar(reason)).toEqual(running.soFar);
      await expectUsable(agent, running.soFar, `at event ${at}`);
    }
    expect(events).toBeGreaterThan(10);
    expect(refusals(world.emulator)).toEqual([]);
  },
);

test("chat: left at each event of its first answer, it continues with the next question", async () => {
  await using world = await openWorld({ brain: trip(), deltaCharacters: 8 });
  const agent = new Agent({ model: world.model(), ...options });
  for (let at = 1, whole = false; !whole; at++) {
    const chat = agent.session();
    let seen = 0;
    whole = true;
    for await (const _ of chat.stream("Weather?")) {
      if (++seen < at) continue;
      whole = false;
      break;
    }
    const answer = await chat.send("Never mind. What is 4 + 4?");
    expect(answer.stopReason, `left at event ${at}`).toBe("finished");
    expectAnswered(await chat.history(), `left at event ${at}`);
  }
  expect(refusals(world.emulator)).toEqual([]);
});

test("stream: left at each of its events, the run leaves no open call", async () => {
  await using world = await openWorld({ brain: trip(), deltaCharacters: 8 });
  for (let at = 1, whole = false; !whole; at++) {
    const running = new Agent({ model: world.model(), ...options }).stream("Weather?");
    let seen = 0;
    whole = true;
    for await (const _ of running) {
      if (++seen < at) continue;
      whole = false;
      break;
    }
    await running.result().catch(() => undefined);
    await expectUsable(new Agent({ model: world.model(), tools: TOOLS }), running.soFar, `left at event ${at}`);
  }
  expect(refusals(world.emulator)).toEqual([]);
});

test("stream: left while calls are under way, each is answered in its place, the open ones as cancelled", async () => {
  const stuck = ["first", "third"].map((name) =>
    defineTool({ name, description: "x", run: () => new Promise(() => {}) }),
  );
  await using world = await openWorld({
    brain: byStep(
      () => calls("first", { name: "add", args: { a: 1, b: 2 } }, "third"),
      () => say("Done."),
    ),
  });
  const running = new Agent({ model: world.model(), tools: [...TOOLS, ...stuck] }).stream("Go.");
  for await (const event of running) if (event.type === "tool-end") break;
  await running.result().catch(() => undefined);
  const left = running.soFar?.contents ?? [];
  expectAnswered(left, "left");
  expect(
    left.at(-1)?.parts.map(({ functionResponse }) => [functionResponse?.name, Object.keys(functionResponse!.response)]),
  ).toEqual([
    ["first", ["error"]],
    ["add", ["output"]],
    ["third", ["error"]],
  ]);
  await expectUsable(new Agent({ model: world.model(), tools: TOOLS }), running.soFar, "left");
  expect(refusals(world.emulator)).toEqual([]);
});

test("run: aborted at each line of its log, the run leaves no open call", async () => {
  await using world = await openWorld({ brain: trip(), deltaCharacters: 8 });
  let aborted = 0;
  for (let at = 1; ; at++) {
    const abort = new AbortController();
    const reason = new Error(`at line ${at}`);
    const logger = actAtLine(at, () => abort.abort(reason));
    const agent = new Agent({ model: world.model(undefined, { logger }), logger, ...options });
    const failure = await agent.run("Weather?", { signal: abort.signal }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!abort.signal.aborted) break;
    // The last lines may come too late for an abort.
    if (failure === undefined) continue;
    aborted++;
    expect(failure).toBe(reason);
    await expectUsable(new Agent({ model: world.model(), tools: TOOLS }), runSoFar(reason), `at line ${at}`);
  }
  expect(aborted).toBeGreaterThan(8);
  expect(refusals(world.emulator)).toEqual([]);
});

describe.each(faces)("%s", (_face, read) => {
  test("many calls, some failing, some twice the same, are each answered once and in order", async () => {
    const slowest = defineTool({
      name: "wait",
      description: "x",
      timeoutMs: 20,
      run: () => new Promise(() => {}),
    });
    const fails = defineTool({ name: "fails", description: "x", run: () => Promise.reject(new Error("no")) });
    await using world = await openWorld({
      brain: byStep(
        () =>
          calls(
            { name: "wait" },
            { name: "add", args: { a: 1, b: 2 } },
            { name: "add", args: { a: 1, b: 2 } },
            { name: "fails" },
            { name: "add", args: { wrong: true } },
            { name: "get_weather", args: { city: "Oslo" } },
          ),
        () => say("Done."),
      ),
    });
    const result = await read(new Agent({ model: world.model(), tools: [...TOOLS, slowest, fails] }), "Go.");
    expect(result.stopReason).toBe("finished");
    expectAnswered(result.contents, "at the end");
    expect(result.contents[2]?.parts.map(({ functionResponse }) => Object.keys(functionResponse!.response)[0])).toEqual(
      ["error", "output", "output", "error", "error", "output"],
    );
    expect(refusals(world.emulator)).toEqual([]);
  });

  test.each([
    ["the turn limit", { limits: { turns: 1 } }],
    ["the call limit", { limits: { toolCalls: 1 } }],
    ["the wall time", { limits: { wallTimeMs: 1 } }],
    ["a stop rule", { stopWhen: [() => true] }],
  ])("a run ended by %s leaves no open call", async (what, more) => {
    await using world = await openWorld({ brain: trip() });
    const result = await read(new Agent({ model: world.model(), tools: TOOLS, ...more }), "Weather?");
    await expectUsable(new Agent({ model: world.model(), tools: TOOLS }), { ...result, runId: "" }, what);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a call that was cut off by the token limit is answered, not run", async () => {
    await using world = await openWorld({
      brain: trip(),
      faults: [{ at: 1, fault: faults.maxTokensMidCall({ name: "get_weather", args: { city: "Os" } }) }],
    });
    let ran = 0;
    const count = { ...TOOLS[0]!, run: () => ran++ } as (typeof TOOLS)[number];
    const result = await read(new Agent({ model: world.model(), tools: [count, TOOLS[1]!] }), "Weather?");
    expectAnswered(result.contents, "after the cut-off call");
    expect(result.contents[2]?.parts[0]?.functionResponse?.response["error"]).toContain(
      "cut off by the output token limit",
    );
    expect(refusals(world.emulator)).toEqual([]);
  });
});
