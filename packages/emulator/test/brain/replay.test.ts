import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createEmulator, loadRecording, type ReplayExchange, replay } from "../../src/index.ts";
import { ask, MODEL, post } from "../support.ts";

const exchange = (prompt: string, said: string): ReplayExchange => ({
  method: "POST",
  path: `/v1beta/models/${MODEL}:generateContent`,
  model: MODEL,
  request: { contents: [{ parts: { text: prompt } }], safety_settings: null },
  status: 200,
  responseHeaders: { "content-type": "application/json; charset=UTF-8" },
  responseBody: `{ "said":\n"${said}" }`,
});

describe("replay", () => {
  test("gives the recorded bytes to the same request in another spelling, in any order", async () => {
    const emulator = createEmulator({ brain: replay({ exchanges: [exchange("One", "1"), exchange("Two", "2")] }) });
    expect(await (await post(emulator, "generateContent", ask("Two"))).text()).toBe('{ "said":\n"2" }');
    expect(await (await post(emulator, "generateContent", ask("One"))).text()).toBe('{ "said":\n"1" }');
  });

  test("takes repeated requests in recorded order", async () => {
    const emulator = createEmulator({
      brain: replay({ exchanges: [exchange("One", "first"), exchange("One", "second")] }),
    });
    expect(await (await post(emulator, "generateContent", ask("One"))).json()).toEqual({ said: "first" });
    expect(await (await post(emulator, "generateContent", ask("One"))).json()).toEqual({ said: "second" });
  });

  test("refuses a request that differs, and shows where", async () => {
    const emulator = createEmulator({ brain: replay({ exchanges: [exchange("One", "1")] }) });
    const response = await post(emulator, "generateContent", ask("Other"));
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        error: {
          code: 400,
          status: "FAILED_PRECONDITION",
          message:
            'The request differs from recorded exchange 1 of 1: contents[0].parts[0].text was "One" and is now "Other".',
        },
      },
    ]);
    expect(await (await post(emulator, "streamGenerateContent?alt=sse", ask("One"))).json()).toMatchObject({
      error: { message: expect.stringContaining("the operation was generateContent") },
    });
  });

  test("reads folders, and says which file is not a recording", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pollux-replay-"));
    await writeFile(join(folder, "2.json"), JSON.stringify({ exchanges: [exchange("Two", "2")] }));
    await writeFile(join(folder, "1.json"), JSON.stringify({ exchanges: [exchange("One", "1")] }));
    expect((await loadRecording(folder)).exchanges.map((item) => item.responseBody)).toEqual([
      '{ "said":\n"1" }',
      '{ "said":\n"2" }',
    ]);
    await writeFile(join(folder, "3.json"), "{}");
    await expect(loadRecording(folder)).rejects.toThrow(/3\.json is not a recording/);
    await rm(folder, { recursive: true });
  });
});

const RECORDED = "../shared/recordings/chatlas/test_provider_google_test_tools_parallel.json";

test.skipIf(!existsSync(RECORDED))("recorded traffic of the service replays byte for byte", async () => {
  const recording = await loadRecording(RECORDED);
  const { exchanges } = recording;
  const emulator = createEmulator({ brain: replay({ exchanges }) });
  for (const { path, request, responseBody } of exchanges) {
    const response = await emulator.fetch(path ?? "", {
      method: "POST",
      headers: { "x-goog-api-key": "k" },
      body: JSON.stringify(request),
    });
    expect(await response.text()).toBe(responseBody);
  }
});
