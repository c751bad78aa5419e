import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Agent, endpoint, gemini, type RunEvent } from "@pollux/core";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { mcpTools } from "@pollux/tools/mcp";
import { expect, test } from "vitest";
import { programFile } from "../support/programs.ts";

const node = process.execPath;
const everything = { command: node, args: [programFile("@modelcontextprotocol/server-everything", "dist/index.js")] };

test("an agent with the tools of two servers: text, progress, an image as media, a refusal as data", async () => {
  const folder = fileURLToPath(new URL("../support", import.meta.url));
  await using all = await mcpTools(everything, { prefix: "all" });
  await using files = await mcpTools(
    { command: node, args: [programFile("@modelcontextprotocol/server-filesystem", "dist/index.js"), folder] },
    { prefix: "fs", include: ["read_text_file"] },
  );
  const model = new ScriptedModel(
    calls(
      { name: "all_get_sum", args: { a: 1, b: 2 } },
      "all_get_tiny_image",
      { name: "all_trigger_long_running_operation", args: { duration: 0.2, steps: 2 } },
      { name: "fs_read_text_file", args: { path: `${folder}/trip.ts` } },
      { name: "fs_read_text_file", args: { path: "/etc/passwd" } },
    ),
    say("Done."),
  );
  const run = new Agent({ model, tools: () => [...all.tools, ...files.tools] }).stream("Go.");
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  const result = await run.result();

  expect({ text: result.text, stopReason: result.stopReason }).toEqual({ text: "Done.", stopReason: "finished" });
  expect(events.flatMap((event) => (event.type === "tool-progress" ? [event.progress] : []))).toEqual([
    { progress: 1, total: 2 },
    { progress: 2, total: 2 },
  ]);
  const responses = model.requests[1]?.contents.at(-1)?.parts.map(({ functionResponse }) => functionResponse);
  expect(responses).toMatchObject([
    { name: "all_get_sum", response: { output: "The sum of 1 and 2 is 3." } },
    { name: "all_get_tiny_image", parts: [{ inlineData: { mimeType: "image/png" } }] },
    { name: "all_trigger_long_running_operation", response: { output: expect.stringMatching(/completed/) } },
    { name: "fs_read_text_file", response: { output: { content: readFileSync(`${folder}/trip.ts`, "utf8") } } },
    { name: "fs_read_text_file", response: { error: expect.stringMatching(/outside allowed directories/) } },
  ]);
});

test("an abort of the run leaves no server behind once it is closed", async () => {
  const abort = new AbortController();
  const server = await mcpTools(everything);
  const model = new ScriptedModel(call("trigger_long_running_operation", { duration: 3000, steps: 30_000 }));
  const run = new Agent({ model, tools: server.tools }).stream("Go.", { signal: abort.signal });
  const reading = (async () => {
    // After the report of the first step, the server is working.
    for await (const event of run) if (event.type === "tool-progress") abort.abort(new Error("enough"));
  })();
  await expect(reading).rejects.toThrow("enough");
  await server.close();
});

test("a whole run over HTTP against the emulator, which takes every declaration of the server", async () => {
  const emulator = createEmulator({ brain: improvise() });
  await using service = await emulator.listen();
  await using all = await mcpTools(everything);
  const model = gemini("gemini-flash-latest", { endpoint: endpoint({ baseUrl: service.url }) });
  const result = await new Agent({ model, tools: () => all.tools }).run("Please echo hello.");
  expect(result.stopReason).toBe("finished");
  expect(emulator.requests.length).toBeGreaterThan(0);
});
