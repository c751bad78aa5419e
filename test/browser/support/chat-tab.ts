import type { AiSdkVersion } from "@pollux/web/ai-sdk";
import type { Chromium, Page } from "../../runtimes/support/chromium.ts";
import type { PageView } from "../page/chat-page.ts";

/** A tab that shows a conversation. */
export class ChatTab {
  readonly #page: Page;
  /** Errors that the page threw. */
  readonly errors: string[] = [];

  private constructor(page: Page) {
    this.#page = page;
    page.on("pageerror", (error) => void this.errors.push(String(error)));
  }

  static async open(browser: Chromium): Promise<ChatTab> {
    return new ChatTab(await browser.newPage());
  }

  /** Opens a conversation. */
  async show(site: { readonly url: string }, version: AiSdkVersion, chat: string): Promise<void> {
    await this.#page.goto(`${site.url}/${version}?chat=${chat}`);
    await this.#until("window.view !== undefined");
  }

  async reload(): Promise<void> {
    await this.#page.reload();
    await this.#until("window.view !== undefined");
  }

  async say(text: string): Promise<void> {
    await this.#page.evaluate(`window.view.say(${JSON.stringify(text)})`);
  }

  /** Presses the first button with a name. */
  async press(name: string): Promise<void> {
    await this.#page.locator(`button::-p-text(${name})`).click();
  }

  /** Answers all questions, one after the other. */
  async answerAll(presses: readonly string[]): Promise<void> {
    for (const [index, press] of presses.entries()) {
      await this.press(press);
      const left = presses.length - index - 1;
      await this.#until(`document.querySelectorAll("button").length === ${2 * left}`);
    }
  }

  async askAgain(): Promise<void> {
    await this.#page.evaluate("window.view.askAgain()");
  }

  async editFirst(text: string): Promise<void> {
    await this.#page.evaluate(`window.view.editFirst(${JSON.stringify(text)})`);
  }

  async sees(text: string): Promise<void> {
    await this.#until(`document.body.textContent.includes(${JSON.stringify(text)})`);
  }

  /** Waits until the page is quiet. */
  async isQuiet(): Promise<void> {
    await this.#until("window.view?.isQuiet === true");
  }

  async isInError(): Promise<void> {
    await this.#until("window.view.status === 'error' && window.view.isQuiet");
  }

  /** The displayed parts of each message. */
  async messages(): Promise<readonly (readonly string[])[]> {
    const list = `[...document.querySelectorAll("article")].map((one) => [...one.querySelectorAll("p")].map((p) => p.textContent))`;
    return (await this.#page.evaluate(list)) as readonly (readonly string[])[];
  }

  /** The displayed parts of the last message. */
  async answer(): Promise<readonly string[]> {
    return (await this.messages()).at(-1) ?? [];
  }

  /** The status of `useChat`. */
  async view(): Promise<Pick<PageView, "status" | "error">> {
    return (await this.#page.evaluate("({ status: window.view.status, error: window.view.error })")) as PageView;
  }

  /** Polls by the clock, since a background tab renders nothing. */
  async #until(condition: string): Promise<void> {
    await this.#page.waitForFunction(condition, { polling: 20 });
  }

  async close(): Promise<void> {
    await this.#page.close();
  }
}
