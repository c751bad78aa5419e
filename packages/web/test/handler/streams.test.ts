import { Agent, MemoryStore } from "@pollux/core";
import { checkSession } from "@pollux/core/doctor";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { aiSdk } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { deferred } from "../../../core/test/helpers/deferred.ts";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { Processes, storeLike } from "../../../core/test/helpers/processes.ts";
import { until } from "../../../core/test/helpers/until.ts";
import {
  allChunks,
  errorOf,
  openPage,
  type Page,
  readChunks,
  readUntil,
  restOf,
  SteppedModel,
  textOf,
} from "./chat-page.ts";

const state = async (page: Page): Promise<string | undefined> => (await page.store.list())[0]?.state;

describe("following", () => {
  test("replays the message that is being written from its first chunk, and goes on live", async () => {
    const model = new SteppedModel(say("One ", "two ", "three."));
    const page = openPage(model);
    model.say();
    const first = readChunks(await page.send("Count"));
    await readUntil(first, "One ");
    const followed = await page.ask("GET", "/c1/stream");
    model.finish();
    const chunks = await allChunks(followed);
    expect(chunks[0]).toMatchObject({ type: "start" });
    expect(textOf(chunks)).toBe("One two three.");
  });

  test.each([
    ["nothing was ever sent", false],
    ["nothing goes on", true],
  ])("is answered with 204 when %s", async (_when, isBegun) => {
    const page = openPage();
    if (isBegun) await allChunks(await page.send("Hi"));
    const response = await page.ask("GET", "/c1/stream");
    expect([response.status, await response.text()]).toEqual([204, ""]);
  });

  test("is answered with 204 while a call waits for a person", async () => {
    const page = openPage(new ScriptedModel(call("pay", { euros: 5 })));
    await allChunks(await page.send("Pay"));
    expect((await page.ask("GET", "/c1/stream")).status).toBe(204);
  });

  test("replays the last answer once it has ended, where the client asks for that", async () => {
    const page = openPage();
    const sent = await allChunks(await page.send("Hi"));
    const ended = await allChunks(await page.ask("GET", "/c1/stream?ended"));
    expect(textOf(ended)).toBe(textOf(sent));
    expect([ended[0], ended.at(-1)]).toEqual([
      { ...sent[0], messageMetadata: expect.objectContaining({ state: "complete" }) },
      sent.at(-1),
    ]);
    expect((await page.ask("GET", "/c2/stream?ended")).status).toBe(204);
  });

  test.each([
    [5, [{ type: "data-discard", data: { steps: "all" } }]],
    [6, [{ type: "data-discard", data: { steps: "all" } }]],
    [7, []],
  ] as const)("tells a client of version %d that what it had is void", async (version, expected) => {
    const page = openPage(undefined, { protocol: aiSdk({ version }) });
    expect((await allChunks(await page.send("Hi"))).filter(({ type }) => type === "data-discard")).toEqual([]);
    const replayed = await allChunks(await page.ask("GET", "/c1/stream?ended"));
    expect(replayed.filter(({ type }) => type === "data-discard")).toEqual(expected);
    expect(replayed.findIndex(({ type }) => type === "data-discard")).toBe(expected.length > 0 ? 1 : -1);
  });

  test("shows a run of another process, by what that stores", async () => {
    const processes = new Processes(new MemoryStore());
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model, { store: processes.start().store });
    const elsewhere = openPage(undefined, { store: processes.start().store });
    model.say();
    const mine = readChunks(await page.send("Count"));
    await readUntil(mine, "One ");
    const theirs = readChunks(await elsewhere.ask("GET", "/c1/stream"));
    await readUntil(theirs, "One ");
    model.finish();
    await readUntil(theirs, "two.");
  });
});

