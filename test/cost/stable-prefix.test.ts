import { Agent, type AgentOptions, type RunEvent } from "@pollux/core";
import { type Brain, call, faults, json, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventsOf, faces, typed } from "../../packages/core/test/helpers/faces.ts";
import { byStep, user } from "../support/trip.ts";
import { openWorld, type World } from "../support/world.ts";
import { INSTRUCTIONS, LOG_TOOLS, page, reading } from "./support/errand.ts";
import { type Billed, billed, BLOCK, expectStablePrefix, headOf, prefixOf } from "./support/traffic.ts";

const TRANSPORTS = ["stream", "unary"] as const;

const reader = (world: World, options: Partial<AgentOptions> = {}): Agent =>
  new Agent({ model: world.model(), instructions: INSTRUCTIONS, tools: LOG_TOOLS, ...options });

const isSummaryRequest = ({ body }: Billed): boolean => body.includes("Summarize the conversation above");

const breaksOf = (events: readonly RunEvent[]): readonly RunEvent[] =>
  events.filter(
    (event) =>
      event.type === "compact" ||
      (event.type === "notice" && event.notice.type === "heal" && event.notice.breaksPrefix),
  );

describe.each(faces)("%s", (face, read) => {
  test.each(TRANSPORTS)("thirteen turns, asked for by %s: each pays for what is new only", async (transport) => {
    await using world = await openWorld({ brain: reading(12) });
    await read(reader(world, { model: world.model(undefined, { transport }) }), "Read all twelve pages.");
    const requests = billed(world);
    expect(requests).toHaveLength(13);
    expectStablePrefix(requests);
    // The first one pays for everything, the others for the last call and its response.
    const paid = requests.map(({ prompt, cached }) => prompt - cached);
    expect(paid[0]).toBe(requests[0]?.prompt);
    expect(Math.max(...paid.slice(1))).toBeLessThan(400);
    expect(requests.slice(1).every(({ cached }, index) => cached > (requests[index]?.cached ?? 0))).toBe(true);
  });

  test.each<[string, Partial<AgentOptions>]>([
    ["a call forced in the first turn", { toolChoice: "required" }],
    ["one function allowed in the first turn", { toolChoice: { only: ["read_page"] } }],
    [
      "settings",
      { settings: { temperature: 0.2, thinking: "low", maxOutputTokens: 900, seed: 7, stopSequences: ["THE END"] } },
    ],
    ["tools from a function", { tools: () => [...LOG_TOOLS] }],
  ])("%s: changes nothing before the contents", async (_what, options) => {
    await using world = await openWorld({ brain: reading(10) });
    await read(reader(world, options), "Read all ten pages.");
    expect(world.bodies).toHaveLength(11);
    expectStablePrefix(billed(world));
  });

  test("two runs of one agent share instructions and tools", async () => {
    await using world = await openWorld({ brain: reading(2) });
    const agent = reader(world);
    await read(agent, "Read two pages.");
    const { totalTokens: head } = await agent.countTokens("?");
    await read(agent, "How many ships were there?");
    const bodies = world.bodies.filter((body) => !body.includes("generateContentRequest"));
    expect(new Set(bodies.map(headOf)).size).toBe(1);
    const requests = billed(world).filter(({ body }) => bodies.includes(body));
    expectStablePrefix(requests, [3]);
    expect(requests[3]?.cached).toBeGreaterThanOrEqual(head - BLOCK);
  });

  test("typed output beside tools stands behind the contents, in every request", async () => {
    const ships = z.object({ ships: z.number() });
    const brain = byStep(...Array.from({ length: 10 }, (_, index) => () => call("read_page", { page: index })), () =>
      json({ ships: 40 }),
    );
    await using world = await openWorld({ brain });
    const result = await typed(face, reader(world), "Read ten pages.", { output: ships });
    expect(result).toMatchObject({ stopReason: "finished", output: { ships: 40 } });
    expect(world.bodies).toHaveLength(11);
    expectStablePrefix(billed(world));
  });

  test("a last request for the output, where it cannot go along, has the history as it stands", async () => {
    const ships = z.object({ ships: z.number() });
    const brain: Brain = {
      answer: (turn) =>
        turn.functions.length === 0 ? json({ ships: 40 }) : reading(10, "There were forty ships.").answer(turn),
    };
    await using world = await openWorld({ brain });
    const agent = reader(world, { model: world.model("gemini-2.5-flash-lite") });
    const result = await typed(face, agent, "Read ten pages.", { output: ships });
    expect(result).toMatchObject({ stopReason: "finished", output: { ships: 40 } });
    const requests = billed(world);
    expect(requests).toHaveLength(12);
    // It can't have tools, so it only shares the instructions.
    expectStablePrefix(requests, [11]);
    const contentsOf = ({ body }: Billed): string => prefixOf(body).slice(headOf(body).length);
    expect(contentsOf(requests[11]!).startsWith(contentsOf(requests[10]!))).toBe(true);
    expect(requests[11]?.cached).toBeGreaterThan(4_500);
  });

  test("a heal in the middle of a run breaks the prefix once, and says so", async () => {
    let requests = 0;
    await using world = await openWorld({
      brain: reading(10),
      faults: [
        {
          at: ({ body }) =>
            ++requests > 5 && JSON.stringify(body).includes('"id":') /* the endpoint behind the gateway changed */,
          fault: faults.apiError(
            400,
            "INVALID_ARGUMENT",
            `Invalid JSON payload received. Unknown name "id" at 'contents[1].parts[0].function_call': Cannot find field.`,
          ),
        },
      ],
    });
    const agent = reader(world, { model: world.model("gemini-3-flash-preview") });
    if (face === "run") await read(agent, "Read ten pages.");
    else {
      const { events } = await eventsOf(agent, "Read ten pages.");
      expect(breaksOf(events)).toMatchObject([{ type: "notice", notice: { type: "heal", heal: "strip-ids" } }]);
    }
    const answered = billed(world);
    expect(answered).toHaveLength(11);
    expectStablePrefix(answered, [5]);
  });

  test("compaction breaks the prefix once, and says so", async () => {
    await using world = await openWorld({
      brain: {
        answer: (turn) =>
          turn.prompt.includes("Summarize the conversation") ? say("Pages were read.") : reading(10).answer(turn),
      },
    });
    const history = Array.from({ length: 4 }, (_, index) => [
      user(page(100 + index, 2_000)),
      { role: "model" as const, parts: [{ text: "Noted." }] },
    ]).flat();
    // The history fits, but the pages don't.
    const compaction = { windowTokens: 16_000, threshold: 0.9, keep: 0.2 };
    const agent = reader(world, { compaction });
    const input = [...history, user("Read ten pages.")];
    if (face === "run") await read(agent, input);
    else {
      const { events } = await eventsOf(agent, input);
      expect(breaksOf(events)).toMatchObject([{ type: "compact" }]);
    }
    const work = billed(world).filter((request) => !isSummaryRequest(request));
    expect(work).toHaveLength(11);
    const broken = work.findIndex(({ body }) => body.includes("Pages were read."));
    expect(broken).toBeGreaterThan(0);
    expectStablePrefix(work, [broken]);
    // The part before the history is still cached.
    expect(work[broken]?.cached).toBeGreaterThan(4_500);
  });
});

