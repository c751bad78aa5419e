import { type Answer, type Brain, type BrainTurn, say } from "@pollux/emulator";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { emulation } from "../../examples/web-chat/server/emulation.ts";
import { type Chromium, openChromium } from "../runtimes/support/chromium.ts";
import { builtPage } from "./support/built-page.ts";
import { ChatTab } from "./support/chat-tab.ts";
import { type OpenWebChat, openWebChat } from "./support/open-web-chat.ts";

const LONG = Array.from({ length: 60 }, (_, index) => `Paragraph ${index + 1} of a long answer.`).join("\n\n");
const END = "Paragraph 60 of a long answer.";

const WORDS = [
  "Aktiengesellschaft",
  "Hauptversammlung",
  "Wirtschaftsprüfung",
  "Geschäftsführung",
  "Unternehmenssteuern",
];
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const WIDE = [row(WORDS), row(WORDS.map(() => "---")), row(WORDS), row(WORDS.toReversed())].join("\n");

/** Like the example's brain, with long or wide answers on request. */
class LongBrain implements Brain {
  readonly #usual = emulation().brain;

  async answer(turn: BrainTurn): Promise<Answer> {
    const isOpening = turn.responses.length === 0;
    if (!turn.model.imageOutput && isOpening && turn.prompt.startsWith("Go on")) return say(LONG);
    if (isOpening && turn.prompt.startsWith("Make a table")) return say(WIDE);
    if (this.#usual === undefined) throw new Error("the example has a brain");
    const answer = await this.#usual.answer(turn);
    return turn.responses.length > 0 && turn.prompt.includes("at length") ? say(LONG) : answer;
  }
}

let browser: Chromium;
let chat: OpenWebChat;
beforeAll(async () => {
  const [opened, page] = await Promise.all([openChromium(), builtPage("web-chat")]);
  browser = opened;
  chat = await openWebChat({ page, chunkMs: 5, brain: new LongBrain() });
});
afterEach(() => {
  chat.gate.release();
});
afterAll(async () => {
  await Promise.all([browser[Symbol.asyncDispose](), chat[Symbol.asyncDispose]()]);
});

interface Place {
  readonly top: number;
  readonly height: number;
}

const SCROLL = `document.querySelector(".scroll")`;
/** Pixels below the visible part. */
const BELOW = `${SCROLL}.scrollHeight - ${SCROLL}.clientHeight - ${SCROLL}.scrollTop`;
/** Waits, since the page follows new text with the next frame. */
const IS_AT_END = `${BELOW} < 60`;

async function placeOf({ page }: ChatTab): Promise<Place> {
  const code = `(() => {
    const { scrollTop, scrollHeight } = ${SCROLL};
    return { top: scrollTop, height: scrollHeight };
  })()`;
  // As above.
  return (await page.evaluate(code)) as Place;
}

/** Opens a tab until the end of the test. */
async function open(): Promise<ChatTab> {
  const tab = await ChatTab.open(browser, chat.url);
  onTestFinished(() => tab.page.close());
  return tab;
}

/** Starts a long answer that fills more than the page. It continues when released. */
async function openWriting(): Promise<ChatTab> {
  const tab = await open();
  chat.gate.hold("Paragraph 40 ");
  await tab.say("Go on and on");
  await tab.sees("Paragraph 40 ");
  await tab.page.waitForFunction(`${SCROLL}.scrollHeight > ${SCROLL}.clientHeight + 300 && ${IS_AT_END}`);
  return tab;
}

async function grows(tab: ChatTab, from: Place): Promise<void> {
  await tab.page.waitForFunction(`${SCROLL}.scrollHeight > ${from.height + 150}`);
}

test("the end is followed until a trackpad leaves it, in however small steps, and again after going back", async () => {
  const tab = await openWriting();
  // A page continues to scroll after a turn of the wheel.
  await tab.page.evaluate(
    `for (const type of ["scroll", "scrollend"]) ${SCROLL}.addEventListener(type, () => (window.isStill = type === "scrollend"))`,
  );
  await tab.page.mouse.move(640, 300);
  for (let step = 0; step < 30; step++) await tab.page.mouse.wheel({ deltaY: -6 });
  await tab.page.locator("::-p-aria(Go to the last message)").wait();
  await tab.page.waitForFunction("window.isStill");
  const left = await placeOf(tab);
  chat.gate.release();
  await grows(tab, left);
  expect((await placeOf(tab)).top).toBe(left.top);
  await tab.press("Go to the last message");
  await tab.sees(END);
  await tab.isDone();
  await tab.page.waitForFunction(IS_AT_END);
});

test("a reader who went back by the keyboard stays there, also when the answer is over", async () => {
  const tab = await openWriting();
  await tab.page.evaluate(`${SCROLL}.focus()`);
  await tab.page.keyboard.press("Home");
  await tab.page.waitForFunction(`${SCROLL}.scrollTop === 0`);
  chat.gate.release();
  await tab.sees(END);
  await tab.isDone();
  expect((await placeOf(tab)).top).toBe(0);
});

test("a card that is opened stays where it is while an answer is written", async () => {
  const tab = await open();
  chat.gate.hold("Paragraph 3 ");
  await tab.say("What is the weather in Oslo, at length?");
  await tab.sees("Paragraph 3 ");
  const card = `document.querySelector(".tool summary")`;
  // Synchronously, since the page moves until the click.
  const before = await tab.page.evaluate(
    `(() => { const { top } = ${card}.getBoundingClientRect(); ${card}.click(); return top; })()`,
  );
  chat.gate.hold("Paragraph 40 ");
  await tab.sees("Paragraph 40 ");
  expect(await tab.page.evaluate(`document.querySelector(".tool details").open`)).toBe(true);
  expect(await tab.page.evaluate(`${card}.getBoundingClientRect().top`)).toBe(before);
  chat.gate.release();
  await tab.isDone();
});

test("a picture that arrives is followed", async () => {
  const tab = await openWriting();
  chat.gate.release();
  await tab.sees(END);
  await tab.isDone();
  await tab.say("Draw a picture of “hills at dusk”");
  await tab.page.waitForFunction("document.querySelector('.tool .picture')?.naturalWidth === 640");
  await tab.isDone();
  await tab.page.waitForFunction(`${BELOW} < 2`);
});

test("a wide table scrolls on a phone, and its words stay whole", async () => {
  const tab = await open();
  await tab.page.setViewport({ width: 390, height: 844 });
  await tab.say("Make a table");
  await tab.isDone();
  const report = `(() => {
    const lines = [...document.querySelectorAll(".table :is(th, td)")].map((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return range.getClientRects().length;
    });
    const { scrollWidth, clientWidth } = document.querySelector(".table");
    return { lines: [...new Set(lines)], scrolls: scrollWidth > clientWidth, page: document.documentElement.scrollWidth };
  })()`;
  expect(await tab.page.evaluate(report)).toEqual({ lines: [1], scrolls: true, page: 390 });
});
