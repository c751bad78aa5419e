import { act, createElement, type ReactElement, StrictMode, version } from "react";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { AnyChatMessage } from "../../src/chat-message.ts";
import type { ChatState } from "../../src/chat-server.ts";
import { Conversation } from "../../src/chat/conversation.tsx";
import { ChatProvider, type MarkdownProps } from "../../src/settings.tsx";
import { serveChat } from "../support/chat-service.ts";
import { render, until } from "../support/rendered.ts";

function said(id: number, role: "user" | "assistant"): AnyChatMessage {
  const parts = [{ type: "text" as const, text: `Text ${id}` }];
  return { id: `m${id}`, role, parts, ...(role === "assistant" && { metadata: { state: "complete" } }) };
}

const HISTORY = Array.from({ length: 200 }, (_, index) => said(index, index % 2 === 0 ? "user" : "assistant"));

interface PageOptions {
  readonly isOnline?: boolean;
  readonly messages?: readonly AnyChatMessage[];
  readonly state?: ChatState;
  /** Called for each text of the model that is drawn. */
  readonly onDraw?: (text: string) => void;
}

function page({ messages = [], state = "idle", isOnline, onDraw }: PageOptions): ReactElement {
  function Counted({ text }: MarkdownProps): ReactElement {
    onDraw?.(text);
    return createElement("p", {}, text);
  }
  return createElement(
    StrictMode,
    {},
    createElement(
      ChatProvider,
      { markdown: Counted },
      createElement(Conversation, { id: "chat", isOnline, stored: { state, messages: [...messages] } }),
    ),
  );
}

