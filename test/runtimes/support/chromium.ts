import { createReadStream, createWriteStream, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import { programFile, programVersion } from "../../support/programs.ts";

/** The used parts of puppeteer. */
interface PuppeteerModule {
  launch(options: object): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>;
}

/** A tab. Selectors of locators find by accessible name too: `::-p-aria(Send)`. */
export interface Page {
  on(event: "console", listen: (message: { type(): string; text(): string }) => void): void;
  on(event: "pageerror", listen: (error: unknown) => void): void;
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  url(): string;
  setDefaultTimeout(ms: number): void;
  setOfflineMode(isOffline: boolean): Promise<void>;
  bringToFront(): Promise<void>;
  setViewport(viewport: { width: number; height: number; isMobile?: boolean; hasTouch?: boolean }): Promise<void>;
  emulateMediaFeatures(features: readonly { name: string; value: string }[]): Promise<void>;
  /** @param options - In milliseconds. By default, it checks on each frame. */
  waitForFunction(code: string, options?: { readonly polling?: number; readonly timeout?: number }): Promise<unknown>;
  evaluate(code: string): Promise<unknown>;
  type(selector: string, text: string): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void> };
  readonly mouse: {
    move(x: number, y: number): Promise<void>;
    /** In pixels; up is below zero. */
    wheel(options: { readonly deltaY: number }): Promise<void>;
  };
  locator(selector: string): { click(): Promise<void>; fill(value: string): Promise<void>; wait(): Promise<unknown> };
  screenshot(options: { path: string } | { encoding: "base64" }): Promise<unknown>;
  close(): Promise<void>;
}

/** A browser. Close it with `await using`. */
export interface Chromium extends AsyncDisposable {
  newPage(): Promise<Page>;
  /** Opens a page, and waits for its report in `window.report`. @throws The page's error. */
  reportOf(url: string): Promise<unknown>;
}

/** Ends a hang, in milliseconds: a start, a load or a wait of any page. A busy machine may need more than puppeteer's own 30 seconds. */
const PATIENCE_MS = 300_000;

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the Chromium of test/programs, with its own profile. */
export async function openChromium(): Promise<Chromium> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-chromium-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const executablePath = await unpackedChromium();
    const file = pathToFileURL(programFile("puppeteer-core", "lib/puppeteer/puppeteer-core.js")).href;
    const puppeteer = (await import(file)) as PuppeteerModule;
    const browser = await puppeteer.launch({
      executablePath,
      headless: "shell",
      userDataDir: join(folder, "profile"),
      args: FLAGS,
      timeout: PATIENCE_MS,
      protocolTimeout: PATIENCE_MS,
    });
    const newPage = async (): Promise<Page> => {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      return page;
    };
    return {
      newPage,
      reportOf: async (url) => await reportOf(await newPage(), url),
      [Symbol.asyncDispose]: async () => {
        await browser.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Unpacks it once per version, since that is as slow as a dozen pages. */
async function unpackedChromium(): Promise<string> {
  const version = programVersion("@sparticuz/chromium");
  const folder = fileURLToPath(new URL(`../../../node_modules/.cache/chromium-${version}/`, import.meta.url));
  const path = join(folder, "chromium");
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const own = `${path}-${process.pid}`;
  await pipeline(
    createReadStream(programFile("@sparticuz/chromium", "bin/chromium.br")),
    createBrotliDecompress(),
    createWriteStream(own, { mode: 0o755 }),
  );
  try {
    linkSync(own, path);
  } catch (error) {
    // Another process was faster, and may already run its copy.
    if (!existsSync(path)) throw error;
  }
  rmSync(own);
  return path;
}

async function reportOf(page: Page, url: string): Promise<unknown> {
  const problem = new Promise<never>((_resolve, reject) => page.on("pageerror", reject));
  problem.catch(() => {}); // also when it comes after the report
  const said: string[] = [];
  page.on("console", (message) => void said.push(`${message.type()}: ${message.text()}`));
  await page.goto(url);
  await Promise.race([page.waitForFunction("window.report !== undefined"), problem]).catch((error: unknown) => {
    throw new Error(`the page gave no report; its console says: ${said.join("; ")}`, { cause: error });
  });
  return await page.evaluate("window.report");
}
