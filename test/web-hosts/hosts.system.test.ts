import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readChunks, readUntil, restOf, userMessage } from "../../packages/web/test/handler/chat-page.ts";
import { type HostFolder, HOSTS, openHosts, type RunningHost } from "./support/hosts.ts";

let folder: HostFolder;
beforeAll(async () => void (folder = await openHosts()));
afterAll(() => folder[Symbol.dispose]());

// The names of the hosts, as in the guide.
describe.each(Object.keys(HOSTS) as (keyof typeof HOSTS)[])("%s", (name) => {
  let host: RunningHost;
  beforeAll(async () => void (host = await folder.start(name)));
  afterAll(() => host[Symbol.dispose]());

  const ask = async (method: string, path: string, body?: object, signal?: AbortSignal): Promise<Response> =>
    await fetch(`${host.url}/api/chat${path}`, {
      method,
      headers: { "x-user": "ann", ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });

  test("serves a chat: it streams, is followed from a second connection, and stopped from a third", async () => {
    expect((await ask("GET", "/c1/stream")).status).toBe(204);
    const sent = await ask("POST", "", { id: "c1", messages: [userMessage("Count é.", "m1")] });
    expect(sent.headers.get("content-type")).toBe("text/event-stream");
    const mine = readChunks(sent);
    await readUntil(mine, "w3 ");
    const theirs = readChunks(await ask("GET", "/c1/stream"));
    await readUntil(theirs, "w5 ");
    expect(await (await ask("POST", "/c1/stop")).json()).toEqual({ stopped: true });
    for (const chunks of [mine, theirs]) expect((await restOf(chunks)).at(-1)).toMatchObject({ type: "abort" });

    expect((await ask("GET", "/c1/stream")).status).toBe(204);
    const stored = (await (await ask("GET", "/c1")).json()) as { readonly state: string; readonly messages: object[] };
    expect(stored.state).toBe("stopped");
    expect(JSON.stringify(stored.messages)).toMatch(/Count é\..*w0 w1 w2 w3 w4 w5 /);
  });

  test("hears of a client that leaves, and lets the run end or go on", async () => {
    for (const [path, state] of [
      ["/aborting", "stopped"],
      ["", "running"],
    ] as const) {
      const chat = `leave${state}`;
      const leave = new AbortController();
      const body = { id: chat, messages: [userMessage("Count.", chat)] };
      await readUntil(readChunks(await ask("POST", path, body, leave.signal)), "w3 ");
      leave.abort();
      const stored = async (): Promise<unknown> => (await (await ask("GET", `/${chat}`)).json()) as unknown;
      await expect.poll(stored).toMatchObject({ state });
    }
    await readUntil(readChunks(await ask("GET", "/leaverunning/stream")), "w6 ");
    expect(await (await ask("POST", "/leaverunning/stop")).json()).toEqual({ stopped: true });
  });

  // Bun and Deno answer one request after the other.
  test.runIf(name.startsWith("node:http"))("ends all that a client asked for at once when it leaves", async () => {
    const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
    const chats = ["first", "second", "third"];
    for (const id of chats) {
      const body = JSON.stringify({ id, messages: [userMessage("Count.", id)] });
      const headers = `Host: a\r\nX-User: ann\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
      socket.write(`POST /api/chat/aborting HTTP/1.1\r\n${headers}\r\n\r\n${body}`);
    }
    const states = async (): Promise<unknown> =>
      await Promise.all(
        chats.map(async (id) => ((await (await ask("GET", `/${id}`)).json()) as { readonly state?: string }).state),
      );
    await expect.poll(states).toEqual(["running", "running", "running"]);
    socket.destroy();
    await expect.poll(states).toEqual(["stopped", "stopped", "stopped"]);
  });

  test("lists, renames and deletes", async () => {
    await (await ask("POST", "", { id: "kept", messages: [userMessage("Count.", "m1")] })).body?.cancel();
    const chats = async (): Promise<string> => JSON.stringify(await (await ask("GET", "")).json());
    expect((await ask("PATCH", "/kept", { title: "Büro" })).status).toBe(204);
    expect(await chats()).toContain('"id":"kept","title":"Büro"');
    expect((await ask("DELETE", "/kept")).status).toBe(204);
    expect(await chats()).not.toContain("kept");
  });

  test("refuses what the handler refuses", async () => {
    const url = `${host.url}/api/chat`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { "x-user": "ann", origin: "https://evil.example" } })).status).toBe(403);
    expect((await ask("POST", "", { id: "c1", more: "x".repeat(20_000) })).status).toBe(413);
    expect((await ask("GET", "/other")).status).toBe(404);
    expect((await ask("POST", "", undefined)).status).toBe(415);
  });

  test("logs nothing about any of that", () => {
    const lines = host.printed().trim().split("\n");
    // Its address, and Deno's warning about a signal that it also aborts after a response.
    expect(lines.filter((line) => !/http:\/\/|^Started |\(legacy behavior\)/.test(line))).toEqual([]);
  });
});
