import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Agent, type Approve, defineTool } from "@pollux/core";
import type { Observer } from "@pollux/core/observers";
import { call as asks, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mcpTools } from "../src/mcp.ts";
import { type McpHttpPlace, type McpServerHandle, serveMcp } from "../src/mcp-server.ts";
import { children, pathOf, use } from "./mcp/support.ts";
import { seenFile, servedTools } from "./mcp/served-tools.ts";

let folder: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pollux-mcp-server-"));
  log = join(folder, "log");
  writeFileSync(log, "");
});

afterEach(async () => {
  await expect.poll(() => children().filter((line) => line.includes("stdio-program"))).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

const logged = (): string => readFileSync(log, "utf8");
const saw = (seen: unknown[], progress: { readonly message?: string | undefined }): void => {
  seen.push(progress);
  writeFileSync(seenFile(log, progress.message), "");
};
const program = (): string[] => ["--conditions=pollux-source", pathOf("stdio-program.ts"), log];

function serve(place: McpHttpPlace = {}, approve?: Approve): Promise<McpServerHandle> {
  return serveMcp(servedTools(log), { transport: place, name: "shown", version: "1.2.3", approve });
}

async function connected(transport: Transport, options: ConstructorParameters<typeof Client>[1] = {}): Promise<Client> {
  const client = new Client({ name: "test", version: "1" }, options);
  await client.connect(transport);
  return client;
}

/** What any client must see. */
async function checkServed(client: Client): Promise<void> {
  expect(client.getServerVersion()).toMatchObject({ name: "shown", version: "1.2.3" });
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(["add", "greet", "list", "draw", "fail", "count", "wait", "pay"]);
  expect(tools[0]).toEqual({
    name: "add",
    description: "Adds two numbers.",
    inputSchema: {
      type: "object",
      properties: { a: { type: "number" }, b: { type: "number" } },
      required: ["a", "b"],
    },
    annotations: { readOnlyHint: true },
  });
  const call = async (name: string, args: Record<string, unknown> = {}): Promise<unknown> => {
    const { content, structuredContent, isError } = await client.callTool({ name, arguments: args });
    return { content, structuredContent, isError };
  };
  expect(await call("add", { a: 1, b: 2 })).toEqual({
    content: [{ type: "text", text: '{"sum":3}' }],
    structuredContent: { sum: 3 },
  });
  expect(await call("greet")).toEqual({ content: [{ type: "text", text: "hello" }] });
  expect(await call("list")).toEqual({ content: [{ type: "text", text: "[1,2]" }] });
  expect(await call("draw")).toEqual({
    content: [
      { type: "text", text: expect.stringContaining("a dot") },
      { type: "image", mimeType: "image/png", data: expect.stringMatching(/^iVBOR/) },
      { type: "audio", mimeType: "audio/wav", data: "AAAA" },
    ],
    structuredContent: expect.objectContaining({ title: "a dot" }),
  });
  expect(await call("fail")).toEqual({ content: [{ type: "text", text: "there is no paper left" }], isError: true });
  expect(await call("add", { a: "one" })).toEqual({
    content: [{ type: "text", text: expect.stringMatching(/^invalid arguments: a: /) }],
    isError: true,
  });
  expect(await call("pay", { amount: 1 })).toEqual({ content: [{ type: "text", text: "paid 1" }] });
  expect(await call("pay", { amount: 11 })).toEqual({
    content: [{ type: "text", text: "pay needs a person's approval, and this server has no way to ask" }],
    isError: true,
  });
  await expect(client.callTool({ name: "nothing" })).rejects.toThrow(/Unknown tool: nothing/);

  const seen: unknown[] = [];
  await client.callTool({ name: "count" }, { onprogress: (progress) => saw(seen, progress) });
  expect(seen).toEqual([
    { progress: 1, message: "one" },
    { progress: 2, message: "two" },
    { progress: 3, message: "three" },
  ]);

  const abort = new AbortController();
  const waiting = client.callTool({ name: "wait" }, { signal: abort.signal });
  waiting.catch(() => {});
  await expect.poll(logged).toBe("waiting\n");
  abort.abort();
  await expect(waiting).rejects.toThrow();
  await expect.poll(logged).toBe("waiting\nstopped\n");
}

describe("the official client", () => {
  test("over stdio", async () => {
    const client = await connected(new StdioClientTransport({ command: process.execPath, args: program() }));
    try {
      await checkServed(client);
    } finally {
      await client.close();
    }
  });

  test.for(["legacy", "auto"] as const)("over streamable HTTP, protocol %s", async (mode) => {
    await using server = await serve();
    const client = await connected(new StreamableHTTPClientTransport(new URL(server.url ?? "")), {
      versionNegotiation: { mode },
    });
    try {
      expect(client.getNegotiatedProtocolVersion()).toMatch(mode === "legacy" ? /^2025/ : /^2026/);
      await checkServed(client);
    } finally {
      await client.close();
    }
  });
});

test("a result without a JSON form is an error for the client, and the log says where", async () => {
  const readPage = defineTool({ name: "read_page", description: "Reads.", run: () => ({ page: new Response("hi") }) });
  const lines: object[] = [];
  const quiet = (): void => {};
  const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: (facts: object) => lines.push(facts) };
  await using server = await serveMcp([readPage], { transport: {}, name: "shown", version: "1.2.3", logger });
  const client = await connected(new StreamableHTTPClientTransport(new URL(server.url ?? "")));
  try {
    const { content, isError } = await client.callTool({ name: "read_page", arguments: {} });
    const text = "read_page ran, but its result cannot be read: do not call it again";
    expect({ content, isError }).toEqual({ content: [{ type: "text", text }], isError: true });
    expect(lines).toMatchObject([
      { err: { message: expect.stringContaining("$.page is an HTTP message") }, tool: "read_page" },
    ]);
  } finally {
    await client.close();
  }
});

describe("the client of this package", () => {
  test("over stdio, with an image and a failure", async () => {
    await using server = await mcpTools({ command: process.execPath, args: program() });
    expect(await use(server.tools, "add", { a: 1, b: 2 })).toEqual({ ok: true, output: { sum: 3 } });
    expect(await use(server.tools, "fail")).toEqual({ ok: false, kind: "failed", message: "there is no paper left" });
    expect(await use(server.tools, "draw")).toMatchObject({
      ok: true,
      output: { content: [{ kind: "@pollux/media", mimeType: "image/png" }, { mimeType: "audio/wav" }] },
    });
  });

  test("over HTTP, with a token", async () => {
    const authorize = ({ headers }: Request): boolean => headers.get("authorization") === "Bearer let-me-in";
    await using server = await serve({ authorize });
    const url = server.url ?? "";
    await expect(mcpTools({ url })).rejects.toThrow(/did not start/);
    await using tools = await mcpTools({ url, auth: "let-me-in" });
    await using others = await mcpTools({ url, headers: { authorization: "Bearer let-me-in" } });
    for (const client of [tools, others])
      expect(await use(client.tools, "greet")).toEqual({ ok: true, output: "hello" });
    const seen: unknown[] = [];
    await use(tools.tools, "count", {}, { progress: (value) => saw(seen, value as { message: string }) });
    expect(seen).toEqual(["one", "two", "three"].map((message, index) => ({ progress: index + 1, message })));
  });

  test("over HTTP, with the caller's place in its trace", async () => {
    const where = defineTool({
      name: "where",
      description: "Tells.",
      run: (_, context) => context.traceparent ?? null,
    });
    await using server = await serveMcp([where], { transport: {}, name: "where", version: "1" });
    await using tools = await mcpTools({ url: server.url ?? "" });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    expect(await use(tools.tools, "where", {}, { traceparent })).toEqual({ ok: true, output: traceparent });
    const forged = `${traceparent}\r\nx: y`;
    for (const none of [undefined, forged])
      expect(await use(tools.tools, "where", {}, { traceparent: none })).toEqual({ ok: true, output: "null" });
  });

  test("an agent that is served runs in the caller's trace", async () => {
    const parents: unknown[] = [];
    const observer: Observer = { observe: ({ type, run }) => void (type === "run-start" && parents.push(run.parent)) };
    const agent = new Agent({ name: "finder", model: new ScriptedModel(say("Found.")), observers: [observer] });
    await using server = await serveMcp([agent.asTool({ description: "Finds." })], {
      transport: {},
      name: "finder",
      version: "1",
    });
    await using tools = await mcpTools({ url: server.url ?? "" });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    expect(await use(tools.tools, "finder", { task: "Find." }, { traceparent })).toMatchObject({ ok: true });
    expect(parents).toMatchObject([{ traceparent }]);
  });

  test.each([
    ["is asked about what reaches outside", undefined, false],
    ["may trust its callers", "trusted", true],
    ["knows what else their words bring", ["untrusted", "private"], false],
  ] as const)("an agent that is served %s: another model wrote its task", async (_name, reads, sends) => {
    const sent: string[] = [];
    const why: unknown[] = [];
    const send = defineTool({
      name: "send",
      description: "Sends.",
      effects: "once",
      reads: "trusted",
      run: () => sent.push("mail"),
    });
    const agent = new Agent({
      name: "clerk",
      model: new ScriptedModel(asks("send"), say("Done.")),
      tools: [send],
      approve: ({ because }) => (why.push(because), false),
    });
    const place = { transport: {}, name: "clerk", version: "1", reads };
    await using server = await serveMcp([agent.asTool({ description: "Works." })], place);
    await using tools = await mcpTools({ url: server.url ?? "" });

    expect(await use(tools.tools, "clerk", { task: "Send it." })).toEqual({ ok: true, output: "Done." });
    expect(sent).toEqual(sends ? ["mail"] : []);
    const because = { reach: "outside", rule: "ask", untrusted: ["mcp_client"] };
    const secret = typeof reads === "object" && { private: ["mcp_client"] };
    expect(why).toEqual(sends ? [] : [{ ...because, ...secret }]);
  });

  test("an abort over HTTP stops the tool", async () => {
    await using server = await serve();
    await using tools = await mcpTools({ url: server.url ?? "" });
    const abort = new AbortController();
    const outcome = use(tools.tools, "wait", {}, { signal: abort.signal });
    await expect.poll(logged).toBe("waiting\n");
    abort.abort();
    expect(await outcome).toMatchObject({ ok: false, kind: "cancelled" });
    await expect.poll(logged).toBe("waiting\nstopped\n");
  });
});

describe("approval", () => {
  test("is asked for what needs it, and only for that", async () => {
    const asked: unknown[] = [];
    await using server = await serve({}, ({ call, question }) => {
      asked.push([call.name, call.args, question]);
      return call.args?.["amount"] === 12 ? true : { deny: "too much" };
    });
    await using tools = await mcpTools({ url: server.url ?? "" });
    expect(await use(tools.tools, "pay", { amount: 12 })).toEqual({ ok: true, output: "paid 12" });
    expect(await use(tools.tools, "pay", { amount: 13 })).toEqual({ ok: false, kind: "failed", message: "too much" });
    expect(await use(tools.tools, "pay", { amount: 2 })).toEqual({ ok: true, output: "paid 2" });
    expect(asked).toEqual([
      ["pay", { amount: 12 }, "approval"],
      ["pay", { amount: 13 }, "approval"],
    ]);
  });
});

test("an approval with other arguments runs those, and tells the client", async () => {
  await using server = await serve({}, () => ({ args: { amount: 11 } }));
  await using tools = await mcpTools({ url: server.url ?? "" });
  const outcome = await use(tools.tools, "pay", { amount: 500 });
  expect(JSON.stringify(outcome)).toContain("paid 11");
  expect(JSON.stringify(outcome)).toContain('changed before the call ran: {\\"amount\\":11}');
});

describe("which HTTP requests are accepted", () => {
  /** `fetch` lets nobody say another host. */
  async function status(url: string, headers: Record<string, string>): Promise<number | undefined> {
    return await new Promise((resolve, reject) => {
      const sent = request(url, { method: "POST", headers: { "content-type": "application/json", ...headers } });
      sent.on("response", (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on("error", reject);
      sent.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }));
    });
  }

  test("this machine by its names, and no page of elsewhere", async () => {
    await using server = await serve();
    const url = server.url ?? "";
    const accept = "application/json, text/event-stream";
    expect({
      plain: await status(url, { accept }),
      page: await status(url, { accept, origin: "http://localhost:3000" }),
      rebound: await status(url, { accept, host: "evil.example" }),
      foreign: await status(url, { accept, origin: "https://evil.example" }),
      elsewhere: await status(url.replace("/mcp", "/other"), { accept }),
    }).toEqual({ plain: 400, page: 400, rebound: 403, foreign: 403, elsewhere: 404 });
  });

  test("listens at loopback, and every address needs names", async () => {
    await using server = await serve();
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    await expect(serve({ host: "0.0.0.0" })).rejects.toThrow(/list the permitted names in allowedHosts/);
  });
});

