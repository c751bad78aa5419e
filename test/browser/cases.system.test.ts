import type { AiSdkVersion } from "@pollux/web/ai-sdk";
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
  let tab: ChatTab;
  let chats = 0;
  beforeAll(async () => {
    tab = await ChatTab.open(browser);
  });
  afterAll(async () => {
    await tab.close();
  });

  /** Shows a new conversation in the tab. */
  async function openChat(): Promise<string> {
    const chat = `chat-${version}-${chats++}`;
    tab.errors.splice(0);
    await tab.show(site, version, chat);
    return chat;
  }

  /** The server's response to a page that opens now. */
  async function load(chat: string): Promise<{ readonly messages: readonly PageMessage[] }> {
    const response = await fetch(`${site.url}/${version}/api/chat/${chat}`);
    return (await response.json()) as { readonly messages: readonly PageMessage[] };
  }

  /** The parts of that response as a page shows them. */
  async function stored(chat: string): Promise<readonly (readonly string[])[]> {
    const { messages } = await load(chat);
    return messages.map(({ parts }) => parts.map(describePart).filter((text) => text !== ""));
  }

  test("shows each kind of answer like a page that is opened later", async () => {
    const chat = await openChat();
    const talk: (readonly unknown[])[] = [];
    for (const [text, expected] of [
      ["count 5", ["w0 w1 w2 w3 w4 "]],
      ["think", ["Thought: Hm. ", "It is so."]],
      ["tools", ["Both. ", 'tool-work output-available {"done":1}', 'tool-work output-available {"done":2}', "Done."]],
      ["fail", [expect.stringMatching(/^tool-fail output-error (?!.*secret)/), "Done."]],
      [
        "search",
        [
          "It rains in Oslo.",
          "Source 1: https://a.example/",
          "Source 2: https://b.example/",
          "data-search-suggestions",
        ],
      ],
      ["draw", ["Here: ", "File: data:image/png;base64,aGk="]],
    ] as const) {
      await tab.say(text);
      await tab.sees(text);
      await tab.isQuiet();
      expect(await tab.answer()).toEqual(expected);
      talk.push([text], expected);
    }
    expect(await tab.messages()).toEqual(talk);
    expect(await stored(chat)).toEqual(talk);
    await tab.reload();
    expect(await tab.messages()).toEqual(talk);
    expect(tab.errors).toEqual([]);
  });

  test("shows how far a call is", async () => {
    await openChat();
    await tab.say("slow");
    await tab.sees('tool-slow output-available preliminary {"percent":50}');
    await site.ask("/go-on");
    await tab.sees("Done.");
    expect(await tab.answer()).toEqual(['tool-slow output-available {"percent":100}', "Done."]);
  });

  const denied = version === 5 ? /^tool-pay output-error / : /^tool-pay output-denied/;
  const paid = (n: number): string => `tool-pay output-available {"paid":${n}}`;

  test.each([
    ["approves a call", ["Approve"], [paid(0)]],
    ["denies a call", ["Deny"], [expect.stringMatching(denied)]],
    ["approves one of two and denies the other", ["Approve", "Deny"], [paid(0), expect.stringMatching(denied)]],
  ])("%s, at once and after a reload", async (_what, presses, expected) => {
    for (const reloads of [false, true]) {
      const chat = await openChat();
      await tab.say(`pay ${presses.length}`);
      await tab.sees("tool-pay");
      await tab.isQuiet();
      if (reloads) await tab.reload();
      await tab.answerAll(presses);
      await tab.sees("Settled.");
      await tab.isQuiet();
      expect(await tab.answer()).toEqual([...expected, "Settled."]);
      expect(await tab.messages()).toEqual(await stored(chat));
      expect(tab.errors).toEqual([]);
    }
  });

  test("approves a call after the server was killed and restarted", async () => {
    const chat = await openChat();
    await tab.say("pay 1");
    await tab.sees("tool-pay");
    await tab.isQuiet();
    await site.kill();
    await site.restart();
    await tab.answerAll(["Approve"]);
    await tab.sees("Settled.");
    await tab.isQuiet();
    expect(await tab.answer()).toEqual([paid(0), "Settled."]);
    expect(await tab.messages()).toEqual(await stored(chat));
  });

  test("runs a tool in the page, and sends its output by itself", async () => {
    const chat = await openChat();
    await tab.say("where");
    await tab.sees("tool-where input-available");
    await tab.press("Tell");
    await tab.sees("Done.");
    await tab.isQuiet();
    expect(await tab.answer()).toEqual(['tool-where output-available {"city":"Oslo"}', "Done."]);
    expect(await tab.messages()).toEqual(await stored(chat));
  });

  test("stops an answer: the model gets no further request, and the text so far stays", async () => {
    const chat = await openChat();
    await tab.say("count 100000 at 5");
    await tab.sees("w20 ");
    const response = await fetch(`${site.url}/${version}/api/chat/${chat}/stop`, { method: "POST" });
    expect(await response.json()).toEqual({ stopped: true });
    await expect.poll(() => site.ask("/going")).toBe("0");
    await tab.isQuiet();
    const [said = "", ...rest] = await tab.answer();
    expect(sentence(100_000).startsWith(said)).toBe(true);
    expect(said).toContain("w20 ");
    expect(rest).toEqual(["data-interruption"]);
    expect(await tab.messages()).toEqual(await stored(chat));
    await tab.reload();
    expect((await tab.answer())[0]).toBe(said);
  });

  test("goes on after the network was cut", async () => {
    const chat = await openChat();
    await tab.say("count 200 at 5");
    await tab.sees("w20 ");
    site.cut(chat);
    await tab.sees("w199 ");
    await tab.isQuiet();
    expect(await tab.messages()).toEqual([["count 200 at 5"], [sentence(200)]]);
    expect(await tab.messages()).toEqual(await stored(chat));
  });

  test("has what came while the network was gone, when the answer has ended meanwhile", async () => {
    const chat = await openChat();
    await tab.say("count 50 at 5");
    await tab.sees("w5 ");
    site.isDown = true;
    site.cut(chat);
    await expect.poll(() => site.ask("/going")).toBe("0");
    site.isDown = false;
    await tab.sees("w49 ");
    await tab.isQuiet();
    expect(await tab.messages()).toEqual([["count 50 at 5"], [sentence(50)]]);
  });

  test("has the whole of an answer that ended after the page was loaded, and before it was followed", async () => {
    const chat = await openChat();
    await tab.say("count 200 at 10");
    await tab.sees("w20 ");
    const letFollow = site.hold(chat);
    const late = await ChatTab.open(browser);
    await late.show(site, version, chat);
    await tab.sees("w199 ");
    await tab.isQuiet();
    letFollow();
    await late.sees("w199 ");
    await late.isQuiet();
    expect(await late.messages()).toEqual([["count 200 at 10"], [sentence(200)]]);
    await late.close();
  });

  test("shows one answer in two tabs, the second opened in the middle", async () => {
    const chat = await openChat();
    await tab.say("count 200 at 5");
    await tab.sees("w20 ");
    const other = await ChatTab.open(browser);
    await other.show(site, version, chat);
    await Promise.all([tab.sees("w199 "), other.sees("w199 ")]);
    await Promise.all([tab.isQuiet(), other.isQuiet()]);
    expect(await other.messages()).toEqual([["count 200 at 5"], [sentence(200)]]);
    expect(await tab.messages()).toEqual(await other.messages());
    await other.close();
  });

  test("has the whole answer, once, after the server was killed in the middle of it", async () => {
    const chat = await openChat();
    await tab.say("mix 40 at 5");
    await tab.sees("w60 ");
    await site.kill();
    await site.restart();
    await tab.sees("w79 ");
    await tab.isQuiet();
    expect((await tab.answer()).join("").match(/w\d+ /g)).toEqual(words(0, 80));
    expect(await tab.messages()).toEqual(await stored(chat));
  });

  test("shows an error before the first word, and continues with the next message", async () => {
    await openChat();
    await tab.say("refuse");
    await tab.isInError();
    expect((await tab.view()).error).not.toContain("away");
    await tab.say("hello");
    await tab.sees("You said: hello");
    await tab.isQuiet();
    expect(await tab.answer()).toEqual(["You said: hello"]);
  });

  test("shows the text before an error", async () => {
    const chat = await openChat();
    await tab.say("break");
    await tab.isInError();
    expect(await tab.answer()).toEqual(["It was ", "data-interruption"]);
    expect(await tab.messages()).toEqual(await stored(chat));
  });

  test("shows the second answer, and not the one that broke off", async () => {
    const chat = await openChat();
    await tab.say(`again ${chat}`);
    await tab.sees("It is");
    await tab.isQuiet();
    expect(await tab.answer()).toEqual(["It is so."]);
    expect(await tab.messages()).toEqual(await stored(chat));
  });

  test("regenerates an answer, and edits a message: each appears once, also after a reload", async () => {
    const chat = await openChat();
    const [hello, goodbye] = ["hello", "goodbye"].map((text) => [[text], [`You said: ${text}`]]);
    await tab.say("hello");
    await tab.sees("You said: hello");
    await tab.isQuiet();
    const { messages: before } = await load(chat);
    await tab.askAgain();
    await expect.poll(async () => (await load(chat)).messages[1]?.id).not.toBe(before[1]?.id);
    await tab.isQuiet();
    expect(await tab.messages()).toEqual(hello);
    expect(await stored(chat)).toEqual(hello);
    await tab.reload();
    await tab.say("more");
    await tab.sees("You said: more");
    await tab.isQuiet();
    await tab.editFirst("goodbye");
    await tab.sees("You said: goodbye");
    await tab.isQuiet();
    expect(await tab.messages()).toEqual(goodbye);
    expect(await stored(chat)).toEqual(goodbye);
    expect(tab.errors).toEqual([]);
  });
});
