import { createEmulator } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { ANSWER, trip } from "../support/trip.ts";
import { MODEL, refusals } from "../support/world.ts";
import { describeClient, recordedTools } from "./behaviors.ts";
import { callFunctions, generate, PYTHON_GENAI, stream, userSaid } from "./python-genai-client.ts";

for (const client of PYTHON_GENAI) describeClient(client);

describe.each([MODEL, "gemini-2.5-flash"])("a chat of the Python SDK goes on, with %s", (model) => {
  test.each([
    ["whole", generate],
    ["streamed", stream],
  ])("%s", async (_how, send) => {
    const emulator = createEmulator({ brain: trip() });
    await using server = await emulator.listen();
    const { tools, ran } = recordedTools();
    const contents: object[] = [];
    for (const message of ["Weather?", "And now?"]) {
      contents.push(userSaid(message));
      const ask = (body: object) => send({ url: server.url, key: "emulator", model }, `/v1beta/models/${model}`, body);
      expect(await callFunctions(contents, tools, ask)).toBe(ANSWER);
    }
    expect(ran).toHaveLength(6);
    expect(refusals(emulator)).toEqual([]);
  });
});
