import { type UIMessageChunk, uiMessageStreamResponse } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";

describe("a stream of events", () => {
  fakeTime("leaps");

  // Bun closes a connection that is silent for ten seconds.
  test.each([1, 3999, 4000, 4001, 7999])("is silent for eight seconds at most, after a chunk at %i ms", async (at) => {
    const stream = new ReadableStream<UIMessageChunk>({
      start(controller) {
        setTimeout(() => controller.enqueue({ type: "start-step" }), at);
        setTimeout(() => controller.close(), 60_000);
      },
    });
    const times = [Date.now()];
    let text = "";
    for await (const piece of uiMessageStreamResponse(stream).body ?? []) {
      times.push(Date.now());
      text += new TextDecoder().decode(piece);
    }
    const silences = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...silences)).toBeLessThanOrEqual(8000);
    // Not more comments than are needed.
    expect(text.split(": keep-alive\n\n").length - 1).toBeLessThanOrEqual(9);
    expect(text.replaceAll(": keep-alive\n\n", "")).toBe('data: {"type":"start-step"}\n\ndata: [DONE]\n\n');
  });

  // As where the host's own buffer is full for a moment, again and again.
  test("does not end because a reader took each comment a little late", async () => {
    const stream = new ReadableStream<UIMessageChunk>({
      start: (controller) => void setTimeout(() => controller.close(), 600_000),
    });
    const reader = uiMessageStreamResponse(stream).body?.getReader();
    let text = "";
    for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read()) {
      text += new TextDecoder().decode(piece.value);
      await new Promise((resolve) => setTimeout(resolve, 13_000));
    }
    expect(text.replaceAll(": keep-alive\n\n", "")).toBe("data: [DONE]\n\n");
  });
});
