import { MemoryStore } from "@pollux/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Chromium, openChromium } from "../../../../test/runtimes/support/chromium.ts";
import { DEMO_IDS, makeDemoSessions } from "../demo-sessions.ts";
import { InspectorTab } from "./support/inspector-tab.ts";
import { type BuiltPage, builtPage, type ServedInspector } from "./support/served-inspector.ts";

// Causes that take one or two clicks from the list of sessions; questions.system.test.ts has those of the guide's table.

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

/** Opens a session as a person does: with a click in the list. */
async function openFromList(id: string): Promise<InspectorTab> {
  const tab = await InspectorTab.open(browser, served.url);
  await tab.sees(`${DEMO_IDS.length} shown`);
  await tab.clickText(".session-id", id);
  await tab.sees("Timeline");
  return tab;
}

test("a run that stops in the middle: its line and last turn say that the model repeats a call, and what it got", async () => {
  const tab = await openFromList("looping-run");
  await tab.sees("The model repeated the same calls and got the same results", ".line-run");
  await tab.sees("The run ended here: The model repeated the same calls and got the same results", ".details");
  await tab.sees('get_stock failed: warehouse 4 does not know "Lost in Translation"', ".details");
  await tab.sees("repeated calls 2", ".timeline");
  await tab.press("g");
  await tab.sees("The run ended early: The model repeated the same calls and got the same results.", ".details");
  await tab.sees("Stop reason repeated-calls", ".details");
  await tab.close();
});

test("an answer without a citation: the turn quotes what the service cited, and says why it is missing", async () => {
  const tab = await openFromList("dropped-citation");
  await tab.sees("lost citation 1", ".timeline");
  await tab.sees("“It snows in Bergen.” at bytes 0–23: Its text is not in the answer.", ".details");
  expect(await tab.texts("mark.cited")).toEqual(["– Tomorrow it will be dry, with 4 °C."]);
  await tab.close();
});

test("a run that failed after retries: each attempt has its line, and leads to what the service answered", async () => {
  const tab = await openFromList("overloaded-service");
  await tab.sees("The API responded with 503 UNAVAILABLE", ".line-run");
  await tab.sees("Turn without an answer", ".details");
  await tab.sees("The run ended here: The API responded with 503 UNAVAILABLE", ".details");
  await tab.sees("retry 1", ".timeline");
  await tab.sees("error 1", ".timeline");
  expect(await tab.texts(".line-step .kind-bad")).toEqual(["failed", "failed", "failed", "failed"]);
  await tab.sees("Sent again ", ".details");
  await tab.sees("Not sent again.", ".details");
  await tab.clickText("a", "Request 5");
  await tab.sees("Answer 503", ".details");
  await tab.sees('"status": "UNAVAILABLE"', ".details");
  await tab.close();
});
