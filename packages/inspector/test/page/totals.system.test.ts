import { MemoryStore } from "@pollux/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Chromium, openChromium } from "../../../../test/runtimes/support/chromium.ts";
import { makeDemoSessions } from "../demo-sessions.ts";
import { InspectorTab } from "./support/inspector-tab.ts";
import { type BuiltPage, builtPage, type ServedInspector } from "./support/served-inspector.ts";

const HOSTILE = `<img src=x onerror="alert(1)">${"long ".repeat(60)}`;
let browser: Chromium;
let built: BuiltPage;
let served: ServedInspector;
let empty: ServedInspector;
beforeAll(async () => {
  const [sessions, exchanges] = [new MemoryStore(), new MemoryStore()];
  [browser, built] = await Promise.all([openChromium(), builtPage(), makeDemoSessions({ sessions, exchanges })]);
  await sessions.append("hostile", 0, [{}], {
    info: {
      state: "idle",
      title: HOSTILE,
      owner: HOSTILE,
      createdAt: 1,
      messages: 1,
      turns: 1,
      totalTokens: 5,
      cost: 1234.5,
      totals: [
        { kind: "agent", name: "__proto__", count: 1, failed: 1, cost: 1234.5, times: [[40, 1]] },
        { kind: "ending", name: HOSTILE, count: 1 },
        { kind: "tool", name: HOSTILE, count: 1 },
      ],
    },
  });
  served = await built.serve({ store: sessions, exchanges });
  empty = await built.serve({ store: new MemoryStore() });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
  await empty[Symbol.asyncDispose]();
});

test("what costs most this week is seen with one click, and leads to the session", async () => {
  const tab = await InspectorTab.open(browser, `${served.url}#/`);
  await tab.click("link", "Totals");
  await tab.sees("1234.50", "[aria-label='Most expensive sessions'] tbody tr");
  await tab.sees("__proto__", "[aria-label='By agent']");
  await tab.clickText("[aria-label='Most expensive sessions'] a", "<img");
  await tab.until(`location.hash === "#/s/hostile"`);
  await tab.close();
});

test("a table is sorted by a click on a head, and a chosen span is in the address", async () => {
  const tab = await InspectorTab.open(browser, `${served.url}#/totals?span=all`);
  await tab.sees("By tool");
  const counts = async (): Promise<readonly number[]> =>
    (await tab.texts("[aria-label='By tool'] tbody td:nth-child(2)")).map(Number);
  await tab.clickText("[aria-label='By tool'] th button", "Calls");
  await tab.until(`document.querySelector("[aria-label='By tool'] [aria-sort=descending]") !== null`);
  expect(await counts()).toEqual((await counts()).toSorted((a, b) => b - a));
  await tab.clickText("[aria-label='By tool'] th button", "Calls");
  await tab.until(`document.querySelector("[aria-label='By tool'] [aria-sort=ascending]") !== null`);
  expect(await counts()).toEqual((await counts()).toSorted((a, b) => a - b));
  await tab.click("button", "30 days");
  await tab.until(`location.hash === "#/totals?span=30d"`);
  await tab.close();
});

test("a store without sessions says so", async () => {
  const tab = await InspectorTab.open(browser, `${empty.url}#/totals`);
  await tab.sees("No sessions in this time span");
  await tab.close();
});

test("axe finds nothing serious in light and in dark, and a phone's page is not wider than it", async () => {
  const tab = await InspectorTab.open(browser, `${served.url}#/totals?span=all`, 390);
  await tab.prefers("light");
  await tab.sees("By owner");
  expect(await tab.seriousFindings()).toEqual([]);
  expect(await tab.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  expect(await tab.evaluate(`document.querySelector(".totals").scrollWidth`)).toBeLessThanOrEqual(390);
  await tab.prefers("dark");
  // Only colors differ.
  expect(await tab.seriousFindings(["color-contrast"])).toEqual([]);
  await tab.close();
});
