import { Agent, defineTool, MemoryStore, type OutputGuardrail } from "@pollux/core";
import { call, join, say, ScriptedModel } from "@pollux/core/testing";
import { stopChat } from "@pollux/web";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { deferred } from "../../../core/test/helpers/deferred.ts";
import {
  allChunks,
  errorOf,
  openPage,
  ORIGIN,
  type Page,
  readChunks,
  readUntil,
  restOf,
  SteppedModel,
  userMessage,
} from "./chat-page.ts";

const READERS = "pollux:readers/ann/c1";

function steppedModel(): SteppedModel {
  const model = new SteppedModel(say("One ", "two "), say("Well."));
  model.say();
  return model;
}

/** Asks, and reads the first word. */
async function ask(page: Page): Promise<ReturnType<typeof readChunks>> {
  const chunks = readChunks(await page.send("Count.", { id: "m1" }));
  await readUntil(chunks, "One ");
  return chunks;
}

/** What a page sends that has left the answer. */
async function sayElse(page: Page): Promise<Response> {
  const messages = [userMessage("Count.", "m1"), { ...(await lastOf(page)) }, userMessage("Never mind.", "m2")];
  return await page.ask("POST", "", { body: { id: "c1", messages } });
}

/** Somebody who reads on and on. @returns Makes them leave. */
async function reader(open: () => Promise<Response>): Promise<() => Promise<void>> {
  const source = (await open()).body?.getReader();
  const reading = (async () => {
    while ((await source?.read())?.done === false);
  })();
  return async () => {
    await source?.cancel();
    await reading;
  };
}

async function lastOf(page: Page): Promise<{ readonly id: string; readonly metadata: { readonly runId: string } }> {
  const { messages } = (await (await page.ask("GET", "/c1")).json()) as {
    messages: Awaited<ReturnType<typeof lastOf>>[];
  };
  const last = messages.at(-1);
  if (last === undefined) throw new Error("there are no messages");
  return last;
}

async function stateOf(page: Page): Promise<string> {
  return ((await (await page.ask("GET", "/c1")).json()) as { state: string }).state;
}

/** A store that knows of processes, and what one of them has left there. */
async function storeWithReader(
  process: string,
): Promise<{ readonly page: Page; readonly read: (runId?: string) => Promise<void> }> {
  const store = Object.assign(new MemoryStore(), {
    processes: { self: "me", isGone: (one: unknown) => one === "gone" },
  });
  const page = openPage(steppedModel(), { store });
  await (await ask(page)).return();
  await expect.poll(() => store.records(READERS)).toEqual({});
  const { metadata } = await lastOf(page);
  const read = async (runId: string = metadata.runId): Promise<void> => {
    const readers = [{ id: "another", process }];
    await store.setLease(READERS, undefined, { token: 1, beat: 1, held: true, runId, durationMs: 0, process: readers });
  };
  return { page, read };
}

describe("a message of a page that has left the answer", () => {
  test("is refused while another process has readers of it", async () => {
    const { page, read } = await storeWithReader("alive");
    await read();
    expect(await errorOf(await sayElse(page))).toEqual({ status: 409, code: "running" });
    expect(await stateOf(page)).toBe("running");
  });

  test.each([
    ["a process that has died", "gone", undefined],
    ["readers of an earlier answer", "alive", "earlier"],
  ])("is taken in spite of %s", async (_, process, runId) => {
    const { page, read } = await storeWithReader(process);
    await read(runId);
    const response = await sayElse(page);
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });

  test("is refused where the handler refuses all messages during a run", async () => {
    const page = openPage(steppedModel(), { whileRunning: "refuse" });
    await (await ask(page)).return();
    expect(await errorOf(await sayElse(page))).toEqual({ status: 409, code: "running" });
  });

  test.each(["DELETE", "erase"])("leaves nothing behind after %s", async (how) => {
    const { page, read } = await storeWithReader("alive");
    await read();
    if (how === "erase") await page.handler.erase("ann");
    else await page.ask("DELETE", "/c1");
    expect(await page.store.records(READERS)).toEqual({});
  });
});

