import { Agent, type Content, endpoint, gemini } from "@pollux/core";
import { createEmulator, script, say } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faces } from "../packages/core/test/helpers/faces.ts";

const WORDS = "The lighthouse keeper wrote down each ship that passed, its flag and where it was bound. ";

/** A conversation of some messages, each of about `length` characters. */
function talk(messages: number, length: number): Content[] {
  const words = WORDS.repeat(Math.ceil(length / WORDS.length)).slice(0, length);
  return Array.from({ length: messages }, (_, index) => ({
    role: index % 2 === 0 ? ("user" as const) : ("model" as const),
    parts: [{ text: `${index}: ${words}` }],
  }));
}

describe("a long history against the service", () => {
  const emulator = createEmulator({ brain: improvise() });
  let server: Awaited<ReturnType<typeof emulator.listen>>;
  beforeAll(async () => void (server = await emulator.listen()));
  afterAll(() => server.close());

  test.each([
    ["a few short messages", talk(5, 100)],
    ["many short messages", talk(201, 80)],
    ["a few long messages", talk(5, 8_000)],
    [
      "tool results",
      [
        { role: "user", parts: [{ text: "Look." }] },
        { role: "model", parts: [{ functionCall: { name: "look", args: { at: "the log book" } } }] },
        { role: "user", parts: [{ functionResponse: { name: "look", response: { output: WORDS.repeat(50) } } }] },
        { role: "model", parts: [{ text: "Done." }] },
        { role: "user", parts: [{ text: "And?" }] },
      ] as Content[],
    ],
  ])("is measured to a fifth of what the service counts: %s", async (_name, contents) => {
    const model = gemini("gemini-2.5-flash", { endpoint: endpoint({ baseUrl: server.url }) });
    const seen: number[] = [];
    const agent = new Agent({
      model,
      compaction: { policy: ({ promptTokens }) => (seen.push(promptTokens), undefined) },
    });
    const { totalTokens } = await agent.countTokens(contents);
    await agent.run(contents);
    expect(Math.abs((seen[0] ?? 0) - totalTokens)).toBeLessThanOrEqual(totalTokens / 5);
  });
});

describe.each(faces)("a prompt that the service refuses as too long, by %s", (_face, face) => {
  test("is summed up in pieces that it takes, and sent again", async () => {
    const lengths: number[] = [];
    const brain = script(
      [
        ({ prompt }) => (lengths.push(prompt.length), say("Ships were logged.")),
        ({ prompt }) => (lengths.push(prompt.length), say("Ships were logged, forty of them.")),
        say("Forty."),
      ],
      { afterwards: "repeat-last" },
    );
    const emulator = createEmulator({ brain });
    const server = await emulator.listen();
    try {
      // The model accepts 262,144 tokens; the agent assumes more.
      const model = gemini("gemma-4-31b-it", { endpoint: endpoint({ baseUrl: server.url }) });
      const agent = new Agent({ model, compaction: { windowTokens: 400_000, keep: 0.1 } });
      const contents = talk(81, 16_000);
      const result = await face(agent, contents);
      expect(result.text).toBe("Forty.");
      expect(lengths).toHaveLength(2);
      expect(result.contents).toEqual([...contents, { role: "model", parts: [{ text: "Forty." }] }]);
      // The service refuses one request for the whole summary; the next ones are short enough.
      expect(emulator.requests).toHaveLength(4);
    } finally {
      await server.close();
    }
  });
});
