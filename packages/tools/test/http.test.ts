import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib";
import { Agent, type Tool, type ToolContext, ToolError } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  httpRequest,
  type HttpRequestOptions,
  type LookupFunction,
  webFetch,
  type WebFetchOptions,
} from "../src/http.ts";
import { readHtmlApart } from "../src/http/html-apart.ts";
import { loadHtmlReader } from "../src/http/html-page.ts";
import { until } from "../../core/test/helpers/until.ts";
import { drawn, pdfOf } from "./helpers/pdf.ts";
import { processorTime } from "./helpers/processor-time.ts";

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** A server on 127.0.0.1; gives its address, and what it was asked. */
async function serve(
  answer: RequestListener,
): Promise<{ url: string; port: number; requests: IncomingMessage[]; server: Server }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((incoming, response) => {
    requests.push(incoming);
    answer(incoming, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests, server };
}

/** A server that speaks no HTTP of its own. */
async function serveSocket(talk: (socket: Socket) => void): Promise<{ url: string; open: Set<Socket> }> {
  const open = new Set<Socket>();
  const server = createSocketServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => {});
    socket.resume();
    talk(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, open };
}

function reply(body: string | Uint8Array, type?: string, headers: Record<string, string> = {}) {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { ...(type === undefined ? {} : { "content-type": type }), ...headers });
    response.end(body);
  };
}

function redirect(to: string, status = 302) {
  return (_request: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(status, { location: to }).end();
}

const LOCAL = { allowPrivate: true, ports: "any", timeoutMs: 60_000 } as const;

async function run(tool: Tool, args: object, signal: AbortSignal): Promise<unknown> {
  // The tools read nothing else of the context.
  return await tool.run(await tool.parse(args), { signal, idempotencyKey: "key-1" } as ToolContext);
}

const never = new AbortController().signal;

async function fetchPage(args: object, options: WebFetchOptions = {}, signal = never): Promise<any> {
  return await run(webFetch({ ...LOCAL, ...options }), args, signal);
}

async function request(args: object, options: HttpRequestOptions = {}, signal = never): Promise<any> {
  return await run(httpRequest({ ...LOCAL, ...options }), args, signal);
}

async function failure(used: Promise<unknown>): Promise<string> {
  const error = await used.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ToolError);
  return (error as ToolError).message;
}

