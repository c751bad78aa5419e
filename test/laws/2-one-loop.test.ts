import { Agent, type AgentOptions, defineTool, googleSearch, type RunResult } from "@pollux/core";
import { type Brain, call, calls, faults, type FaultRule, json, grounded, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { typed } from "../../packages/core/test/helpers/faces.ts";
import { ANSWER, byStep, TOOLS, trip } from "../support/trip.ts";
import { openWorld } from "../support/world.ts";

interface Scenario {
  readonly brain: Brain;
  readonly model?: string;
  readonly tools?: AgentOptions["tools"];
  readonly faults?: readonly FaultRule[];
  readonly options?: Partial<AgentOptions>;
  readonly output?: z.ZodType;
}

const found = grounded("Ada won.", { queries: ["who won"], sources: [{ title: "a.example" }] });
const sum = z.object({ total: z.number() });

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "parallel calls": { brain: trip() },
  "search beside functions, natively": {
    brain: byStep(
      () => [found, call("add", { a: 1, b: 2 })],
      () => found,
    ),
    tools: [...TOOLS, googleSearch()],
  },
  "search beside functions, delegated": {
    brain: byStep(
      ({ functions }) => (functions.length === 0 ? found : call("google_search", { query: "Who won?" })),
      () => say("They say: Ada won."),
    ),
    model: "gemini-2.5-flash-lite",
    tools: [...TOOLS, googleSearch()],
  },
  "typed output beside functions": {
    brain: byStep(
      () => call("add", { a: 1, b: 2 }),
      () => json({ total: 3 }),
    ),
    output: sum,
  },
  "typed output after prose, and wrong at first": {
    brain: byStep(
      () => call("add", { a: 1, b: 2 }),
      ({ functions, prompt }) =>
        functions.length > 0
          ? say("It makes 3.")
          : prompt.includes("does not match the schema")
            ? json({ total: 3 })
            : json({ total: "three" }),
    ),
    model: "gemini-2.5-flash-lite",
    output: sum,
  },
  "answers that cannot be used": {
    brain: trip(),
    faults: [
      { at: [1, 2, 4], fault: faults.emptyStop() },
      { at: [5, 6], fault: faults.malformedCall() },
      { at: 8, fault: faults.overloaded() },
    ],
  },
  "a limit": { brain: trip(), options: { limits: { turns: 1 } } },
  "calls nobody declared and a forced call": {
    brain: byStep(
      () => calls({ name: "add", args: { a: "x" } }, { name: "add", args: { a: 1, b: 2 } }),
      () => say("Sorry."),
    ),
    options: { toolChoice: { only: ["add"] } },
  },
};

describe.each(Object.entries(SCENARIOS))("%s", (_name, scenario) => {
  const play = async (face: string): Promise<{ bodies: readonly string[]; result: RunResult<unknown> }> => {
    await using world = await openWorld({
      brain: scenario.brain,
      faults: scenario.faults,
      now: () => new Date(0),
      strict: { retiredModels: "serve" },
    });
    const agent = new Agent({
      model: world.model(scenario.model),
      tools: scenario.tools ?? TOOLS,
      instructions: "Be brief.",
      ...scenario.options,
    });
    const result =
      scenario.output === undefined
        ? face === "run"
          ? await agent.run("Go.")
          : await agent.stream("Go.").result()
        : await typed(face, agent, "Go.", { output: scenario.output });
    // Ids and times differ from run to run.
    const toolCalls = result.toolCalls.map((one) => ({ ...one, durationMs: 0 }));
    return { bodies: world.bodies, result: { ...result, runId: "", toolCalls } };
  };

  test("run and stream send the same bytes and give the same result", async () => {
    const [run, stream] = [await play("run"), await play("stream")];
    expect(stream.bodies).toEqual(run.bodies);
    expect(stream.result).toEqual(run.result);
    expect(run.bodies.length).toBeGreaterThan(0);
  });
});

test("an agent as a tool runs the same loop, with its calls answered and its cost counted", async () => {
  await using world = await openWorld({ brain: trip() });
  const inner = new Agent({ model: world.model(), tools: TOOLS, name: "meteorologist" });
  const stamp = defineTool({ name: "stamp", description: "x", run: () => "stamped" });
  const outerBrain = byStep(
    () => calls({ name: "meteorologist", args: { task: "Weather?" } }, { name: "stamp" }),
    () => say("All done."),
  );
  await using outerWorld = await openWorld({ brain: outerBrain });
  const helper = inner.asTool({ description: "Knows the weather." });
  const result = await new Agent({ model: outerWorld.model(), tools: [helper, stamp] }).run("Go.");
  expect(result).toMatchObject({ stopReason: "finished", text: "All done.", usage: { requests: 5 } });
  expect(JSON.stringify(result.contents[2])).toContain(ANSWER);
  // On its own, the inner agent sends the same.
  await using alone = await openWorld({ brain: trip() });
  await new Agent({ model: alone.model(), tools: TOOLS, name: "meteorologist" }).run("Weather?");
  expect(world.bodies).toEqual(alone.bodies);
});
