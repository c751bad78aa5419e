import { MemoryStore } from "@pollux/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Chromium, openChromium } from "../../../../test/runtimes/support/chromium.ts";
import { DEMO_IDS, makeDemoSessions } from "../demo-sessions.ts";
import { InspectorTab } from "./support/inspector-tab.ts";
import { type BuiltPage, builtPage, type ServedInspector } from "./support/served-inspector.ts";

const [sessions, exchanges] = [new MemoryStore(), new MemoryStore()];
let browser: Chromium;
let page: BuiltPage;
let served: ServedInspector;
beforeAll(async () => {
  [browser, page] = await Promise.all([openChromium(), builtPage(), makeDemoSessions({ sessions, exchanges })]);
  served = await page.serve({ title: "sessions", store: sessions, exchanges });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
});

test("two sessions of the list are selected and compared by their figures", async () => {
  const tab = await InspectorTab.open(browser, served.url);
  await tab.sees(`${DEMO_IDS.length} shown`);
  await tab.press("g", "x");
  await tab.sees("Compare 1 of 2");
  await tab.press("j", "x");
  await tab.clickText("button", "Compare 2 of 2");
  await tab.sees("Lower figures are better", ".compare-figures");
  await tab.sees("To compare instructions and tools, keep the requests of both.");
  await tab.sees("Turn by turn");
  expect(await tab.hash()).toMatch(/^#\/compare\/[^/]+\/[^/]+$/);
  expect(await tab.seriousFindings()).toEqual([]);
  await tab.close();
});

test("two runs of a session are selected in its timeline, and texts show their changes", async () => {
  const tab = await InspectorTab.open(browser, `${served.url}#/s/parallel-tools`);
  await tab.sees("Timeline");
  await tab.click("checkbox", "Compare run 1");
  await tab.sees("Compare 1 of 2");
  await tab.press("x");
  await tab.clickText("button", "Compare 2 of 2");
  await tab.sees("B fewer", ".compare-figures");
  await tab.sees("You are welcome!", ".branches");
  await tab.sees("Both have the same model, instructions, tools and settings.");
  await tab.sees("1 / 3", ".branches");
  await tab.close();
});

test("instructions of both are shown as one text with changes", async () => {
  const tab = await InspectorTab.open(browser, `${served.url}#/compare/parallel-tools/changing-instructions`);
  await tab.sees("Instructions of B, compared with A");
  expect(await tab.texts(".comparison section ins")).toEqual(["It is 12:00:00."]);
  await tab.close();
});

test("a comparison with a missing session shows an error", async () => {
  const tab = await InspectorTab.open(browser, `${served.url}#/compare/parallel-tools/gone`);
  await tab.sees("There is no session with that id to compare with.");
  // The browser's own line about the 404.
  expect(tab.errors.splice(0)).toHaveLength(1);
  await tab.close();
});
