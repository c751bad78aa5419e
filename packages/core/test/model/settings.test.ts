import { expect, test } from "vitest";
import { ConfigurationError } from "../../src/errors/agent-error.ts";
import { inferCapabilities } from "../../src/wire/known-models.ts";
import { checkSettings, type ModelSettings } from "../../src/model/settings.ts";

const check = (settings: ModelSettings, id = "gemini-3.8-flash", kind?: "developer" | "vertex"): void =>
  checkSettings(settings, inferCapabilities(id), id, kind);

test.each<[ModelSettings, RegExp]>([
  [{ thinking: "off" }, /cannot turn thinking off/],
  [{ temperature: 2.1 }, /temperature is 2.1: it must be a number from 0 to 2/],
  [{ temperature: Number.NaN }, /temperature is NaN/],
  [{ topP: -0.1 }, /topP is -0.1/],
  [{ topK: 0 }, /topK is 0: it must be an integer of at least 1/],
  [{ maxOutputTokens: 0 }, /maxOutputTokens is 0/],
  [{ maxOutputTokens: 1.5 }, /maxOutputTokens is 1.5/],
  [{ seed: 2 ** 31 }, /seed is 2147483648/],
  [{ presencePenalty: Infinity }, /presencePenalty is Infinity/],
  [{ stopSequences: ["a", "b", "c", "d", "e", "f"] }, /6 stopSequences: the service accepts at most 5/],
  [{ stopSequences: [""] }, /stop sequence is empty/],
  [{ cachedContent: "" }, /cachedContent is empty/],
  [{ location: { latitude: 91, longitude: 0 } }, /latitude ranges from -90 to 90/],
])("%o is refused", (settings, message) => {
  expect(() => check(settings)).toThrow(ConfigurationError);
  expect(() => check(settings)).toThrow(message);
});

test("the edges of all ranges are taken", () => {
  expect(() =>
    check({
      temperature: 0,
      topP: 1,
      topK: 1,
      maxOutputTokens: 1,
      seed: 0,
      stopSequences: ["a", "b", "c", "d", "e"],
      location: { latitude: -90, longitude: 180 },
    }),
  ).not.toThrow();
});

test("what depends on the endpoint is refused only there", () => {
  expect(() => check({ serviceTier: "flex" }, "gemini-3.8-flash", "vertex")).toThrow(/only on the Developer API/);
  expect(() => check({ serviceTier: "flex" }, "gemini-3.8-flash", "developer")).not.toThrow();
  expect(() => check({ frequencyPenalty: 1 }, "gemini-2.5-flash", "developer")).toThrow(
    /does not accept frequencyPenalty/,
  );
  expect(() => check({ frequencyPenalty: 1 }, "gemini-2.5-flash", "vertex")).not.toThrow();
});

test.each<[string, ModelSettings]>([
  ["outputConfig", { outputConfig: { outputUriPrefix: "gs://a/" } }],
  ["personGeneration", { imageConfig: { personGeneration: "ALLOW_NONE" } }],
  ["prominentPeople", { imageConfig: { prominentPeople: "BLOCK_PROMINENT_PEOPLE" } }],
  ["imageOutputOptions", { imageConfig: { imageOutputOptions: { mimeType: "image/png" } } }],
])("%s works on Vertex, and not on the Developer API", (name, settings) => {
  const model = "gemini-3.1-flash-image";
  expect(() => check(settings, model, "vertex")).not.toThrow();
  expect(() => check(settings, model, "developer")).toThrow(`${name} works only on Vertex; remove it.`);
});
