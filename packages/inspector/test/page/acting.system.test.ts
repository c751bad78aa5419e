import { Agent, MemoryStore } from "@pollux/core";
import { call, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { call as calling, say as saying, script } from "@pollux/emulator";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chromium, openChromium } from "../../../../test/runtimes/support/chromium.ts";
import type { TakenFiles } from "../../src/inspection/results.ts";
import type { InspectorOptions } from "../../src/server/inspector-handler.ts";
import { inspect, keptSession } from "../support/inspected.ts";
import { add, fail, foldOf, pay, sessionOf } from "../support/sessions.ts";
import { InspectorTab } from "./support/inspector-tab.ts";
import { type BuiltPage, builtPage } from "./support/served-inspector.ts";

let browser: Chromium;
let page: BuiltPage;
beforeAll(async () => {
  [browser, page] = await Promise.all([openChromium(), builtPage()]);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
});

async function opened(options: Omit<InspectorOptions, "authorize">, hash: string) {
  const served = await page.serve(options);
  const tab = await InspectorTab.open(browser, served.url + hash);
  return {
    tab,
    [Symbol.asyncDispose]: async () => {
      // Findings of the page fail the test that caused them.
      expect(await tab.seriousFindings()).toEqual([]);
      await tab.close();
      await served[Symbol.asyncDispose]();
    },
  };
}

const sums = () =>
  script([calling("add", { a: 1, b: 2 }), calling("add", { a: 3, b: 4 }), saying("The sums are 3 and 7.")]);

async function waiting(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await sessionOf(store, [call("pay", { amount: 3 })]).send("Pay 3.");
  return store;
}

const helper = (...lines: readonly ScriptLine[]) => ({
  helper: new Agent({ model: new ScriptedModel(...lines), tools: [add, fail, pay] }),
});

describe("acting", () => {
  test("a call is approved with other arguments, and the page shows how the run ends", async () => {
    const store = await waiting();
    await using open = await opened({ store, allowActions: true, agents: helper(say("Paid two.")) }, "#/s/chat-1/act");
    const { tab } = open;
    await tab.sees("pay needs approval");
    await tab.click("button", "Edit arguments…");
    await tab.fill("New arguments", '{"amount": "two"}');
    await tab.click("button", "Approve with these arguments");
    await tab.sees("do not match its schema");
    expect(tab.errors.splice(0)).toEqual([expect.stringContaining("409")]);
    await tab.fill("New arguments", '{"amount": 2}');
    await tab.click("button", "Approve with these arguments");
    await tab.sees("Done");
    await tab.click("tab", "Timeline");
    await tab.sees("Paid two.");
    expect(await store.load("chat-1")).toContainEqual(
      expect.objectContaining({ type: "answer", value: { args: { amount: 2 } } }),
    );
  });

  test("a denial without an agent is recorded, with its reason", async () => {
    const store = await waiting();
    await using open = await opened({ store, allowActions: true }, "#/s/chat-1/act");
    const { tab } = open;
    await tab.fill("Reason to deny pay", "too much");
    await tab.click("button", "Deny");
    await tab.sees("when its program resumes it");
    expect(await store.load("chat-1")).toContainEqual(
      expect.objectContaining({ type: "answer", value: { deny: "too much" } }),
    );
    await tab.sees("Without an agent, the inspector can't start or resume runs");
  });

  test("a message is sent, and a read-only inspector has no actions", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [say("Hello.")]).send("Hi");
    {
      await using open = await opened({ store, allowActions: true, agents: helper(say("Well.")) }, "#/s/chat-1/act");
      await open.tab.fill("Message", "How are you?");
      await open.tab.click("button", "Send");
      await open.tab.sees("Sent.");
      await open.tab.sees("2 runs");
    }
    await using open = await opened({ store }, "#/s/chat-1/act");
    await open.tab.sees("--allow-actions");
    expect((await foldOf(store)).runs).toHaveLength(2);
  });
});

test("a replay shows what another agent would send", async () => {
  const { store, exchanges, changed } = await keptSession(sums(), "What is 1 + 2, and 3 + 4?");
  const agents = { helper: changed({ instructions: "You count." }) };
  await using open = await opened({ store, exchanges, agents }, "#/s/chat-1/replay");
  const { tab } = open;
  await tab.click("button", "Replay");
  await tab.sees("The run is different now.");
  await tab.sees("systemInstruction.parts[0].text");
  await tab.sees("You count.");
  await tab.fill("Agent", "");
  await tab.click("button", "Replay");
  await tab.sees("The run is the same.");
});

