import { endpoint } from "@pollux/core/wire";
import { InteractionsClient } from "@pollux/interactions";
import { expect, test } from "vitest";
import { openChromium } from "../runtimes/support/chromium.ts";
import { ChatTab, countOf } from "./support/chat-tab.ts";
import { FrailWebChat } from "./support/frail-web-chat.ts";

const REPORT = "The first source explains it";

test("a research is answered exactly once, from one start, over two crashes of the server and a page that was closed", async () => {
  await using browser = await openChromium();
  await using chat = await FrailWebChat.open({
    chunkMs: 5,
    example: "research-chat",
    // It goes on until somebody has read its events to the end.
    interactions: { polls: Infinity },
  });
  const asked = (method: string, what = /\/interactions\b/): readonly string[] =>
    chat.emulator.requests.flatMap((one) => (one.method === method && what.test(one.path) ? one.path : []));
  /** Waits until the server that runs now has asked about the research. */
  async function isAskedAgain(): Promise<void> {
    const before = asked("GET").length;
    await expect.poll(() => asked("GET").length, { timeout: 120_000 }).toBeGreaterThan(before);
  }

  const tab = await ChatTab.open(browser, chat.url);
  await tab.say("Research how heat pumps work in the cold");
  await tab.sees("Running for");
  const address = tab.page.url();
  for (let crash = 0; crash < 2; crash++) {
    await isAskedAgain();
    await chat.kill();
    await chat.start();
  }
  await isAskedAgain();
  await tab.page.close();

  const client = new InteractionsClient({ endpoint: endpoint({ baseUrl: chat.emulatorUrl }) });
  const id = asked("GET")[0]?.split("/").at(-1) ?? "";
  // To the last byte: `follow` lets go of a stream that has said how it ended.
  for await (const event of client.events(id)) expect(event).toBeDefined();

  const reopened = await ChatTab.open(browser, address);
  await reopened.sees(REPORT);
  await reopened.isDone();
  const said = await reopened.messages();
  expect([countOf(said, REPORT), countOf(said, "Interrupted")]).toEqual([1, 0]);
  expect(await reopened.page.evaluate("document.querySelectorAll('.tool').length")).toBe(1);
  const kept = await fetch(`${chat.url}/api/chat/${new URL(address).pathname.split("/").at(-1)}`);
  expect(await kept.json()).toMatchObject({ messages: [{ role: "user" }, { role: "assistant" }] });
  // One start, one request for the call, and one for the answer.
  expect([asked("POST").length, asked("POST", /GenerateContent/i).length]).toEqual([1, 2]);
  expect(reopened.complaints).toEqual([]);
});
