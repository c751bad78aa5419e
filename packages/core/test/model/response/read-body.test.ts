import { readResponseBody } from "@pollux/core/model";
import { expect, test } from "vitest";

const chunk = (text: string, finishReason?: string): object => ({
  candidates: [{ content: { role: "model", parts: [{ text }] }, ...(finishReason && { finishReason }) }],
});
const events = (...chunks: readonly object[]): string =>
  chunks.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join("");

test.each([
  ["an event stream", events(chunk("It is "), chunk("3.", "STOP"))],
  ["a JSON object", JSON.stringify(chunk("It is 3.", "STOP"), null, 2)],
  ["a list of JSON objects", JSON.stringify([chunk("It is "), chunk("3.", "STOP")])],
])("the answer in %s", (_name, body) => {
  const { response, error } = readResponseBody(body);
  expect(error).toBeUndefined();
  expect(response).toMatchObject({
    content: { role: "model", parts: [{ text: "It is 3." }] },
    finishReason: "STOP",
    candidate: { finishReason: "STOP" },
  });
});

test("a stream that was cut off is the answer so far, without a finish reason", () => {
  const { response } = readResponseBody(events(chunk("It is ")));
  expect(response).toMatchObject({ content: { parts: [{ text: "It is " }] }, finishReason: "" });
  expect(response.usage.incomplete).toBe(true);
});

test("an error is given as received, also one after the beginning of an answer", () => {
  const error = { error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } };
  expect(readResponseBody(JSON.stringify(error)).error).toEqual(error);
  expect(readResponseBody(events(chunk("It is "), error))).toMatchObject({
    response: { content: { parts: [{ text: "It is " }] } },
    error,
  });
});

test.each(["", "<html>", "[1]"])("what is no answer is refused: %j", (body) => {
  expect(() => readResponseBody(body)).toThrow(expect.objectContaining({ name: "ApiShapeError" }));
});
