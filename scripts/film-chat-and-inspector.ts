/**
 * Makes docs/images/web-chat.webp and docs/images/inspector.webp, and the still of each for people who prefer less motion.
 *
 * Usage: pnpm films [chat | inspector]
 *
 * The chat is examples/web-chat, the emulator answers; the inspector shows the sessions of its tests. Needs the programs of test/programs:
 * run a system test first.
 */
import { mkdtempDisposableSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPage as buildChat } from "../examples/web-chat/server/build-page.ts";
import { MemoryStore } from "../packages/core/src/index.ts";
import { makeDemoSessions } from "../packages/inspector/test/demo-sessions.ts";
import { buildPage as buildInspector } from "../packages/inspector/page/build.ts";
import { pageIn } from "../packages/inspector/test/page/support/served-inspector.ts";
import { openWebChat } from "../test/examples/support/open-web-chat.ts";
import { type Chromium, openChromium, type Page } from "../test/runtimes/support/chromium.ts";
import { Film } from "./film/film.ts";

const LARGEST = 600_000;
const SIZE = { width: 960, height: 640 };
/** Milliseconds. How long a reader looks at something new, and at the end. */
const [LOOK, END] = [1_400, 3_500];

const films = { chat: filmChat, inspector: filmInspector };
const named = process.argv[2];
await using chromium = await openChromium();
for (const [name, film] of Object.entries(films)) if (named === undefined || named === name) await film(chromium);

async function filmChat(browser: Chromium): Promise<void> {
  using folder = mkdtempDisposableSync(join(tmpdir(), "pollux-film-"));
  await buildChat(folder.path);
  await using chat = await openWebChat({ page: folder.path, chunkMs: 60 });
  const page = await openTab(browser, chat.url);
  await page.locator("#composer").wait();
  const isWriting = 'document.querySelector(".is-stop") !== null';
  const film = new Film(page);
  await film.shoot(600);
  for (const [text, sign] of [
    ["Search the web for what is new in the Gemini API", ".suggestions"],
    ["I want to order 3 pieces of “mechanical keyboard”", ".approval"],
  ] as const) {
    await film.type("#composer", text);
    await page.keyboard.press("Enter");
    await film.until(`document.querySelector("${sign}") !== null && !(${isWriting})`);
    await film.shoot(LOOK);
  }
  film.markStill();
  await page.locator('::-p-aria([name="Approve"][role="button"])').click();
  await film.until(`document.querySelector(".approval") === null && !(${isWriting})`);
  await film.shoot(END);
  await write(film, browser, "web-chat");
}

async function filmInspector(browser: Chromium): Promise<void> {
  const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
  await makeDemoSessions({ sessions: store, exchanges, isPaced: true });
  using folder = mkdtempDisposableSync(join(tmpdir(), "pollux-film-"));
  await buildInspector(folder.path);
  await using inspector = await pageIn(folder.path).serve({ title: "sessions", store, exchanges });
  const page = await openTab(browser, inspector.url);
  const film = new Film(page);
  await film.until('document.querySelector(".session-title")');
  await film.shoot(LOOK);
  for (const [selector, sign] of [
    [".session-id::-p-text(parallel-tools)", ".line-turn"],
    [".line-turn", ".call"],
    ["#turn-panel-tab-wire", ".exchange"],
  ] as const) {
    await page.locator(selector).click();
    await film.until(`document.querySelector("${sign}")`);
    await film.shoot(LOOK);
    if (sign === ".call") film.markStill();
  }
  await film.shoot(END);
  await write(film, browser, "inspector");
}

async function openTab(browser: Chromium, url: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.setViewport(SIZE);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  await page.goto(url);
  return page;
}

async function write(film: Film, browser: Chromium, name: string): Promise<void> {
  const file = fileURLToPath(new URL(`../docs/images/${name}.webp`, import.meta.url));
  await film.write(browser, file);
  const { size } = statSync(file);
  process.stdout.write(`${file}: ${Math.round(size / 1000)} KB\n`);
  if (size > LARGEST) throw new Error(`a page has to load it: it may have ${LARGEST / 1000} KB`);
}
