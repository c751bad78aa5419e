import { Agent, defineTool, endpoint, gemini, type GeminiModel, type GeminiOptions, Traffic } from "@pollux/core";
import { expect, test } from "vitest";
import { inMadeUpTime } from "./support/made-up-time.ts";
import { openManyService, type ManyService } from "./support/many-service.ts";
import { MODEL } from "./support/world.ts";

const step = defineTool({
  name: "step",
  description: "Does a step.",
  input: { type: "object", properties: { done: { type: "integer" } } },
  run: () => "done",
});

const namesOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `r${at}`);

function modelOf(service: ManyService, options: GeminiOptions = {}): GeminiModel {
  return gemini(MODEL, { endpoint: endpoint({ baseUrl: service.url, apiKey: "many" }), random: () => 0, ...options });
}

/** Runs half of them with `run` and half with `stream`, in made-up time. @returns The number of runs per final text, and their notices. */
function runAll(names: readonly string[], modelFor: (name: string) => GeminiModel): Promise<Ran> {
  return inMadeUpTime(undefined, () => runThem(names, modelFor));
}

interface Ran {
  readonly texts: Record<string, number>;
  readonly notices: Record<string, number>;
}

async function runThem(names: readonly string[], modelFor: (name: string) => GeminiModel): Promise<Ran> {
  const texts: Record<string, number> = {};
  const notices: Record<string, number> = {};
  await Promise.all(
    names.map(async (name, at) => {
      const agent = new Agent({ model: modelFor(name), tools: [step], limits: { repeats: Infinity } });
      const input = `run:${name}`;
      let text: string;
      if (at % 2 === 0) ({ text } = await agent.run(input));
      else {
        const stream = agent.stream(input);
        for await (const event of stream)
          if (event.type === "notice") notices[event.notice.type] = (notices[event.notice.type] ?? 0) + 1;
        ({ text } = await stream.result());
      }
      texts[text] = (texts[text] ?? 0) + 1;
    }),
  );
  return { texts, notices };
}

test("200 runs of 5 turns share 20 slots: never more at once, all end, none is left behind", async () => {
  const names = namesOf(200);
  await using service = await openManyService({ turns: 5, latencyMs: 20 }, names);
  const traffic = new Traffic({ maxConcurrent: 20 });
  const { texts } = await runAll(names, () => modelOf(service, { traffic }));
  expect(texts).toEqual({ done: 200 });
  expect(service.counts).toMatchObject({ requests: 1000, mostAtOnce: 20, refused: 0 });
  expect(service.counts.spread).toBeLessThanOrEqual(2);
  // Each slot needs a connection; a few more open while another one is being released, or replace an idle one.
  expect(service.counts.sockets).toBeLessThanOrEqual(service.counts.requests / 10);
  expect(traffic.state()).toEqual([]);
});

test("a 429 with a wait, met by one of 200 runs, is met by those on their way and by nobody else", async () => {
  const names = namesOf(200);
  const options = { turns: 3, latencyMs: 20, refuse: { at: 300, forMs: 500 } };

  await using shared = await openManyService(options, names);
  const traffic = new Traffic({ maxConcurrent: 40 });
  const together = await runAll(names, () => modelOf(shared, { traffic }));
  expect(together.texts).toEqual({ done: 200 });
  expect(shared.counts.refused).toBeGreaterThan(0);
  expect(shared.counts.refused).toBeLessThanOrEqual(40);
  expect(shared.counts.requests).toBe(600 + shared.counts.refused);
  // Waiting runs see it.
  expect(together.notices["wait"]).toBeGreaterThan(40);

  await using alone = await openManyService(options, names);
  const apart = await runAll(names, () => modelOf(alone));
  expect(apart.texts).toEqual({ done: 200 });
  expect(alone.counts.refused).toBeGreaterThan(3 * shared.counts.refused);
});

test("runs of one model share a refusal's wait without any option", async () => {
  const names = namesOf(200);
  await using service = await openManyService({ turns: 3, latencyMs: 20, refuse: { at: 300, forMs: 500 } }, names);
  const model = modelOf(service);
  const { texts } = await runAll(names, () => model);
  expect(texts).toEqual({ done: 200 });
  // The requests in progress at the first refusal, and one that was just being sent.
  expect(service.counts.refused).toBeLessThanOrEqual(200);
  expect(service.counts.requests).toBe(600 + service.counts.refused);
});

test("an agent that calls another one needs one slot only", async () => {
  await using service = await openManyService({ turns: 2 });
  const traffic = new Traffic({ maxConcurrent: 1 });
  const model = modelOf(service, { traffic });
  const inner = new Agent({ name: "inner", model, tools: [step] });
  const where = endpoint({ baseUrl: service.url, apiKey: "many" });
  const outer = new Agent({
    model: gemini(MODEL, { endpoint: where, traffic }),
    tools: [inner.asTool({ name: "step", description: "Does a step." })],
  });
  const { text } = await outer.run("run:outer");
  expect(text).toBe("done");
  expect(service.counts).toMatchObject({ requests: 4, mostAtOnce: 1 });
});
