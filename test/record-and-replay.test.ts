import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, ApiStatusError, defineTool, endpoint, gemini, type RunResult } from "@pollux/core";
import { files } from "@pollux/core/resources";
import { nodeTransport } from "@pollux/core/node";
import {
  calls,
  createEmulator,
  fault,
  faults,
  recordFetch,
  type RecordingFetch,
  type RecordingFile,
  replay,
  script,
  say,
  think,
} from "@pollux/emulator";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { fileService } from "../packages/core/test/helpers/file-service.ts";
import { runCli } from "./contract/run-cli.ts";

const KEY = "AIzaSyA-0123456789-abcdefghijklmnopqrstu";
const PROMPT = "How warm is it in Oslo and in Rome?";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "pollux-cases-"))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

/** A run that calls two functions, one of which fails, and meets an overloaded service on its way. */
const LINES = [
  [think("Two cities."), calls({ name: "get_weather", args: { city: "Oslo" } }, "get_time")],
  fault(faults.overloaded(), say("It is 9 °C in Oslo, and the time is not known.")),
  say("It is 9 °C in Oslo, and the time is not known."),
];

type Fetch = RecordingFetch | typeof globalThis.fetch;

function agentAt(url: string, fetch: Fetch, transport: "stream" | "unary"): Agent {
  const model = gemini("gemini-3.8-flash", {
    endpoint: endpoint({ baseUrl: url, apiKey: KEY }),
    fetch,
    transport,
    retry: { minDelayMs: 1, maxDelayMs: 2 },
  });
  const getWeather = defineTool({
    name: "get_weather",
    description: "Current weather in a city.",
    input: z.object({ city: z.string() }),
    run: ({ city }) => ({ city, celsius: 9 }),
  });
  const getTime = defineTool({
    name: "get_time",
    description: "The time.",
    input: z.object({}),
    run: () => {
      throw new Error("no clock");
    },
  });
  return new Agent({ model, tools: [getWeather, getTime] });
}

const FACES = {
  run: (agent: Agent, prompt: string): Promise<RunResult<unknown>> => agent.run(prompt),
  stream: async (agent: Agent, prompt: string): Promise<RunResult<unknown>> => {
    const stream = agent.stream(prompt);
    for await (const event of stream) void event;
    return stream.result();
  },
};

/** The facts that two equal runs share. */
const essence = ({ text: said, contents, turns, stopReason, usage }: RunResult<unknown>): object => ({
  said,
  contents,
  turns,
  stopReason,
  usage,
});

/** Checks a folder against the contract, like the command. */
async function contract(path: string): Promise<{ readonly stdout: string }> {
  const printed: string[] = [];
  await runCli([path], { print: (line) => void printed.push(line), tell: () => {} });
  return { stdout: printed.join("\n") };
}

/** The first chunk of an answer, then a broken connection. */
function brokenAfterOne(response: Response): Response {
  const reader = response.body?.getReader();
  let pieces = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = pieces === 0 ? await reader?.read() : undefined;
        pieces += 1;
        if (next?.value) return controller.enqueue(next.value);
        await reader?.cancel();
        controller.error(new TypeError("terminated"));
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}