describe("a message that is refused", () => {
  test("because of what was sent with it has stopped nothing", async () => {
    const perRun = { body: z.strictObject({}), options: () => ({}) };
    const page = openPage(steppedModel(), { perRun });
    await (await ask(page)).return();
    const messages = [await lastOf(page), userMessage("Never mind.", "m2")];
    const response = await page.ask("POST", "", { body: { id: "c1", messages, mood: "bad" } });
    expect(await errorOf(response)).toEqual({ status: 400, code: "bad_request" });
    expect(await stateOf(page)).toBe("running");
  });
});

describe("a run that nobody reads", () => {
  test("is aborted after the time that the handler was given, in whatever process it was read last", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const store = new MemoryStore();
    const onDisconnect = { abortAfterMs: 60_000 };
    const page = openPage(steppedModel(), { store, onDisconnect });
    const other = openPage(undefined, { store });
    const here = await reader(() => page.send("Count."));
    await expect.poll(async () => JSON.stringify(await lastOf(page))).toContain("One ");
    await vi.advanceTimersByTimeAsync(600_000);
    const there = await reader(() => other.ask("GET", "/c1/stream"));
    await here();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(await stateOf(page)).toBe("running");
    await there();
    await expect.poll(() => store.records(READERS)).toEqual({});
    await vi.advanceTimersByTimeAsync(54_000);
    expect(await stateOf(page)).toBe("running");
    await vi.advanceTimersByTimeAsync(12_000);
    await expect.poll(() => stateOf(page)).toBe("stopped");
    expect(JSON.stringify(await lastOf(page))).toContain("One ");
    expect(page.lines).toEqual([]);
  });

  test.each(["waits for its turn", "has lost its process"])("that %s is read by who asked for it", async (how) => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const store = new MemoryStore();
    const model = new SteppedModel(say("One ", "two "), say("Well, ", "well."));
    const before = openPage(model, { store });
    const onDisconnect = { abortAfterMs: 60_000 };
    const patience = { keepAliveMs: 3_600_000, stallTimeoutMs: 3_600_000 };
    const page = openPage(model, { store, whileRunning: "wait", onDisconnect, ...patience });
    const first = readChunks(await before.send("Count."));
    model.say();
    await readUntil(first, "One ");
    const isWaiting = how.startsWith("waits");
    if (!isWaiting) await before.handler.drain({ finishMs: 1, timeoutMs: 10 });
    const said = readChunks(await (isWaiting ? page.send("More.") : page.ask("GET", "/c1/stream")));
    const read = readUntil(said, "Well, ");
    await vi.advanceTimersByTimeAsync(600_000);
    // The first answer goes on, or was waiting to.
    model.say();
    await expect.poll(() => model.requests.length).toBe(2);
    model.say();
    await read;
    await vi.advanceTimersByTimeAsync(600_000);
    model.finish();
    expect((await restOf(said)).at(-1)?.type).toBe("finish");
  });

  test.each(["withdraw", "continue"])("is aborted after the same time when a page let it go on by %s", async (how) => {
    const { page, model } = await openLeftPage(how);
    await expect.poll(() => model.held).toBe(1);
    await vi.advanceTimersByTimeAsync(54_000);
    expect(await stateOf(page)).toBe("running");
    await vi.advanceTimersByTimeAsync(12_000);
    await expect.poll(() => stateOf(page)).toBe("stopped");
  });

  test.each(["withdraw", "continue"])("is not aborted when a page let it go on by %s and follows it", async (how) => {
    const { page, model } = await openLeftPage(how);
    const leave = await reader(() => page.ask("GET", "/c1/stream"));
    await expect.poll(() => model.held).toBe(1);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(await stateOf(page)).toBe("running");
    model.finish();
    await leave();
    await expect.poll(() => stateOf(page)).toBe("idle");
  });

  test.each(["hold", "show"] as const)(
    "that a guardrail withdraws is read as long as its page is there: %s",
    async (streaming) => {
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
      onTestFinished(() => void vi.useRealTimers());
      const checked = deferred();
      const isChecked = deferred();
      const polite: OutputGuardrail = {
        name: "polite",
        check: async () => {
          checked.resolve();
          await isChecked.promise;
          return { replace: "Let me put it differently." };
        },
      };
      const model = new ScriptedModel(join(say("You fool."), call("nothing")), say("Well."));
      const nothing = defineTool({ name: "nothing", description: "Does nothing.", run: () => "done" });
      const agent = new Agent({ model, tools: [nothing], guardrails: { output: [polite], streaming } });
      const patience = { keepAliveMs: 3_600_000, stallTimeoutMs: 3_600_000 };
      const page = openPage(model, { agent, onDisconnect: { abortAfterMs: 60_000 }, ...patience });
      const rest = allChunks(await page.send("Count."));
      await checked.promise;
      await vi.advanceTimersByTimeAsync(600_000);
      expect(await stateOf(page)).toBe("running");
      isChecked.resolve();
      expect((await rest).at(-1)?.type).toBe("finish");
      expect(await stateOf(page)).toBe("idle");
    },
  );

  test.each([0, -1, Number.NaN, Infinity])(
    "is not aborted after %d milliseconds: no handler is made",
    (abortAfterMs) => {
      expect(() => openPage(undefined, { onDisconnect: { abortAfterMs } })).toThrow(
        "abortAfterMs must be a number above 0",
      );
    },
  );
});

