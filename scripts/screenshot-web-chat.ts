/** Makes docs/images/web-chat.png. Needs the programs of test/programs: run a system test first. */
import { fileURLToPath } from "node:url";
import { ChatTab } from "../test/examples/support/chat-tab.ts";
import { openWebChat } from "../test/examples/support/open-web-chat.ts";
import { openChromium } from "../test/runtimes/support/chromium.ts";

const file = fileURLToPath(new URL("../docs/images/web-chat.png", import.meta.url));

await using chat = await openWebChat({ chunkMs: 5 });
await using browser = await openChromium();

const earlier = await ChatTab.open(browser, chat.url);
await earlier.say("Draw a picture of “hills at dusk”");
await earlier.sees("Here is hills at dusk");
await earlier.isDone();
await earlier.page.close();

const tab = await ChatTab.open(browser, chat.url);
await tab.page.setViewport({ width: 1280, height: 860 });
await tab.say("Search the web for what is new in the Gemini API");
await tab.page.locator(".suggestions").wait();
await tab.isDone();
await tab.say("I want to order 3 pieces of “mechanical keyboard”");
await tab.page.locator(".approval").wait();
await tab.isDone();
await tab.page.waitForFunction("document.querySelector('.state-waiting') !== null");
await tab.page.screenshot({ path: file });
process.stdout.write(`${file}\n`);