/** Every name stands for this machine; asks are counted. */
function lookupOf(...answers: readonly (readonly string[])[]): LookupFunction & { names: string[] } {
  const names: string[] = [];
  const lookup: LookupFunction = async (hostname) => {
    const found = answers[Math.min(names.length, answers.length - 1)] ?? [];
    names.push(hostname);
    return found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
  return Object.assign(lookup, { names });
}

const PAGE = `<!doctype html><html><head><title>  A &amp; B
 page</title><script>alert(1)</script><style>x{}</style></head><body>
<nav><a href="/home">Home</a></nav>
<main><h1>Heading</h1><p>Some <b>bold</b> text with a <a href="b?c#d">link</a> and a <a href="javascript:alert(1)">trap</a>.</p>
<ul><li>one</li><li>two</li></ul>
<table><tr><th>Name</th><th>Age</th></tr><tr><td>Ann | Bo</td><td>7</td></tr></table>
<pre><code>let a = 1;</code></pre><img src="data:image/png;base64,AAAA" alt="dot"><p>${"More words. ".repeat(20)}</p></main>
<footer>Imprint</footer></body></html>`;

describe("web_fetch reads", () => {
  test("a page as Markdown, of its main content", async () => {
    const { url, requests } = await serve(reply(PAGE, "text/html; charset=utf-8"));
    const page = await fetchPage({ url: `${url}/a/`, links: true });
    expect(page).toEqual({
      url: `${url}/a/`,
      kind: "html",
      title: "A & B page",
      links: [
        { text: "Home", url: `${url}/home` },
        { text: "link", url: `${url}/a/b?c#d` },
      ],
      content: `# Heading

Some **bold** text with a [link](${url}/a/b?c#d) and a trap.

- one
- two

| Name | Age |
| --- | --- |
| Ann \\| Bo | 7 |

\`\`\`
let a = 1;
\`\`\`

${"More words. ".repeat(20).trim()}`,
      total_characters: page.content.length,
    });
    expect(requests[0]?.headers).toMatchObject({
      "user-agent": "Mozilla/5.0 (compatible; pollux-tools)",
      "accept-encoding": "gzip, deflate, br",
    });
    const whole = await fetchPage({ url, whole_page: true }, { userAgent: "ann's reader" });
    expect(requests[1]?.headers["user-agent"]).toBe("ann's reader");
    expect(whole.content).toContain("Home");
    expect(whole.content).toContain("Imprint");
    expect(whole.links).toBeUndefined();
  });

  test("a long text in pieces that fit together", async () => {
    const text = Array.from({ length: 100 }, (_, index) => `line ${index} 😀😀😀😀`).join("\n");
    const { url } = await serve(reply(text, "text/plain"));
    let [whole, offset] = ["", 0 as number | undefined];
    for (let pieces = 0; offset !== undefined && pieces < 50; pieces++) {
      const page: any = await fetchPage({ url, offset, limit: 150 });
      expect(page.content.length).toBeLessThanOrEqual(150);
      expect(page.total_characters).toBe(text.length);
      whole += page.content;
      offset = page.next_offset;
    }
    expect(whole).toBe(text);
    expect(await failure(fetchPage({ url, offset: 99_999 }))).toBe(
      `offset 99999 is past the end: the text has ${text.length} characters`,
    );
  });

  test.each([
    ["application/json", '{"a":[1]}', { kind: "json", content: '{\n  "a": [\n    1\n  ]\n}', total_characters: 22 }],
    ["application/problem+json", "{broken", { kind: "json", content: "{broken", total_characters: 7 }],
    ["text/plain", "a\r\nb", { kind: "text", content: "a\nb", total_characters: 3 }],
    ["application/atom+xml", "<feed/>", { kind: "text", content: "<feed/>", total_characters: 7 }],
    [undefined, "<!DOCTYPE html><p>Hi</p>", { kind: "html", content: "Hi", total_characters: 2 }],
    [undefined, "[1]", { kind: "json", content: "[\n  1\n]", total_characters: 7 }],
    [undefined, "just text", { kind: "text", content: "just text", total_characters: 9 }],
    ["nonsense", "just text", { kind: "text", content: "just text", total_characters: 9 }],
    [
      "text/html",
      "<script>app()</script>",
      {
        kind: "html",
        content: "",
        total_characters: 0,
        note: "the page contains no text; it may need a browser or whole_page",
      },
    ],
  ])("%s: %j", async (type, body, expected) => {
    const { url } = await serve(reply(body, type));
    expect(await fetchPage({ url })).toEqual({ url: `${url}/`, ...expected });
  });

  test.each<[string | undefined, Uint8Array | string, string]>([
    ["text/html; charset=iso-8859-1", Buffer.from("<p>Grüße", "latin1"), "Grüße"],
    ["text/html", Buffer.from('<meta charset="windows-1252"><p>Gr\u00fc\u00dfe', "latin1"), "Grüße"],
    ["text/html; charset=nonsense", "<p>Grüße", "Grüße"],
    // What the header says is wrong, and the page can be read all the same.
    ["text/plain", Buffer.from("Grüße", "latin1"), "Grüße"],
    ["text/plain; charset=utf-8", Buffer.from("Grüße", "latin1"), "Gr��e"],
    ["text/plain; charset=shift_jis", Buffer.from([0x93, 0xfa, 0x96, 0x7b]), "日本"],
    ["text/plain; charset=latin1", Buffer.from("\ufeffÄ", "utf16le"), "Ä"],
    ["text/html", Buffer.from('<meta charset="utf-16"><p>ä'), "ä"],
  ])("the charset of %s %#", async (type, body, content) => {
    const { url } = await serve(reply(body, type));
    expect((await fetchPage({ url })).content).toBe(content);
  });

  test.each([
    ["gzip", gzipSync("hello")],
    ["deflate", deflateSync("hello")],
    ["br", brotliCompressSync("hello")],
    ["gzip, br", brotliCompressSync(gzipSync("hello"))],
    ["identity", Buffer.from("hello")],
    ["gzip", gzipSync("hello").subarray(0, -4)],
  ])("%s", async (encoding, body) => {
    const { url } = await serve(reply(body, "text/plain", { "content-encoding": encoding }));
    expect((await fetchPage({ url })).content).toBe("hello");
  });

  test("the text of a PDF", async () => {
    const { url } = await serve(reply(pdfOf({ bytes: drawn("Hello PDF") }), "application/pdf"));
    const expected = { url: `${url}/`, kind: "pdf", content: "--- page 1 ---\nHello PDF", total_characters: 24 };
    expect(await fetchPage({ url })).toEqual(expected);
    const unnamed = await serve(reply(pdfOf({ bytes: drawn("Hello PDF") }), "application/octet-stream"));
    expect(await fetchPage({ url: unnamed.url })).toEqual({ ...expected, url: `${unnamed.url}/` });
    const broken = await serve(reply("%PDF-1.4 nothing", "application/pdf"));
    expect(await failure(fetchPage({ url: broken.url }))).toBe(
      "the PDF cannot be read: it is damaged or needs a password; use another source",
    );
  });

  test("an image, by its bytes", async () => {
    const png = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
      "base64",
    );
    for (const type of ["image/jpeg", undefined]) {
      const { url } = await serve(reply(png, type));
      expect(await fetchPage({ url })).toEqual({
        url: `${url}/`,
        kind: "image",
        image: { kind: "@pollux/media", mimeType: "image/png", data: png.toString("base64") },
      });
    }
  });

  test.each([
    ["video/mp4", "is video/mp4, which cannot be read; use another source"],
    ["image/gif", "is image/gif, which cannot be read; use another source"],
    ["application/octet-stream", "is application/octet-stream, which cannot be read; use another source"],
  ])("nothing of %s", async (type, message) => {
    const { url } = await serve(reply(Buffer.from([1, 0, 2]), type));
    expect(await failure(fetchPage({ url }))).toBe(`"${url}/" ${message}`);
  });

  test.each([
    [404, "does not exist (HTTP 404); check the URL or search for it"],
    [403, "requires authorization (HTTP 403); use another source"],
    [429, "accepts no more requests right now (HTTP 429); try again later or use another source"],
    [503, "has a server error (HTTP 503); try again later or use another source"],
    [418, "cannot be fetched (HTTP 418); use another source"],
  ])("no page that answers %i", async (status, message) => {
    const { url } = await serve((_request, response) => void response.writeHead(status).end("<p>secret"));
    expect(await failure(fetchPage({ url }))).toBe(`"${url}/" ${message}`);
  });
});