describe("a fork", () => {
  test("from a turn, with another result, is a session beside the other one", async () => {
    const { store, exchanges } = await keptSession(sums(), "What is 1 + 2, and 3 + 4?");
    const { runId } = (await foldOf(store)).runs[0] ?? { runId: "" };
    await using open = await opened({ store, exchanges, allowActions: true }, `#/s/chat-1/r/${runId}/t/2`);
    const { tab } = open;
    await tab.sees("Save as test");
    await tab.click("link", "Fork here");
    await tab.sees("Result of add (call:1.0)");
    expect(await tab.hash()).toBe("#/s/chat-1/fork/2");
    await tab.fill("Result of add (call:1.0), as JSON", "one hundred");
    await tab.click("button", "Fork");
    await tab.sees("is not valid JSON");
    await tab.fill("Result of add (call:1.0), as JSON", "100");
    await tab.click("button", "Fork");
    await tab.sees("Different from the first turn on.");
    await tab.sees("The sums are 3 and 7.", ".branches");
    const fork = (await store.list()).find((one) => one.id !== "chat-1");
    await tab.click("link", fork?.id ?? "");
    await tab.sees("(fork at turn 2)");
  });

  test("is only shown by a read-only inspector", async () => {
    const { store, exchanges } = await keptSession(sums(), "What is 1 + 2, and 3 + 4?");
    await using open = await opened({ store, exchanges }, "#/s/chat-1/fork/1");
    const { tab } = open;
    await tab.fill("Message", "Say hello.");
    await tab.click("button", "Fork");
    await tab.sees("The fork was not stored: the inspector is read-only");
    await tab.sees("Say hello.", ".branches");
    expect(await store.list()).toHaveLength(1);
  });
});

test("a check shows the problems of a log, and tools as sent", async () => {
  const { store, exchanges, agent } = await keptSession(sums(), "What is 1 + 2, and 3 + 4?");
  await store.append("chat-1", (await store.load("chat-1")).length, [{ v: 3, at: 1, type: "turn" }]);
  await using open = await opened({ store, exchanges, agents: { helper: agent } }, "#/s/chat-1/check");
  const { tab } = open;
  await tab.sees("1 problem");
  await tab.sees("A repair would leave");
  await tab.sees("Adds two numbers");
});

describe("exports", () => {
  /** Names and texts of saved files. */
  const SAVED = `window.saved = []; URL.createObjectURL = (blob) => { blob.text().then((text) => window.saved.push(text)); return "#"; };
    HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); }`;

  test.each([
    ["HTML file to share: no keys, opens anywhere", "chat-1.html", "<!doctype html>"],
    ["Session file the log, as .jsonl", "chat-1.jsonl", '"type":"run"'],
    ["Failing vitest test of the last run, with its recording", "chat-1.test.ts", "chat-1.recording.json"],
  ])("%s", async (name, file, text) => {
    const { store, exchanges } = await keptSession(sums(), "What is 1 + 2, and 3 + 4?");
    await using open = await opened({ store, exchanges }, "#/s/chat-1");
    const { tab } = open;
    await tab.sees("Timeline");
    await tab.evaluate(SAVED);
    await tab.clickText("summary", "Export");
    await tab.click("button", name);
    await tab.sees(`Saved ${file}`);
    await tab.until(`window.saved.includes(${JSON.stringify(file)})`);
    await tab.until(`window.saved.some((one) => one.includes(${JSON.stringify(text)}))`);
  });

  test("the HTML file opens from a disk, and escapes all texts", async () => {
    const store = new MemoryStore();
    const evil = `<img src=x onerror="window.pwned = 1"><script>window.pwned = 1</script></pre></style>`;
    await sessionOf(store, [call("add", { a: 1, b: 2 }), say(evil)]).send(evil);
    const { files } = await inspect({ store }).view<TakenFiles>("take-page");
    const folder = await mkdtemp(join(tmpdir(), "pollux-page-"));
    const path = join(folder, "chat-1.html");
    await writeFile(path, files[0]?.text ?? "");
    const tab = await InspectorTab.open(browser, pathToFileURL(path).href);
    await tab.sees("<img src=x onerror");
    await tab.sees("Turn 2");
    expect(await tab.evaluate("window.pwned")).toBeUndefined();
    expect(await tab.evaluate("performance.getEntriesByType('resource').length")).toBe(0);
    await tab.close();
    await rm(folder, { recursive: true });
  });

  test("a request is checked, and copied as curl", async () => {
    const { store, exchanges } = await keptSession(sums(), "What is 1 + 2, and 3 + 4?");
    await using open = await opened({ store, exchanges }, "#/s/chat-1/wire/0");
    const { tab } = open;
    await tab.sees("Check request");
    await tab.evaluate(`navigator.clipboard.writeText = async (text) => { window.copied = text; }`);
    await tab.click("button", "Copy curl command of the request");
    await tab.until(`window.copied?.includes("curl --globoff")`);
    await tab.click("button", "Check request");
    await tab.sees("the service accepts this request");
  });
});