/** A page that was closed, and let a run go on by a request of its own. */
async function openLeftPage(how: string): Promise<{ readonly page: Page; readonly model: SteppedModel }> {
  const isWithdrawn = how === "withdraw";
  const model = new SteppedModel(isWithdrawn ? call("pay", { euros: 5 }) : say("No", "."), say("One ", "two "));
  const patience = { keepAliveMs: 3_600_000, stallTimeoutMs: 3_600_000 };
  const page = openPage(model, { onDisconnect: { abortAfterMs: 60_000 }, ...patience });
  const rest = allChunks(await page.send("Count."));
  if (isWithdrawn) model.say();
  else await page.ask("POST", "/c1/stop");
  await rest;
  model.say();
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const response = await page.ask("POST", `/c1/${how}`);
  expect(await response.json()).toEqual(isWithdrawn ? { withdrawn: true } : { continued: true });
  return { page, model };
}

describe("stopChat()", () => {
  test("asks as the page does, and says whether an answer was being written", async () => {
    const page = openPage(steppedModel());
    const rest = allChunks(await page.send("Count."));
    await expect.poll(() => stateOf(page)).toBe("running");
    const asked: string[] = [];
    const options = {
      api: `${ORIGIN}/api/chat/`,
      headers: { "x-user": "ann" },
      credentials: "include" as const,
      fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
        const request = new Request(input, init);
        asked.push(`${request.method} ${request.url} ${request.credentials}`);
        return await page.handler(request);
      },
    };
    expect(await stopChat("c1", options)).toBe(true);
    expect((await rest).map(({ type }) => type)).toContain("abort");
    expect(await stopChat("c1", options)).toBe(false);
    await expect(stopChat("c2", options)).rejects.toThrow(/^There is no such conversation\.$/);
    expect(asked.at(-1)).toBe(`POST ${ORIGIN}/api/chat/c2/stop include`);
  });

  test.each([
    ["Bad gateway", "Bad gateway"],
    ["", "The answer could not be stopped. Try again."],
  ])("says what a proxy says: %j", async (body, message) => {
    const fetch = async (): Promise<Response> => new Response(body, { status: 502 });
    await expect(stopChat("c1", { fetch })).rejects.toThrow(message);
  });
});
