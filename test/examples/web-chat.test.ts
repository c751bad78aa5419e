import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPage } from "../../examples/web-chat/server/build-page.ts";
import { type OpenWebChat, openWebChat } from "./support/open-web-chat.ts";

let folder: string;
let chat: OpenWebChat;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-web-chat-page-"));
  await buildPage(folder);
  chat = await openWebChat({ page: folder, chunkMs: 0 });
});
afterAll(async () => {
  await chat[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test("the page is built and served, with a policy that allows no foreign code", async () => {
  const page = await fetch(`${chat.url}/chat/any`);
  const html = await page.text();
  expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1] ?? "";
  const code = await fetch(`${chat.url}${script}`);
  expect([page.status, code.status]).toEqual([200, 200]);
  // Server-only data stays there.
  expect(await code.text()).not.toMatch(/node:sqlite|generativelanguage\.googleapis/);
});

test("nothing but files of the page is served", async () => {
  const ask = async (path: string): Promise<number> => (await fetch(`${chat.url}${path}`)).status;
  expect(await Promise.all(["/..%2fpackage.json", "/pictures/..%2f..%2fchats.sqlite", "/x.js"].map(ask))).toEqual([
    404, 404, 404,
  ]);
});

test("a message is answered with the call of a tool, and is in the list afterward", async () => {
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

test("what is read aloud is served as a WAV file, in ranges too", async () => {
  const said = { type: "text", text: "Read aloud “Good evening, and welcome”" };
  const body = { id: "voice", message: { id: "m1", role: "user", parts: [said] } };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${chat.url}/api/chat`, { method: "POST", headers, body: JSON.stringify(body) });
  const [address = ""] = /\/sounds\/[\da-f-]+\.wav/.exec(await answer.text()) ?? [];
  const whole = await fetch(`${chat.url}${address}`);
  const wav = Buffer.from(await whole.arrayBuffer());
  expect([whole.status, whole.headers.get("content-type")]).toEqual([200, "audio/wav"]);
  expect([wav.subarray(0, 4).toString(), wav.readUInt32LE(40)]).toEqual(["RIFF", wav.length - 44]);
  const part = await fetch(`${chat.url}${address}`, { headers: { range: "bytes=4-7" } });
  expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 4-7/${wav.length}`]);
  expect(Buffer.from(await part.arrayBuffer()).equals(wav.subarray(4, 8))).toBe(true);
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
