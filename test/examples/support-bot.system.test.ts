import { MemoryStore } from "@pollux/core";
import { endpoint } from "@pollux/core/wire";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { expect, test } from "vitest";
import { startSupportBot } from "../../examples/support-bot/support-bot.ts";
import { openChromium, type Page } from "../runtimes/support/chromium.ts";

async function sees(page: Page, text: string): Promise<void> {
  await page.waitForFunction(`document.body.textContent.includes(${JSON.stringify(text)})`, { polling: 100 });
}

async function press(page: Page, name: string): Promise<void> {
  await page.bringToFront();
  await page.locator(`button::-p-text(${name})`).click();
}

async function say(page: Page, text: string): Promise<void> {
  await page.bringToFront();
  await page.locator("#text").fill(text);
  await press(page, "Send");
}

test("a customer and an operator, in a browser", async () => {
  const emulator = await createEmulator({ brain: improvise() }).listen();
  const store = new MemoryStore();
  await using bot = await startSupportBot({
    endpoint: endpoint({ baseUrl: emulator.url }),
    model: "gemini-flash-latest",
    port: 0,
    operatorKey: "secret",
    store,
  });
  await using browser = await openChromium();
  const errors: string[] = [];
  try {
    const [customer, operator] = [await browser.newPage(), await browser.newPage()];
    for (const page of [customer, operator]) page.on("pageerror", (error) => void errors.push(String(error)));
    await customer.goto(bot.url);
    await operator.goto(`${bot.url}/operator?key=secret`);
    await sees(operator, "Nothing waits.");

    await say(customer, "Refund 20 euros for order A17");
    await sees(customer, "waits for support");
    await sees(customer, "Withdraw");
    await say(customer, "Please hurry");
    await sees(customer, "read when support has answered");
    await customer.reload();
    await sees(customer, "read when support has answered");

    await operator.bringToFront();
    await operator.locator("input[name=euros]").fill("15");
    await press(operator, "Approve");
    await sees(operator, "Nothing waits.");
    await sees(customer, "15 euros refunded for A17");
    await sees(customer, "You: Please hurry");

    await press(customer, "New conversation");
    await say(customer, "Refund 30 euros for order B18");
    await press(customer, "Withdraw");
    await sees(customer, "not done");
    await sees(operator, "Nothing waits.");
    expect(errors).toEqual([]);
  } finally {
    await emulator.close();
  }
});
