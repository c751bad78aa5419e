// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";

// The same package with the AI SDK of the version before.
vi.mock("ai", async () => await import("ai-v6"));
vi.mock("@ai-sdk/react", async () => await import("@ai-sdk/react-v6"));

const { checkConversation } = await import("./conversation-checks.ts");
checkConversation();

test("it is version 6 that is used", async () => {
  const [used, version6] = await Promise.all([import("@ai-sdk/react"), import("@ai-sdk/react-v6")]);
  expect(used.useChat).toBe(version6.useChat);
});