describe("closing", () => {
  test("stops calls that are under way, and ends all connections", async () => {
    const server = await serve();
    const client = await connected(new StreamableHTTPClientTransport(new URL(server.url ?? "")));
    const waiting = client.callTool({ name: "wait" });
    waiting.catch(() => {});
    await expect.poll(logged).toBe("waiting\n");
    await server.close();
    await expect.poll(logged).toBe("waiting\nstopped\n");
    await client.close();
    await expect(waiting).rejects.toThrow();
    await expect(fetch(server.url ?? "")).rejects.toThrow(/fetch failed/);
  });

  test("a port that is taken is an error", async () => {
    await using server = await serve();
    await expect(serve({ port: Number(new URL(server.url ?? "").port) })).rejects.toThrow(/EADDRINUSE/);
  });
});

describe("what cannot be served", () => {
  const greet = defineTool({ name: "greet", description: "Greets.", run: () => "hello" });
  const outside = defineTool({ name: "ask", description: "Asks somebody else." });
  const options = { transport: "stdio", name: "shown", version: "1" } as const;

  test("two tools of one name, and tools without a run", async () => {
    await expect(serveMcp([greet, greet], options)).rejects.toThrow(/two tools are named "greet"/);
    await expect(serveMcp([outside], options)).rejects.toThrow(/"ask" has no run/);
  });
});
