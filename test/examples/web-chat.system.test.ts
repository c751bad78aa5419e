import type { Part } from "@pollux/core/wire";
import { join, parts, say } from "@pollux/emulator";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Chromium, openChromium } from "../runtimes/support/chromium.ts";
import { builtPage } from "./support/built-page.ts";
import { ChatTab, countOf } from "./support/chat-tab.ts";
import { FrailWebChat } from "./support/frail-web-chat.ts";
import { type OpenWebChat, openWebChat } from "./support/open-web-chat.ts";

let browser: Chromium;
let built: string;
let chat: OpenWebChat;
beforeAll(async () => {
  [browser, built] = await Promise.all([openChromium(), builtPage("web-chat")]);
  chat = await openWebChat({ page: built, chunkMs: 5 });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await chat[Symbol.asyncDispose]();
});

const FIRST = "Things to try here";
const LAST = "or reload the page.";

/** Opens a tab until the end of the test. */
async function open(url: string): Promise<ChatTab> {
  const tab = await ChatTab.open(browser, url);
  onTestFinished(() => tab.page.close());
  return tab;
}

describe("with answers that come at once", () => {
  test("a question is answered with tool cards and a table, in a conversation with an address", async () => {
    const tab = await open(chat.url);
    await tab.say("What is the weather in Oslo and Lima?");
    await tab.sees("the day after");
    await tab.isDone();
    const said = await tab.messages();
    expect(countOf(said, "Get weather")).toBe(2);
    expect(countOf(said, "Done")).toBe(2);
    expect(tab.page.url()).toMatch(/\/chat\/[\da-f]{32}$/);
    expect(await tab.page.evaluate("document.querySelectorAll('.markdown table').length")).toBe(2);
    expect(tab.complaints).toEqual([]);
  });

  test("a call waits for approval over a reload, and runs once it is approved", async () => {
    const tab = await open(chat.url);
    await tab.say("I want to order 3 pieces of “mechanical keyboard”");
    await tab.sees("Needs your approval");
    await tab.page.reload();
    await tab.press("Approve");
    await tab.sees("3 × mechanical keyboard, confirmed");
    await tab.isDone();
    expect(countOf(await tab.messages(), "Place order")).toBe(1);
    expect(tab.complaints).toEqual([]);
  });

  test("a call that is denied does not run", async () => {
    const tab = await open(chat.url);
    await tab.say("I want to order 3 pieces of “mechanical keyboard”");
    await tab.press("Deny");
    await tab.sees("did not run");
    await tab.isDone();
    expect(await tab.messages()).toContain("Denied");
    expect(tab.complaints).toEqual([]);
  });

  test("a call runs with the values that it was approved with, once the tool accepts them", async () => {
    const tab = await open(chat.url);
    await tab.say("I want to order 3 pieces of “mechanical keyboard”");
    await tab.press("Edit");
    const quantity = tab.page.locator("input[type=number]");
    await quantity.fill("500");
    await tab.press("Approve with these values");
    await tab.sees("Too big");
    expect(await tab.page.evaluate(`document.querySelector("[aria-invalid=true]").value`)).toBe("500");
    await quantity.fill("2");
    await tab.press("Approve with these values");
    await tab.sees("2 × mechanical keyboard, confirmed");
    await tab.isDone();
    const said = await tab.messages();
    expect([countOf(said, "Place order"), countOf(said, "Edited"), countOf(said, "Denied")]).toEqual([1, 1, 0]);
    await tab.page.reload();
    await tab.sees("2 × mechanical keyboard, confirmed");
    expect(countOf(await tab.messages(), "Edited")).toBe(1);
    // The console reports the refused values.
    expect(tab.complaints).toEqual([expect.stringContaining("422")]);
  });

  test("an answer from the web has footnotes that lead to its sources, and Google's suggestions in a sandbox", async () => {
    const tab = await open(chat.url);
    await tab.say("Search the web for the latest news about the Gemini API");
    await tab.page.locator(".suggestions").wait();
    await tab.isDone();
    const report = `({
      notes: [...document.querySelectorAll(".cite")].map((one) => one.getAttribute("aria-label")),
      sources: [...document.querySelectorAll(".sources li")].map((one) => one.innerText),
      sandbox: document.querySelector(".suggestions").getAttribute("sandbox"),
    })`;
    expect(await tab.page.evaluate(report)).toEqual({
      notes: ["Source 1", "Source 1", "Source 2", "Source 3"],
      sources: ["ai.google.dev", "wikipedia.org", "example.com"],
      sandbox: "allow-popups allow-popups-to-escape-sandbox",
    });
    await tab.page.evaluate(`document.querySelectorAll(".cite")[3].click()`);
    expect(await tab.page.evaluate("document.activeElement.innerText")).toBe("example.com");
    expect(tab.complaints).toEqual([]);
  });

  test("a picture is drawn and shown", async () => {
    const tab = await open(chat.url);
    await tab.say("Draw a picture of “hills at dusk”");
    await tab.page.waitForFunction("document.querySelector('.tool .picture')?.naturalWidth === 640");
    const room = `(() => {
      const [card, picture] = [".tool", ".tool .picture"].map((one) => document.querySelector(one).clientWidth);
      return card - picture;
    })()`;
    expect(await tab.page.evaluate(room)).toBe(0);
    await tab.isDone();
    expect(tab.complaints).toEqual([]);
  });

  test("a text is read aloud, and the page can play it", async () => {
    const tab = await open(chat.url);
    await tab.say("Read aloud “Good evening, and welcome”");
    await tab.page.waitForFunction("document.querySelector('.tool audio')?.duration > 1");
    await tab.isDone();
    expect(tab.complaints).toEqual([]);
  });

  test("images are pasted and dropped, and are part of the message after a reload", async () => {
    const tab = await open(chat.url);
    await tab.page.evaluate(`(async () => {
      const dot = await new Promise((resolve) => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
        canvas.toBlob(resolve, "image/png");
      });
      const given = (name) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([dot], name, { type: "image/png" }));
        return transfer;
      };
      const how = { bubbles: true, cancelable: true };
      const box = document.querySelector("#composer");
      box.dispatchEvent(new ClipboardEvent("paste", { ...how, clipboardData: given("pasted.png") }));
      await new Promise((resolve) => setTimeout(resolve, 0));
      document.querySelector("main").dispatchEvent(new DragEvent("drop", { ...how, dataTransfer: given("dropped.png") }));
    })()`);
    await tab.page.locator("::-p-aria(Remove dropped.png)").wait();
    await tab.page.locator("::-p-aria(Remove pasted.png)").wait();
    await tab.say("What is this?");
    await tab.sees(LAST);
    await tab.page.reload();
    await tab.sees(LAST);
    const images = `[...document.querySelectorAll(".question .picture")]`;
    await tab.page.waitForFunction(`${images}.every(({ complete }) => complete)`);
    expect(await tab.page.evaluate(`${images}.map(({ alt, naturalWidth }) => [alt, naturalWidth])`)).toEqual([
      ["pasted.png", 8],
      ["dropped.png", 8],
    ]);
    expect(tab.complaints).toEqual([]);
  });

  test("an answer is regenerated, and a message is edited: each appears once, also after a reload", async () => {
    const tab = await open(chat.url);
    const said = async (): Promise<unknown> =>
      await tab.page.evaluate(`[...document.querySelectorAll(".question .bubble")].map((one) => one.innerText)`);
    const answers = `document.querySelectorAll(".answer[aria-busy=false]")`;
    await tab.say("Hello");
    await tab.sees(LAST);
    await tab.page.evaluate(`${answers}[0].dataset.old = "yes"`);
    await tab.press("Regenerate");
    await tab.page.waitForFunction(`${answers}.length === 1 && ${answers}[0].dataset.old === undefined`);
    await tab.sees(LAST);
    expect(await said()).toEqual(["Hello"]);
    await tab.press("Edit message");
    await tab.page.locator(".edit-question textarea").wait();
    // Selects and overwrites the text like a person: `fill` empties the field behind React's back.
    await tab.page.evaluate(`document.querySelector(".edit-question textarea").select()`);
    await tab.page.type(".edit-question textarea", "Good morning");
    await tab.page.locator(".edit-question [type=submit]:enabled").click();
    await tab.page.waitForFunction(`document.querySelector(".question .bubble")?.innerText === "Good morning"`);
    await tab.page.waitForFunction(`${answers}.length === 1`);
    await tab.page.reload();
    await tab.sees(LAST);
    expect(await said()).toEqual(["Good morning"]);
    expect(tab.complaints).toEqual([]);
  });

  test("a conversation is renamed, and deleted", async () => {
    const tab = await open(chat.url);
    await tab.say("Something to forget");
    await tab.sees(LAST);
    await tab.press("Rename Something to forget");
    await tab.page.locator(".rename").fill("Forget me");
    await tab.page.keyboard.press("Enter");
    await tab.press("Delete Forget me");
    await tab.press("Delete");
    await tab.page.waitForFunction("!document.body.innerText.includes('Forget me') && location.pathname === '/'");
    const { chats } = (await (await fetch(`${chat.url}/api/chat`)).json()) as { chats: { title: string }[] };
    expect(chats.map(({ title }) => title)).not.toContain("Forget me");
    expect(tab.complaints).toEqual([]);
  });

  test.each([
    ["light", undefined],
    // The values that differ from the other theme.
    ["dark", ["color-contrast"]],
  ])("nothing keeps people out in the %s theme, on a desk and on a phone", async (theme, rules) => {
    const tab = await open(chat.url);
    const { page } = tab;
    await page.evaluate(`localStorage.setItem("theme", "${theme}")`);
    await page.reload();
    await page.locator(".idea").wait();
    const found = { empty: await tab.barriers(rules) };
    await tab.say("Search the web for the latest news about the weather in Oslo");
    await page.locator(".suggestions").wait();
    // Said before, it would be part of this run.
    await tab.isDone();
    await tab.say("I want to order 3 pieces of “mechanical keyboard”");
    await page.locator(".approval").wait();
    await tab.isDone();
    const full = await tab.barriers(rules);
    await page.setViewport({ width: 390, height: 844 });
    const narrow = await tab.barriers(rules);
    await tab.press("Conversations");
    await page.waitForFunction("getComputedStyle(document.querySelector('.aside')).visibility === 'visible'");
    expect({ ...found, full, narrow, list: await tab.barriers(rules) }).toEqual({
      empty: [],
      full: [],
      narrow: [],
      list: [],
    });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    await page.evaluate(`localStorage.clear()`);
  });
});

