import { setupServer } from "msw/node";
import { expect, test } from "vitest";
import { createEmulator, script, say } from "../src/index.ts";
import { handlers } from "../src/msw.ts";
import { ask, eventsIn, MODEL, textOf } from "./support.ts";

test("answers requests to Google's address inside the process", async () => {
  const emulator = createEmulator({ brain: script([say("Hi there")]) });
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
    const started = await fetch("https://generativelanguage.googleapis.com/upload/v1beta/files", {
      method: "POST",
      headers: { "x-goog-api-key": "k", "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" },
      body: JSON.stringify({ file: { name: "files/a", mimeType: "text/plain" } }),
    });
    const uploaded = await fetch(started.headers.get("x-goog-upload-url") ?? "", {
      method: "POST",
      headers: { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" },
      body: "abc",
    });
    expect(await uploaded.json()).toMatchObject({
      file: { uri: "https://generativelanguage.googleapis.com/v1beta/files/a", sizeBytes: "3" },
    });
  } finally {
    server.close();
  }
  expect(emulator.requests).toHaveLength(3);
});
