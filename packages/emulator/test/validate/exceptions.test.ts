import { expect, test } from "vitest";
import { createEmulator } from "../../src/index.ts";
import { improvise } from "../../src/improvise.ts";
import { post } from "../support.ts";
import { type Asked, call, HELLO, model, outcome, text, user } from "./request.ts";

const named = { name: "f" };
const bare = { ...named, parameters: { type: "object" } };
const declare = (...functionDeclarations: readonly unknown[]) => ({ ...HELLO, tools: [{ functionDeclarations }] });
const between = (...middle: readonly unknown[]) => ({ contents: [user(text("q")), ...middle, user(text("and?"))] });
const answered = (functionResponse: unknown) => ({
  contents: [user(text("q")), model(call("f", undefined, "SIG1")), user({ functionResponse })],
});
const tools = (tool: unknown) => ({ ...HELLO, tools: [tool, { functionDeclarations: [named] }] });

/** A request recorded with 200, the newest model it was recorded on, a newer model, and similar requests. */
const EXCEPTIONS: readonly (readonly [rule: string, body: unknown, newest: string, newer: string, near: unknown[]])[] =
  [
    [
      "E-05",
      between({ role: "model" }),
      "gemini-2.5-flash",
      "gemini-3.8-flash",
      [between({ role: "user" }), between({ role: "user", parts: [] })],
    ],
    [
      "E-06",
      between(model(text("a"), { thoughtSignature: "SIG1" })),
      "gemini-3.1-pro-preview",
      "gemini-3.8-flash",
      [between(user({ thoughtSignature: "SIG1" })), between(model(text("a"), {}))],
    ],
    ["E-18", answered(named), "gemini-3.5-flash", "gemini-3.8-flash", [answered({ ...named, response: "1" })]],
    [
      "E-21",
      declare(bare, { name: "g" }),
      "gemini-2.5-flash",
      "gemini-3.8-flash",
      [
        declare(bare),
        declare(named, { name: "g", parameters: { type: "object", properties: { a: { type: "object" } } } }),
      ],
    ],
    [
      "E-35",
      tools({ urlContext: {} }),
      "gemini-3-pro-preview",
      "gemini-3-flash-preview",
      [tools({ googleSearch: {} }), tools({ urlContext: {}, googleSearch: {} })],
    ],
  ];

const ruleOf = (asked: Asked) => {
  const found = outcome(asked);
  return found === "accepted" ? found : found.rule;
};

test.each(EXCEPTIONS)("%s is not applied to what was recorded", (_rule, body, newest) => {
  expect(ruleOf({ body, model: newest })).toBe("accepted");
});

test.each(EXCEPTIONS)(
  "%s is applied to newer models and to what only resembles it",
  (rule, body, newest, newer, near) => {
    expect(ruleOf({ body, model: newer })).toBe(rule);
    // On Vertex, E-35 has no counterpart.
    if (rule !== "E-35") expect(ruleOf({ body, model: newest, profile: "vertex" })).toBe(rule);
    expect(near.map((other) => ruleOf({ body: other, model: newest }))).toEqual(near.map(() => rule));
  },
);

test.each(EXCEPTIONS)("%s: the switch makes the exception everywhere, or nowhere", (rule, body, newest, newer) => {
  expect(ruleOf({ body, model: newer, strict: { exceptions: "accept" } })).toBe("accepted");
  expect(ruleOf({ body, model: newest, strict: { exceptions: "refuse" } })).toBe(rule);
});

test.each(EXCEPTIONS)("%s: what is taken is also counted and answered", async (_rule, body, newest) => {
  const emulator = createEmulator({ brain: improvise() });
  const sent: unknown = JSON.parse(JSON.stringify(body).replaceAll("SIG1", "skip_thought_signature_validator"));
  for (const method of ["generateContent", "streamGenerateContent", "countTokens"]) {
    const counted = method === "countTokens" ? { generateContentRequest: sent } : sent;
    expect((await post(emulator, method, counted, newest)).status).toBe(200);
  }
});

test.each(["gemini-2.5-flash", "gemini-3.8-flash"])("types can be numbers, as protobuf spells them: %s", (id) => {
  const parameters = { type: 6, properties: { a: { type: 1 }, b: { type: 5, items: { type: 3 } } } };
  const responseSchema = { type: 6, properties: { a: { type: 2 } } };
  const generationConfig = { responseMimeType: "application/json", responseSchema };
  for (const profile of ["developer", "vertex"] as const) {
    expect(outcome({ profile, model: id, body: declare({ ...named, parameters }) })).toBe("accepted");
    expect(outcome({ profile, model: id, body: { ...HELLO, generationConfig } })).toBe("accepted");
    expect(ruleOf({ profile, model: id, body: declare({ ...named, parameters: { type: 5 } }) })).toBe("E-23");
  }
});
