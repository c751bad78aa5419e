import { Agent } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { add } from "../support/trip.ts";
import { answer, chunk, eventStream, openRawService } from "../support/raw-service.ts";

const CALL = { functionCall: { name: "add", args: { a: 1, b: 2 } } };

describe.each(faces)("%s", (_face, read) => {
  const ask = async (parts: readonly object[], finishReason: string) => {
    await using service = await openRawService(
      { body: eventStream(chunk(parts, finishReason)) },
      answer({ text: "Three." }),
    );
    const result = await read(new Agent({ model: service.model(), tools: [add] }), "Go.");
    return { result, requests: service.bodies.length };
  };

  test.each(["stop", "Stop", "end_turn", "END_TURN"])("%s ends a turn with text", async (word) => {
    const { result, requests } = await ask([{ text: "Hello." }], word);
    expect(result).toMatchObject({ stopReason: "finished", text: "Hello.", response: { finishReason: word } });
    expect(requests).toBe(1);
  });

  test.each(["stop", "end_turn", "tool_calls", "function_call", "tool_use", "length"])(
    "calls of a turn that ended with %s are answered",
    async (word) => {
      const { result, requests } = await ask([CALL], word);
      expect(result).toMatchObject({ stopReason: "finished", text: "Three." });
      expect(requests).toBe(2);
    },
  );

  test.each(["length", "LENGTH", "max_tokens"])("%s is a cut-off answer", async (word) => {
    const { result } = await ask([{ text: "It was" }], word);
    expect(result).toMatchObject({ stopReason: "truncated", text: "It was", response: { finishReason: word } });
  });

  test("content_filter is a refusal", async () => {
    const { result } = await ask([{ text: "I" }], "content_filter");
    expect(result).toMatchObject({ stopReason: "blocked", finishReason: "content_filter" });
  });

  test.each(["error", "eos", "other", "safety?", "FINISH_REASON_UNSPECIFIED"])(
    "%s stays unknown, and keeps its word",
    async (word) => {
      const { result, requests } = await ask([{ text: "Hello." }], word);
      expect(result).toMatchObject({ stopReason: "unknown-finish", finishReason: word });
      expect(requests).toBe(1);
    },
  );
});
