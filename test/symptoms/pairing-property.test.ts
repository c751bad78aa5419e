import { Agent, type Content } from "@pollux/core";
import { say } from "@pollux/emulator";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TOOLS, user } from "../support/trip.ts";
import { MODEL, openWorld, type World } from "../support/world.ts";

const call = (id: string) => ({ functionCall: { id, name: "get_weather", args: { city: id } } });
const response = (id: string) => ({ functionResponse: { id, name: "get_weather", response: { output: 1 } } });
const ids = fc.uniqueArray(fc.constantFrom("a", "b"), { minLength: 1 });

const content: fc.Arbitrary<Content> = fc.oneof(
  fc.constant(user("Go on.")),
  fc.constant<Content>({ role: "model", parts: [{ text: "Well." }] }),
  ids.map((list): Content => ({
    role: "model",
    parts: list.map((id) => ({ ...call(id), thoughtSignature: "skip_thought_signature_validator" })),
  })),
  ids.map((list): Content => ({ role: "user", parts: list.map(response) })),
  ids.map((list): Content => ({ role: "user", parts: [{ text: "So:" }, ...list.map(response)] })),
);

/** Rules about calls and their responses. */
const PAIRING = new Set(["E-10", "E-11", "E-12", "E-15"]);

/** The rule the service would refuse these contents by. */
async function ruleOf({ emulator }: World, id: string, contents: readonly Content[]): Promise<string | undefined> {
  await emulator.fetch(`/v1beta/models/${id}:generateContent?key=k`, {
    method: "POST",
    body: JSON.stringify({ contents }),
  });
  return emulator.requests.at(-1)?.answered.rule;
}

test.each([MODEL, "gemini-2.5-flash"])(
  "%s: a history is held back exactly when the service would refuse its calls and responses",
  async (id) => {
    await using world = await openWorld({ brain: { answer: () => say("Ok.") } });
    const agent = new Agent({ model: world.model(id), tools: TOOLS });
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 6 }), async (middle) => {
        const contents = [...middle, user("And?")];
        const rule = await ruleOf(world, id, contents);
        const before = world.bodies.length;
        const end = await agent.run(contents).then(
          ({ stopReason }) => stopReason,
          (error: { code?: string }) => error.code,
        );
        const isRefused = rule !== undefined && PAIRING.has(rule);
        expect([rule, end]).toEqual([rule, isRefused ? "configuration" : "finished"]);
        if (isRefused) expect(world.bodies).toHaveLength(before);
      }),
      { numRuns: 150 },
    );
  },
);
