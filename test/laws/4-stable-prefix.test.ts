import { Agent, type AgentOptions, googleSearch } from "@pollux/core";
import { type Brain, call, faults, type FaultRule, json, empty, grounded, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { byStep, TOOLS, trip } from "../support/trip.ts";
import { openWorld } from "../support/world.ts";

/** A request's body up to the end of its last content. */
function prefixOf(body: string): string {
  const start = body.indexOf('"contents":[');
  expect(start).toBeGreaterThan(-1);
  let depth = 0;
  for (let at = body.indexOf("[", start); at < body.length; at++) {
    const character = body[at];
    if (character === '"') {
      for (at++; body[at] !== '"'; at++) if (body[at] === "\\") at++;
    } else if (character === "[" || character === "{") depth++;
    else if ((character === "]" || character === "}") && --depth === 0) return body.slice(0, at);
  }
  throw new Error("the contents do not end");
}

function expectGrowing(bodies: readonly string[]): void {
  for (const [index, body] of bodies.slice(1).entries()) {
    const before = prefixOf(bodies[index]!);
    expect(body.slice(0, before.length), `request ${index + 2} begins like request ${index + 1}`).toBe(before);
  }
}

interface Scenario {
  readonly brain: Brain;
  readonly options?: Partial<AgentOptions>;
  readonly faults?: readonly FaultRule[];
  readonly requests: number;
}

const long = byStep(
  ...Array.from({ length: 12 }, (_, index) => () => call("get_weather", { city: `Ålesund ${index} "]}"` })),
  () => say("Done."),
);
const found = grounded("", { queries: ["oslo"], sources: [{ title: "yr.no" }] });

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "thirteen turns": { brain: long, requests: 13 },
  "instructions, settings and a call forced in the first turn": {
    brain: trip(),
    options: {
      instructions: 'Say "contents":[] and be brief.',
      settings: { temperature: 0.3 },
      toolChoice: { only: ["get_weather"] },
    },
    requests: 3,
  },
  "search beside functions": {
    brain: byStep(
      () => [found, call("add", { a: 1, b: 2 })],
      () => [found, say("Done.")],
    ),
    options: { tools: [...TOOLS, googleSearch()] },
    requests: 2,
  },
  "answers that could not be used": {
    brain: byStep(
      ({ prompt }) => (prompt.includes("empty") ? say("Done.") : call("add", { a: 1, b: 2 })),
      () => empty(),
    ),
    requests: 4,
  },
  "retries and broken streams": {
    brain: trip(),
    faults: [
      { at: 1, fault: faults.overloaded() },
      { at: 3, fault: faults.closeEarly({ afterChunks: 0 }) },
      { at: 5, fault: faults.errorInStream() },
    ],
    requests: 6,
  },
};

describe.each(faces)("%s", (face, read) => {
  test.each(Object.entries(SCENARIOS))(
    "%s: each request begins with the bytes of the one before",
    async (_name, scenario) => {
      await using world = await openWorld({ brain: scenario.brain, faults: scenario.faults });
      const agent = new Agent({ model: world.model(), tools: TOOLS, ...scenario.options });
      await read(agent, "Go.");
      expect(world.bodies).toHaveLength(scenario.requests);
      expectGrowing(world.bodies);
    },
  );

  test("a schema for the answer, and the correction it needed, stand behind the contents", async () => {
    await using world = await openWorld({
      brain: byStep(
        ({ prompt }) =>
          prompt.includes("does not match the schema") ? json({ total: 3 }) : call("add", { a: 1, b: 2 }),
        () => json({ total: "three" }),
      ),
    });
    const agent = new Agent({ model: world.model(), tools: TOOLS });
    const output = z.object({ total: z.number() });
    const result = await (face === "run" ? agent.run("Go.", { output }) : agent.stream("Go.", { output }).result());
    expect(result).toMatchObject({ stopReason: "finished", output: { total: 3 } });
    expect(world.bodies).toHaveLength(3);
    expectGrowing(world.bodies);
  });

  test("a chat goes on from the bytes of its last run", async () => {
    await using world = await openWorld({ brain: trip() });
    const chat = new Agent({ model: world.model(), tools: TOOLS, instructions: "Be brief." }).chat();
    for (const question of ["Weather?", "And now?", "Und jetzt?"]) {
      if (face === "run") await chat.send(question);
      else for await (const _ of chat.stream(question));
    }
    expect(world.bodies).toHaveLength(9);
    expectGrowing(world.bodies);
  });

  test("the service's cache is hit from the second request of a long conversation on", async () => {
    await using world = await openWorld({ brain: long });
    const result = await read(new Agent({ model: world.model(), tools: TOOLS }), "Go. ".repeat(5_000));
    expect(result.usage.cachedTokens / result.usage.inputTokens).toBeGreaterThan(0.5);
  });
});
