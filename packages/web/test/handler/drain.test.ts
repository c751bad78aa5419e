import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { call, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { agUi } from "@pollux/web/ag-ui";
import { describe, expect, test } from "vitest";
import { deferred } from "../../../core/test/helpers/deferred.ts";
import { fakeTime, idle } from "../../../core/test/helpers/fake-time.ts";
import { storeLike } from "../../../core/test/helpers/processes.ts";
import { until } from "../../../core/test/helpers/until.ts";
import {
  allChunks,
  errorOf,
  openPage,
  ORIGIN,
  userMessage,
  readChunks,
  readUntil,
  restOf,
  SteppedModel,
  textOf,
} from "./chat-page.ts";

fakeTime("leaps");

const CUT = "This server is restarting. Send the request again in a moment.";

const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** A tool that must not run twice, busy until it is let go. */
function slowPay() {
  const [started, gate] = [deferred(), deferred()];
  const ran: string[] = [];
  const pay = defineTool({
    name: "pay",
    description: "Pays.",
    effects: "once",
    run: async (_input, { idempotencyKey }) => {
      ran.push(idempotencyKey);
      started.resolve();
      await gate.promise;
      return "paid";
    },
  });
  return { pay, ran, started: started.promise, letGo: gate.resolve };
}

describe("draining", () => {
  test("with nothing going is over at once; messages and followers are refused, and lists are still shown", async () => {
    const page = openPage();
    await allChunks(await page.send("Hi"));
    const before = performance.now();
    expect(await page.handler.drain()).toEqual({ ended: 0, released: 0 });
    expect(performance.now() - before).toBe(0);
    for (const response of [
      await page.send("More"),
      await page.ask("GET", "/c1/stream"),
      await page.ask("POST", "/c1/continue"),
    ]) {
      expect(response.headers.get("retry-after")).toBe("1");
      expect([response.status, await response.json()]).toEqual([503, { error: { code: "draining", message: CUT } }]);
    }
    expect((await page.ask("GET", "")).status).toBe(200);
    const { messages } = (await (await page.ask("GET", "/c1")).json()) as { messages: object[] };
    expect(messages).toHaveLength(2);
    expect(page.lines).toEqual([]);
  });

  test("lets a run end within the limit, and its page read the end", async () => {
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model);
    model.say();
    const chunks = readChunks(await page.send("Count"));
    await readUntil(chunks, "One ");
    const drained = page.handler.drain({ finishMs: 60_000, timeoutMs: 61_000 });
    model.finish();
    // The run is over before its page has read the rest.
    await idle();
    const rest = await restOf(chunks);
    expect([textOf(rest), rest.at(-1)?.type]).toEqual(["two.", "finish"]);
    expect(await drained).toEqual({ ended: 1, released: 0 });
  });

  test("releases a run that has not ended; the page that reconnects elsewhere gets its answer, and nobody waits", async () => {
    const store = new MemoryStore();
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model, { store });
    model.say();
    const cut = readChunks(await page.send("Count"));
    await readUntil(cut, "One ");
    const next = openPage(new ScriptedModel(say("One ", "two.")), { store });
    const [drained] = await Promise.all([
      page.handler.drain({ finishMs: 1000 }),
      expect(restOf(cut)).rejects.toThrow(CUT),
    ]);
    expect(drained).toEqual({ ended: 0, released: 1 });
    const before = performance.now();
    const chunks = await allChunks(await next.ask("GET", "/c1/stream"));
    expect(performance.now() - before).toBe(0);
    expect(chunks.at(-1)?.type).toBe("finish");
    // What it had of the answer before is void, and said again.
    expect(textOf(chunks)).toBe("One One two.");
    const { messages } = (await (await next.ask("GET", "/c1")).json()) as { messages: { parts: object[] }[] };
    expect(messages.map(({ parts }) => parts.at(-1))).toEqual([
      { type: "text", text: "Count" },
      { type: "text", text: "One two.", state: "done" },
    ]);
    expect([page.lines, next.lines]).toEqual([[], []]);
  });

  test("breaks off a page at once that follows the run of another process", async () => {
    const store = new MemoryStore();
    const model = new SteppedModel(say("One ", "two."));
    const going = openPage(model, { store });
    model.say();
    const chunks = readChunks(await going.send("Count"));
    await readUntil(chunks, "One ");
    const page = openPage(undefined, { store });
    const cut = thrownBy(restOf(readChunks(await page.ask("GET", "/c1/stream"))));
    const before = performance.now();
    expect(await page.handler.drain()).toEqual({ ended: 0, released: 0 });
    expect(await cut).toMatchObject({ message: CUT });
    expect(performance.now() - before).toBe(0);
    model.finish();
    expect(textOf(await restOf(chunks))).toBe("two.");
  });

  test("is the same for a page that follows in another process, from before", async () => {
    const store = new MemoryStore();
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model, { store, protocol: agUi() });
    const messages = [{ id: "m1", role: "user", content: "Count" }];
    const body = { threadId: "c1", runId: "r1", state: {}, messages, tools: [], context: [], forwardedProps: {} };
    const cut = (await page.ask("POST", "", { body })).text();
    model.say();
    await until(() => model.held === 1);
    const next = openPage(new ScriptedModel(say("One ", "two.")), { store, protocol: agUi() });
    const followed = (await next.ask("GET", "/c1/stream")).text();
    await Promise.all([page.handler.drain({ finishMs: 0 }), expect(cut).rejects.toThrow(CUT)]);
    expect(await followed).toContain("RUN_FINISHED");
  });

  test("waits for a once call, whose page reconnects meanwhile, and it has its effect once", async () => {
    const store = new MemoryStore();
    const { pay, ran, started, letGo } = slowPay();
    const open = (...script: readonly ScriptLine[]) =>
      openPage(undefined, { store, agent: new Agent({ model: new ScriptedModel(...script), tools: [pay] }) });
    const page = open(call("pay"));
    const next = open(say("Paid."));
    const cut = thrownBy(restOf(readChunks(await page.send("Pay"))));
    await started;
    let isDrained = false;
    const drained = page.handler.drain({ finishMs: 0, timeoutMs: 60_000 }).finally(() => (isDrained = true));
    expect(await cut).toMatchObject({ message: CUT });
    const chunks = allChunks(await next.ask("GET", "/c1/stream"));
    await idle();
    expect(isDrained).toBe(false);
    letGo();
    expect(await drained).toEqual({ ended: 0, released: 1 });
    expect(textOf(await chunks)).toBe("Paid.");
    expect(ran).toHaveLength(1);
  });

  test("cuts a once call when the time is over; it is not run again", async () => {
    const store = new MemoryStore();
    const { pay, ran, started } = slowPay();
    const agent = new Agent({ model: new ScriptedModel(call("pay")), tools: [pay] });
    const page = openPage(undefined, { store, agent });
    const cut = thrownBy(restOf(readChunks(await page.send("Pay"))));
    await started;
    const before = performance.now();
    expect(await page.handler.drain({ finishMs: 1000, timeoutMs: 3000 })).toEqual({ ended: 0, released: 1 });
    expect(performance.now() - before).toBe(3000);
    expect(await cut).toMatchObject({ message: CUT });
    const next = openPage(undefined, { store, agent: new Agent({ model: new ScriptedModel(), tools: [pay] }) });
    await allChunks(await next.ask("GET", "/c1/stream"));
    expect(await (await next.ask("GET", "/c1")).json()).toMatchObject({ state: "waiting" });
    expect(ran).toHaveLength(1);
  });

  test("asked twice is one; the first one's signal ends its waits", async () => {
    const { pay, started } = slowPay();
    const agent = new Agent({ model: new ScriptedModel(call("pay")), tools: [pay] });
    const page = openPage(undefined, { agent });
    const cut = thrownBy(restOf(readChunks(await page.send("Pay"))));
    await started;
    const hurry = new AbortController();
    const drained = page.handler.drain({ signal: hurry.signal });
    const again = page.handler.drain();
    const before = performance.now();
    hurry.abort();
    expect([await drained, await again]).toEqual([
      { ended: 0, released: 1 },
      { ended: 0, released: 1 },
    ]);
    expect(performance.now() - before).toBe(0);
    expect(await cut).toMatchObject({ message: CUT });
  });

  test("refuses a message that it had begun to read, and another process answers it once", async () => {
    const store = new MemoryStore();
    const page = openPage(undefined, { store });
    const body = new TextEncoder().encode(JSON.stringify({ id: "c1", messages: [userMessage("Count", "m1")] }));
    const gate = deferred();
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await gate.promise;
        controller.enqueue(body);
        controller.close();
      },
    });
    const headers = { accept: "application/json", "content-type": "application/json", "x-user": "ann" };
    const init = { method: "POST", headers, body: slow, duplex: "half" };
    const sent = page.handler(new Request(`${ORIGIN}/api/chat`, init));
    await idle();
    await page.handler.drain();
    gate.resolve();
    expect(await errorOf(await sent)).toEqual({ status: 503, code: "draining" });
    const next = openPage(new ScriptedModel(say("One.")), { store });
    expect(textOf(await allChunks(await next.send("Count", { id: "m1" })))).toBe("One.");
    const { messages } = (await (await next.ask("GET", "/c1")).json()) as { messages: object[] };
    expect(messages).toHaveLength(2);
  });

  test.each(["send", "follow", "continue"])(
    "refuses to %s when it begins before the conversation was read",
    async (what) => {
      const store = new MemoryStore();
      await allChunks(await openPage(undefined, { store }).send("Hi"));
      const [reading, gate] = [deferred(), deferred()];
      const load: typeof store.load = async (...args) => {
        reading.resolve();
        await gate.promise;
        return await store.load(...args);
      };
      const page = openPage(undefined, { store: storeLike(store, { load }) });
      const asked =
        what === "send"
          ? page.send("More")
          : page.ask(what === "follow" ? "GET" : "POST", what === "follow" ? "/c1/stream" : "/c1/continue");
      await reading.promise;
      const drained = page.handler.drain();
      gate.resolve();
      expect(await errorOf(await asked)).toEqual({ status: 503, code: "draining" });
      expect(await drained).toEqual({ ended: 0, released: 0 });
      expect(await store.load("ann/c1")).toHaveLength((await store.list())[0]?.length ?? 0);
      expect(page.lines).toEqual([]);
    },
  );

  test("begins no run for a message that it had begun to plan", async () => {
    const store = new MemoryStore();
    const [reading, gate] = [deferred(), deferred()];
    const list: typeof store.list = async (...args) => {
      if (args[0]?.prefix === undefined) {
        reading.resolve();
        await gate.promise;
      }
      return await store.list(...args);
    };
    const model = new ScriptedModel(say("Hello."));
    const agent = new Agent({ model, prices: { input: 1, output: 1 } });
    const page = openPage(undefined, { store: storeLike(store, { list }), agent, spending: { maxCost: 1 } });
    const sent = page.send("Hi");
    await reading.promise;
    const drained = page.handler.drain();
    gate.resolve();
    expect(await errorOf(await sent)).toEqual({ status: 503, code: "draining" });
    await drained;
    expect([await store.load("ann/c1"), model.requests]).toEqual([[], []]);
  });

  test("does not abort the run of a page whose stream it breaks off, as its own leaving would", async () => {
    const store = new MemoryStore();
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model, { store, onDisconnect: "abort" });
    model.say();
    const cut = readChunks(await page.send("Count"));
    await readUntil(cut, "One ");
    await Promise.all([page.handler.drain({ finishMs: 0 }), expect(restOf(cut)).rejects.toThrow(CUT)]);
    const next = openPage(undefined, { store });
    expect(await (await next.ask("GET", "/c1")).json()).toMatchObject({ state: "cut-off" });
  });

  test.each([{ finishMs: -1 }, { timeoutMs: Number.NaN }, { finishMs: Infinity }])(
    "refuses %o, and goes on",
    async (options) => {
      const page = openPage();
      await expect(page.handler.drain(options)).rejects.toThrow(/^(finish|timeout)Ms must be a number of milliseconds/);
      expect(textOf(await allChunks(await page.send("Hi")))).toBe("Hello.");
    },
  );
});