async function say(element: HTMLElement, text: string): Promise<void> {
  const box = element.querySelector("textarea");
  if (box === null) throw new Error("there is no box to write in");
  await act(async () => {
    // React listens to the setter of the prototype.
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await act(async () => element.querySelector<HTMLElement>("button[aria-label=Send]")?.click());
}

async function sees(element: HTMLElement, text: string): Promise<void> {
  await until(() => element.textContent.includes(text));
}

const SENT_LATER = "It will be sent again when the connection is back.";

const BEGIN = [{ type: "start", messageId: "answer", messageMetadata: { state: "streaming" } }, { type: "start-step" }];
const delta = (text: string): object => ({ type: "text-delta", id: "t", delta: text });

/** What has to hold with each version of the AI SDK and of React. @param react - The version of React that is to be used. */
export function checkConversation(react = "19"): void {
  test(`it is React ${react} that is used`, () => {
    expect(version.split(".", 1)).toEqual([react]);
  });

  test("a message is sent, and its answer streams in and ends", async () => {
    const service = serveChat();
    const { element } = await render(page({}));
    await say(element, "Hello");
    await act(async () => service.write(...BEGIN, { type: "text-start", id: "t" }, delta("Good "), delta("morning")));
    await sees(element, "Good morning");
    expect(element.querySelector(".answer")?.getAttribute("aria-busy")).toBe("true");
    await act(async () => {
      service.write({ type: "text-end", id: "t" }, { type: "finish-step" });
      service.write({ type: "finish", messageMetadata: { state: "complete", stopReason: "finished" } });
      service.end();
    });
    await until(() => element.querySelector(".answer")?.getAttribute("aria-busy") === "false");
    expect(service.asked).toEqual(["POST /api/chat"]);
  });

  test("without a list, a page looks by itself what has come of a job", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    let messages: readonly AnyChatMessage[] = [
      said(0, "user"),
      { ...said(1, "assistant"), metadata: { state: "waiting", pending: [] } },
    ];
    const service = serveChat((line) =>
      line.endsWith("/chat") ? Response.json({ state: "idle", messages }) : undefined,
    );
    const { element } = await render(page({ messages, state: "waiting" }));
    expect(service.asked).toEqual([]);
    const question = element.querySelector(".question");
    // The server has an id of its own for what was said here.
    messages = [{ ...said(0, "user"), id: "run:user" }, said(1, "assistant"), said(3, "assistant")];
    const timers = vi.getTimerCount();
    await act(async () => vi.advanceTimersByTime(5000));
    await sees(element, "Text 3");
    // React ends the interval some time after it has drawn.
    await until(() => vi.getTimerCount() < timers);
    await act(async () => vi.advanceTimersByTime(60_000));
    expect(service.asked).toEqual(["GET /api/chat/chat"]);
    expect(element.querySelector(".question")).toBe(question);
  });

  test("while an answer streams into a chat of 200 messages, one message is drawn again per delta", async () => {
    const drawn: string[] = [];
    const service = serveChat();
    const onDraw = (text: string): void => void drawn.push(text);
    const { element } = await render(page({ messages: HISTORY, onDraw }));
    await say(element, "Hello");
    await act(async () => service.write(...BEGIN, { type: "text-start", id: "t" }, delta("0 ")));
    await sees(element, "0 ");
    drawn.length = 0;
    let text = "0 ";
    for (let index = 1; index <= 10; index++) {
      text += `${index} `;
      await act(async () => service.write(delta(`${index} `)));
      await sees(element, text);
    }
    expect(new Set(drawn.filter((one) => !one.startsWith("0 ")))).toEqual(new Set());
    // Strict mode draws twice. Some deltas may be drawn together.
    expect(drawn.length).toBeGreaterThan(0);
    expect(drawn.length).toBeLessThanOrEqual(20);
  });

  test("a run that is going is followed once, also in strict mode, and let go with the page", async () => {
    const service = serveChat();
    const { element, unmount } = await render(page({ messages: HISTORY.slice(0, 1), state: "running" }));
    await act(async () => service.write(...BEGIN, { type: "text-start", id: "t" }, delta("On it")));
    await sees(element, "On it");
    expect(service.asked).toEqual(["GET /api/chat/chat/stream?ended"]);
    expect(service.isLetGo()).toBe(false);
    await unmount();
    await until(service.isLetGo);
  });

  test("a message that a server does not get is marked, and sent again about once a second", async () => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const sentAt: number[] = [];
    serveChat((line) => {
      if (!line.startsWith("POST")) return undefined;
      sentAt.push(Date.now());
      return new TypeError("Failed to fetch");
    });
    const { element, unmount } = await render(page({}));
    await say(element, "Hello");
    await sees(element, `Not sent. ${SENT_LATER}`);
    while (sentAt.length < 4) await act(async () => void (await vi.advanceTimersToNextTimerAsync()));
    // The first again at once, the others a second apart.
    expect(sentAt.map((at) => at - (sentAt[0] ?? 0))).toEqual([0, 0, 1000, 2000]);
    await unmount();
  });

  test("a message that was not sent while offline is sent when the connection is back, as the page says", async () => {
    let isReached = false;
    const service = serveChat(() => (isReached ? undefined : new TypeError("Failed to fetch")));
    const { element, again } = await render(page({ isOnline: false }));
    await say(element, "Hello");
    await sees(element, `Not sent. ${SENT_LATER}`);
    expect(service.asked).toEqual(["POST /api/chat"]);
    isReached = true;
    await again(page({ isOnline: true }));
    await until(() => service.asked.length === 2);
    expect(service.asked).toEqual(["POST /api/chat", "POST /api/chat"]);
    await act(async () => service.write(...BEGIN, { type: "text-start", id: "t" }, delta("There you are")));
    await sees(element, "There you are");
    expect(element.textContent).not.toContain("Not sent.");
  });

  test("a message that a server refuses is marked, with the reason, and sent again when asked", async () => {
    let isRefusing = true;
    const service = serveChat((line) =>
      isRefusing && line.startsWith("POST")
        ? new Response("That was too much.", { status: 429, headers: { "pollux-error": "rate", "retry-after": "5" } })
        : undefined,
    );
    const { element } = await render(page({}));
    await say(element, "Hello");
    await sees(element, "That was too much. Try again in 5 seconds.");
    expect(element.textContent).not.toContain(SENT_LATER);
    isRefusing = false;
    const again = [...element.querySelectorAll("button")].find(({ textContent }) => textContent === "Send again");
    await act(async () => again?.click());
    await act(async () => service.write(...BEGIN, { type: "text-start", id: "t" }, delta("There you are")));
    await sees(element, "There you are");
    expect(element.textContent).not.toContain("Not sent.");
    expect(element.querySelector(".problem")).toBe(null);
    expect(service.asked).toEqual(["POST /api/chat", "POST /api/chat"]);
  });

  test("why an answer failed is said once, where the answer is", async () => {
    const service = serveChat();
    const { element } = await render(page({}));
    await say(element, "Hello");
    const message = "The daily quota for the model is used up.";
    const messageMetadata = { state: "failed", stopReason: "failed", error: { name: "ApiStatusError", message } };
    await act(async () => {
      service.write(...BEGIN, { type: "message-metadata", messageMetadata }, { type: "error", errorText: message });
      service.end();
    });
    await sees(element, message);
    await until(() => element.querySelector(".answer")?.getAttribute("aria-busy") === "false");
    expect(element.querySelector(".ending")?.textContent).toContain(message);
    expect(element.querySelector("[role=alert]")).toBe(null);
  });

  describe("while the service is busy", () => {
    const busy = (delayMs: number): object => ({ type: "data-retry", data: { delayMs }, transient: true });
    const pass = async (ms: number): Promise<void> =>
      await act(async () => {
        await vi.advanceTimersByTimeAsync(ms);
      });
    const noteOf = (element: HTMLElement): string | undefined =>
      [...element.querySelectorAll(".thinking, .column > .note")].map(({ textContent }) => textContent).join(" ");
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
    });
    afterEach(() => void vi.useRealTimers());

    /** A page whose answer waits for so long. */
    async function wait(delayMs: number) {
      const service = serveChat();
      const { element } = await render(page({}));
      await say(element, "Hello");
      await act(async () => service.write(...BEGIN, busy(delayMs)));
      await pass(100);
      return { service, element };
    }

    test("it says when it is asked again, once, counts the seconds down, and then says it no more", async () => {
      const { element } = await wait(12_000);
      const note = "The service is busy. Trying again in 12 s.";
      expect(noteOf(element)).toBe(note);
      expect(element.querySelector(".unseen[role=status]")?.textContent).toBe(note);
      await pass(3000);
      expect(noteOf(element)).toBe("The service is busy. Trying again in 9 s.");
      // Not every second is read out.
      expect(element.querySelector(".unseen[role=status]")?.textContent).toBe(note);
      await pass(9000);
      expect(noteOf(element)).toBe("Thinking…");
    });

    test("a later wait takes the place of the first", async () => {
      const { service, element } = await wait(2000);
      await act(async () => service.write(busy(30_000)));
      await pass(5000);
      expect(noteOf(element)).toBe("The service is busy. Trying again in 25 s.");
    });

    test("an answer that ends in the meantime takes it away, and the next one does not bring it back", async () => {
      const { service, element } = await wait(30_000);
      await act(async () => {
        service.write({ type: "finish", messageMetadata: { state: "stopped", stopReason: "aborted" } });
        service.end();
      });
      await pass(100);
      expect(noteOf(element)).toBe("");
      await say(element, "Again");
      await pass(100);
      expect(element.textContent).not.toContain("busy");
    });
  });
}
