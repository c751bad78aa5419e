import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../../../src/errors/agent-error.ts";
import { inferCapabilities } from "../../../src/model/capabilities.ts";
import type { Thinking } from "../../../src/model/settings.ts";
import { buildThinkingConfig } from "../../../src/model/request/thinking.ts";

const configOf = (id: string, thinking?: Thinking, includeThoughts?: boolean): unknown =>
  buildThinkingConfig(thinking, includeThoughts, inferCapabilities(id), id);

test.each<[string, Thinking, unknown]>([
  ["gemini-3.6-flash", "off", { thinkingLevel: "MINIMAL" }],
  ["gemini-3.6-flash", "minimal", { thinkingLevel: "MINIMAL" }],
  ["gemini-3.8-flash", "low", { thinkingLevel: "LOW" }],
  ["gemini-4-argon", "medium", { thinkingLevel: "MEDIUM" }],
  ["gemini-3-pro-preview", "high", { thinkingLevel: "HIGH" }],
  ["gemini-4-hydrogen", "xhigh", { thinkingLevel: "xhigh" }],
  ["gemma-4-31b-it", "off", { thinkingLevel: "MINIMAL" }],
  ["gemini-2.5-flash", "off", { thinkingBudget: 0 }],
  ["gemini-2.5-flash", "minimal", { thinkingBudget: 512 }],
  ["gemini-2.5-flash", "low", { thinkingBudget: 1024 }],
  ["gemini-2.5-flash", "medium", { thinkingBudget: 8192 }],
  ["gemini-2.5-flash", "xhigh", { thinkingBudget: 24_576 }],
  ["gemini-2.5-pro", "xhigh", { thinkingBudget: 32_768 }],
  ["gemini-2.5-flash", { budget: -1 }, { thinkingBudget: -1 }],
  ["gemini-2.5-pro", { budget: 128 }, { thinkingBudget: 128 }],
  ["gemini-2.0-flash", "off", undefined],
])("%s with %o asks for %o", (id, thinking, config) => {
  expect(configOf(id, thinking)).toEqual(config);
});

test.each<[string, Thinking, RegExp]>([
  ["gemini-3.8-flash", "off", /cannot turn thinking off: use one of "low", "medium", "high"/],
  ["gemini-3.8-flash", "minimal", /does not accept thinking "minimal": use one of "low"/],
  ["gemini-4-argon", "xhigh", /use one of "low", "medium", "high"/],
  ["gemini-4-argon", { budget: 100 }, /accepts a thinking level, not a budget/],
  ["gemini-2.5-pro", "off", /cannot turn thinking off: use a budget from 128 to 32768/],
  ["gemini-2.5-pro", { budget: 127 }, /127 does not work/],
  ["gemini-2.5-flash-lite", { budget: 100 }, /from 512 to 24576 tokens, -1 \(the model decides\), "off"/],
  ["gemini-2.5-flash", { budget: 1.5 }, /1.5 does not work/],
  ["gemini-2.0-flash", "low", /does not think/],
])("%s with %o is refused with the values that work", (id, thinking, message) => {
  expect(() => configOf(id, thinking)).toThrow(ConfigurationError);
  expect(() => configOf(id, thinking)).toThrow(message);
});

describe("thought summaries", () => {
  test("are asked for by themselves", () => {
    expect(configOf("gemini-3.8-flash", undefined, true)).toEqual({ includeThoughts: true });
    expect(configOf("gemini-3.8-flash", "low", true)).toEqual({ includeThoughts: true, thinkingLevel: "LOW" });
  });
  test("are left out where there are none, or none are wanted", () => {
    expect([configOf("gemini-2.0-flash", undefined, true), configOf("gemini-3.8-flash", undefined, false)]).toEqual([
      undefined,
      undefined,
    ]);
  });
});
