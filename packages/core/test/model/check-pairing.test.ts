import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkPairing } from "../../src/model/check-pairing.ts";
import { KnownPrefix } from "../../src/model/known-prefix.ts";
import { PureResponses } from "../../src/model/pure-responses.ts";
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

const outcome = (check: () => unknown): unknown => {
  try {
    return check();
  } catch (error) {
    return (error as Error).message;
  }
};

test("a conversation that grows, is cut or changes anywhere is judged as one that is seen for the first time", () => {
  const change = fc.record({ keep: fc.nat({ max: 8 }), drop: fc.boolean(), add: fc.array(content, { maxLength: 4 }) });
  fc.assert(
    fc.property(
      fc.constantFrom("gemini-2.5", "gemini-2", "gemini-3"),
      fc.array(change, { maxLength: 8 }),
      (family, changes) => {
        const good = new KnownPrefix();
        let contents: readonly Content[] = [{ role: "user", parts: [{ text: "Hi." }] }];
        for (const { keep, drop, add } of changes) {
          const next = [...(drop ? contents.slice(0, keep) : contents), ...add];
          const again = outcome(() => checkPairing(next, { family }, good));
          expect(again).toEqual(outcome(() => checkPairing(next, { family })));
          // A refused history is mended, not grown.
          if (again === undefined) contents = next;
        }
      },
    ),
  );
});

test("a conversation is parted turn by turn as it is at once, and each content becomes the same ones each time", () => {
  fc.assert(
    fc.property(fc.array(content, { minLength: 1, maxLength: 8 }), (contents) => {
      const pure = new PureResponses();
      const byTurn = contents.map((_, index) => pure.of(contents.slice(0, index + 1)));
      const whole = byTurn.at(-1) ?? [];
      expect(whole).toEqual(new PureResponses().of(contents));
      for (const earlier of byTurn) expect(earlier.every((one, i) => one === whole[i])).toBe(true);
    }),
  );
});
