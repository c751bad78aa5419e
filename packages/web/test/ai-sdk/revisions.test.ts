import { Agent, MemoryStore } from "@pollux/core";
import { say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { chatHandler } from "@pollux/web";
import { aiSdk, type AiSdkVersion } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { type ChatClient, openChat } from "./chat-client.ts";
import { type BuiltMessage, VERSIONS } from "./page.ts";

function openSite(version: AiSdkVersion, ...lines: readonly ScriptLine[]) {
  const model = new ScriptedModel(...lines);
  const handler = chatHandler({
    agent: new Agent({ model }),
    store: new MemoryStore(),
    authorize: () => ({ owner: "ann" }),
    protocol: aiSdk({ version }),
  });
  const ask: typeof fetch = async (input, init) => await handler(new Request(input, init));
  const load = async (): Promise<readonly BuiltMessage[]> => {
    const response = await ask("https://chat.example.com/api/chat/c");
    return ((await response.json()) as { readonly messages: readonly BuiltMessage[] }).messages;
  };
  return {
    model,
    load,
    open: async (isLoaded: boolean): Promise<ChatClient> =>
      openChat(version, { id: "c", fetch: ask, messages: isLoaded ? await load() : [] }),
  };
}

function textsIn(messages: readonly BuiltMessage[]): readonly string[] {
  return messages.map(({ parts }) => parts.map((part) => (part.type === "text" ? String(part["text"]) : "")).join(""));
}

describe.each(VERSIONS)("useChat of version %d", (version) => {
  test.each([
    ["at once", false],
    ["by a page that was loaded", true],
  ])(
    "has an answer made anew %s: nothing stands twice, for the page, the server and the model",
    async (_when, reloads) => {
      const site = openSite(version, say("A."), say("B."), say("C."), say("D."), say("E."));
      let client = await site.open(false);
      await client.sendMessage({ text: "One." });
      await client.sendMessage({ text: "Two." });
      if (reloads) client = await site.open(true);
      const asked = client.messages[2]?.id;
      await client.regenerate();
      await client.regenerate();
      expect(textsIn(client.messages)).toEqual(["One.", "A.", "Two.", "D."]);
      expect(client.messages[2]?.id).toBe(asked);
      expect(textsIn(await site.load())).toEqual(textsIn(client.messages));
      expect(site.model.requests.at(-1)?.contents).toHaveLength(3);
      // An earlier one, with what followed.
      await client.regenerate({ messageId: client.messages[1]?.id ?? "" });
      expect(textsIn(client.messages)).toEqual(["One.", "E."]);
      expect(textsIn(await site.load())).toEqual(["One.", "E."]);
      expect(client.status).toBe("ready");
    },
  );

  test.each([
    ["at once", false],
    ["by a page that was loaded", true],
  ])("edits an earlier message %s", async (_when, reloads) => {
    const site = openSite(version, say("A."), say("B."), say("C."), say("D."), say("E."));
    let client = await site.open(false);
    await client.sendMessage({ text: "One." });
    await client.sendMessage({ text: "Two." });
    if (reloads) client = await site.open(true);
    const messageId = client.messages[0]?.id ?? "";
    await client.sendMessage({ text: "Won.", messageId });
    expect(textsIn(client.messages)).toEqual(["Won.", "C."]);
    expect(textsIn(await site.load())).toEqual(["Won.", "C."]);
    expect(site.model.requests.at(-1)?.contents).toHaveLength(1);
    await client.regenerate();
    await client.sendMessage({ text: "Next." });
    expect(textsIn(await site.load())).toEqual(["Won.", "D.", "Next.", "E."]);
    expect(textsIn(client.messages)).toEqual(["Won.", "D.", "Next.", "E."]);
  });
});
