import { expect, test } from "vitest";
import { closeOpenCalls, endsOnOpenCall } from "../../src/loop/transcript.ts";
import type { Content } from "../../src/wire/types/content.ts";

const asked: Content = { role: "user", parts: [{ text: "go" }] };
const open: Content = {
  role: "model",
  parts: [
    { text: "let me see" },
    { functionCall: { id: "a1", name: "look", args: {} } },
    { functionCall: { name: "listen" } },
  ],
};

test("open calls are answered in order, ready answers first, the others as cancelled", () => {
  const ready = { functionResponse: { name: "listen", response: { output: "birds" } } };
  const closed = closeOpenCalls([asked, open], new Map([[1, ready]]));
  expect(closed).toEqual([
    asked,
    open,
    {
      role: "user",
      parts: [
        {
          functionResponse: {
            id: "a1",
            name: "look",
            response: { error: "cancelled: the run ended before this call finished" },
          },
        },
        ready,
      ],
    },
  ]);
  expect(endsOnOpenCall(closed)).toBe(false);
});

test("a history without an open call stays the same object", () => {
  const history = [asked, { role: "model", parts: [{ text: "hello" }] }] as const;
  expect(closeOpenCalls(history)).toBe(history);
});
