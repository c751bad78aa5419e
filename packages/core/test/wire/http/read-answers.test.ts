import { expect, test } from "vitest";
import { ApiShapeError } from "../../../src/errors/api-errors.ts";
import { parseAnswers } from "../../../src/wire/http/read-answers.ts";

test.each([
  ["an empty object", {}],
  ["no candidates, only usage", { usageMetadata: { totalTokenCount: 3 }, modelVersion: "m" }],
  ["a blocked prompt", { promptFeedback: { blockReason: "SAFETY" } }],
  ["a candidate without content", { candidates: [{ finishReason: "SAFETY" }] }],
  ["an empty content", { candidates: [{ content: {} }] }],
  ["a content without parts", { candidates: [{ content: { role: "model" }, finishReason: "STOP" }] }],
  ["unknown fields and parts", { candidates: [{ content: { parts: [{ novelty: { x: 1 } }], y: 2 }, z: 3 }], w: 4 }],
  ["an unknown finish reason", { candidates: [{ finishReason: "NEW_WORD" }] }],
  ["the end of a streamed call", { candidates: [{ content: { parts: [{ functionCall: {} }] } }] }],
])("takes %s as it is", (_name, answer) => {
  expect(parseAnswers(JSON.stringify(answer))).toEqual([{ response: answer }]);
});

test.each([
  ["numbers for words", { candidates: [{ finishReason: 1 }] }, { candidates: [{ finishReason: "STOP" }] }],
  ["unknown numbers", { candidates: [{ finishReason: 99 }] }, { candidates: [{ finishReason: "99" }] }],
  [
    "a number for a block reason",
    { promptFeedback: { blockReason: 4 } },
    { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } },
  ],
  [
    "null fields",
    { candidates: [{ content: { parts: null }, finishReason: null }], usageMetadata: null, error: null },
    { candidates: [{ content: {} }], error: null },
  ],
  ["null candidates", { candidates: null }, {}],
])("reads %s", (_name, answer, response) => {
  expect(parseAnswers(JSON.stringify(answer))).toEqual([{ response }]);
});

test.each([
  ["Google's shape", { error: { code: 503, message: "m", status: "UNAVAILABLE" } }],
  ["an error as text", { error: "no" }],
  ["a gateway's shape", { error: { message: "m", type: "new_api_error", code: "" } }],
  ["a bare error", { code: 503, message: "m" }],
])("recognizes %s as an error", (_name, error) => {
  expect(parseAnswers(JSON.stringify(error))).toEqual([{ error }]);
  expect(parseAnswers(JSON.stringify([{ candidates: [] }, error]))).toEqual([
    { response: { candidates: [] } },
    { error },
  ]);
});

test.each([
  ["", "$"],
  ["<html>", "$"],
  ["12", "$"],
  ['[{"candidates":[]},7]', "$[1]"],
  ['{"candidates":{}}', "$.candidates"],
  ['{"candidates":["x"]}', "$.candidates[0]"],
  ['{"candidates":[{"content":"x"}]}', "$.candidates[0].content"],
  ['{"candidates":[{"finishReason":{}}]}', "$.candidates[0].finishReason"],
  ['{"candidates":[{"content":{"parts":{}}}]}', "$.candidates[0].content.parts"],
  ['{"candidates":[{"content":{"parts":[1]}}]}', "$.candidates[0].content.parts[0]"],
  ['{"candidates":[{"content":{"parts":[{"text":1}]}}]}', "$.candidates[0].content.parts[0].text"],
  ['{"candidates":[{"content":{"parts":[{"functionCall":"f"}]}}]}', "$.candidates[0].content.parts[0].functionCall"],
  [
    '{"candidates":[{"content":{"parts":[{"functionCall":{"args":[]}}]}}]}',
    "$.candidates[0].content.parts[0].functionCall.args",
  ],
  [
    '{"candidates":[{"content":{"parts":[{"functionCall":{"name":["f"]}}]}}]}',
    "$.candidates[0].content.parts[0].functionCall.name",
  ],
  [
    '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":{}}}]}}]}',
    "$.candidates[0].content.parts[0].functionCall.partialArgs",
  ],
  [
    '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[null]}}]}}]}',
    "$.candidates[0].content.parts[0].functionCall.partialArgs",
  ],
  ['{"usageMetadata":3}', "$.usageMetadata"],
  ['{"promptFeedback":3}', "$.promptFeedback"],
])("refuses %s at %s", (text, path) => {
  expect(() => parseAnswers(text)).toThrow(expect.objectContaining({ code: "api_shape", path }));
});

test("what is not an object and nests 6,000 levels is refused by its path", () => {
  const text = `{"candidates":${"[".repeat(6_000)}${"]".repeat(6_000)}}`;
  expect(() => parseAnswers(text)).toThrow(
    expect.objectContaining({ code: "api_shape", path: "$.candidates[0]", excerpt: "a value that nests too deep" }),
  );
});

test("an excerpt is bounded", () => {
  try {
    parseAnswers(JSON.stringify({ candidates: "x".repeat(5000) }));
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ApiShapeError);
    expect((error as ApiShapeError).excerpt).toHaveLength(200);
  }
});
