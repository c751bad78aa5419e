import { Agent, gemini, geminiApi, MemoryStore } from "@pollux/core";
import { chatHandler, type ChatProtocol } from "@pollux/web";
import { agUi } from "@pollux/web/ag-ui";
import { aiSdk } from "@pollux/web/ai-sdk";
import { describe, expect, test, vi } from "vitest";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { until } from "../../../core/test/helpers/until.ts";
import { createEmulator, fault, faults, say, type ScriptLine, script } from "../../../emulator/src/index.ts";
import { Client } from "../ag-ui/client.ts";
import { openChat } from "../ai-sdk/chat-client.ts";
import { VERSIONS } from "../ai-sdk/page.ts";

interface Service {
  /** The handler that pages talk to. */
  readonly fetch: typeof fetch;
  /** Requests that the model's service has got. */
  readonly asked: () => number;
  /** All that was sent to pages. */
  readonly sent: () => string;
}

/** An agent of a service that answers in this order. */
function serve(protocol: ChatProtocol, ...lines: readonly ScriptLine[]): Service {
  // Requests with one key wait for each other.
  const apiKey = crypto.randomUUID();
  const emulator = createEmulator({ brain: script(lines), keys: [apiKey] });
  const emulated: typeof fetch = async (input, init) => await emulator.fetch(input, init);
  const model = gemini("gemini-2.5-flash", { endpoint: geminiApi({ apiKey }), fetch: emulated });
  let sent = "";
  const handler = chatHandler({
    agent: new Agent({ model }),
    store: new MemoryStore(),
    authorize: () => ({ owner: "ann" }),
    logger: { error: () => {} },
    protocol: {
      ...protocol,
      write: (chunk) => {
        const text = protocol.write(chunk);
        sent += text;
        return text;
      },
    },
  });
  return {
    fetch: async (input, init) => await handler(new Request(input, init)),
    asked: () => emulator.requests.length,
    sent: () => sent,
  };
}

/** Two refusals that ask for a wait, and one between them with a wait that is too short to be read. */
const REFUSALS = [
  fault(faults.perMinuteQuota({ retryDelay: "12s" })),
  fault(faults.perMinuteQuota({ retryDelay: "0.3s" })),
  fault(faults.perMinuteQuota({ retryDelay: "34.07s" })),
];

/** What was told: the seconds that were asked for, and at most a fifth more; less by what has passed when it is read. */
function expectWaits(told: readonly unknown[]): void {
  const waits = told.map((data) => (data as { delayMs: number }).delayMs);
  expect(waits).toHaveLength(2);
  for (const [index, asked] of [12_000, 34_070].entries()) {
    expect(waits[index]).toBeGreaterThan(asked - 1000);
    expect(waits[index]).toBeLessThanOrEqual(asked * 1.2);
  }
  for (const data of told) expect(Object.keys(data as object)).toEqual(["delayMs"]);
}

