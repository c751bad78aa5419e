import { MemoryStore } from "@pollux/core";
import { say } from "@pollux/core/testing";
import { stopChat } from "@pollux/web";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { VERSIONS } from "./page.ts";
import { API, ask, hurry, LINES, messageOf, replaced, sendsFromBoth, Site, textsOf, whole } from "./site.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
});

describe.each(VERSIONS)("a page of version %d", (version) => {
  test("stops reading and sends another message: the answer is stopped, and the message answered", async () => {
    const site = new Site(version);
    const client = site.open();
    await ask(site, client);
    await client.stop();
    await site.sendTo(client, "Never mind.");
    expect([client.status, client.error]).toEqual(["ready", undefined]);
    expect(textsOf(client)).toEqual(replaced);
    const { messages } = await site.load();
    expect(textsOf({ messages })).toEqual(replaced);
    expect(messages[1]?.metadata).toMatchObject({ state: "stopped", stopReason: "aborted" });
  });

  test("stops reading before the first word and sends another message", async () => {
    const site = new Site(version);
    const client = site.open();
    void client.sendMessage({ text: "Count." });
    await expect.poll(() => site.model.held).toBe(1);
    await client.stop();
    // As if nothing of the answer had come.
    client.messages = client.messages.slice(0, 1);
    await site.sendTo(client, "Never mind.");
    expect([client.error, textsOf(client)]).toEqual([undefined, ["Count.", "Never mind.", "Well."]]);
    expect((await site.load()).state).toBe("idle");
  });

  test("stops reading and has the answer made anew, or edits what it answers", async () => {
    const site = new Site(version, { lines: [LINES[0] ?? say(), LINES[0] ?? say(), say("Well.")] });
    const client = site.open();
    await ask(site, client);
    await client.stop();
    void client.regenerate({ messageId: client.messages[1]?.id ?? "" });
    await expect.poll(() => site.model.requests.length).toBe(2);
    expect(client.error).toBe(undefined);
    await client.stop();
    const [first] = client.messages;
    site.model.finish();
    await hurry(client.sendMessage({ text: "Never mind.", messageId: first?.id ?? "" }));
    expect([client.error, textsOf(client)]).toEqual([undefined, ["Never mind.", "Well."]]);
    expect(textsOf(await site.load())).toEqual(["Never mind.", "Well."]);
  });

  test("is left: the answer goes on, and is there when the page comes back or is loaded anew", async () => {
    const site = new Site(version);
    const client = site.open();
    await ask(site, client);
    // What the hook does when its component goes.
    await client.stop();
    expect((await site.load()).state).toBe("running");
    const back = client.resumeStream();
    const { messages } = await site.load();
    const reloaded = site.open(0, { messages });
    const loaded = reloaded.resumeStream();
    site.model.finish();
    await Promise.all([back, loaded]);
    expect([textsOf(client), textsOf(reloaded)]).toEqual([whole, whole]);
    expect(site.model.requests).toHaveLength(1);
  });

  test("shows another chat meanwhile: both are answered", async () => {
    const site = new Site(version);
    const client = site.open();
    await ask(site, client);
    await client.stop();
    const other = site.open(0, { id: "d" });
    await site.sendTo(other, "Hello.");
    expect(textsOf(other)).toEqual(["Hello.", "Well."]);
    await expect.poll(async () => textsOf(await site.load())).toEqual(whole);
  });

  test("is mounted twice, as in StrictMode, and sends another message", async () => {
    const site = new Site(version);
    const first = site.open();
    await ask(site, first);
    await first.stop();
    const { messages } = await site.load();
    const client = site.open(0, { messages });
    void client.resumeStream();
    void client.resumeStream();
    await expect.poll(() => client.status).toBe("streaming");
    await client.stop();
    await site.sendTo(client, "Never mind.");
    expect([client.error, textsOf(client)]).toEqual([undefined, replaced]);
  });

  test("sends only its last message: it is told to stop the answer, and the last two are enough", async () => {
    const site = new Site(version);
    const client = site.open();
    await ask(site, client);
    await client.stop();
    for (const [count, error] of [
      [1, "An answer is being written. Wait until it is finished, or stop it."],
      [2, undefined],
    ] as const) {
      const next = site.open(0, {
        messages: client.messages,
        prepareSendMessagesRequest: ({ id, messages }) => ({ body: { id, messages: messages.slice(-count) } }),
      });
      await site.sendTo(next, "Never mind.", error === undefined);
      expect(messageOf(next.error)).toBe(error);
    }
    expect(textsOf(await site.load())).toEqual(replaced);
  });

  test("sends a message while another tab reads: it is refused until that tab is gone", async () => {
    const site = new Site(version);
    const client = site.open();
    await ask(site, client);
    const tab = site.open(0, { messages: (await site.load()).messages });
    const reading = tab.resumeStream();
    await expect.poll(() => tab.status).toBe("streaming");
    await client.stop();
    const { messages } = client;
    await site.sendTo(client, "Never mind.", false);
    expect(messageOf(client.error)).toBe(
      "This answer is also shown somewhere else. Wait until it is finished, or stop it there.",
    );
    await tab.stop();
    await reading;
    const again = site.open(0, { messages: messages.slice(0, 2) });
    await site.sendTo(again, "Never mind.");
    expect([again.error, textsOf(again)]).toEqual([undefined, replaced]);
  });

  test("loses its network: the answer goes on, and is read again", async () => {
    const site = new Site(version);
    const lost = new AbortController();
    const client = site.open(0, {
      fetch: async (input, init) => {
        if (lost.signal.aborted) return await site.fetch()(input, init);
        const { body, headers } = await site.fetch()(input, { ...init, signal: lost.signal });
        return new Response(body, { headers });
      },
    });
    await ask(site, client);
    lost.abort(new TypeError("network error"));
    await expect.poll(() => client.status).toBe("error");
    const back = client.resumeStream();
    site.model.finish();
    await back;
    expect(textsOf(client)).toEqual(whole);
  });

  test("has the answer stopped for good: nothing is replayed, and what was checked is kept with what it cost", async () => {
    const site = new Site(version, { mask: /One/g });
    const client = site.open();
    const sent = client.sendMessage({ text: "Count." });
    await expect.poll(() => site.model.held).toBe(1);
    site.model.say(2);
    await expect.poll(() => site.model.held).toBe(1);
    expect(await stopChat("c", { api: API, fetch: site.fetch() })).toBe(true);
    await sent;
    const { state, messages } = await site.load();
    expect([state, textsOf({ messages })]).toEqual(["stopped", ["Count.", "*** two "]]);
    const metadata = {
      state: "stopped",
      stopReason: "aborted",
      usage: { inputTokens: 7, outputTokens: 2 },
      cost: 9e-6,
    };
    for (const { metadata: found } of [messages.at(-1), client.messages.at(-1)].filter((one) => one !== undefined))
      expect(found).toMatchObject(metadata);
    expect([client.status, textsOf(client)]).toEqual(["ready", ["Count.", "*** two "]]);

    const reloaded = site.open(0, { messages });
    await reloaded.resumeStream();
    expect([reloaded.status, textsOf(reloaded)]).toEqual(["ready", ["Count.", "*** two "]]);
    expect((await site.fetch()(`${API}/c/stream`)).status).toBe(204);
    expect(await stopChat("c", { api: API, fetch: site.fetch() })).toBe(false);
    await site.sendTo(reloaded, "Never mind.");
    expect(textsOf(reloaded)).toEqual(["Count.", "*** two ", "Never mind.", "Well."]);
  });

  test("is served by two processes on one store", async () => {
    const store = new MemoryStore();
    const site = new Site(version, { stores: [store, store] });
    await sendsFromBoth(site, hurry);
    // Nothing of who read is left.
    await expect.poll(() => store.records("pollux:readers/ann/c")).toEqual({});
  });
});