describe("a client that disconnects", () => {
  test("leaves its run going, which the platform is asked to wait for", async () => {
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model);
    const works: Promise<unknown>[] = [];
    model.say();
    const chunks = readChunks(await page.send("Count", { waitUntil: (work) => void works.push(work) }));
    await readUntil(chunks, "One ");
    await chunks.return();
    expect(await state(page)).toBe("running");
    model.finish();
    await Promise.all(works);
    expect(works).toHaveLength(1);
    expect(await state(page)).toBe("idle");
  });

  test.each(["cancels the response", "aborts the request"])("aborts its run if told so: it %s", async (how) => {
    const model = new SteppedModel(say("One ", "two."), say("Again."));
    const page = openPage(model, { onDisconnect: "abort" });
    const leave = new AbortController();
    model.say();
    const response = await page.send("Count", { signal: leave.signal });
    const chunks = readChunks(response);
    await readUntil(chunks, "One ");
    if (how === "aborts the request") leave.abort();
    await Promise.allSettled([chunks.return()]);
    await until(() => model.requests.length === 1);
    await expect.poll(() => state(page)).toBe("stopped");
    // What was shown is kept, and nobody is told of an error.
    expect(JSON.stringify(await (await page.ask("GET", "/c1")).json())).toContain("One ");
    expect(page.lines).toEqual([]);
  });

  test("that only follows aborts nothing", async () => {
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model, { onDisconnect: "abort" });
    model.say();
    const mine = readChunks(await page.send("Count"));
    await readUntil(mine, "One ");
    const theirs = readChunks(await page.ask("GET", "/c1/stream"));
    await readUntil(theirs, "One ");
    await theirs.return();
    model.finish();
    await readUntil(mine, "two.");
  });
});

describe("stopping", () => {
  test("ends the run, keeps what was shown, and ends the streams", async () => {
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model);
    model.say();
    const response = await page.send("Count");
    const chunks = readChunks(response);
    await readUntil(chunks, "One ");
    expect(await (await page.ask("POST", "/c1/stop")).json()).toEqual({ stopped: true });
    const rest = await restOf(chunks);
    expect(rest.map(({ type }) => type)).toContain("abort");
    expect(JSON.stringify(await (await page.ask("GET", "/c1")).json())).toContain("One ");
    expect(await (await page.ask("POST", "/c1/stop")).json()).toEqual({ stopped: false });
    expect(page.lines).toEqual([]);
  });

  test("reaches a run of another process", async () => {
    const processes = new Processes(new MemoryStore());
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model, { store: processes.start().store });
    const elsewhere = openPage(undefined, { store: processes.start().store });
    model.say();
    const chunks = readChunks(await page.send("Count"));
    await readUntil(chunks, "One ");
    expect(await (await elsewhere.ask("POST", "/c1/stop")).json()).toEqual({ stopped: true });
    expect(await state(elsewhere)).toBe("stopped");
  });

  test("that takes too long is said to have been asked for", async () => {
    const model = new SteppedModel(say("One ", "two."));
    const store = storeLike(new MemoryStore(), { requestStop: async () => {} });
    const page = openPage(model, { store, stopTimeoutMs: 50 });
    model.say();
    const chunks = readChunks(await page.send("Count"));
    await readUntil(chunks, "One ");
    expect(await errorOf(await page.ask("POST", "/c1/stop"))).toEqual({ status: 504, code: "not_stopped" });
    model.finish();
    await restOf(chunks);
  });

  test("is no error when the client leaves before the run has ended", async () => {
    const asked = deferred();
    const store = storeLike(new MemoryStore(), { requestStop: async () => asked.resolve() });
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model, { store });
    model.say();
    const chunks = readChunks(await page.send("Count"));
    await readUntil(chunks, "One ");
    const leave = new AbortController();
    const stopping = page.ask("POST", "/c1/stop", { signal: leave.signal });
    await asked.promise;
    leave.abort();
    expect((await stopping).status).toBe(204);
    model.finish();
    await restOf(chunks);
    expect(page.lines).toEqual([]);
  });

  test("a conversation that is deleted while it runs ends its streams", async () => {
    const model = new SteppedModel(say("One ", "two."), say("New."));
    const page = openPage(model);
    model.say();
    const chunks = readChunks(await page.send("Count"));
    await readUntil(chunks, "One ");
    expect((await page.ask("DELETE", "/c1")).status).toBe(204);
    await restOf(chunks);
    expect(await page.store.list()).toEqual([]);
    model.finish();
    expect(textOf(await allChunks(await page.send("Hello again")))).toBe("New.");
  });
});

