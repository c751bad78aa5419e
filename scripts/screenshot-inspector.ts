/** Makes docs/images/inspector.png. Needs the programs of test/programs: run a system test first. */
import { fileURLToPath } from "node:url";
import { MemoryStore } from "../packages/core/src/index.ts";
import { makeDemoSessions } from "../packages/inspector/test/demo-sessions.ts";
import { builtPage } from "../packages/inspector/test/page/support/served-inspector.ts";
import { openChromium } from "../test/runtimes/support/chromium.ts";

const file = fileURLToPath(new URL("../docs/images/inspector.png", import.meta.url));

const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
await makeDemoSessions({ sessions: store, exchanges, isPaced: true });
await using built = await builtPage();
await using inspector = await built.serve({ title: "sessions", store, exchanges });
await using browser = await openChromium();

const page = await browser.newPage();
await page.setViewport({ width: 1440, height: 720 });
await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
await page.goto(`${inspector.url}#/s/parallel-tools`);
await page.locator(".line-turn").click();
await page.locator(".call").wait();
await page.screenshot({ path: file });
process.stdout.write(`${file}\n`);
