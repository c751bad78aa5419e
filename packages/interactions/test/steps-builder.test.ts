import { expect, test } from "vitest";
import { type InteractionEvent, type Step, StepsBuilder } from "../src/index.ts";

function build(
  step: Step,
  ...deltas: readonly { readonly type: string; readonly [field: string]: unknown }[]
): readonly Step[] {
  const builder = new StepsBuilder();
  const events: readonly InteractionEvent[] = [
    { event_type: "step.start", index: 3, step },
    ...deltas.map((delta) => ({ event_type: "step.delta" as const, index: 3, delta })),
    { event_type: "step.stop", index: 3 },
  ];
  for (const event of events) builder.add(event);
  return builder.steps;
}

test.each<[string, readonly Step[], Step]>([
  [
    "texts and their annotations, and a picture between them",
    build(
      { type: "model_output" },
      { type: "text", text: "a" },
      { type: "text", text: "b" },
      { type: "text_annotation_delta", annotations: [{ type: "url_citation", url: "u" }] },
      { type: "image", data: "aGk=" },
      { type: "text", text: "c" },
    ),
    {
      type: "model_output",
      content: [
        { type: "text", text: "ab", annotations: [{ type: "url_citation", url: "u" }] },
        { type: "image", data: "aGk=" },
        { type: "text", text: "c" },
      ],
    },
  ],
  [
    "a thought, whose signature comes twice, and empty at first",
    build(
      { type: "thought" },
      { type: "thought_signature", signature: "" },
      { type: "thought_summary", content: { text: "Hm." } },
      { type: "thought_signature", signature: "s" },
    ),
    { type: "thought", summary: [{ text: "Hm." } as never], signature: "s" },
  ],
  [
    "a function call, with arguments in pieces",
    build(
      { type: "function_call", id: "c", name: "f", arguments: {} },
      { type: "arguments_delta", arguments: '{"a":' },
      { type: "arguments_delta", arguments: "1}" },
    ),
    { type: "function_call", id: "c", name: "f", arguments: { a: 1 } },
  ],
  [
    "a function call without arguments",
    build({ type: "function_call", id: "c", name: "f", arguments: {} }),
    { type: "function_call", id: "c", name: "f", arguments: {} },
  ],
  [
    "a built-in tool, which comes whole",
    build(
      { type: "google_search_call", id: "c", signature: "" },
      { type: "google_search_call", arguments: { queries: ["q"] }, signature: "s" },
    ),
    { type: "google_search_call", id: "c", signature: "s", arguments: { queries: ["q"] } },
  ],
  [
    "a step and a delta that nobody knows",
    build({ type: "dream", of: 1 }, { type: "vision", of: 2 }),
    { type: "dream", of: 1 },
  ],
])("%s", (_, steps, expected) => {
  expect(steps).toEqual([expected]);
});

test("arguments that are not JSON are an error, not an empty object", () => {
  expect(() =>
    build({ type: "function_call", id: "c", name: "f" }, { type: "arguments_delta", arguments: '{"a' }),
  ).toThrow("are not JSON");
});
