import { MemoryStore } from "@pollux/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Chromium, openChromium } from "../../../../test/runtimes/support/chromium.ts";
import { DEMO_IDS, makeDemoSessions } from "../demo-sessions.ts";
import { InspectorTab } from "./support/inspector-tab.ts";
import { type BuiltPage, builtPage, type ServedInspector } from "./support/served-inspector.ts";

/** Questions about a session, with the clicks from the list of sessions to the answer: the table in docs/guides/inspector.md. */
const CLICKS = {
  "Did it call a tool twice?": 2,
  "Why did a tool fail?": 3,
  "Which turn cost most?": 2,
  "What broke the cache, and what did that cost?": 2,
  "What was sent in turn 3?": 3,
  "What would it say to another prompt?": 3,
  "Which of two runs was better, and why?": 3,
  "What costs most this week?": 1,
} as const;

const [sessions, exchanges] = [new MemoryStore(), new MemoryStore()];
let browser: Chromium;
let page: BuiltPage;
let served: ServedInspector;
beforeAll(async () => {
  [browser, page] = await Promise.all([openChromium(), builtPage(), makeDemoSessions({ sessions, exchanges })]);
  const prices = { input: 0.3, cachedInput: 0.03, output: 2.5, searchQuery: 0.014 };
  served = await page.serve({ title: "sessions", store: sessions, exchanges, prices });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
});

/** Finds the answer from the list of sessions, with the table's number of clicks. */
function asks(question: keyof typeof CLICKS, answer: (tab: InspectorTab) => Promise<void>): void {
  test(`${question} Clicks: ${CLICKS[question]}`, async () => {
    const tab = await InspectorTab.open(browser, served.url);
    await tab.sees(`${DEMO_IDS.length} shown`);
    await answer(tab);
    expect(tab.clicks).toBe(CLICKS[question]);
    await tab.close();
  });
}

/** Opens a session like a person: with a click in the list. */
async function openSession(tab: InspectorTab, id: string): Promise<void> {
  await tab.clickText(".session-id", id);
  await tab.sees("Timeline");
}

asks("Did it call a tool twice?", async (tab) => {
  await openSession(tab, "repeated-calls");
  await tab.clickText(".filters button", "repeated calls");
  await tab.sees("The model called get_stock with the same arguments as in the previous turn.", ".details");
  await tab.sees('{"title":"Dune"}', ".details");
  expect(await tab.texts(".line-turn .line-number")).toEqual(["▾ 2", "▾ 3"]);
  expect(await tab.hash()).toBe("#/s/repeated-calls/t/2");
});

asks("Why did a tool fail?", async (tab) => {
  await openSession(tab, "parallel-tools");
  await tab.clickText(".filters button", "call failed");
  await tab.sees('get_stock failed: warehouse 4 does not know "Lost in Translation" See the call', ".turn-notes");
  await tab.sees('Error warehouse 4 does not know "Lost in Translation"', ".call-failed .cause");
  await tab.sees("the model doesn't read them", ".call-failed .causes");
  await tab.clickText(".cause summary", "Stack");
  await tab.sees("demo-sessions.ts", ".cause");
});

asks("Which turn cost most?", async (tab) => {
  await openSession(tab, "long-chat");
  await tab.click("tab", "Cost and tokens");
  await tab.sees("Costliest turn: Turn 1, ", ".costliest");
  await tab.sees("0.0014", ".costliest");
});

asks("What broke the cache, and what did that cost?", async (tab) => {
  await openSession(tab, "changing-instructions");
  await tab.sees("prefix broke 3", ".filters");
  const paid = String.raw`/in instructions.* It cost the full price for up to \d+ tokens, about \S*0\.\d+\./s`;
  await tab.until(`${paid}.test(document.querySelector(".note-prefix-break")?.innerText)`);
  await tab.clickText("a", "See what changed");
  await tab.sees("The prefix broke at systemInstruction.parts[0].text", ".break");
  await tab.sees("It is 12:00:02.", ".break");
  await tab.sees("It is 12:00:03.", ".break");
});

asks("What was sent in turn 3?", async (tab) => {
  await openSession(tab, "changing-instructions");
  await tab.clickText(".line-turn .line-text", "get_carrier");
  await tab.sees("Turn 3", ".details");
  await tab.clickText(".details [role=tab]", "Wire");
  await tab.sees("Request 2 of turn 3", ".exchange");
  await tab.sees('"text":"It is 12:00:02. You work for a bookshop.', ".exchange");
});

asks("What would it say to another prompt?", async (tab) => {
  await openSession(tab, "rich-parts");
  await tab.click("tab", "Fork");
  await tab.sees("Fork at");
  await tab.fill("Instructions", "Answer in one word.");
  await tab.click("button", "Fork");
  await tab.sees("The fork was not stored: the inspector is read-only", ".result");
  await tab.sees("The sum is 45, and here is a picture.", ".branches td:nth-child(2)");
  await tab.sees("This is the local emulator; no model wrote this.", ".branches td:nth-child(3)");
});

asks("Which of two runs was better, and why?", async (tab) => {
  await tab.click("checkbox", "Compare How many copies of Dune are there?");
  await tab.click("checkbox", "Compare Tell me all about order C-1.");
  await tab.clickText("button", "Compare 2 of 2");
  await tab.sees("B finished", ".compare-figures");
  await tab.sees("A fewer", ".compare-figures");
  await tab.sees("A cheaper", ".compare-figures");
  await tab.sees("Instructions of B, compared with A");
  expect(await tab.texts(".comparison section ins")).toEqual(["It is 12:00:00."]);
});

asks("What costs most this week?", async (tab) => {
  await tab.click("link", "Totals");
  await tab.sees("What is the weather in Oslo?", "[aria-label='Most expensive sessions'] tbody tr");
  await tab.sees("0.014", "[aria-label='Most expensive sessions'] tbody tr");
  expect(await tab.texts("[aria-label='Time span'] [aria-pressed=true]")).toEqual(["7 days"]);
  await tab.sees("weather 2", "[aria-label='By agent'] tbody tr");
});

test("a prefix that broke between two runs is flagged at the turn that paid, although no log has it", async () => {
  const tab = await InspectorTab.open(browser, `${served.url}#/s/long-chat`);
  await tab.sees("Turn 3", ".details");
  await tab.clickText(".filters button", "prefix broke");
  await tab.sees("Turn 2", ".details");
  await tab.sees("This request differs from the previous one in contents", ".note-prefix-break");
  await tab.sees("It cost the full price for up to", ".note-prefix-break");
  await tab.close();
});