describe.each(["run", "stream"] as const)("%s", (face) => {
  test.each(["stream", "unary"] as const)(
    "recorded over %s agrees with the contract and replays",
    async (transport) => {
      const emulator = createEmulator({ brain: script(LINES) });
      const service = await emulator.listen();
      const recording = recordFetch(folder, { name: "weather" });
      const first = await FACES[face](agentAt(service.url, recording, transport), PROMPT);
      await recording.saved();
      await service.close();

      const { exchanges, others, toolLoops } = JSON.parse(
        await readFile(join(folder, "weather.json"), "utf8"),
      ) as RecordingFile;
      expect(exchanges.map(({ status, continues, ended }) => [status, continues, ended])).toEqual([
        [200, null, undefined],
        [503, 0, undefined],
        [200, 0, undefined],
      ]);
      expect({ others, toolLoops }).toEqual({
        others: [],
        toolLoops: [
          { from: 0, to: 1, calls: 2, responses: 2, status: 503 },
          { from: 0, to: 2, calls: 2, responses: 2, status: 200 },
        ],
      });

      const { stdout } = await contract(folder);
      expect(stdout).toContain("1 recordings");
      expect(stdout).toMatch(/^ok {3}loop: 8 compared, 0 differ/m);
      expect(stdout).not.toMatch(/FAIL|[1-9]\d* differ/);

      const again = createEmulator({ brain: replay(folder) });
      await using server = await again.listen();
      const hosts = new Set<string>();
      const watched: typeof globalThis.fetch = (input, init) => {
        hosts.add(new URL(input instanceof Request ? input.url : input).origin);
        return fetch(input, init);
      };
      for (let times = 0; times < 2; times += 1) {
        const second = await FACES[face](agentAt(server.url, watched, transport), PROMPT);
        expect(essence(second)).toEqual(essence(first));
      }
      expect([...hosts]).toEqual([server.url]);
      expect(again.requests.map(({ answered }) => answered.status)).toEqual([200, 503, 200, 200, 503, 200]);
    },
  );

  test("with another prompt is refused, and told what was expected where", async () => {
    const service = createEmulator({ brain: script(LINES) });
    const recording = recordFetch(folder, { name: "weather", fetch: (...args) => service.fetch(...args) });
    await FACES[face](agentAt("http://127.0.0.1:1", recording, "stream"), PROMPT);
    await recording.saved();
    const replaying = createEmulator({ brain: replay(folder) });
    const error: unknown = await FACES[face](
      agentAt("http://127.0.0.1:1", (...args) => replaying.fetch(...args), "stream"),
      "How cold is it in Oslo and in Rome?",
    ).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiStatusError);
    expect((error as ApiStatusError).message).toContain(
      "The request differs from recorded exchange 1 of 3 (weather.json): " +
        `contents[0].parts[0].text was "${PROMPT}" and is now "How cold is it in Oslo and in Rome?".`,
    );
  });

  test("with the key in prompt, answer and error leaves none in the folder, and replays all the same", async () => {
    const said = say(`Your key ${KEY.slice(0, 10)}`, `${KEY.slice(10)} is fine.`);
    const lines = [fault(faults.apiError(503, "UNAVAILABLE", `Overloaded for ${KEY}.`), said), said, say("Goodbye.")];
    const prompt = `My key is ${KEY}.`;
    const talk = async (fetch: Fetch): Promise<readonly string[]> => {
      const agent = agentAt("http://127.0.0.1:1", fetch, "stream");
      const one = await FACES[face](agent, prompt);
      const two = await agent.run([...one.contents, { role: "user", parts: [{ text: "Bye." }] }]);
      return [one.text, two.text];
    };
    const service = createEmulator({ brain: script(lines) });
    const recording = recordFetch(folder, { fetch: (...args) => service.fetch(...args) });
    expect(await talk(recording)).toEqual([`Your key ${KEY} is fine.`, "Goodbye."]);
    await recording.saved();
    for (const file of await readdir(folder)) {
      const written = await readFile(join(folder, file), "utf8");
      expect(written).not.toContain(KEY.slice(0, 10));
      expect(written).not.toContain(KEY.slice(10));
    }
    const replaying = createEmulator({ brain: replay(folder) });
    expect(await talk((...args) => replaying.fetch(...args))).toEqual(["Your key [redacted] is fine.", "Goodbye."]);
    const { stdout } = await contract(folder);
    expect(stdout).not.toMatch(/FAIL|[1-9]\d* differ/);
  });

  test("left in the middle or broken off is in the recording, and the contract takes it", async () => {
    const service = createEmulator({
      brain: script([say("One two three four five. ".repeat(40))], { afterwards: "repeat-last" }),
    });
    let requests = 0;
    const recording = recordFetch(folder, {
      fetch: async (input, init) => {
        const response = await service.fetch(input, init);
        requests += 1;
        return requests === 1 ? brokenAfterOne(response) : response;
      },
    });
    const agent = agentAt("http://127.0.0.1:1", recording, "stream");
    await FACES[face](agent, PROMPT).catch(() => {});
    for await (const event of agent.stream("Count.")) if (event.type === "text-delta") break;
    await recording.saved();
    const { exchanges } = JSON.parse(await readFile(recording.file ?? "", "utf8")) as RecordingFile;
    const shown = exchanges.map(({ ended, digest }) => [ended, digest?.finishReasons, digest?.text]);
    expect([shown[0], shown.at(-1)]).toEqual([
      ["failed", [], expect.stringMatching(/^One two .*\w+$/)],
      ["cancelled", [], expect.stringMatching(/^One two .*\w+$/)],
    ]);
    const { stdout } = await contract(folder);
    expect(stdout).not.toMatch(/FAIL|[1-9]\d* differ/);
  });
});

test("over the node transport is recorded all the same", async () => {
  await using service = await createEmulator({ brain: script([say("Warm.")]) }).listen();
  await using transport = nodeTransport({ proxyEnv: {} });
  const recording = recordFetch(folder, { name: "one", fetch: transport });
  const { text: said } = await agentAt(service.url, recording, "stream").run(PROMPT);
  await recording.saved();
  const { exchanges } = JSON.parse(await readFile(join(folder, "one.json"), "utf8")) as RecordingFile;
  expect(exchanges.map(({ path, digest }) => [path, digest?.text])).toEqual([
    [expect.stringContaining(":streamGenerateContent"), said],
  ]);
});

test("an upload and the wait for its file replay, by the bytes that are sent", async () => {
  const bytes = new Uint8Array(70_000).map((_, i) => (i * 31) % 251);
  await using service = await fileService({ states: ["PROCESSING", "ACTIVE"] });
  const recording = recordFetch(folder);
  const options = { mimeType: "application/pdf", pollMs: 1 };
  const file = await files({ endpoint: service.endpoint, fetch: recording }).upload(bytes, options);
  await recording.saved();
  const again = createEmulator({ brain: replay(folder) });
  await using server = await again.listen();
  const where = { endpoint: endpoint({ baseUrl: server.url }), retry: { maxAttempts: 1 } };
  expect(await files(where).upload(bytes, options)).toEqual(file);
  expect(again.requests.map(({ method, answered }) => [method, answered.status])).toEqual(
    service.seen.map(({ method }) => [method, 200]),
  );
  const other = bytes.with(7, 0);
  await expect(files(where).upload(other, options)).rejects.toThrow(
    /the body was bytes of SHA-256 \w+ and is now bytes of SHA-256 \w+/,
  );
});
