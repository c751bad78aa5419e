import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenWebChat, openWebChat } from "./support/open-web-chat.ts";

let chat: OpenWebChat;
beforeAll(async () => {
  chat = await openWebChat({ chunkMs: 0 });
});
afterAll(async () => {
  await chat[Symbol.asyncDispose]();
});

test("the page is built and served, with a policy that allows no foreign code", async () => {
  const page = await fetch(`${chat.url}/chat/any`);
  const html = await page.text();
  expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1] ?? "";
  const code = await fetch(`${chat.url}${script}`);
  expect([page.status, code.status]).toEqual([200, 200]);
  // What only the server needs stays there.
  expect(await code.text()).not.toMatch(/node:sqlite|generativelanguage\.googleapis/);
});

test("nothing but files of the page is served", async () => {
  const ask = async (path: string): Promise<number> => (await fetch(`${chat.url}${path}`)).status;
  expect(await Promise.all(["/..%2fpackage.json", "/pictures/..%2f..%2fchats.sqlite", "/x.js"].map(ask))).toEqual([
    404, 404, 404,
  ]);
});

test("a message is answered with the call of a tool, and is in the list afterwards", async () => {
  const body = { id: "sum", message: { id: "m1", role: "user", parts: [{ type: "text", text: "Calculate 17 * 23" }] } };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${chat.url}/api/chat`, { method: "POST", headers, body: JSON.stringify(body) });
  const stream = await answer.text();
  expect(stream).toContain('"toolName":"calculator"');
  expect(stream).toContain("391");
  expect(stream.trimEnd().endsWith("data: [DONE]")).toBe(true);
  expect(await (await fetch(`${chat.url}/api/chat`)).json()).toMatchObject({
    chats: [{ id: "sum", title: "Calculate 17 * 23", state: "idle" }],
  });
});

test("a page of the internet whose name points at this machine gets nothing", async () => {
  const { hostname, port } = new URL(chat.url);
  const { request } = await import("node:http");
  const status = await new Promise((resolve, reject) => {
    request({ host: hostname, port, path: "/api/chat", headers: { host: "evil.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(403);
});
