import * as fc from "fast-check";
import { expect, test } from "vitest";
import { inferCapabilities } from "../../src/wire/known-models.ts";
import { Conversation } from "../../src/model/gemini-model.ts";
import type { Content } from "../../src/wire/types/content.ts";

const call = (id: string) => ({ functionCall: { id, name: "get_weather", args: {} } });
const response = (id: string) => ({ functionResponse: { id, name: "get_weather", response: { output: 1 } } });

// Objects of their own for each place, as contents of a history are.
const content: fc.Arbitrary<Content> = fc
  .constantFrom<Content>(
    { role: "user", parts: [{ text: "Go on." }] },
    { role: "model", parts: [{ text: "Well." }] },
    { role: "model", parts: [call("a")] },
    { role: "model", parts: [call("a"), call("b")] },
    { role: "user", parts: [response("a")] },
    { role: "user", parts: [response("a"), response("b")] },
    { role: "user", parts: [response("a"), { text: "So:" }] },
  )
  .map((one) => ({ ...one }));

/** What a conversation sends of these contents, or why it sends nothing. */
function send(
  conversation: Conversation,
  contents: readonly Content[],
  family = "gemini-3",
): readonly Content[] | string {
  const facts = {
    modelId: "a-model",
    capabilities: { ...inferCapabilities("gemini-3-pro"), family },
    endpointKind: "developer",
  } as const;
  try {
    return conversation.buildRequest({ contents, functions: [], builtIns: [], settings: {} }, facts).contents;
  } catch (error) {
    return (error as Error).message;
  }
}

test("a conversation that grows, is cut or changes anywhere is judged as one that is seen for the first time", () => {
  const change = fc.record({ keep: fc.nat({ max: 8 }), drop: fc.boolean(), add: fc.array(content, { maxLength: 4 }) });
  fc.assert(
    fc.property(
      fc.constantFrom("gemini-2.5", "gemini-2", "gemini-3"),
      fc.array(change, { maxLength: 8 }),
      (family, changes) => {
        const conversation = new Conversation();
        let contents: readonly Content[] = [{ role: "user", parts: [{ text: "Hi." }] }];
        for (const { keep, drop, add } of changes) {
          const next = [...(drop ? contents.slice(0, keep) : contents), ...add];
          const again = send(conversation, next, family);
          expect(again).toEqual(send(new Conversation(), next, family));
          // A refused history is mended, not grown.
          if (typeof again !== "string") contents = next;
        }
      },
    ),
  );
});

test("a conversation is split turn by turn as it is at once, and each content becomes the same ones each time", () => {
  const turn = fc
    .constantFrom<readonly Content[]>(
      [{ role: "user", parts: [{ text: "Go on." }] }],
      [{ role: "model", parts: [{ text: "Well." }] }],
      [
        { role: "model", parts: [call("a")] },
        { role: "user", parts: [response("a"), { text: "So:" }] },
      ],
      [
        { role: "model", parts: [call("a"), call("b")] },
        { role: "user", parts: [{ text: "First:" }, response("a"), { text: "Then:" }, response("b")] },
      ],
      [
        { role: "model", parts: [call("a")] },
        { role: "user", parts: [response("a")] },
      ],
    )
    .map((contents) => contents.map((one) => ({ ...one })));
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 8 }), (turns) => {
      const conversation = new Conversation();
      const start: Content = { role: "user", parts: [{ text: "Hi." }] };
      const byTurn = turns.map((_, index) => send(conversation, [start, ...turns.slice(0, index + 1).flat()]));
      const whole = byTurn.at(-1) ?? [];
      expect(whole).toEqual(send(new Conversation(), [start, ...turns.flat()]));
      for (const earlier of byTurn) {
        if (typeof earlier === "string") throw new Error(earlier);
        expect(earlier.every((one, i) => one === whole[i])).toBe(true);
      }
    }),
  );
});
