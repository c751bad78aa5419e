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

  /** Presses the first button of that name. */
  async press(name: string): Promise<void> {
    await this.#page.locator(`button::-p-text(${name})`).click();
  }

  /** Answers what is asked, one after the other. */
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

  /** Waits until nothing goes on. */
  async isQuiet(): Promise<void> {
    await this.#until("window.view?.isQuiet === true");
  }

  async isInError(): Promise<void> {
    await this.#until("window.view.status === 'error' && window.view.isQuiet");
  }

  /** Each message as its parts are shown. */
  async messages(): Promise<readonly (readonly string[])[]> {
    const list = `[...document.querySelectorAll("article")].map((one) => [...one.querySelectorAll("p")].map((p) => p.textContent))`;
    return (await this.#page.evaluate(list)) as readonly (readonly string[])[];
  }

  /** What the last message shows. */
  async answer(): Promise<readonly string[]> {
    return (await this.messages()).at(-1) ?? [];
  }

  /** What `useChat` says about itself. */
  async view(): Promise<Pick<PageView, "status" | "error">> {
    return (await this.#page.evaluate("({ status: window.view.status, error: window.view.error })")) as PageView;
  }

  /** Looks by the clock: a tab that is not in front draws nothing. */
  async #until(condition: string): Promise<void> {
    await this.#page.waitForFunction(condition, { polling: 20 });
  }

  async close(): Promise<void> {
    await this.#page.close();
  }
}