describe("while a conversation is deleted", () => {
  /** A store that waits in one of its methods, once that is held, until the conversation is gone. */
  class HeldStore extends MemoryStore {
    readonly held: string[] = [];
    holds: "append" | "load" | "records" | undefined;
    readonly #gone = deferred();

    override async append(...args: Parameters<MemoryStore["append"]>): Promise<void> {
      await this.#hold("append");
      await super.append(...args);
    }

    override async load(...args: Parameters<MemoryStore["load"]>): ReturnType<MemoryStore["load"]> {
      await this.#hold("load");
      return await super.load(...args);
    }

    override async records(...args: Parameters<MemoryStore["records"]>): ReturnType<MemoryStore["records"]> {
      if (args[0] === "ann/c1") await this.#hold("records");
      return await super.records(...args);
    }

    override async delete(id: string): Promise<void> {
      await super.delete(id);
      if (id === "ann/c1") this.#gone.resolve();
    }

    async #hold(what: "append" | "load" | "records"): Promise<void> {
      if (this.holds !== what) return;
      this.held.push(what);
      await this.#gone.promise;
    }
  }

  /** What is asked while a conversation is deleted: it has reached a place in the store before, and goes on after. */
  async function askedMeanwhile(
    holds: "append" | "load" | "records",
    ask: (page: Page) => Promise<Response>,
  ): Promise<{ readonly answer: Response; readonly page: Page; readonly store: HeldStore }> {
    const store = new HeldStore();
    const page = openPage(new ScriptedModel(say("One."), say("New."), say("New.")), { store });
    await allChunks(await page.send("First"));
    store.holds = holds;
    const asking = ask(page);
    await until(() => store.held.length > 0);
    store.holds = undefined;
    await store.delete("ann/c1");
    return { answer: await asking, page, store };
  }

  test.each<[string, (page: Page) => Promise<Response>]>([
    ["a message", (page) => page.send("Second")],
    ["a new name", (page) => page.ask("PATCH", "/c1", { body: { title: "New" } })],
  ])("%s for the old one is refused, and changes nothing", async (_, ask) => {
    const { answer, page, store } = await askedMeanwhile("append", ask);
    expect(await errorOf(answer)).toEqual({ status: 409, code: "changed" });
    expect(await store.load("ann/c1")).toEqual([]);
    expect(page.lines).toEqual([]);
    expect(textOf(await allChunks(await page.send("Third")))).toBe("New.");
  });

  test("a message that finds nothing begins a new one, whole", async () => {
    const { answer, store } = await askedMeanwhile("load", (page) => page.send("Second"));
    expect(textOf(await allChunks(answer))).toBe("New.");
    const entries = await store.load("ann/c1");
    expect(checkSession(entries.map((value) => ({ value })))).toEqual({ problems: [], notes: [] });
    expect(JSON.stringify(entries)).not.toContain("First");
  });

  test("a conversation that is gone can't be renamed", async () => {
    const rename = (page: Page): Promise<Response> => page.ask("PATCH", "/c1", { body: { title: "New" } });
    const { answer, store } = await askedMeanwhile("load", rename);
    expect(await errorOf(answer)).toEqual({ status: 404, code: "not_found" });
    expect(await store.load("ann/c1")).toEqual([]);
  });

  test.each([
    ["stop", "records", { stopped: false }],
    ["continue", "load", { continued: false }],
  ] as const)("%s finds no run", async (action, holds, body) => {
    const { answer, store } = await askedMeanwhile(holds, (page) => page.ask("POST", `/c1/${action}`));
    expect(await answer.json()).toEqual(body);
    expect(await store.load("ann/c1")).toEqual([]);
  });
});

