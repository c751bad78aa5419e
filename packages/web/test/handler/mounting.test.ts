import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { allChunks, openPage, textOf, userMessage } from "./chat-page.ts";

const body = JSON.stringify({ id: "c1", messages: [userMessage("Hi", "m1")] });
const headers = { "content-type": "application/json" };

describe("a chat handler", () => {
  test("is a route of Hono", async () => {
    const { handler } = openPage();
    const app = new Hono();
    app.all("/api/chat/*", (context) => handler(context.req.raw));
    const response = await app.request("/api/chat", { method: "POST", headers, body });
    expect(textOf(await allChunks(response))).toBe("Hello.");
    expect((await app.request("/api/chat/c1")).status).toBe(200);
    expect((await app.request("/api/chat/c1/stream")).status).toBe(204);
  });

  test("is a route handler of Next.js, for all methods of a catch-all segment", async () => {
    const { handler } = openPage();
    const route = { GET: handler, POST: handler, PATCH: handler, DELETE: handler };
    // The second argument of Next.js has nothing that the handler uses.
    const next: object = { params: Promise.resolve({ rest: [] }) };
    const response = await route.POST(new Request("https://x/api/chat", { method: "POST", headers, body }), next);
    expect(textOf(await allChunks(response))).toBe("Hello.");
    expect((await route.DELETE(new Request("https://x/api/chat/c1", { method: "DELETE" }), next)).status).toBe(204);
  });
});
