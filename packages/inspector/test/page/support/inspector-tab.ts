import { setTimeout as sleep } from "node:timers/promises";
import axe from "axe-core";
import type { Chromium, Page } from "../../../../../test/runtimes/support/chromium.ts";

/** A tab that shows the inspector. Finds elements like a person: by role, name and text. */
export class InspectorTab {
  readonly #page: Page;
  /** Errors and console messages of the page. */
  readonly errors: string[] = [];
  /** Number of clicks. */
  clicks = 0;

  private constructor(page: Page) {
    this.#page = page;
    page.on("pageerror", (error) => void this.errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warn") this.errors.push(message.text());
    });
  }

  static async open(browser: Chromium, url: string, width: number = 1440): Promise<InspectorTab> {
    const page = await browser.newPage();
    await page.setViewport({ width, height: 860 });
    const tab = new InspectorTab(page);
    await page.goto(url);
    return tab;
  }

  /** Goes to another place of the page. */
  async go(hash: string): Promise<void> {
    await this.#page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  }

  async hash(): Promise<string> {
    return String(await this.#page.evaluate("location.hash"));
  }

  async prefers(scheme: "dark" | "light"): Promise<void> {
    await this.#page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  }

  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#page.keyboard.press(key);
  }

  /** Types into the field that has the focus. */
  async type(text: string): Promise<void> {
    for (const key of text) await this.#page.keyboard.press(key === " " ? "Space" : key);
  }

  /** Clicks the element with this role and accessible name. */
  async click(role: string, name: string): Promise<void> {
    await this.#page.locator(`::-p-aria([name="${name}"][role="${role}"])`).click();
    this.clicks++;
  }

  /** Types into the field with this label, or selects from it. */
  async fill(label: string, value: string): Promise<void> {
    await this.#page.locator(`::-p-aria([name="${label}"])`).fill(value);
  }

  async clickText(selector: string, text: string): Promise<void> {
    await this.#page.locator(`${selector}::-p-text(${text})`).click();
    this.clicks++;
  }

  /** Waits for a text. */
  async sees(text: string, within: string = "body"): Promise<void> {
    const shown = `(document.querySelector(${JSON.stringify(within)})?.innerText ?? "").replaceAll(/\\s+/g, " ")`;
    await this.until(`${shown}.includes(${JSON.stringify(text)})`, `sees "${text}"`);
  }

  async seesNot(text: string): Promise<void> {
    await this.until(`!document.body.innerText.includes(${JSON.stringify(text)})`, `no longer sees "${text}"`);
  }

  /** Texts of all elements that a selector finds. */
  async texts(selector: string): Promise<readonly string[]> {
    const list = `[...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => one.innerText.replaceAll(/\\s+/g, " ").trim())`;
    // A list of strings, as the code says.
    return (await this.#page.evaluate(list)) as readonly string[];
  }

  async evaluate(code: string): Promise<unknown> {
    return await this.#page.evaluate(code);
  }

  /** Waits by polling, since other ways evaluate code from texts, which the page's policy forbids. */
  async until(code: string, what: string = code): Promise<void> {
    for (const end = Date.now() + 90_000; Date.now() < end; await sleep(20))
      if ((await this.#page.evaluate(`Boolean(${code})`)) === true) return;
    const shown = String(await this.#page.evaluate("document.body.innerText"));
    throw new Error(`never ${what}; the page shows:\n${shown.slice(0, 3000)}`);
  }

  /**
   * Problems that axe-core rates serious or worse.
   *
   * @param rules - Default: all.
   */
  async seriousFindings(rules?: readonly string[]): Promise<readonly string[]> {
    if ((await this.#page.evaluate("window.axe === undefined")) === true) await this.#page.evaluate(axe.source);
    const options = JSON.stringify({ resultTypes: ["violations"], ...(rules && { runOnly: rules }) });
    const found = await this.#page.evaluate(`window.axe.run(${options}).then(({ violations }) => violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ html, failureSummary }) => html.slice(0, 160) + " " + failureSummary).join(" | ")))`);
    // A list of strings, as the code says.
    return found as readonly string[];
  }

  /** @throws When the page had errors. */
  async close(): Promise<void> {
    await this.#page.close();
    if (this.errors.length > 0) throw new Error(`the page had errors:\n${this.errors.join("\n")}`);
  }
}
