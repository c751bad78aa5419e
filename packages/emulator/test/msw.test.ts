import { setupServer } from "msw/node";
import { expect, test } from "vitest";
import { createEmulator, script, text } from "../src/index.ts";
import { handlers } from "../src/msw.ts";
import { ask, eventsIn, MODEL, textOf } from "./support.ts";

test("answers requests to Google's address inside the process", async () => {
  const emulator = createEmulator({ brain: script([text("Hi there")]) });
  const server = setupServer(...handlers(emulator));
  server.listen({ onUnhandledFrame: "error" });
  try {
    const url = `https://generativelanguage.googleapis.com/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`;
    const response = await fetch(url, {
      method: "POST",
      headers: { "x-goog-api-key": "k" },
      body: JSON.stringify(ask("Hello")),
    });
    expect(textOf(...eventsIn(await response.text()))).toBe("Hi there");
  } finally {
    server.close();
  }
  expect(emulator.requests).toHaveLength(1);
});
