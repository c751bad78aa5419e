import { readFileSync } from "node:fs";
import { programFile } from "../../support/programs.ts";
import type { Chromium, Page } from "../../runtimes/support/chromium.ts";

/** A tab with the web chat in it. */
export class ChatTab {
  readonly page: Page;
  /** Errors of the page and the console. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
  }

  static async open(browser: Chromium, url: string): Promise<ChatTab> {
    const tab = new ChatTab(await browser.newPage());
    await tab.page.setViewport({ width: 1280, height: 800 });
    await tab.page.goto(url);
    await tab.page.locator("#composer").wait();
    return tab;
  }

  async say(text: string): Promise<void> {
    await this.page.type("#composer", text);
    await this.page.keyboard.press("Enter");
  }

  /** Presses the button with a name. */
  async press(name: string): Promise<void> {
    await this.page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
  }

  /** Polls by the clock, since a background page renders nothing. */
  async sees(text: string): Promise<void> {
    const isThere = `document.body.innerText.includes(${JSON.stringify(text)})`;
    await this.page.waitForFunction(isThere, { polling: 20 }).catch(async (cause: unknown) => {
      const shown = String(await this.page.evaluate("document.body.innerText"));
      throw new Error(`never sees "${text}"; the page shows:\n${shown}\n${this.complaints.join("\n")}`, { cause });
    });
  }

  /** Waits until no answer is in progress. */
  async isDone(): Promise<void> {
    await this.page.waitForFunction(
      `document.querySelector(".answer-tools, .approval") !== null && document.querySelector(".is-stop") === null`,
    );
  }

  /** The texts of the messages. */
  async messages(): Promise<string> {
    return String(await this.page.evaluate(`document.querySelector('[role="log"]').innerText`));
  }

  /**
   * Serious accessibility problems that axe-core finds.
   *
   * @param rules - Default: all.
   */
  async barriers(rules?: readonly string[]): Promise<unknown> {
    // Evaluated, since the page's policy allows no other scripts.
    if ((await this.page.evaluate("window.axe === undefined")) === true)
      await this.page.evaluate(readFileSync(programFile("axe-core", "axe.min.js"), "utf8"));
    const options = { iframes: false, resultTypes: ["violations"], ...(rules && { runOnly: rules }) };
    return await this.page.evaluate(
      `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => html.slice(0, 160) + failureSummary) })))`,
    );
  }
}

/** How many times a text contains another. */
export function countOf(text: string, part: string): number {
  return text.split(part).length - 1;
}