describe("a page whose answer waits for a busy service", () => {
  fakeTime("leaps");

  test.each(VERSIONS)("is told so, in version %i of the AI SDK, and nothing of it is kept", async (version) => {
    const told: unknown[] = [];
    const service = serve(aiSdk({ version }), ...REFUSALS, say("Hello."));
    const chat = openChat(version, {
      id: "c",
      fetch: service.fetch,
      onData: ({ type, data }) => type === "data-retry" && told.push(data),
    });
    await chat.sendMessage({ text: "Hi." });
    expect(chat.status).toBe("ready");
    expect(JSON.stringify(chat.messages)).toContain("Hello.");
    expect(JSON.stringify(chat.messages)).not.toContain("retry");
    expectWaits(told);
    expect(service.sent()).not.toMatch(/quota|RESOURCE_EXHAUSTED/i);
    const stored = await (await service.fetch("http://localhost/api/chat/c")).text();
    expect(stored).not.toContain("retry");
  });

  test("is told so, by AG-UI", async () => {
    const service = serve(agUi(), ...REFUSALS, say("Hello."));
    const client = new Client(async (init) => await service.fetch("http://localhost/api/chat", init), "c");
    client.agent.addMessage({ id: "1", role: "user", content: "Hi." });
    expect(await client.run()).toMatchObject({ outcome: "success" });
    expectWaits(client.events.flatMap((event) => (event.type === "CUSTOM" ? [event.value] : [])));
    expect(client.events.flatMap((event) => (event.type === "CUSTOM" ? [event.name] : []))).toEqual([
      "pollux.retry",
      "pollux.retry",
    ]);
    expect(JSON.stringify(client.agent.messages)).toContain("Hello.");
    expect(service.sent()).not.toMatch(/quota|RESOURCE_EXHAUSTED/i);
  });

  test.each([
    ["overloaded", faults.overloaded(), "The model's service is overloaded or not available."],
    [
      "over its daily quota",
      faults.perDayQuota(),
      "The daily quota for the model is used up. It starts over at midnight Pacific time.",
    ],
  ])("reads why there is no answer when it is %s", async (_what, refusal, message) => {
    const service = serve(aiSdk({ version: 7 }), ...Array.from({ length: 4 }, () => fault(refusal)));
    const chat = openChat(7, { id: "c", fetch: service.fetch });
    await chat.sendMessage({ text: "Hi." });
    expect(chat.messages.at(-1)?.metadata).toMatchObject({ error: { code: "api_status", message } });
    expect(service.asked()).toBe(refusal.status === 503 ? 4 : 1);
  });
});

describe("a page that comes during the wait", () => {
  fakeTime("stands");

  test("is told what is left of it, and one that comes after it nothing", async () => {
    const service = serve(
      aiSdk({ version: 7 }),
      fault(faults.perMinuteQuota({ retryDelay: "30s" })),
      say("Hello."),
      say("Bye."),
    );
    const told: { readonly page: string; readonly delayMs: number }[] = [];
    const open = (page: string) =>
      openChat(7, {
        id: "c",
        fetch: service.fetch,
        onData: ({ type, data }) => type === "data-retry" && told.push({ page, ...(data as { delayMs: number }) }),
      });
    const sent = open("first").sendMessage({ text: "Hi." });
    await until(() => told.length === 1);
    await vi.advanceTimersByTimeAsync(10_000);
    const followed = open("reloaded").resumeStream();
    await until(() => told.length === 2);
    await vi.advanceTimersByTimeAsync(60_000);
    await Promise.all([sent, followed]);
    const [all = 0, left] = told.map(({ delayMs }) => delayMs);
    expect(told).toEqual([
      { page: "first", delayMs: all },
      { page: "reloaded", delayMs: all - 10_000 },
    ]);
    expect(left).toBeGreaterThanOrEqual(20_000);
    const late = open("late");
    await late.sendMessage({ text: "And?" });
    expect(told).toHaveLength(2);
  });
});

describe("a second chat", () => {
  fakeTime("stands");

  test("is told how long the requests of all are held back", async () => {
    const service = serve(
      aiSdk({ version: 7 }),
      fault(faults.perMinuteQuota({ retryDelay: "30s" })),
      say("One."),
      say("Two."),
    );
    const told: string[] = [];
    const open = (id: string) =>
      openChat(7, { id, fetch: service.fetch, onData: ({ type }) => type === "data-retry" && told.push(id) });
    const [first, second] = [open("first"), open("second")];
    const answers = [first.sendMessage({ text: "Hi." })];
    await until(() => told.length === 1);
    answers.push(second.sendMessage({ text: "Hi." }));
    await until(() => told.length === 2);
    expect(told).toEqual(["first", "second"]);
    expect(service.asked()).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    await Promise.all(answers);
    expect(JSON.stringify([first.messages, second.messages])).toMatch(/One\..*Two\./);
  });
});
