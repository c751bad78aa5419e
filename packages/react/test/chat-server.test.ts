import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ChatServer, ChatServerError, isUnreached } from "../src/chat-server.ts";
import { describeProblem } from "../src/words.ts";

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A server that answers all requests alike, and what it was asked. */
async function serve(reply: Reply) {
  const asked: { readonly line: string; readonly headers: IncomingMessage["headers"] }[] = [];
  const server = createServer(({ method, url, headers }, response) => {
    asked.push({ line: `${method} ${url}`, headers });
    response.writeHead(reply.status ?? 200, reply.headers).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // It listens on a port.
  return { asked, api: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/chat` };
}

async function refusalOf(reply: Reply): Promise<unknown> {
  const { api } = await serve(reply);
  return await new ChatServer({ api }).list().catch((error: unknown) => error);
}

test.each<[name: string, reply: Reply, says: string, unreached: boolean]>([
  [
    "a refusal of the handler in JSON",
    { status: 409, headers: { "pollux-error": "busy" }, body: `{"error":{"code":"busy","message":"It is busy."}}` },
    "It is busy.",
    false,
  ],
  ["a refusal in a sentence", { status: 401, body: "Log in first." }, "Log in first.", false],
  [
    "a wait in seconds",
    { status: 429, headers: { "retry-after": "42" }, body: "That was too much." },
    "That was too much. Try again in 42 seconds.",
    false,
  ],
  [
    "a wait of a day",
    { status: 429, headers: { "retry-after": "86400" }, body: "The day’s messages are used up." },
    "The day’s messages are used up. Try again in 1 day.",
    false,
  ],
  ["a wait that is nonsense", { status: 429, headers: { "retry-after": "soon" }, body: "Wait." }, "Wait.", false],
  [
    "a page of a gateway",
    { status: 502, headers: { "content-type": "text/html" }, body: "\n<!doctype html><h1>Bad gateway</h1>" },
    "Something went wrong. Try again.",
    true,
  ],
  ["an empty answer of a gateway", { status: 504 }, "Something went wrong. Try again.", true],
  [
    "a 503 of the handler itself",
    { status: 503, headers: { "pollux-error": "too_many_streams" }, body: "Too many tabs." },
    "Too many tabs.",
    false,
  ],
  [
    "a server that restarts",
    { status: 503, headers: { "pollux-error": "draining", "retry-after": "1" }, body: "It restarts." },
    "It restarts. Try again in 1 second.",
    true,
  ],
  ["JSON of somebody else", { status: 500, body: `{"oops":true}` }, "Something went wrong. Try again.", false],
  ["a long text", { status: 500, body: "x".repeat(5000) }, "x".repeat(300), false],
])(
  "%s is said in words, and is tried again only if it was not the handler's",
  async (_name, reply, says, unreached) => {
    const error = await refusalOf(reply);
    if (!(error instanceof ChatServerError)) throw new Error("it was not refused", { cause: error });
    expect([describeProblem(error), isUnreached(error), error.status]).toEqual([says, unreached, reply.status]);
  },
);

test("a wait may be a date", async () => {
  const error = await refusalOf({
    status: 503,
    headers: { "pollux-error": "busy", "retry-after": new Date(Date.now() + 7_200_000).toUTCString() },
  });
  expect(error).toMatchObject({ retryAfterMs: expect.closeTo(7_200_000, -4) });
});

test("a server that is not there can't be reached", async () => {
  const error: unknown = await new ChatServer({ api: "http://127.0.0.1:1" }).list().catch((reason: unknown) => reason);
  expect(isUnreached(error)).toBe(true);
  expect(error instanceof Error && describeProblem(error)).toBe("The server can’t be reached. Check your connection.");
});

test("a conversation that is not there is undefined, and any other refusal an error", async () => {
  const [missing, secret] = await Promise.all([
    serve({ status: 404 }),
    serve({ status: 403, body: "It is not yours." }),
  ]);
  await expect(new ChatServer({ api: missing.api }).load("a")).resolves.toBe(undefined);
  await expect(new ChatServer({ api: secret.api }).load("a")).rejects.toThrow("It is not yours.");
});

test("the page's own headers go with each request, as they are at that time", async () => {
  const { api, asked } = await serve({ body: `{"chats":[]}` });
  let token = "one";
  const server = new ChatServer({ api: `${api}/`, headers: () => ({ authorization: token }) });
  await server.list();
  token = "two";
  await server.rename("a", "Title");
  server.send({ headers: { authorization: "three" } });
  await server.remove("a");
  expect(asked.map(({ line, headers }) => [line, headers.authorization])).toEqual([
    ["GET /api/chat?limit=100", "one"],
    ["PATCH /api/chat/a", "two"],
    ["DELETE /api/chat/a", "three"],
  ]);
});