describe("what is not on the public internet is refused", () => {
  const refused = (host: string): string =>
    `the host ${host} is refused: it is not on the public internet; use another source`;

  test("by default, before anything is connected", async () => {
    const { port, requests, server } = await serve(reply("secret", "text/plain"));
    let connections = 0;
    server.on("connection", () => connections++);
    for (const host of ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]"]) {
      const tool = webFetch({ ports: "any" });
      expect(await failure(run(tool, { url: `http://${host}:${port}/` }, never))).toMatch(/not on the public internet/);
    }
    expect([requests.length, connections]).toEqual([0, 0]);
  });

  test("when one of the addresses of a name is private", async () => {
    const { port, requests } = await serve(reply("secret"));
    const lookup = lookupOf(["93.184.216.34", "127.0.0.1"]);
    const tool = webFetch({ ports: "any", lookup });
    expect(await failure(run(tool, { url: `http://a.test:${port}/` }, never))).toBe(refused("a.test"));
    expect([requests.length, lookup.names]).toEqual([0, ["a.test"]]);
  });

  test("when a name is looked up for one address and then for another", async () => {
    const { port, requests, server } = await serve((incoming, response) =>
      incoming.url === "/one"
        ? redirect("/two")(incoming, response)
        : reply("secret", "text/plain")(incoming, response),
    );
    // Each connection looks the name up once and connects to that address: there is no second lookup in between.
    const addresses: string[] = [];
    server.on("connection", (socket) => addresses.push(String(socket.remoteAddress)));
    const steady = lookupOf(["127.0.0.1"], ["169.254.169.254"]);
    await fetchPage({ url: `http://rebind.test:${port}/two` }, { lookup: steady });
    expect([steady.names, addresses.length]).toEqual([["rebind.test"], 1]);

    const rebinding = lookupOf(["127.0.0.1"], ["169.254.169.254"]);
    const tool = webFetch({ ...LOCAL, lookup: rebinding });
    const url = `http://rebind.test:${port}/two`;
    expect(await run(tool, { url }, never)).toMatchObject({ content: "secret" });
    expect(await failure(run(tool, { url }, never))).toBe(refused("rebind.test"));
    expect([requests.length, rebinding.names]).toEqual([2, ["rebind.test", "rebind.test"]]);
  });

  test("when a public name turns private", async () => {
    const { port, requests } = await serve(reply("secret", "text/plain"));
    // Nothing listens at the first one; the second is this machine.
    const lookup = lookupOf(["192.0.2.1"], ["127.0.0.1"]);
    const tool = webFetch({ ports: "any", lookup });
    for (let times = 0; times < 2; times++)
      expect(await failure(run(tool, { url: `http://rebind.test:${port}/` }, never))).toBe(refused("rebind.test"));
    expect([requests.length, lookup.names.length]).toEqual([0, 2]);
  });

  test.each([
    ["http://169.254.169.254/latest/meta-data/", refused("169.254.169.254")],
    ["http://[::ffff:a9fe:a9fe]/", refused("::ffff:a9fe:a9fe")],
    ["//inside.test/", refused("inside.test")],
    ["file:///etc/passwd", '"file:///etc/passwd" cannot be fetched: only https: and http: URLs are supported'],
    ["http://u:p@first.test/", "http://first.test is refused: a URL must not contain a user name or password"],
  ])("after a redirect to %s", async (to, message) => {
    const { port, requests } = await serve(redirect(to));
    const options = { allowPrivate: ["first.test"], lookup: lookupOf(["127.0.0.1"]) };
    expect(await failure(fetchPage({ url: `http://first.test:${port}/` }, options))).toBe(message);
    expect(requests.length).toBe(1);
  });

  test("a redirect to another port, or out of what is allowed", async () => {
    const other = await serve(reply("other"));
    const { port } = await serve((incoming, response) =>
      redirect(incoming.url === "/port" ? other.url : "http://b.test/")(incoming, response),
    );
    const options = { ports: [port], lookup: lookupOf(["127.0.0.1"]) };
    const url = `http://127.0.0.1:${port}`;
    expect(await failure(fetchPage({ url: `${url}/port` }, options))).toBe(
      `port ${other.port} is not allowed; use ${port}`,
    );
    expect(await failure(fetchPage({ url }, { allow: ["127.0.0.1"] }))).toBe(
      "the host b.test is not allowed; allowed: 127.0.0.1",
    );
    expect(other.requests.length).toBe(0);
  });
});

