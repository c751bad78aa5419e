// @vitest-environment happy-dom
import { readFileSync } from "node:fs";
import { act, createElement } from "react";
import { expect, test } from "vitest";
import { serveChat } from "../support/chat-service.ts";
import { render, until } from "../support/rendered.ts";
import { Page } from "./own.tsx";
import { Support } from "./parts.tsx";

function pageOf(place: string): string {
  return readFileSync(new URL(place, import.meta.url), "utf8");
}

test.each([
  ["page.tsx", "../../../../docs/guides/react.md"],
  ["parts.tsx", "../../../../docs/guides/react.md"],
  ["own.tsx", "../../../../docs/guides/react.md"],
  ["page.tsx", "../../README.md"],
])("%s is what %s shows", (file, place) => {
  expect(pageOf(place)).toContain(`\`\`\`tsx\n${pageOf(file)}\`\`\``);
});

test("every program of the two pages in JSX is one of these", () => {
  const shown = ["../../../../docs/guides/react.md", "../../README.md"].flatMap((place) =>
    pageOf(place).split("```tsx\n").slice(1),
  );
  const files = new Set(["page.tsx", "parts.tsx", "own.tsx"].map(pageOf));
  expect(shown.filter((code) => !files.has(code.split("```")[0] ?? ""))).toEqual([]);
});

test("the whole page lists conversations, and offers something to ask", async () => {
  const service = serveChat();
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  document.body.innerHTML = `<div id="root"></div>`;
  await act(async () => void (await import("./page.tsx")));
  await until(() => document.body.textContent.includes("Your conversations will be listed here."));
  expect(document.querySelector(".idea")?.textContent).toBe("Ask for the weatherWhat is the weather in Oslo?");
  expect(service.asked).toEqual(["GET /api/chat?limit=100"]);
});

test("the parts load a conversation and send the page's headers", async () => {
  const service = serveChat();
  const { element } = await render(createElement(Support, { token: "secret" }));
  await until(() => element.querySelector("#composer") !== null);
  expect(service.asked).toContain("GET /api/support?limit=100");
  expect(element.textContent).toContain("Answers come from a model.");
});

test("a component of one's own asks", async () => {
  const service = serveChat();
  const { element } = await render(createElement(Page));
  await act(async () => element.querySelector("button")?.click());
  await until(() => element.querySelector("button")?.textContent === "Stop");
  expect(service.asked).toEqual(["POST /api/chat"]);
});
