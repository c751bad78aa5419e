import { createEmulator, grounded, say } from "@pollux/emulator";
import type { GenerateContentResponse } from "@pollux/core/wire";
import { describe, expect, test } from "vitest";
import { byStep, trip } from "../support/trip.ts";
import { MODEL, refusals } from "../support/world.ts";

const found = grounded("It rains in Oslo.", { queries: ["oslo"], sources: [{ title: "yr.no" }] });

/** Bodies like in a gateway's documentation: without roles, with mixed snake_case and camelCase. */
const BODIES: Readonly<Record<string, object>> = {
  "without a role": { contents: [{ parts: [{ text: "Hello" }] }] },
  "with Google Search in snake case": {
    contents: [{ parts: [{ text: "Rain in Oslo?" }] }],
    tools: [{ google_search: {} }],
  },
  "with Google Maps in camel case": { contents: [{ parts: [{ text: "Rain in Oslo?" }] }], tools: [{ googleMaps: {} }] },
  "with code execution": { contents: [{ parts: [{ text: "2 + 2?" }] }], tools: [{ code_execution: {} }] },
  "with settings in snake case": {
    contents: [{ parts: [{ text: "Hello" }] }],
    system_instruction: { parts: [{ text: "Be brief." }] },
    generation_config: { max_output_tokens: 2000, thinking_config: { thinking_level: "low" } },
    safety_settings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
  },
  "with a part that is no list": { contents: { parts: { text: "Hello" } } },
};

const KEYS: readonly (readonly [string, { readonly [name: string]: string }, string])[] = [
  ["a Bearer token", { authorization: "Bearer comet-key" }, ""],
  ["a header of Google's", { "x-goog-api-key": "comet-key" }, ""],
  ["a query parameter", {}, "key=comet-key"],
];

describe.each(KEYS)("the gateway profile, with the key as %s", (_how, headers, query) => {
  test.each(Object.entries(BODIES))("takes a body %s", async (_what, body) => {
    const emulator = createEmulator({ profile: "comet", brain: byStep(() => found) });
    await using server = await emulator.listen();
    const post = (method: string): Promise<Response> =>
      fetch(`${server.url}/v1beta/models/${MODEL}:${method}${method.includes("?") ? "&" : "?"}${query}`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const whole = (await (await post("generateContent")).json()) as GenerateContentResponse;
    expect(whole.candidates?.[0]?.content?.parts?.map((part) => part.text).join("")).toBe("It rains in Oslo.");
    const events = await (await post("streamGenerateContent?alt=sse")).text();
    expect(events).toContain("data: {");
    expect(events.match(/"finishReason": ?"STOP"/g)).toHaveLength(1);
    expect(refusals(emulator)).toEqual([]);
    expect(JSON.stringify(emulator.requests)).not.toContain("comet-key");
  });
});

test("a loop of ten lines around fetch comes to the answer", async () => {
  const emulator = createEmulator({ profile: "comet", brain: trip() });
  await using server = await emulator.listen();
  const declare = (name: string, ...names: string[]): object => ({
    name,
    description: name,
    parameters: { type: "OBJECT", properties: Object.fromEntries(names.map((key) => [key, { type: "STRING" }])) },
  });
  const contents: object[] = [{ parts: [{ text: "Weather?" }] }];
  for (;;) {
    const response = await fetch(`${server.url}/v1beta/models/${MODEL}:generateContent`, {
      method: "POST",
      headers: { authorization: "Bearer comet-key" },
      body: JSON.stringify({
        contents,
        tools: [{ function_declarations: [declare("get_weather", "city"), declare("add", "a", "b")] }],
      }),
    });
    const { candidates } = (await response.json()) as GenerateContentResponse;
    const content = candidates![0]!.content!;
    contents.push(content);
    const made = (content.parts ?? []).flatMap(({ functionCall }) => functionCall ?? []);
    if (made.length === 0) break;
    contents.push({
      role: "user",
      parts: made.map(({ id, name }) => ({ function_response: { id, name, response: { result: 4 } } })),
    });
  }
  expect(contents).toHaveLength(6);
  expect(emulator.requests).toHaveLength(3);
  expect(refusals(emulator)).toEqual([]);
});

test("without a key, or with a Google key as a Bearer token at Google, nobody is let in", async () => {
  for (const [profile, headers, status] of [
    ["comet", {}, 401],
    ["developer", {}, 403],
    ["developer", { authorization: "Bearer AIzaSyA-not-a-token-but-a-key-00000000000" }, 401],
  ] as const) {
    const emulator = createEmulator({ profile, brain: byStep(() => say("Hi.")) });
    await using server = await emulator.listen();
    const response = await fetch(`${server.url}/v1beta/models/${MODEL}:generateContent`, {
      method: "POST",
      headers,
      body: JSON.stringify({ contents: [{ parts: [{ text: "Hello" }] }] }),
    });
    expect(response.status, profile).toBe(status);
  }
});
