import {
  Agent,
  defineTool,
  finished,
  googleSearch,
  MemoryStore,
  outputElements,
  type OutputVerdict,
  PartialOutput,
  partialOutputs,
  type RunEvent,
  type RunStream,
} from "@pollux/core";
import { assertGrammar, call, dies, join, parts, say, ScriptedModel, think } from "@pollux/core/testing";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { batchEvents } from "../../../../engine/src/batch-events.ts";

const Trip = z.object({
  city: z.string(),
  days: z.array(z.object({ title: z.string(), km: z.number().default(0) })),
});
const TRIP = {
  city: "Oslo",
  days: [
    { title: "Fjord", km: 3 },
    { title: "Café 😀", km: 0 },
  ],
};
const PIECES = ['{"city":"Os', 'lo","days":[{"title":"Fjord","km":3},{"ti', 'tle":"Caf\\u00', 'e9 😀"}', "]}"];
const look = defineTool({ name: "look", description: "Looks.", run: () => "a cat" });

/** The value at each event that changed it, and where it started over. */
async function snapshots(agent: Agent): Promise<{ seen: unknown[]; events: RunEvent[] }> {
  const run = agent.stream("Plan it", { output: Trip });
  const seen: unknown[] = [];
  const events: RunEvent[] = [];
  async function* kept(): AsyncGenerator<RunEvent> {
    for await (const event of run) {
      events.push(event);
      yield event;
    }
  }
  for await (const value of partialOutputs(kept())) if (!isDeepStrictEqual(value, seen.at(-1))) seen.push(value);
  expect(finished(await run.result()).output).toEqual(TRIP);
  assertGrammar(events);
  return { seen, events };
}