describe("redirects", () => {
  test("are followed within the policy, and the final URL is returned", async () => {
    const { url } = await serve((incoming, response) => {
      const step = Number(incoming.url?.slice(1));
      return step < 3 ? redirect(`/${step + 1}`)(incoming, response) : reply("there", "text/plain")(incoming, response);
    });
    expect(await fetchPage({ url: `${url}/0` })).toMatchObject({ url: `${url}/3`, content: "there" });
    expect(await failure(fetchPage({ url: `${url}/0` }, { maxRedirects: 2 }))).toBe(
      `"${url}/0" redirects more than 2 times; try another URL`,
    );
  });

  test("in circles end", async () => {
    const { url, requests } = await serve(redirect("/"));
    expect(await failure(fetchPage({ url }))).toBe(`"${url}/" redirects more than 5 times; try another URL`);
    expect(requests.length).toBe(6);
  });
});

describe("limits", () => {
  test("a page is read up to the limit, with a note", async () => {
    const { url } = await serve(reply(`<p>${"word ".repeat(30_000)}</p>`, "text/html"));
    const page = await fetchPage({ url }, { maxBytes: 100_000 });
    expect(page).toMatchObject({
      total_characters: 99_997,
      next_offset: 20_000,
      note: "only the first 100000 bytes were read: the content exceeds the size limit",
    });
    const longer = await serve(reply(`<p>begin</p><!--${"-".repeat(1_000_000)}--><p>end</p>`, "text/html"));
    expect(await fetchPage({ url: longer.url })).toMatchObject({
      content: "begin",
      note: "only the beginning was read: the content exceeds the size limit",
    });
  });

  test("an endless body is cut off, and its connection closed", async () => {
    const { url, open } = await serveSocket((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n");
      const more = (): void => {
        if (!socket.destroyed) socket.write("x".repeat(65_536), () => setImmediate(more));
      };
      more();
    });
    expect(await fetchPage({ url }, { maxBytes: 200_000 })).toMatchObject({ total_characters: 200_000 });
    await expect.poll(() => open.size).toBe(0);
  });

  test.each([
    ["gzip", (bytes: Buffer) => gzipSync(bytes)],
    ["br", (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ["gzip, gzip", (bytes: Buffer) => gzipSync(gzipSync(bytes))],
  ])("a bomb of %s is not decompressed", async (encoding, compress) => {
    const bomb = compress(Buffer.alloc(50_000_000));
    const { url } = await serve(reply(bomb, "text/plain", { "content-encoding": encoding }));
    const before = process.memoryUsage().arrayBuffers;
    expect(await fetchPage({ url }, { maxBytes: 100_000 })).toMatchObject({ total_characters: 100_000 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  test.each([
    ["gzip, gzip, gzip", "the response is compressed more than twice, which is not supported; try another URL"],
    ["zip", 'the response is compressed as "zip", which cannot be read; try another URL'],
    ["gzip", /cannot be fetched: the compressed response is invalid; try another URL$/],
    ["br", /cannot be fetched: the compressed response is invalid; try another URL$/],
  ])("what is not %s", async (encoding, message) => {
    const { url } = await serve(reply("not compressed", "text/plain", { "content-encoding": encoding }));
    expect(await failure(fetchPage({ url }))).toEqual(
      typeof message === "string" ? message : expect.stringMatching(message),
    );
  });

  test.each([
    ["that says nothing", (_socket: Socket) => {}],
    ["that drips its head", (socket: Socket) => drip(socket, "HTTP/1.1 200 OK\r\n")],
    ["that drips its body", (socket: Socket) => drip(socket, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")],
  ])("a server %s forever is given up", async (_name, talk) => {
    const { url, open } = await serveSocket(talk);
    expect(await failure(fetchPage({ url }, { timeoutMs: 100 }))).toMatch(/took longer than 100 ms|does not answer/);
    await expect.poll(() => open.size).toBe(0);
  });

  test("an abort ends the request at once", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    const { url, open } = await serveSocket((socket) => {
      drip(socket, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n");
      // The request, of which the head was written.
      socket.once("data", () => socket.write("x", () => controller.abort(reason)));
    });
    await expect(fetchPage({ url }, {}, controller.signal)).rejects.toBe(reason);
    await expect.poll(() => open.size).toBe(0);
    await expect(fetchPage({ url }, {}, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test("a huge head is refused", async () => {
    const { url } = await serveSocket((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${"x-filler: ".padEnd(1_000, "y")}\r\n`.repeat(1));
      for (let line = 0; line < 200; line++) socket.write(`x-${line}: ${"y".repeat(1_000)}\r\n`);
      socket.end("\r\nhello");
    });
    expect(await failure(fetchPage({ url }))).toBe(
      `"${url}" cannot be fetched: the response headers are too large; try another URL`,
    );
  });

  test.each([
    [
      "what is no HTTP",
      (socket: Socket) => void socket.end("SSH-2.0-OpenSSH\r\n"),
      "its response is not HTTP; try another URL",
    ],
    ["a broken connection", (socket: Socket) => void socket.destroy(), "the connection was lost; try again"],
  ])("%s", async (_name, talk, message) => {
    const { url } = await serveSocket(talk);
    expect(await failure(fetchPage({ url }))).toBe(`"${url}" cannot be fetched: ${message}`);
  });

  test("no server, and no such host", async () => {
    const { url, server } = await serve(reply(""));
    server.close();
    expect(await failure(fetchPage({ url }))).toBe(
      `"${url}" cannot be fetched: the host refuses connections; check the host and port`,
    );
    expect(await failure(fetchPage({ url: "http://nowhere.test/" }, { lookup: lookupOf([]) }))).toBe(
      '"http://nowhere.test/" cannot be fetched: the host does not exist; check its spelling',
    );
  });

  // By what they cost at an eighth of the size: eight times as much, or sixty-four where each step looks at all others.
  test.each<[string, number, (times: number) => string, object]>([
    ["nested beyond reason", 100_000, (times) => "<div>".repeat(times), { markdown: "", isCut: false }],
    ["that never closes", 50_000, (times) => `<p>${"<b>".repeat(times)}x`, { markdown: "x", isCut: false }],
    ["of half tags", 500_000, (times) => "<".repeat(times), { markdown: expect.stringMatching(/^<+$/) }],
    [
      "of navigation",
      6_000,
      (times) => "<nav>x</nav>".repeat(times),
      { markdown: expect.stringMatching(/^x(\n\nx)+$/) },
    ],
    [
      "of one list",
      6_000,
      (times) => `<ol>${"<li>x</li>".repeat(times)}</ol>`,
      { markdown: expect.stringMatching(/^1/) },
    ],
  ])("a page %s is read in proportion to its size", async (_name, size, body, expected) => {
    const read = await loadHtmlReader();
    const options = { url: new URL("http://a.test/"), isWhole: false };
    const cost = (times: number): Promise<number> => processorTime(() => read(body(times), options));
    expect(read(body(size / 8), options)).toMatchObject(expected);
    const small = Math.max(10, await cost(size / 8));
    expect(await cost(size)).toBeLessThan(30 * small);
  });

  /** Its white space takes minutes, whatever the machine. */
  const endless = `<title>t</title><p>Hello</p><pre>${" ".repeat(900_000)}x</pre>`;
  const apart = { url: new URL("http://a.test/"), isWhole: false };
  const context = { signal: never, maxConversions: 2 };

  test("a page that takes too long is read as plain text, and nothing waits for it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    let [isReading, isOver] = [false, false];
    const page = readHtmlApart(endless, apart, context, () => (isReading = true)).finally(() => (isOver = true));
    await until(() => isReading);
    vi.advanceTimersByTime(9_999);
    await turn();
    expect(isOver).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await page).toEqual({ markdown: "t Hello x", links: [], isCut: false });
  });

  test("an abort ends the reading of a page at once", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    const reading = readHtmlApart(endless, apart, { ...context, signal: controller.signal }, () =>
      controller.abort(reason),
    );
    await expect(reading).rejects.toBe(reason);
  });
});

describe("http_request", () => {
  const echo: RequestListener = (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method, url, headers } = incoming;
      response.writeHead(201, { "content-type": "application/json", etag: '"1"', "set-cookie": "a=b" });
      response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
    });
  };

  test("reads, and gives status, telling headers and JSON", async () => {
    const { url } = await serve(echo);
    const result = await request({ url: `${url}/items?a=1`, headers: { Accept: "application/json" } });
    expect(result).toEqual({
      url: `${url}/items?a=1`,
      status: 201,
      headers: { "content-type": "application/json", etag: '"1"' },
      json: {
        method: "GET",
        url: "/items?a=1",
        headers: expect.objectContaining({ accept: "application/json" }),
        body: "",
      },
    });
  });

  test("gives the status of an error, and the API's message", async () => {
    const { url } = await serve(
      (_request, response) =>
        void response.writeHead(422, { "content-type": "application/json" }).end('{"error":"no"}'),
    );
    expect(await request({ url })).toEqual({
      url: `${url}/`,
      status: 422,
      headers: { "content-type": "application/json" },
      json: { error: "no" },
    });
  });

  test("sends JSON with the methods it was given, with the call's key, after a person agreed", async () => {
    const { url } = await serve(echo);
    const options: HttpRequestOptions = { ...LOCAL, methods: ["GET", "POST"], idempotencyHeader: "Idempotency-Key" };
    const tool = httpRequest(options);
    const approval = async (args: object): Promise<unknown> =>
      await tool.needsApproval?.(
        await tool.parse(args),
        { name: "http_request", args: {} },
        { signal: new AbortController().signal, context: undefined },
      );
    expect([await approval({ url }), await approval({ url, method: "POST" })]).toEqual([false, true]);
    const { json } = await request({ url, method: "POST", json: { a: [1] } }, options);
    expect(json).toMatchObject({
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": "key-1" },
      body: '{"a":[1]}',
    });
    expect([httpRequest().effects, httpRequest({ methods: ["POST"] }).effects, tool.effects]).toEqual([
      "none",
      "once",
      "idempotent",
    ]);
  });

  test("does nothing that it was not given", async () => {
    const { url, requests } = await serve(echo);
    await expect(request({ url, method: "POST" })).rejects.toThrow(/method/);
    expect(await failure(request({ url, json: 1, method: "GET" }, { methods: ["GET", "POST"] }))).toBe(
      "GET takes no body; put parameters into the query of the URL",
    );
    expect(await failure(request({ url, headers: { Cookie: "a" } }))).toBe(
      'the header "cookie" is not allowed; allowed: accept, accept-language, if-none-match, if-modified-since',
    );
    expect(await failure(request({ url, headers: { accept: "a\r\nx: y" } }))).toBe(
      "the header accept must be one line of at most 2000 plain characters",
    );
    expect(requests.length).toBe(0);
    expect(() => httpRequest({ allowHeaders: ["Host"] })).toThrow('allowHeaders: "host" cannot be set');
    expect(() => httpRequest({ headers: { authorization: "x" } })).toThrow("headers requires allow");
  });

  test("sends its own headers only to the hosts that are named, also after redirects", async () => {
    const other = await serve(echo);
    const { port, requests } = await serve((incoming, response) =>
      incoming.url === "/away"
        ? redirect(`http://other.test:${other.port}/`)(incoming, response)
        : echo(incoming, response),
    );
    const options: HttpRequestOptions = {
      headers: { Authorization: "Bearer secret" },
      allow: ["api.test"],
      allowHeaders: ["x-mine"],
      lookup: lookupOf(["127.0.0.1"]),
    };
    const headers = { "x-mine": "1" };
    const near = await request({ url: `http://api.test:${port}/`, headers }, options);
    expect(requests[0]?.headers).toMatchObject({ authorization: "Bearer secret", "x-mine": "1" });
    // The service repeats what it got.
    expect(near.json.headers).toMatchObject({ authorization: "[redacted]", "x-mine": "1" });
    // A wider list of hosts is needed for the redirect; the named one alone gets the header of the same origin.
    const wide = { ...options, headers: undefined, allow: undefined };
    const far = await request({ url: `http://api.test:${port}/away`, headers }, wide);
    expect(far.json.headers).not.toHaveProperty("x-mine");
    expect(await failure(request({ url: `http://api.test:${port}/away` }, options))).toBe(
      "the host other.test is not allowed; allowed: api.test",
    );
    expect(httpRequest(options).declaration).toSatisfy(
      (declared: object) => !JSON.stringify(declared).includes("secret"),
    );
  });

  test("keeps its own headers off connections that are not encrypted", async () => {
    const { port } = await serve(echo);
    // A public name, as far as this tool can tell: nothing private was opened for it.
    const { Policy } = await import("../src/http/policy.ts");
    const policy = new Policy({ allow: ["api.test"], ports: "any" });
    expect(policy.isTrusted(new URL(`http://api.test:${port}/`))).toBe(false);
    expect(policy.isTrusted(new URL("https://api.test/"))).toBe(true);
    expect(policy.isTrusted(new URL("https://b.test/"))).toBe(false);
  });

  test.each([
    [303, "/", "GET", ""],
    [302, "/", "GET", ""],
    [307, "/", "POST", '{"a":1}'],
  ])("a POST that is redirected by %i to %s becomes a %s", async (status, to, method, body) => {
    const { url } = await serve((incoming, response) =>
      incoming.url === "/from" ? redirect(to, status)(incoming, response) : echo(incoming, response),
    );
    const { json } = await request({ url: `${url}/from`, method: "POST", json: { a: 1 } }, { methods: ["POST"] });
    expect(json).toMatchObject({ method, body });
  });

  test("a body is not carried to another host", async () => {
    const other = await serve(echo);
    const { url } = await serve(redirect(`${other.url}/`, 307));
    expect(await failure(request({ url, method: "POST", json: {} }, { methods: ["POST"] }))).toBe(
      `the server redirects the POST request to ${other.url}; send it there yourself if that is intended`,
    );
    expect(other.requests.length).toBe(0);
  });

  test("gives long answers in pieces, and does not repeat what is not reading", async () => {
    const { url } = await serve(reply(JSON.stringify({ text: "x".repeat(300) }), "application/json"));
    const options: HttpRequestOptions = { methods: ["GET", "POST"], maxCharacters: 200 };
    const first = await request({ url }, options);
    expect(first).toMatchObject({ total_characters: 316, next_offset: 200 });
    const second = await request({ url, offset: first.next_offset }, options);
    expect(JSON.parse(first.content + second.content)).toEqual({ text: "x".repeat(300) });
    expect(await request({ url, method: "POST" }, options)).toMatchObject({ note: "the rest of the body is omitted" });
    expect(await failure(request({ url, method: "POST", offset: 3 }, options))).toBe(
      "offset works only with GET, because the request is sent again",
    );
  });

  test("shows no binary bodies, and none of HEAD and 204", async () => {
    const { url } = await serve((incoming, response) =>
      incoming.url === "/none"
        ? void response.writeHead(204).end()
        : reply(Buffer.from([0, 1]), "application/zip")(incoming, response),
    );
    expect((await request({ url })).note).toBe("the body is application/zip and is not shown");
    expect(await request({ url: `${url}/none` })).toEqual({ url: `${url}/none`, status: 204, headers: {} });
    expect(await request({ url, method: "HEAD" })).toMatchObject({ status: 200 });
  });
});

describe("in an agent", () => {
  test("a page is read and a refusal is answered", async () => {
    const { url } = await serve(reply(PAGE, "text/html"));
    const model = new ScriptedModel(
      call("web_fetch", { url }),
      call("web_fetch", { url: "http://169.254.169.254/" }),
      say("Done."),
    );
    const result = await new Agent({ model, tools: [webFetch(LOCAL)] }).run("What is there?");
    expect(result.text).toBe("Done.");
    expect(answersOf(model)).toEqual([
      { output: expect.objectContaining({ kind: "html", title: "A & B page" }) },
      { error: "the host 169.254.169.254 is refused: it is not on the public internet; use another source" },
    ]);
  });

  test("a request that changes something waits for a person", async () => {
    const { url, requests } = await serve(reply("{}", "application/json"));
    const model = new ScriptedModel(call("http_request", { url, method: "DELETE" }), say("Deleted."));
    const agent = new Agent({ model, tools: [httpRequest({ ...LOCAL, methods: ["GET", "DELETE"] })] });
    const result = await agent.run("Delete it");
    expect([result.stopReason, requests.length]).toEqual(["needs-approval", 0]);
  });
});

function answersOf(model: ScriptedModel): unknown[] {
  const contents = model.requests.at(-1)?.contents ?? [];
  return contents.flatMap(({ parts }) => parts.flatMap(({ functionResponse }) => functionResponse?.response ?? []));
}

function drip(socket: Socket, head: string): void {
  socket.write(head);
  const timer = setInterval(() => socket.write("x"), 20);
  socket.on("close", () => clearInterval(timer));
}