describe("with answers that are spoken", () => {
  const piece = (samples: number): Part => ({
    inlineData: { mimeType: "audio/L16;codec=pcm;rate=24000", data: Buffer.alloc(samples * 2).toString("base64") },
  });

  test("the pieces of a sound are one player, also after a reload, on a desk and on a phone", async () => {
    const spoken = join(say("Listen:"), parts(piece(12_000), piece(12_001), piece(23_999)));
    await using speaker = await openWebChat({ page: built, chunkMs: 5, brain: { answer: () => spoken } });
    const tab = await ChatTab.open(browser, speaker.url);
    await tab.say("Speak to me");
    const players = `[...document.querySelectorAll(".answer audio")].map((one) => [one.duration, one.getAttribute("aria-label")])`;
    const hears = async (): Promise<unknown> => {
      await tab.page.waitForFunction(`document.querySelector(".answer audio")?.readyState > 0`);
      return await tab.page.evaluate(players);
    };
    expect(await hears()).toEqual([[2, "Speech from the model"]]);
    await tab.isDone();
    await tab.page.setViewport({ width: 390, height: 844 });
    await tab.page.reload();
    expect(await hears()).toEqual([[2, "Speech from the model"]]);
    const plays = `(async () => { const one = document.querySelector(".answer audio"); one.muted = true; await one.play(); return one.error; })()`;
    expect(await tab.page.evaluate(plays)).toBe(null);
    expect(await tab.page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    expect(await tab.barriers()).toEqual([]);
    expect(tab.complaints).toEqual([]);
    await tab.page.close();
  });
});

describe("with answers that take long", () => {
  afterEach(() => {
    chat.gate.release();
  });

  test("an answer is stopped, and its text so far survives a reload", async () => {
    const tab = await open(chat.url);
    chat.gate.hold(FIRST);
    await tab.say("Hello");
    await tab.sees(FIRST);
    await tab.page.keyboard.press("Escape");
    await tab.sees("Stopped.");
    await tab.isDone();
    const said = await tab.messages();
    expect(said).not.toContain(LAST);
    await tab.page.reload();
    await tab.sees("Stopped.");
    expect(await tab.messages()).toBe(said);
    expect(tab.complaints).toEqual([]);
  });

  test("an answer that was stopped is continued, and shown once", async () => {
    const tab = await open(chat.url);
    chat.gate.hold(FIRST);
    await tab.say("Hello");
    await tab.sees(FIRST);
    await tab.page.keyboard.press("Escape");
    await tab.sees("Stopped.");
    chat.gate.release();
    await tab.press("Continue");
    await tab.sees(LAST);
    await tab.isDone();
    const said = await tab.messages();
    expect([countOf(said, FIRST), countOf(said, LAST), countOf(said, "Stopped.")]).toEqual([1, 1, 0]);
    await tab.page.reload();
    await tab.sees(LAST);
    expect(await tab.messages()).toBe(said);
    expect(tab.complaints).toEqual([]);
  });

  test("an answer goes on after a reload in the middle, with nothing lost or doubled", async () => {
    const tab = await open(chat.url);
    chat.gate.hold(FIRST);
    await tab.say("Hello");
    await tab.sees(FIRST);
    await tab.page.reload();
    await tab.sees(FIRST);
    chat.gate.release();
    await tab.sees(LAST);
    await tab.isDone();
    const said = await tab.messages();
    expect([countOf(said, FIRST), countOf(said, LAST)]).toEqual([1, 1]);
    await tab.page.reload();
    await tab.sees(LAST);
    expect(await tab.messages()).toBe(said);
  });

  test("a message that is sent without a network arrives once there is one, and an answer that was cut off goes on", async () => {
    const tab = await open(chat.url);
    chat.gate.hold(FIRST);
    await tab.page.setOfflineMode(true);
    await tab.say("Hello");
    await tab.sees("Offline. Reconnecting…");
    await tab.page.setOfflineMode(false);
    await tab.sees(FIRST);
    await tab.page.setOfflineMode(true);
    await tab.sees("Offline. Reconnecting…");
    chat.gate.release();
    await tab.page.setOfflineMode(false);
    await tab.sees(LAST);
    await tab.isDone();
    const said = await tab.messages();
    expect([countOf(said, FIRST), countOf(said, LAST)]).toEqual([1, 1]);
    await tab.page.reload();
    await tab.sees(LAST);
    expect(await tab.messages()).toBe(said);
  });

  test("a second tab follows the answer and the messages of the first", async () => {
    const first = await open(chat.url);
    chat.gate.hold(FIRST);
    await first.say("Hello");
    await first.sees(FIRST);
    const second = await open(first.page.url());
    await second.sees(FIRST);
    chat.gate.release();
    await second.isDone();
    await first.page.bringToFront();
    await first.isDone();
    expect(countOf(await second.messages(), LAST)).toBe(1);
    expect(await second.messages()).toBe(await first.messages());
    await first.say("And once more, for the second tab");
    const isAnswered = "document.querySelectorAll('.answer-tools').length === 2";
    await first.page.waitForFunction(isAnswered);
    await first.isDone();
    await second.page.bringToFront();
    await second.page.waitForFunction(isAnswered);
    await second.isDone();
    expect(await second.messages()).toContain("And once more, for the second tab");
    expect(await second.messages()).toBe(await first.messages());
  });

  test("the active run reads a message that arrives during its answer", async () => {
    const tab = await open(chat.url);
    // The second answer, which reports the tool's result.
    chat.gate.hold("the day after");
    await tab.say("What is the weather in Oslo?");
    await tab.sees("the day after");
    await tab.say("Please be brief");
    await tab.sees("Will be read after this step");
    chat.gate.release();
    await tab.page.waitForFunction("document.querySelector('.is-steering') !== null");
    await tab.isDone();
    const bubbles = `[...document.querySelectorAll(".question")].map((one) => one.innerText)`;
    expect(await tab.page.evaluate(bubbles)).toEqual(["What is the weather in Oslo?", "Please be brief"]);
    expect(tab.complaints).toEqual([]);
  });
});

describe("with a server and a network that fail", () => {
  let frail: FrailWebChat;
  beforeAll(async () => {
    frail = await FrailWebChat.open();
  });
  afterAll(async () => {
    await frail[Symbol.asyncDispose]();
  });

  afterEach(() => {
    frail.gate.release();
  });

  /** The whole answer is there once, and a page that opens later shows the same. */
  async function hasAll(tab: ChatTab): Promise<void> {
    await tab.sees(LAST);
    await tab.isDone();
    const said = await tab.messages();
    expect([countOf(said, FIRST), countOf(said, LAST)]).toEqual([1, 1]);
    await tab.page.reload();
    await tab.sees(LAST);
    expect(await tab.messages()).toBe(said);
  }

  test("an answer is whole after its connection was cut twice in the middle", async () => {
    const tab = await open(frail.url);
    frail.gate.hold(FIRST);
    await tab.say("Hello");
    await tab.sees(FIRST);
    frail.cut();
    frail.gate.hold("A picture");
    await tab.sees("A picture");
    frail.cut();
    frail.gate.release();
    await hasAll(tab);
  });

  test("an answer is whole that ended while the network was gone", async () => {
    const tab = await open(frail.url);
    frail.gate.hold(FIRST);
    await tab.say("Hello");
    await tab.sees(FIRST);
    frail.isDown = true;
    frail.cut();
    await tab.sees("Offline. Reconnecting…");
    frail.gate.release();
    await frail.isIdle();
    frail.isDown = false;
    await hasAll(tab);
  });

  test("an answer is whole after the server was killed in the middle, and started again", async () => {
    const tab = await open(frail.url);
    frail.gate.hold(FIRST);
    await tab.say("Hello");
    await tab.sees(FIRST);
    await frail.kill();
    await tab.sees("Offline. Reconnecting…");
    frail.gate.release();
    await frail.start();
    await hasAll(tab);
  });
});