async function all<T>(values: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

const GROWING = [
  { city: "Os" },
  { city: "Oslo", days: [{ title: "Fjord", km: 3 }, {}] },
  { city: "Oslo", days: [{ title: "Fjord", km: 3 }, { title: "Caf" }] },
  // As the model writes it: the default comes with the validation.
  { city: "Oslo", days: [{ title: "Fjord", km: 3 }, { title: "Café 😀" }] },
];

describe("the value so far", () => {
  test("grows with a native answer", async () => {
    const { seen, events } = await snapshots(new Agent({ model: new ScriptedModel(say(...PIECES)) }));
    expect(seen).toEqual(GROWING);
    expect(events.filter(({ type }) => type === "output-delta").slice(0, 2)).toEqual([
      { type: "output-delta", turn: 1, changes: [{ path: [], value: { city: "Os" } }], open: ["city"] },
      {
        type: "output-delta",
        turn: 1,
        changes: [
          { path: ["city"], append: "lo" },
          { path: ["days"], value: [{ title: "Fjord", km: 3 }, {}] },
        ],
        open: ["days", 1],
      },
    ]);
  });

  test("comes after calls, thoughts and prose before them", async () => {
    const model = new ScriptedModel(
      join(say("I look first."), call("look")),
      join(think('{"city":"No'), say(...PIECES)),
    );
    const { seen } = await snapshots(new Agent({ model, tools: [look] }));
    expect(seen).toEqual(GROWING);
  });

  test("comes with the last request when the answer is prose first", async () => {
    const model = new ScriptedModel(say('["A day in Oslo."]'), say("```json\n", ...PIECES, "\n```"));
    const { seen, events } = await snapshots(new Agent({ model, tools: [googleSearch()] }));
    expect(seen).toEqual(GROWING);
    expect(new Set(events.flatMap((event) => (event.type === "output-delta" ? [event.turn] : [])))).toEqual(
      new Set([2]),
    );
  });

  test("starts over when the answer does not match, and when the stream breaks", async () => {
    const invalid = new ScriptedModel(say('{"city":"B', 'er"}'), say(...PIECES));
    expect((await snapshots(new Agent({ model: invalid }))).seen).toEqual([
      { city: "B" },
      { city: "Ber" },
      undefined,
      ...GROWING,
    ]);
    const broken = new ScriptedModel(dies('{"city":"Ber'), say(...PIECES));
    expect((await snapshots(new Agent({ model: broken }))).seen).toEqual([{ city: "Ber" }, undefined, ...GROWING]);
  });

  test("starts over when the model begins its answer again", async () => {
    class Rewinding extends ScriptedModel {
      override async respond(...args: Parameters<ScriptedModel["respond"]>): ReturnType<ScriptedModel["respond"]> {
        await args[1].onParts?.([{ text: '{"city":"Ber' }]);
        args[1].onNotice?.({ type: "rewind", reason: "the answer did not continue" });
        return await super.respond(...args);
      }
    }
    const { seen } = await snapshots(new Agent({ model: new Rewinding(say(...PIECES)) }));
    expect(seen).toEqual([{ city: "Ber" }, undefined, ...GROWING]);
  });

  test("is withdrawn when a guardrail replaces or stops an answer that was shown", async () => {
    const check = ({ text }: { readonly text: string }): OutputVerdict =>
      text.includes("stop") ? { stop: "said stop" } : { replace: text.replace("secret", "***") };
    const tags = (last: string): RunStream<string[]> => {
      const model = new ScriptedModel(say('["a","secret', `","${last}"]`));
      const guardrails = { output: [{ name: "words", check }], streaming: "show" } as const;
      return new Agent({ model, guardrails }).stream("Tags", { output: z.array(z.string()) });
    };
    expect(await all(partialOutputs(tags("b")))).toEqual([
      ["a", "secret"],
      ["a", "secret", "b"],
      undefined,
      ["a", "***", "b"],
    ]);
    const elements = await all(outputElements(tags("b")));
    expect(elements.map(({ element, index }) => [index, element])).toEqual([
      [0, "a"],
      [1, "secret"],
      [2, "b"],
      [0, "a"],
      [1, "***"],
      [2, "b"],
    ]);
    expect(await all(partialOutputs(tags("stop")))).toEqual([["a", "secret"], ["a", "secret", "stop"], undefined]);
  });

  test("is the whole value at once when the answer arrives whole, also a number", async () => {
    const run = new Agent({ model: new ScriptedModel(parts({ text: "42" })) }).stream("How many?", {
      output: z.number(),
    });
    const values: unknown[] = [];
    for await (const value of partialOutputs(run)) values.push(value);
    expect(values).toEqual([42]);
  });

  test("does not exist without an output", async () => {
    const run = new Agent({ model: new ScriptedModel(say('{"a":', "1}")) }).stream("JSON, please");
    const types = new Set<string>();
    for await (const event of run) types.add(event.type);
    expect(types).not.toContain("output-delta");
  });

  test("grows in a chat and in a session, and is there again when the session is read again", async () => {
    const agent = new Agent({ model: new ScriptedModel(say(...PIECES), say(...PIECES)) });
    const chat = agent.session().stream("Plan it", { output: Trip });
    let steps = 0;
    for await (const event of chat) if (event.type === "output-delta") steps++;
    expect(steps).toBe(PIECES.length);

    const store = new MemoryStore();
    const session = agent.session({ store, id: "s" });
    const first: unknown[] = [];
    for await (const value of partialOutputs(session.stream("Plan it", { output: Trip, runId: "r" })))
      first.push(value);
    expect(first.at(-1)).toEqual(GROWING.at(-1));
    const again = agent.session({ store, id: "s" }).continueStream({ message: "Plan it", output: Trip, runId: "r" });
    const replayed: RunEvent[] = [];
    for await (const event of again) if (event.type === "output-delta") replayed.push(event);
    expect(replayed).toEqual([
      { type: "output-delta", turn: 1, changes: [{ path: [], value: GROWING.at(-1) }], replayed: true },
    ]);
  });

  test("can be put together from the live events of an engine", async () => {
    const output = new PartialOutput<z.input<typeof Trip>>();
    const batches = batchEvents(async (events) => {
      for (const { event } of JSON.parse(JSON.stringify(events)) as { event: RunEvent }[]) output.read(event);
    });
    for await (const event of new Agent({ model: new ScriptedModel(say(...PIECES)) }).stream("Plan it", {
      output: Trip,
    }))
      await batches.emit({ runId: "r", step: "model:1", attempt: 1 }, event);
    await batches.close();
    expect(output.value).toEqual(GROWING.at(-1));
  });
});

describe("elements", () => {
  const tags = ['["a', '","b', '",{}', ",[1]", "]"];

  test("of an output that is a list come as soon as they are whole", async () => {
    const received: string[] = [];
    const run = new Agent({ model: new ScriptedModel(say(...tags)) }).stream("Tags", { output: z.array(z.unknown()) });
    async function* told(): AsyncGenerator<RunEvent> {
      for await (const event of run) {
        if (event.type === "text-delta") received.push(event.delta);
        yield event;
      }
    }
    for await (const { element, index } of outputElements(told()))
      received.push(`${index}: ${JSON.stringify(element)}`);
    expect(received).toEqual(['["a', '","b', '0: "a"', '",{}', '1: "b"', "2: {}", ",[1]", "3: [1]", "]"]);
    expect(finished(await run.result()).output).toEqual(["a", "b", {}, [1]]);
  });

  test("of a list in a property come too, and start over with the answer", async () => {
    const model = new ScriptedModel(say('{"days":[{"title":"Old","km":1},{'), say(...PIECES));
    const run = new Agent({ model }).stream("Plan it", { output: Trip });
    const received: unknown[] = [];
    for await (const { element, index } of outputElements(run, "days")) received.push([index, element.title]);
    expect(received).toEqual([
      [0, "Old"],
      [0, "Fjord"],
      [1, "Café 😀"],
    ]);
  });

  test("end the run when the reader leaves", async () => {
    const run = new Agent({ model: new ScriptedModel(say(...tags)) }).stream("Tags", { output: z.array(z.unknown()) });
    for await (const { index } of outputElements(run)) if (index === 0) break;
    await expect(run.result()).rejects.toThrow("the reader left");
  });
});
