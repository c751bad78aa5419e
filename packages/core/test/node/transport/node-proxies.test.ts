import { once } from "node:events";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { nodeTransport } from "../../../src/node/index.ts";
import { knowsProxies } from "../../../src/node/transport/node-agents.ts";
import {
  ANSWER,
  ASK,
  clientOf,
  closing,
  json,
  listen,
  portOf,
  selfSigned,
  serve,
  serveTls,
} from "../../helpers/node-service.ts";
import { stopClock } from "../../helpers/stop-clock.ts";
import { until } from "../../helpers/until.ts";

describe("a proxy", () => {
  interface Proxy {
    readonly url: string;
    readonly asked: string[];
  }

  /** Passes requests in absolute form on, and opens tunnels. */
  async function proxy(): Promise<Proxy> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      json(request, response);
    });
    server.on("connect", (request, socket: Socket) => {
      asked.push(`CONNECT ${request.url}`);
      const [host = "", port] = (request.url ?? "").split(":");
      const onward = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        onward.pipe(socket).pipe(onward);
      });
      onward.on("error", () => socket.destroy());
      socket.on("error", () => onward.destroy());
    });
    await listen(server);
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${portOf(server)}`, asked };
  }

  test.runIf(knowsProxies(process.versions.node))("of the environment is gone through", async () => {
    const { url, asked } = await proxy();
    // Nothing listens there: the proxy answers.
    const client = clientOf("http://127.0.0.1:9", { proxyEnv: { http_proxy: url } });
    expect(await client.generateContent("m", ASK)).toEqual(ANSWER);
    expect(asked).toEqual(["POST http://127.0.0.1:9/v1beta/models/m:generateContent"]);
  });

  test.runIf(knowsProxies(process.versions.node))("opens a tunnel for https", async ({ skip }) => {
    const identity = await selfSigned();
    skip(identity === undefined, "no openssl here");
    const service = await serveTls(identity);
    const { url, asked } = await proxy();
    const client = clientOf(service.url, { proxyEnv: { HTTPS_PROXY: url }, tls: { ca: identity?.cert } });
    for (let i = 0; i < 2; i++) expect(await client.generateContent("m", ASK)).toEqual(ANSWER);
    expect(asked).toEqual([`CONNECT ${new URL(service.url).host}`]);
  });

  test.runIf(knowsProxies(process.versions.node)).each([
    ["does not answer", ""],
    ["opens a tunnel to nobody", "HTTP/1.1 200 OK\r\n\r\n"],
  ])("that %s is given up after connectMs", async (_how, answered) => {
    stopClock();
    let received = 0;
    const silent = createTcpServer((socket) => {
      socket.on("error", () => {}).on("data", () => void (received++ === 0 && socket.write(answered)));
    });
    await listen(silent);
    closing.push(() => silent.close());
    const closed = once(silent, "connection").then(([socket]) => once(socket as Socket, "close"));
    const env = { HTTPS_PROXY: `http://127.0.0.1:${portOf(silent)}` };
    const client = clientOf("https://127.0.0.1:9", { connectMs: 40, proxyEnv: env });
    const failed = client.generateContent("m", ASK).catch((error: unknown) => error);
    // The wish for a tunnel, and the hello that goes through it.
    await until(() => received === (answered === "" ? 1 : 2));
    vi.advanceTimersByTime(40);
    expect(await failed).toMatchObject({ code: "api_network", message: expect.stringMatching(/ETIMEDOUT/) });
    await closed;
  });

  test.runIf(knowsProxies(process.versions.node))("is passed by where NO_PROXY says so", async () => {
    const { url, asked } = await proxy();
    const service = await serve(json);
    const client = clientOf(service.port, { proxyEnv: { HTTP_PROXY: url, NO_PROXY: "127.0.0.1" } });
    expect(await client.generateContent("m", ASK)).toEqual(ANSWER);
    expect(asked).toEqual([]);
  });

  test.each([
    ["20.19.0", false],
    ["22.20.0", false],
    ["22.21.0", true],
    ["24.4.1", false],
    ["24.5.0", true],
    ["25.0.0", true],
  ])("is known to Node %s: %s", (version, known) => {
    expect(knowsProxies(version)).toBe(known);
  });

  test
    .runIf(knowsProxies(process.versions.node))
    .each([
      "proxy.example:8080",
      "127.0.0.1:8080",
      "socks5://me:secret-word@proxy.example:1080",
      "http://me:secret\n-word@proxy.example:8080",
      "http://",
    ])("with an address like %j is refused, not passed by", (address) => {
    const refused = /^HTTPS_PROXY must be an http:\/\/ or https:\/\/ URL: correct it, or pass proxyEnv: \{\} [\w ]+\.$/;
    expect(() => nodeTransport({ proxyEnv: { https_proxy: address } })).toThrow(
      expect.objectContaining({ code: "configuration", message: expect.stringMatching(refused) }),
    );
  });

  test("that this version of Node cannot use is an error that says what to do", () => {
    const versions = vi.spyOn(process, "versions", "get").mockReturnValue({ ...process.versions, node: "20.19.0" });
    try {
      expect(() => nodeTransport({ proxyEnv: { HTTPS_PROXY: "http://127.0.0.1:1" } })).toThrow(
        /HTTPS_PROXY names a proxy.*20\.19\.0.*proxyEnv: \{\}.*fetch that supports proxies/,
      );
      expect(() => nodeTransport({ proxyEnv: { NO_PROXY: "*" } })).not.toThrow();
    } finally {
      versions.mockRestore();
    }
  });
});
