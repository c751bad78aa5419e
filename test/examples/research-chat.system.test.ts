import { endpoint } from "@pollux/core/wire";
import { InteractionsClient } from "@pollux/interactions";
import { expect, test } from "vitest";
import { openChromium } from "../runtimes/support/chromium.ts";
import { ChatTab, countOf } from "./support/chat-tab.ts";
import { FrailWebChat } from "./support/frail-web-chat.ts";

const REPORT = "The first source explains it";

test("a plan is changed and accepted, and the research answered exactly once, over crashes of the server and a page that was closed", async () => {
  await using browser = await openChromium();
  await using chat = await FrailWebChat.open({
    example: "research-chat",
    // It continues until a client has read its events to the end.
    interactions: { polls: Infinity },
  });
  const asked = (method: string, what = /\/interactions\b/): readonly string[] =>
    chat.emulator.requests.flatMap((one) => (one.method === method && what.test(one.path) ? one.path : []));
  /** Waits until the current server has polled the research. */
  async function isAskedAgain(): Promise<void> {
    const before = asked("GET").length;
    await expect.poll(() => asked("GET").length, { timeout: 120_000 }).toBeGreaterThan(before);
  }
  async function crash(): Promise<void> {
    await chat.kill();
    await chat.start();
  }
  const client = new InteractionsClient({ endpoint: endpoint({ baseUrl: chat.gate.url }) });
  /** Ends the current research, which the server notices. */
  async function finish(): Promise<void> {
    const id = asked("GET").at(-1)?.split("/").at(-1)?.split("?")[0] ?? "";
    for await (const event of client.events(id)) expect(event).toBeDefined();
  }

  const tab = await ChatTab.open(browser, chat.url);
  await tab.say("Research how heat pumps work in the cold");
  await tab.sees("Running for");
  const address = tab.page.url();
  await isAskedAgain();
  await crash();
  await isAskedAgain();
  await finish();
  await tab.sees("1. Search for");
  await crash();
  await tab.press("Edit");
  await tab.page.type('input[name="changes"]', "Only in Europe.");
  await tab.press("Approve with these values");
  await tab.sees("Running for");
  await isAskedAgain();
  await crash();
  await isAskedAgain();
  await finish();
  await tab.sees("4. Keep to the request: Only in Europe.");
  await tab.press("Approve");
  await tab.sees("Running for");
  await isAskedAgain();
  await tab.page.close();
  await crash();
  await isAskedAgain();
  await finish();

  const reopened = await ChatTab.open(browser, address);
  await reopened.sees(REPORT);
  await reopened.isDone();
  const said = await reopened.messages();
  expect([countOf(said, REPORT), countOf(said, "Interrupted")]).toEqual([1, 0]);
  expect(await reopened.page.evaluate("document.querySelectorAll('.tool').length")).toBe(1);
  const kept = await fetch(`${chat.url}/api/chat/${new URL(address).pathname.split("/").at(-1)}`);
  expect(await kept.json()).toMatchObject({ messages: [{ role: "user" }, { role: "assistant" }] });
  // A start of each plan and one of the research, one request for the call, and one for the answer.
  expect([asked("POST").length, asked("POST", /GenerateContent/i).length]).toEqual([3, 2]);
  expect(reopened.complaints).toEqual([]);
});