describe("the check itself", () => {
  const request = (body: object, prompt: number, cached: number): Billed => ({
    body: JSON.stringify(body),
    prompt,
    cached,
  });
  const contents = [user("Hi.")];
  const longer = [...contents, user("And?")];

  test.each<[string, readonly Billed[], RegExp]>([
    [
      "settings before the contents",
      [request({ generationConfig: { seed: 1 }, contents }, 300, 0)],
      /stand before its contents/,
    ],
    [
      "a tool config that comes before the contents and goes",
      [request({ toolConfig: {}, contents }, 300, 0), request({ contents: longer }, 301, 300)],
      /stand before its contents/,
    ],
    [
      "other instructions",
      [
        request({ systemInstruction: { parts: [{ text: "12:00" }] }, contents }, 300, 0),
        request({ systemInstruction: { parts: [{ text: "12:01" }] }, contents: longer }, 301, 300),
      ],
      /request 2 begins with/,
    ],
    [
      "a content that changed",
      [request({ contents }, 300, 0), request({ contents: [user("Ho."), user("And?")] }, 301, 0)],
      /request 2 begins with/,
    ],
    [
      "a cache that was not hit",
      [request({ contents }, 300, 0), request({ contents: longer }, 301, 255)],
      /cache knew from request 1/,
    ],
  ])("sees %s", (_what, requests, problem) => {
    expect(() => expectStablePrefix(requests)).toThrow(problem);
  });

  test("takes a conversation that only grows", () => {
    expectStablePrefix([request({ contents }, 300, 0), request({ contents: longer, toolConfig: {} }, 301, 256)]);
  });
});
