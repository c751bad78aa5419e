import type { AiSdkVersion } from "@pollux/web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chromium, openChromium } from "../runtimes/support/chromium.ts";
import { describePart, type PageMessage } from "./page/describe-part.ts";
import { ChatSite } from "./support/chat-site.ts";
import { ChatTab } from "./support/chat-tab.ts";
import { words } from "./support/paced-model.ts";

const VERSIONS: readonly AiSdkVersion[] = [5, 6, 7];

let browser: Chromium;
let site: ChatSite;
beforeAll(async () => {
  [browser, site] = await Promise.all([openChromium(), ChatSite.open(VERSIONS)]);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const sentence = (count: number): string => words(0, count).join("");

describe.each(VERSIONS)("useChat of version %d in a browser", (version) => {
  let chats = 0;
  /** A tab with a new conversation. */
  async function openChat(): Promise<{ readonly tab: ChatTab; readonly chat: string }> {
    const tab = await ChatTab.open(browser);
    const chat = `chat-${version}-${chats++}`;
    await tab.show(site, version, chat);
    return { tab, chat };
  }

  /** What the server gives a page that is opened now. */
  async function stored(chat: string): Promise<readonly (readonly string[])[]> {
    const response = await fetch(`${site.url}/${version}/api/chat/${chat}`);
    const { messages } = (await response.json()) as { readonly messages: readonly PageMessage[] };
    return messages.map(({ parts }) => parts.map(describePart).filter((text) => text !== ""));
  }

  test.each([
    ["count 5", ["w0 w1 w2 w3 w4 "]],
    ["think", ["Thought: Hm. ", "It is so."]],
    ["tools", ["Both. ", 'tool-work output-available {"done":1}', 'tool-work output-available {"done":2}', "Done."]],
    ["fail", [expect.stringMatching(/^tool-fail output-error (?!.*secret)/), "Done."]],
    [
      "search",
      ["It rains in Oslo.", "Source 1: https://a.example/", "Source 2: https://b.example/", "data-search-suggestions"],
    ],
    ["draw", ["Here: ", "File: data:image/png;base64,aGk="]],
  ])("shows what comes of %j, as a page does that is opened later", async (text, expected) => {
    const { tab, chat } = await openChat();
    await tab.say(text);
    await tab.sees(text);
    await tab.isQuiet();
    expect(await tab.answer()).toEqual(expected);
    expect(await tab.messages()).toEqual(await stored(chat));
    await tab.reload();
    expect(await tab.answer()).toEqual(expected);
    expect(tab.errors).toEqual([]);
    await tab.close();
  });
});