describe("a conversation's object", () => {
  test("is shared by all who use it at once, and forgotten after", async () => {
    let made = 0;
    class CountingAgent extends Agent {
      override session(...options: Parameters<Agent["session"]>): ReturnType<Agent["session"]> {
        made += 1;
        return super.session(...options);
      }
    }
    const model = new SteppedModel(say("One ", "two."), say("Three."));
    const page = openPage(model, { agent: new CountingAgent({ model }) });
    model.say();
    const chunks = readChunks(await page.send("Count"));
    await readUntil(chunks, "One ");
    const followed = await page.ask("GET", "/c1/stream");
    expect(made).toBe(1);
    model.finish();
    await Promise.all([restOf(chunks), followed.text()]);
    await allChunks(await page.send("More"));
    expect(made).toBe(2);
  });

  test("is not that of a deleted one, even while somebody still has its stream", async () => {
    const model = new SteppedModel(say("One ", "two."), say("New."));
    const page = openPage(model);
    model.say();
    const old = await page.send("Count");
    await until(() => model.held === 1);
    await page.ask("DELETE", "/c1");
    model.finish();
    expect(textOf(await allChunks(await page.send("Hello again")))).toBe("New.");
    await old.text();
  });
});

describe("a run whose process has died", () => {
  const cutOff = async (resumeCutOff: boolean): Promise<{ readonly later: Page; readonly model: ScriptedModel }> => {
    const processes = new Processes(new MemoryStore());
    const first = processes.start();
    const dying = new SteppedModel(say("One ", "two."));
    const page = openPage(dying, { store: first.store });
    dying.say();
    const chunks = readChunks(await page.send("Count", { id: "m1" }));
    await readUntil(chunks, "One ");
    first.die();
    void chunks.return();
    const model = new ScriptedModel(say("One two three."));
    return { model, later: openPage(model, { store: processes.start().store, resumeCutOff }) };
  };

  test("goes on when a client follows it", async () => {
    const { later } = await cutOff(true);
    const chunks = await allChunks(await later.ask("GET", "/c1/stream"));
    expect(textOf(chunks).endsWith("One two three.")).toBe(true);
    expect(await state(later)).toBe("idle");
  });

  test("goes on when its message is sent again", async () => {
    const { later, model } = await cutOff(false);
    expect(textOf(await allChunks(await later.send("Count", { id: "m1" })))).toContain("One two three.");
    expect(model.requests).toHaveLength(1);
  });

  test("stays as it is if told so", async () => {
    const { later, model } = await cutOff(false);
    expect((await later.ask("GET", "/c1/stream")).status).toBe(204);
    expect(model.requests).toEqual([]);
  });
});

describe("a stream that is silent", () => {
  fakeTime("leaps");

  test("is kept open by comments, which clients ignore", async () => {
    const model = new SteppedModel(say("At last."));
    const page = openPage(model, { keepAliveMs: 1000 });
    const response = await page.send("Wait");
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
    let text = "";
    while (!text.includes(": keep-alive\n\n"))
      text += new TextDecoder().decode((await reader.read()).value ?? new Uint8Array());
    model.finish();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read())
      text += new TextDecoder().decode(piece.value);
    expect(text).toContain("At last.");
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  test("is sent no comments that its reader does not take", async () => {
    const model = new SteppedModel(say("At last."));
    const page = openPage(model, { keepAliveMs: 1000 });
    const response = await page.send("Wait");
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    model.finish();
    const text = await response.text();
    expect(text).toContain("At last.");
    expect(text.split(": keep-alive\n\n").length).toBeLessThan(4);
  });
});
