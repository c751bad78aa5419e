import { Agent, ConfigurationError, defineTool, MemoryStore, runSoFar } from "@pollux/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { faces } from "../helpers/faces.ts";

const MESSAGE =
  "No API key: set GEMINI_API_KEY (from https://aistudio.google.com/apikey), GOOGLE_API_KEY or COMETAPI_KEY, or pass apiKey to google(). " +
  "To work without a key, start the emulator with `npx @pollux/cli emulator --port 8787` and set " +
  "GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787.";

const VARIABLES = [
  "GEMINI_API_KEY",
  "GOOGLE_API_KEY",
  "GOOGLE_GENERATIVE_AI_API_KEY",
  "COMETAPI_KEY",
  "GOOGLE_GEMINI_BASE_URL",
  "GOOGLE_GENAI_USE_ENTERPRISE",
  "GOOGLE_GENAI_USE_VERTEXAI",
];
const now = defineTool({ name: "now", description: "The time.", run: () => 1 });
const make = (): Agent => new Agent({ model: "gemini-flash-latest", tools: [now], settings: { temperature: 0 } });

beforeEach(() => {
  for (const name of VARIABLES) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error).toHaveProperty("message", MESSAGE);
  return error;
}

describe("without a key, an agent", () => {
  test("can be made, and what needs no key is checked", () => {
    expect(make).not.toThrow();
    expect(() => new Agent({ model: "gemini-2.5-pro", settings: { thinking: "off" } })).toThrow(ConfigurationError);
    expect(() => new Agent({ model: "../secrets" })).toThrow(ConfigurationError);
    expect(() => new Agent({ model: "gemini-flash-latest", tools: [now, { ...now }] })).toThrow(
      'two tools are named "now"',
    );
  });

  test.each(faces)("fails its first run by %s", async (_name, face) => {
    const error = await failureOf(face(make(), "Hi."));
    expect(runSoFar(error)?.contents).toEqual([{ role: "user", parts: [{ text: "Hi." }] }]);
  });

  test("fails the first message of a chat and of a session, which then can be sent", async () => {
    await failureOf(make().chat().send("Hi."));
    const session = make().session({ id: "s", store: new MemoryStore() });
    await failureOf(session.send("Hi."));
    expect(await session.state()).toMatchObject({ lastRun: "failed", resumable: true });
    await failureOf(session.resume());
  });

  test("fails to count tokens and to create a cache", async () => {
    await failureOf(make().countTokens("Hi."));
    await failureOf(make().createCache("Hi."));
  });

  test.each(faces)("takes one by %s that was set after it was made", async (_name, face) => {
    const agent = make();
    await failureOf(face(agent, "Hi."));
    vi.stubEnv("GEMINI_API_KEY", "a key\nwith a line break");
    await expect(face(agent, "Hi.")).rejects.toThrow("was it copied with a line break?");
  });
});
