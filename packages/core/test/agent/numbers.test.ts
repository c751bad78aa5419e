import { Agent, defineTool, endpoint, gemini, type GeminiOptions, MemoryStore } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { faces } from "../helpers/faces.ts";

/** How the service may write numbers, what a tool gets, and what goes back. */
const NUMBERS: readonly (readonly [name: string, sent: string, value: number, back: string])[] = [
  ["a fraction", "0.1", 0.1, "0.1"],
  ["the largest safe integer", "9007199254740991", 9_007_199_254_740_991, "9007199254740991"],
  ["a double with all its digits", "1.7976931348623157e+308", Number.MAX_VALUE, "1.7976931348623157e+308"],
  ["the smallest double", "5e-324", 5e-324, "5e-324"],
  // The same value, in other digits.
  ["a whole number with a fraction", "1.0", 1, "1"],
  ["an exponent", "1E2", 100, "100"],
  // Another value: JSON's own reader and writer are exact for doubles only.
  ["an integer above 2^53", "9007199254740993", 9_007_199_254_740_992, "9007199254740992"],
  ["more digits than a double has", "0.12345678901234567890", 0.123_456_789_012_345_68, "0.12345678901234568"],
  ["a negative zero", "-0", -0, "0"],
  ["a number beyond a double", "1e400", Infinity, "null"],
];

const args = NUMBERS.map(([, sent], at) => `"n${at}":${sent}`).join(",");
const backArgs = NUMBERS.map(([, , , back], at) => `"n${at}":${back}`).join(",");
const values = Object.fromEntries(NUMBERS.map(([, , value], at) => [`n${at}`, value]));
const CALL = `{"functionCall":{"name":"look","args":{${args}}},"new":{${args}}}`;
const BACK = `{"role":"model","parts":[{"functionCall":{"name":"look","args":{${backArgs}}},"new":{${backArgs}}}]}`;

/** A service that calls a tool and then answers, and what it was sent. */
function service(
  transport: GeminiOptions["transport"],
  call: string = CALL,
): { agent: Agent; bodies: string[]; given: unknown[] } {
  const bodies: string[] = [];
  const given: unknown[] = [];
  const answer = (part: string): string =>
    `{"candidates":[{"content":{"role":"model","parts":[${part}]},"finishReason":"STOP"}]}`;
  const model = gemini("gemini-2.5-flash", {
    transport,
    endpoint: endpoint({ baseUrl: "https://gemini.example", apiKey: "k", kind: "developer" }),
    fetch: async (_url, init) => {
      bodies.push(new TextDecoder().decode(init?.body as Uint8Array));
      const json = answer(bodies.length === 1 ? call : '{"text":"Here."}');
      return new Response(transport === "unary" ? json : `data: ${json}\n\n`);
    },
  });
  const look = defineTool({
    name: "look",
    description: "x",
    input: { type: "object" },
    run: (input) => (given.push(input), "seen"),
  });
  return { agent: new Agent({ model, tools: [look] }), bodies, given };
}

describe.each(["stream", "unary"] as const)(
  "over %s, numbers of a call and of fields that are new go back as doubles",
  (how) => {
    test.each(faces)("in one run, read by %s", async (_face, read) => {
      const { agent, bodies, given } = service(how);
      await read(agent, "Go.");
      expect(given).toEqual([values]);
      expect(bodies[1]).toContain(BACK);
    });

    test("in the next message of a chat", async () => {
      const { agent, bodies } = service(how);
      const chat = agent.session();
      await chat.send("Go.");
      await chat.send("And now?");
      expect(bodies[2]).toContain(BACK);
    });

    test("from a session's log, also in another process", async () => {
      const { agent, bodies } = service(how);
      const store = new MemoryStore();
      await agent.session({ id: "s", store }).send("Go.");
      await agent.session({ id: "s", store }).send("And now?");
      // The requests of both runs begin with the same bytes.
      expect(bodies[2]).toContain(BACK);
      expect(bodies[2]?.startsWith(bodies[1]?.slice(0, (bodies[1]?.lastIndexOf("]") ?? 0) - 1) ?? "?")).toBe(true);
    });
  },
);

test("numbers of arguments that come in pieces go back as doubles", async () => {
  const pieces = NUMBERS.map(([, sent], at) => `{"jsonPath":"$.n${at}","numberValue":${sent}}`).join(",");
  const call = `{"functionCall":{"name":"look","partialArgs":[${pieces}],"willContinue":true}},{"functionCall":{}}`;
  const { agent, bodies, given } = service("stream", call);
  await agent.run("Go.");
  expect(given).toEqual([values]);
  expect(bodies[1]).toContain(`{"functionCall":{"name":"look","args":{${backArgs}}}}`);
});
